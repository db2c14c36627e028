import tracemalloc
from pathlib import Path

import pytest

from providers.memory import MemoryBudget
from providers.request_table import RequestTable, RequestTables, RowKind
from providers.state import write
from proxy.state_directory import DirectoryState
from tests.memory_state import MemoryState

NAME = "file/job"


async def stored(state: MemoryState, table: RequestTable) -> RequestTable | None:
    tables = RequestTables("openai", state)
    await tables.write(NAME, table)
    with MemoryBudget().reserve() as reservation:
        return await tables.read(NAME, reservation)


@pytest.mark.parametrize(
    "rows",
    [
        [b'"a"'],
        [b"null", b'{"a":"b"}', b"null"],
        [b'"%06d"' % number for number in range(30_000)],
        [b'"%s"' % (b"x" * 700_000), b'"y"'],
    ],
)
async def test_a_table_comes_back_as_it_was_written(rows: list[bytes]) -> None:
    table = RequestTable(RowKind.KEY, rows)
    assert await stored(MemoryState(), table) == table


async def test_a_table_that_is_not_there() -> None:
    with MemoryBudget().reserve() as reservation:
        assert await RequestTables("openai", MemoryState()).read(NAME, reservation) is None


async def test_a_table_of_another_length_than_it_says() -> None:
    state = MemoryState()
    await write(state, f"batches/openai/{NAME}", b'{"kind":"key","count":3}\n"a"\n"b"')
    with MemoryBudget().reserve() as reservation:
        with pytest.raises(ValueError, match="another length"):
            await RequestTables("openai", state).read(NAME, reservation)


async def test_a_large_table_is_written_and_read_without_a_second_copy_of_it(
    tmp_path: Path,
) -> None:
    tables, size = RequestTables("openai", DirectoryState(tmp_path)), 20_000 * 1_000
    tracemalloc.start()
    try:
        table = RequestTable(RowKind.KEY, [b'"%0998d"' % number for number in range(20_000)])
        await tables.write(NAME, table)
        _, written = tracemalloc.get_traced_memory()
        del table
        tracemalloc.reset_peak()
        with MemoryBudget().reserve() as reservation:
            found = await tables.read(NAME, reservation)
        _, read = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found is not None
    assert len(found) == 20_000
    assert max(written, read) < 1.3 * size
