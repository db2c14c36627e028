from collections.abc import Callable
from typing import Self

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.batches.json_lines import NumberedSplitter
from providers.batches.request_table import (
    RequestTable,
    RequestTables,
    RowKind,
    add_keys,
    indexed_id,
    job_of,
)
from providers.body import Body, in_memory
from providers.errors import FerryError
from providers.limits import REQUEST_TABLE
from providers.long_work import Pauses
from providers.memory import MemoryBudget
from providers.state import StateError
from tests.memory_state import MemoryState
from tests.test_providers.streams import CUTS, collect, cut, stream

JOB = "0123456789abcdef" * 2
ROWS = st.lists(st.text(max_size=5), unique=True, max_size=6)


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
    monkeypatch.setattr("providers.batches.request_table.TABLE_ROWS", 3)
    assert len(await keys(b"\n\n{}\n")) == 3
    with pytest.raises(FerryError, match="more than 3 lines") as raised:
        await keys(b"\n\n\n{}\n")
    assert raised.value.permanent


def table(kind: RowKind, *rows: object) -> RequestTable:
    return RequestTable(kind, [orjson.dumps(row) for row in rows])


@given(st.sampled_from(RowKind), ROWS, CUTS)
async def test_a_table_is_read_back(kind: RowKind, rows: list[str], cuts: list[int]) -> None:
    made = table(kind, *rows)
    rendered = made.render()
    data = await collect(aiter(rendered.chunks))
    assert rendered.length == len(data)
    assert await RequestTable.parse(Body(stream(cut(data, cuts)), None)) == made


async def test_a_long_table_is_written_and_read_in_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """All at once would hold up other calls."""
    pauses = 0

    class Counted(Pauses):
        async def pause(self) -> None:
            nonlocal pauses
            pauses += 1

    monkeypatch.setattr("providers.batches.request_table.Pauses", Counted)
    made = table(RowKind.KEY, *range(20_000))
    slices = [piece async for piece in made.render().chunks]
    assert max(map(len, slices)) < 20_000
    written, pauses = pauses, 0
    assert await RequestTable.parse(in_memory(b"".join(slices))) == made
    assert min(written, pauses) >= 6


async def test_a_row_that_is_longer_than_a_slice_is_read_back() -> None:
    made = table(RowKind.METADATA, "x" * 100_000, None, "y" * 50_000)
    data = await collect(aiter(made.render().chunks))
    assert await RequestTable.parse(Body(stream(cut(data, [3, 70_000])), None)) == made


@given(st.sampled_from([RowKind.KEY, RowKind.METADATA]), ROWS)
def test_an_index_is_the_custom_id(kind: RowKind, rows: list[str]) -> None:
    made = table(kind, *rows)
    for index in range(len(rows)):
        assert made.index_of(indexed_id(index)) == index
        assert made.index_of(indexed_id(index, JOB)) == index
    assert made.index_of(indexed_id(len(rows))) is None


@given(ROWS)
async def test_a_clients_own_id_is_identified_by_its_position(rows: list[str]) -> None:
    made = table(RowKind.CUSTOM_ID, *rows)
    read = await RequestTable.parse(made.render())
    for each in (made, read):
        assert [each.index_of(row) for row in rows] == list(range(len(rows)))
        assert each.index_of("none of them") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "r",
        "r1",
        "r00000000000",
        "x0000000000",
        "r" + "\u0660" * 10,
        "r0000000000-",
        f"r0000000000-{JOB}0",
        f"r0000000000-{JOB.upper()}",
    ],
)
def test_an_invalid_index(text: str) -> None:
    assert table(RowKind.KEY, "a").index_of(text) is None
    assert job_of(text) is None


def test_a_custom_id_may_name_its_job() -> None:
    assert job_of(indexed_id(7, JOB)) == JOB
    assert job_of(indexed_id(7)) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data.rpartition(b"\n")[0],
        lambda data: data + b'\n"c"',
        lambda data: data[:-1],
        lambda data: data.replace(b'"a"', b"a"),
        lambda data: data.replace(b"key", b"kex"),
        lambda _: b"",
    ],
    ids=["shorter", "longer", "cut in a row", "row without quotes", "header", "empty"],
)
async def test_a_damaged_table_is_the_stores_fault(damage: Callable[[bytes], bytes]) -> None:
    data = await collect(aiter(table(RowKind.KEY, "a", "b").render().chunks))
    with pytest.raises(StateError, match="not what the proxy writes there"):
        await RequestTable.parse(in_memory(damage(data)))


async def test_an_id_that_is_no_text_is_damage() -> None:
    with pytest.raises(StateError):
        await RequestTable.parse(table(RowKind.CUSTOM_ID, {"a": 1}).render())


@pytest.mark.parametrize("name", ["fabc/job", f"{'f' * 821}/{JOB}"])
async def test_a_table_is_kept_counted_and_deleted(name: str) -> None:
    state, memory = MemoryState(), MemoryBudget(1000)
    tables = RequestTables("openai", state)
    made = table(RowKind.METADATA, {"a": "b"}, None)
    await tables.write(name, made)
    with memory.reserve() as reservation:
        assert await tables.read(name, reservation) == made
        with pytest.raises(FerryError):
            memory.take(1000)
        assert await tables.read("fabc/other", reservation) is None
    memory.take(1000)
    await tables.delete(name)
    assert state.objects == {}


class _Unread:
    """Bytes that must not be read; `closed` says whether they were closed."""

    closed = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        raise AssertionError("the table was read")

    async def aclose(self) -> None:
        self.closed = True


class _StateOfOne(MemoryState):
    """Every object of it is `body`."""

    def __init__(self, body: Body) -> None:
        super().__init__()
        self._body = body

    async def get(self, _: str) -> Body | None:
        return self._body


async def test_a_table_larger_than_the_budget_is_not_read() -> None:
    unread, memory = _Unread(), MemoryBudget(100)
    tables = RequestTables("openai", _StateOfOne(Body(unread, 51)))
    with pytest.raises(FerryError), memory.reserve() as reservation:
        await tables.read("fabc/job", reservation)
    memory.take(100)
    assert unread.closed


async def test_a_table_larger_than_any_written_one_is_not_read() -> None:
    unread, memory = _Unread(), MemoryBudget()
    tables = RequestTables("openai", _StateOfOne(Body(unread, REQUEST_TABLE + 1)))
    with pytest.raises(StateError), memory.reserve() as reservation:
        await tables.read("fabc/job", reservation)
    assert unread.closed
