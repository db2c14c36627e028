import sys
from collections.abc import AsyncIterator, Sized
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.batches.json_lines import (
    LineSplitter,
    ResultSplitter,
    TooLong,
    work_bytes,
    work_on,
)
from providers.errors import FerryError
from providers.json_api.structure import Structure, structure_of
from providers.limits import LINE_NODES, RESULT_HEAD
from providers.memory import BUDGET_BYTES, MemoryBudget
from tests.test_providers.streams import CUTS, cut, stream

LIMIT = 40
SLACK = "providers.batches.json_lines.RESULT_EXTRA"
MIB = 1 << 20
TEXT = st.lists(st.sampled_from([b"a", b"\n", b"\r\n", b" ", b"\xef\xbb\xbf", b"{}", b"x" * 20]))


async def split(pieces: list[bytes], limit: int = LIMIT) -> list[tuple[int, bytes]] | str:
    """The numbered lines, or the refusal."""
    memory = MemoryBudget(1000)
    try:
        slices = LineSplitter(limit, memory).split(stream(pieces))
        return [line async for lines in slices for line in lines]
    except FerryError as error:
        return f"{error.status.name} {error.path}"
    finally:
        memory.take(1000)


@given(TEXT, CUTS)
async def test_the_chunks_of_a_stream_do_not_matter(text: list[bytes], cuts: list[int]) -> None:
    data = b"".join(text)
    assert await split(cut(data, cuts)) == await split([data])


@given(TEXT)
async def test_lines_are_those_of_the_text(text: list[bytes]) -> None:
    data = b"".join(text)
    lines = [line.strip() for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n")]
    found = await split([data], limit=10_000)
    assert found == [(number, line) for number, line in enumerate(lines, start=1) if line]


@pytest.mark.parametrize("blank", [b"\n", b"\r\n", b" \t\v\f\n"])
async def test_blank_lines_are_skipped_at_once(blank: bytes) -> None:
    calls = 0

    def count(frame: object, event: str, arg: object) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        found = await split([b"{}\n" + blank * 10_000 + b"{}"], limit=MIB)
    finally:
        sys.setprofile(None)
    assert found == [(1, b"{}"), (10_002, b"{}")]
    assert calls < 100


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
async def test_a_line_at_the_limit_and_one_beyond_it(end: bytes) -> None:
    data = b"{}\n" + b"x" * (LIMIT - len(end.strip(b"\n"))) + end
    assert await split([data]) == [(1, b"{}"), (2, data[3:].strip())]
    assert await split([b"{}\n", b"y" + data[3:]]) == "INVALID_ARGUMENT line 2"


@given(TEXT, CUTS)
async def test_each_line_of_results_is_returned_or_reported_as_too_long(
    text: list[bytes], cuts: list[int]
) -> None:
    data = b"".join(text)
    first, *rest = data.split(b"\n")
    with patch(SLACK, 0):
        slices = ResultSplitter(LIMIT, MemoryBudget()).split(stream(cut(data, cuts)))
        found = [line async for lines in slices for line in lines]
    # Each line unchanged; a BOM is part of the first.
    fitting = [line for line in (first, *rest) if len(line) <= LIMIT]
    if len(first) <= LIMIT:
        fitting[0] = first.removeprefix(b"\xef\xbb\xbf")
    assert [line for line in found if isinstance(line, bytes)] == [
        line.strip() for line in fitting if line.strip()
    ]
    heads = [line.head for line in found if isinstance(line, TooLong)]
    long = [line for line in (first, *rest) if len(line) > LIMIT]
    assert len(heads) == len(long)
    assert all(line.startswith(head) for head, line in zip(heads, long, strict=True))
    assert all(len(head) > LIMIT for head in heads)


async def test_a_result_that_is_too_long_is_not_stored() -> None:
    memory = MemoryBudget(2 * MIB)
    lines = stream([b"x" * MIB] * 8 + [b"\n{}"])
    slices = ResultSplitter(600 << 10, memory).split(lines)
    [told], [line] = await anext(slices), await anext(slices)
    assert told == TooLong(b"x" * RESULT_HEAD)
    assert line == b"{}"
    memory.take(2 * MIB)


async def test_results_may_be_longer_than_their_requests() -> None:
    for size, fits in ((LIMIT + MIB, True), (LIMIT + MIB + 1, False)):
        slices = ResultSplitter(LIMIT, MemoryBudget()).split(stream([b"x" * size + b"\n"]))
        [line] = await anext(slices)
        assert isinstance(line, bytes) is fits


async def test_an_endless_line_is_refused_early() -> None:
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
    memory = MemoryBudget(1000 << 10)
    memory.take(500 << 10)
    line = [b"x" * (100 << 10)] * 4
    slices = LineSplitter(MIB, memory).split(stream([*line, b"\n", *line, *line]))
    assert len((await anext(slices))[0][1]) == 400 << 10
    with pytest.raises(FerryError) as caught:
        await anext(slices)
    assert caught.value.code == 429
    memory.take(500 << 10)


@pytest.mark.parametrize("splitter", [LineSplitter, ResultSplitter])
async def test_a_long_line_is_counted_until_the_next_is_read(
    splitter: type[LineSplitter] | type[ResultSplitter],
) -> None:
    memory, size = MemoryBudget(4 * MIB), 3 * MIB
    data = stream([b"x" * size, b"\n{}\n", b"{}"])
    slices: AsyncIterator[Sized] = splitter(4 * MIB, memory).split(data)
    lines = await anext(slices)
    assert len(lines) == 2
    with pytest.raises(FerryError):
        memory.take(2 * MIB)
    await anext(slices)
    memory.take(4 * MIB)


async def test_a_long_line_is_counted_while_it_is_translated() -> None:
    size = 3 * MIB
    text = b"x" * size
    memory = MemoryBudget(work_bytes(structure_of(text)))
    splitter = LineSplitter(4 * MIB, memory)

    assert await work_on(text, LINE_NODES, splitter.reserve, lambda: memory.used) == memory.size
    # A short line is not counted.
    assert await work_on(b"x" * 100, LINE_NODES, splitter.reserve, lambda: memory.used) == 0
    memory.take(1)
    with pytest.raises(FerryError) as caught:
        await work_on(text, LINE_NODES, splitter.reserve, lambda: None)
    assert caught.value.code == 429


def test_a_line_of_the_default_limit_fits_the_budget() -> None:
    """As an input, and as a longer result, with space for 50,000 rows of a table."""
    longest = Structure((32 << 20) + MIB, depth=10, nodes=10_000, items=1_000)
    assert longest.length + work_bytes(longest) + (20 << 20) <= BUDGET_BYTES


async def test_a_line_taken_out_has_no_other_reference() -> None:
    slices = LineSplitter(MIB, MemoryBudget()).split(stream([b"x" * (MIB >> 1), b"\n{}"]))
    lines = await anext(slices)
    _, text = lines.popleft()
    # The name, and the argument of the call.
    assert sys.getrefcount(text) == 2


async def test_giving_up_frees_the_memory() -> None:
    memory = MemoryBudget(1 << 20)

    async def broken() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b"x" * (100 << 10)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await anext(LineSplitter(1 << 20, memory).split(broken()))
    memory.take(1 << 20)


async def test_a_large_chunk_is_read_in_slices() -> None:
    """Work on a slice blocks the event loop."""
    slices = LineSplitter(1 << 20, MemoryBudget()).split(stream([b"{}\n" * 100_000]))
    sizes = [len(lines) async for lines in slices]
    assert sum(sizes) == 100_000
    assert max(sizes) <= 4096
