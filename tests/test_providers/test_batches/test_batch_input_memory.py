"""The memory that the input of a batch takes."""

import sys
from unittest.mock import patch

import pytest

from providers.batches.batch_input import FileInput
from providers.batches.checked_input import Extent, InputLimits, check, translated
from providers.batches.json_lines import LineSplitter, work_bytes
from providers.body import close
from providers.errors import FerryError
from providers.json_api.structure import structure_of
from providers.memory import MemoryBudget
from providers.spool import NoSpool
from tests.test_providers.requests_in_lines import Numbered, formats
from tests.test_providers.streams import collect, cut
from tests.test_providers.test_batches.batch_inputs import (
    LIMITS,
    LINES,
    StoredFile,
    asking,
    in_file,
    keyed,
    lines_of,
)


async def test_the_table_draws_on_the_budget() -> None:
    memory = MemoryBudget(400)
    memory.take(200)
    file = StoredFile(keyed(3))
    with memory.reserve() as reservation, pytest.raises(FerryError) as caught:
        await check(in_file(file), Numbered(), LIMITS, LINES, reservation, NoSpool())
    assert caught.value.code == 429
    assert file.readers == 0
    memory.take(200)


MIB = 1 << 20


def long_input(memory: MemoryBudget, *sizes: int) -> tuple[FileInput, int]:
    """A file with one long request of each size, and the length of the longest line."""
    lines = [lines_of({"key": str(n), "request": asking("x" * n)}) for n in sizes]
    file = StoredFile(*cut(b"\n".join(lines), [64 << 10] * 100))
    splitter = LineSplitter(8 * MIB, memory)
    return FileInput(file.opened, splitter, formats()), max(map(len, lines))


@pytest.mark.parametrize("fits", [True, False])
async def test_the_translation_of_a_long_line_draws_on_the_budget(fits: bool) -> None:
    _, size = long_input(MemoryBudget(), MIB)
    work = work_bytes(structure_of(lines_of({"key": "", "request": asking("x" * MIB)})))
    # Of the line itself, only the part beyond a stream's buffer is counted.
    memory = MemoryBudget(work + size - (0 if fits else MIB // 2))
    source, _ = long_input(memory, MIB)
    limits = InputLimits("The provider", requests=1, size=2 * MIB)
    with memory.reserve() as reservation:
        if fits:
            assert (
                len((await check(source, Numbered(), limits, LINES, reservation, NoSpool())).table)
                == 1
            )
        else:
            with pytest.raises(FerryError) as caught:
                await check(source, Numbered(), limits, LINES, reservation, NoSpool())
            assert caught.value.code == 429
    memory.take(memory.size)


async def test_a_long_line_is_counted_as_its_text_while_it_is_sent() -> None:
    memory = MemoryBudget()
    source, size = long_input(memory, 2 * MIB, 2 * MIB + 1)
    body = translated(source, Numbered(), LINES, Extent(LINES.length(2, 2 * size), b""))
    chunks = aiter(body.chunks)
    assert len(await anext(chunks)) < 256 << 10
    with pytest.raises(FerryError):
        memory.take(memory.size - size // 2)
    memory.take(memory.size - 2 * size)
    await close(body)
    memory.take(2 * size)


async def test_a_line_is_freed_once_parsed_and_its_text_once_sent() -> None:
    """Only one of two long lines is in memory at a time."""
    memory = MemoryBudget()
    sent: list[bytes] = []
    holders: list[int] = []

    class Watched(Numbered):
        def line(self, index: int, request: object, path: str) -> bytes:
            holders.extend(sys.getrefcount(text) for text in sent)
            sent.append(super().line(index, request, path))
            return sent[-1]

    source, _ = long_input(memory, MIB, MIB + 1)
    limits = InputLimits("The provider", requests=2, size=4 * MIB)
    with memory.reserve() as reservation:
        extent = (await check(source, Numbered(), limits, LINES, reservation, NoSpool())).extent
    assert await collect(aiter(translated(source, Watched(), LINES, extent).chunks))
    # Here: in the list, as the loop's variable, and as an argument.
    assert holders == [3]


async def test_an_abandoned_translation_closes_its_file() -> None:
    file = StoredFile(keyed(3))
    with patch("providers.batches.checked_input._SLICE_BYTES", 10):
        body = translated(in_file(file), Numbered(), LINES, Extent(1000, b""))
        assert await anext(aiter(body.chunks))
    assert file.readers == 1
    await close(body)
    assert file.readers == 0
