from contextlib import aclosing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.batches.immediate.creation import SEGMENT_BYTES, SEGMENT_RECORDS, segments
from providers.batches.immediate.memory import working_bytes
from providers.batches.json_lines import LineSplitter
from providers.body import Body
from providers.errors import FerryError
from providers.memory import MemoryBudget
from providers.status import Status
from tests.test_providers.streams import CUTS, cut, stream


async def cut_up(pieces: list[bytes], memory: MemoryBudget) -> list[list[bytes]]:
    splitter = LineSplitter(1 << 20, memory)
    async with aclosing(segments(Body(stream(pieces), None), splitter, memory)) as made:
        return [segment async for segment in made]


@given(st.lists(st.integers(1, SEGMENT_BYTES // 3), max_size=12), CUTS)
async def test_the_records_are_read_back_in_order(sizes: list[int], cuts: list[int]) -> None:
    lines = [b"x" * size for size in sizes]
    made = await cut_up(cut(b"\n".join(lines), cuts), MemoryBudget())
    assert [line for segment in made for line in segment] == lines
    assert all(sum(map(len, segment)) < 2 * SEGMENT_BYTES for segment in made)


async def test_a_segment_has_a_few_records() -> None:
    lines = [str(number).encode() for number in range(2 * SEGMENT_RECORDS + 1)]
    made = await cut_up([b"\n".join(lines)], MemoryBudget())
    assert [len(segment) for segment in made] == [SEGMENT_RECORDS, SEGMENT_RECORDS, 1]


async def test_a_long_line_is_a_segment_of_its_own() -> None:
    lines = [b"a" * SEGMENT_BYTES, b"b" * SEGMENT_BYTES, b"c"]
    assert await cut_up([b"\n".join(lines)], MemoryBudget()) == [[line] for line in lines]


@pytest.mark.parametrize(("spare", "fits"), [(0, True), (-1, False)])
async def test_a_segment_larger_than_the_budget_is_refused(spare: int, fits: bool) -> None:
    size = 4 * SEGMENT_BYTES
    memory = MemoryBudget(working_bytes(size, 1) + spare)
    line = b"x" * size + b"\n"
    if fits:
        assert await cut_up([line], memory) == [[line[:-1]]]
    else:
        with pytest.raises(FerryError) as caught:
            await cut_up([line], memory)
        assert caught.value.status == Status.INVALID_ARGUMENT
    # All of it was given back.
    memory.take(memory.size)
