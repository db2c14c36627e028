from contextlib import aclosing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.bedrock.immediate.input_segments import (
    SEGMENT_BYTES,
    record_bytes,
    records_of,
    segment_bytes,
    segments,
)
from providers.body import Body
from providers.errors import FerryError
from providers.json_lines import LineSplitter
from providers.memory import MemoryBudget
from tests.test_providers.streams import CUTS, cut, stream


async def cut_up(pieces: list[bytes], memory: MemoryBudget) -> list[tuple[int, bytes]]:
    splitter = LineSplitter(1 << 20, memory)
    async with aclosing(segments(Body(stream(pieces), None), splitter, memory)) as made:
        return [segment async for segment in made]


@given(st.lists(st.integers(1, SEGMENT_BYTES // 3), max_size=12), CUTS)
async def test_the_records_come_back_in_order(sizes: list[int], cuts: list[int]) -> None:
    lines = [b"x" * size for size in sizes]
    made = await cut_up(cut(b"\n".join(lines), cuts), MemoryBudget())
    records = [record for first, text in made for record in records_of(first, text)]
    assert records == list(enumerate(lines))
    assert all(len(text) < 2 * SEGMENT_BYTES for _, text in made)


async def test_a_long_line_is_a_segment_of_its_own() -> None:
    lines = [b"a" * SEGMENT_BYTES, b"b" * SEGMENT_BYTES, b"c"]
    assert await cut_up([b"\n".join(lines)], MemoryBudget()) == list(enumerate(lines))


@pytest.mark.parametrize(("spare", "fits"), [(0, True), (-1, False)])
async def test_what_could_never_be_carried_out_is_refused(spare: int, fits: bool) -> None:
    size = 4 * SEGMENT_BYTES
    memory = MemoryBudget(segment_bytes(size) + record_bytes(size) + spare)
    line = b"x" * size + b"\n"
    if fits:
        assert await cut_up([line], memory) == [(0, line[:-1])]
    else:
        with pytest.raises(FerryError) as caught:
            await cut_up([line], memory)
        assert caught.value.status == "RESOURCE_EXHAUSTED"
    # All of it was given back.
    memory.take(segment_bytes(size) + record_bytes(size) + spare)
