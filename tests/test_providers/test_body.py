from collections.abc import AsyncIterator, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.body import Body, Slices, TruncatedBody, drain, in_memory, join, once, read_up_to
from tests.test_providers.streams import CUTS, Watched, collect, cut, stream


@given(st.binary(max_size=60), CUTS, st.integers(1, 20))
async def test_slices_are_the_stream_in_any_pieces(data: bytes, cuts: list[int], size: int) -> None:
    slices = Slices(stream(cut(data, cuts)))
    taken = []
    for start in range(0, len(data), size):
        body = slices.take(min(size, len(data) - start))
        taken.append(await collect(aiter(body.chunks)))
        assert len(taken[-1]) == body.length
    assert taken == [data[start : start + size] for start in range(0, len(data), size)]
    assert slices.position == len(data)


@given(st.binary(max_size=60), CUTS, st.integers(1, 20))
async def test_slices_of_an_unknown_length_end_with_the_stream(
    data: bytes, cuts: list[int], size: int
) -> None:
    slices = Slices(stream(cut(data, cuts)))
    taken = [b"."]
    while taken[-1]:
        taken.append(await collect(aiter(slices.take_up_to(size).chunks)))
    assert b"".join(taken) == b"." + data
    assert all(len(piece) == size for piece in taken[1:-2])


@given(st.binary(min_size=1, max_size=30), CUTS)
async def test_skipping_continues_where_reading_would(data: bytes, cuts: list[int]) -> None:
    slices = Slices(stream(cut(data, cuts)))
    half = len(data) // 2
    await slices.skip(half)
    rest = slices.take(len(data) - half)
    assert await collect(aiter(rest.chunks)) == data[half:]


async def test_a_stream_that_ends_too_early() -> None:
    slices = Slices(stream([b"abc"]))
    with pytest.raises(TruncatedBody):
        await drain(slices.take(4))
    assert slices.position == 3


@pytest.mark.parametrize(
    ("lengths", "length"), [((1, 2), 3), ((1, None), None), ((), 0), ((0, 0), 0)]
)
def test_the_length_of_a_joined_body(lengths: tuple[int | None, ...], length: int | None) -> None:
    assert join(*(Body(once(b""), each) for each in lengths)).length == length


@pytest.mark.parametrize(
    "passed_on",
    [
        lambda chunks: Slices(chunks).take(Watched.SIZE),
        lambda chunks: Slices(chunks).take_up_to(Watched.SIZE),
        lambda chunks: join(Body(chunks, None)),
    ],
    ids=["take", "take_up_to", "join"],
)
async def test_no_chunk_is_kept_while_the_next_is_waited_for(
    passed_on: Callable[[AsyncIterator[bytes]], Body],
) -> None:
    source = Watched()
    chunks = aiter(passed_on(source.chunks()).chunks)
    while await anext(chunks, None) is not None:
        pass
    # `take` does not ask again when it has enough.
    assert source.read >= 2000
    assert not source.kept


async def test_a_joined_body_has_its_parts_in_order() -> None:
    body = join(in_memory(b"ab"), Body(stream([b"c", b"d"]), None), in_memory(b""), in_memory(b"e"))
    assert await collect(aiter(body.chunks)) == b"abcde"


async def test_an_abandoned_joined_body_closes_its_parts() -> None:
    """Immediately, not at the next garbage collection: a part may hold memory or a connection."""
    ended: list[str] = []

    async def part(name: str) -> object:
        try:
            yield name.encode()
            yield b"more"
        finally:
            ended.append(name)

    body = join(Body(part("a"), None), Body(part("b"), None))  # type: ignore[arg-type]
    chunks = body.chunks
    assert await anext(aiter(chunks)) == b"a"
    kept_alive = list(ended)
    await chunks.aclose()  # type: ignore[attr-defined]
    assert (kept_alive, ended) == ([], ["a"])


@pytest.mark.parametrize(
    ("limit", "collected"), [(0, None), (5, None), (6, b"abcdef"), (9, b"abcdef")]
)
async def test_a_body_is_collected_up_to_a_limit(limit: int, collected: bytes | None) -> None:
    body = join(in_memory(b"abc"), in_memory(b""), in_memory(b"def"))
    assert await read_up_to(body.chunks, limit) == collected
