import orjson
import pytest

from providers.errors import FerryError
from providers.input_keys import keys_of_input
from providers.json_lines import NumberedSplitter
from providers.memory import MemoryBudget
from providers.request_table import RequestTable
from tests.test_providers.streams import cut, stream


async def keys(data: bytes, limit: int = 1 << 20, budget: int = 1 << 20) -> RequestTable:
    memory = MemoryBudget(budget)
    with memory.reserve() as reservation:
        splitter = NumberedSplitter(limit, memory)
        return await keys_of_input(stream(cut(data, [7, 30])), splitter, "custom_id", reservation)


async def test_each_line_has_a_row() -> None:
    table = await keys(b'{"custom_id":"a"}\n{"method":"POST","custom_id":"b"}')
    assert [orjson.loads(row) for row in table.rows] == ["a", "b"]
    assert (table.index_of("b"), table.index_of("c")) == (1, None)


async def test_a_line_without_an_id_is_known_by_its_number() -> None:
    long = orjson.dumps({"custom_id": "x" * 513})
    table = await keys(b'{"custom_id":"a"}\n\nno json\n{"custom_id":7}\n' + long)
    assert [orjson.loads(row) for row in table.rows] == ["a", "2", "3", "4", "5"]


async def test_a_line_beyond_the_limit_is_known_by_its_head() -> None:
    table = await keys(b'{"custom_id":"a","body":"' + b"x" * 100 + b'"}\n{"custom_id":"b"}', 50)
    assert [orjson.loads(row) for row in table.rows] == ["a", "b"]


async def test_the_keys_are_counted() -> None:
    with pytest.raises(FerryError, match="memory"):
        await keys(b'{"custom_id":"a"}\n' * 100, budget=10_000)
