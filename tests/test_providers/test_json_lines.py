from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.errors import FerryError
from providers.json_lines import LineSplitter, ResultSplitter
from providers.memory import MemoryBudget
from tests.test_providers.streams import CUTS, cut, stream

LIMIT = 40
TEXT = st.lists(st.sampled_from([b"a", b"\n", b"\r\n", b" ", b"\xef\xbb\xbf", b"{}", b"x" * 20]))


async def split(pieces: list[bytes], limit: int = LIMIT) -> list[tuple[int, bytes]] | str:
    """The numbered lines, or how they are refused."""
    memory = MemoryBudget(1000)
    try:
        slices = LineSplitter(limit, memory).split(stream(pieces))
        return [line async for lines in slices for line in lines]
    except FerryError as error:
        return f"{error.status} {error.path}"
    finally:
        memory.take(1000)


@given(TEXT, CUTS)
async def test_the_chunks_of_a_stream_make_no_difference(
    text: list[bytes], cuts: list[int]
) -> None:
    data = b"".join(text)
    assert await split(cut(data, cuts)) == await split([data])


@given(TEXT)
async def test_lines_are_those_of_the_text(text: list[bytes]) -> None:
    data = b"".join(text)
    lines = [line.strip() for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n")]
    found = await split([data], limit=10_000)
    assert found == [(number, line) for number, line in enumerate(lines, start=1) if line]


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
async def test_a_line_at_the_limit_and_one_beyond_it(end: bytes) -> None:
    data = b"{}\n" + b"x" * (LIMIT - len(end.strip(b"\n"))) + end
    assert await split([data]) == [(1, b"{}"), (2, data[3:].strip())]
    assert await split([b"{}\n", b"y" + data[3:]]) == "INVALID_ARGUMENT line 2"


@given(TEXT, CUTS)
async def test_of_results_only_the_lines_that_fit_are_given(
    text: list[bytes], cuts: list[int]
) -> None:
    data = b"".join(text)
    lines = enumerate(data.split(b"\n"), start=1)
    short = [(number, line) for number, line in lines if len(line) <= LIMIT]
    if short and short[0][0] == 1:
        short[0] = (1, short[0][1].removeprefix(b"\xef\xbb\xbf"))
    bare = [(number, line.strip()) for number, line in short]
    slices = ResultSplitter(LIMIT, MemoryBudget()).split(stream(cut(data, cuts)))
    assert [line async for lines in slices for line in lines] == [pair for pair in bare if pair[1]]


async def test_a_result_that_is_too_long_is_not_held() -> None:
    memory = MemoryBudget(1 << 20)
    slices = ResultSplitter(600 << 10, memory).split(stream([b"x" * (1 << 20)] * 8 + [b"\n{}"]))
    assert [line async for lines in slices for line in lines] == [(2, b"{}")]
    memory.take(1 << 20)


async def test_a_line_that_never_ends_is_refused_before_it_is_held() -> None:
    taken: list[int] = []

    async def endless() -> AsyncIterator[bytes]:
        while True:
            taken.append(1)
            yield b"x" * 10

    slices = LineSplitter(LIMIT, MemoryBudget()).split(endless())
    with pytest.raises(FerryError, match="line 1"):
        await anext(slices)
    assert len(taken) == LIMIT // 10 + 1


async def test_a_long_line_draws_on_the_budget() -> None:
    memory = MemoryBudget(500 << 10)
    line = [b"x" * (100 << 10)] * 4
    slices = LineSplitter(1 << 20, memory).split(stream([*line, b"\n", *line, *line]))
    assert len((await anext(slices))[0][1]) == 400 << 10
    with pytest.raises(FerryError) as caught:
        await anext(slices)
    assert caught.value.code == 429
    memory.take(500 << 10)


async def test_giving_up_gives_back() -> None:
    memory = MemoryBudget(1 << 20)

    async def broken() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b"x" * (100 << 10)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await anext(LineSplitter(1 << 20, memory).split(broken()))
    memory.take(1 << 20)


async def test_a_large_chunk_is_given_in_slices() -> None:
    """What is made of a slice holds the event loop up."""
    slices = LineSplitter(1 << 20, MemoryBudget()).split(stream([b"{}\n" * 100_000]))
    sizes = [len(lines) async for lines in slices]
    assert sum(sizes) == 100_000
    assert len(sizes) > 4
