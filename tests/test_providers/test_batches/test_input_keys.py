import orjson
import pytest

from providers.batches.input_keys import add_keys
from providers.batches.json_lines import NumberedSplitter
from providers.batches.request_table import RequestTable, RowKind
from providers.errors import FerryError
from providers.memory import MemoryBudget
from tests.test_providers.streams import cut, stream


async def keys(*inputs: bytes, limit: int = 1 << 20, budget: int = 1 << 20) -> RequestTable:
    memory = MemoryBudget(budget)
    with memory.reserve() as reservation:
        splitter = NumberedSplitter(limit, memory)
        table = RequestTable(RowKind.CUSTOM_ID)
        for input_ in inputs:
            chunks = stream(cut(input_, [7, 30]))
            await add_keys(table, chunks, splitter, "custom_id", reservation)
        return table


async def test_each_line_has_a_row() -> None:
    table = await keys(b'{"custom_id":"a"}\n{"method":"POST","custom_id":"b"}')
    assert [orjson.loads(row) for row in table.rows] == ["a", "b"]
    assert (table.index_of("b"), table.index_of("c")) == (1, None)


async def test_a_line_without_an_id_is_identified_by_its_number() -> None:
    long = orjson.dumps({"custom_id": "x" * 513})
    table = await keys(b'{"custom_id":"a"}\n\nno json\n{"custom_id":7}\n' + long)
    assert [orjson.loads(row) for row in table.rows] == ["a", "2", "3", "4", "5"]


async def test_a_line_beyond_the_limit_is_identified_by_its_head() -> None:
    table = await keys(
        b'{"custom_id":"a","body":"' + b"x" * 100 + b'"}\n{"custom_id":"b"}', limit=50
    )
    assert [orjson.loads(row) for row in table.rows] == ["a", "b"]


async def test_the_keys_are_counted() -> None:
    with pytest.raises(FerryError, match="memory"):
        await keys(b'{"custom_id":"a"}\n' * 100, budget=10_000)


async def test_the_rows_of_several_files_are_numbered_consecutively() -> None:
    table = await keys(b'{"custom_id":"a"}\nno json\n', b'no json\n{"custom_id":"b"}\n')
    assert [orjson.loads(row) for row in table.rows] == ["a", "2", "3", "b"]


async def test_more_lines_than_any_batch_can_have_are_refused_for_good(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("providers.batches.input_keys._ROWS", 3)
    assert len(await keys(b"\n\n{}\n")) == 3
    with pytest.raises(FerryError, match="more than 3 lines") as raised:
        await keys(b"\n\n\n{}\n")
    assert raised.value.permanent
