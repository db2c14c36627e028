from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.batch_results import (
    BatchResults,
    Result,
    deliver_file,
    deliver_inline,
    render_inline,
)
from providers.errors import FerryError, not_found
from providers.memory import MemoryBudget
from providers.request_table import RequestTable, RowKind, indexed_id
from tests.test_providers.streams import collect

KEYS = ["a", "b", "c"]
MISSING = {"error": {"code": 13, "message": "missing"}}


class Lines:
    """Results that a test has written down; `open` while they are being read."""

    def __init__(
        self,
        *slices: Sequence[bytes],
        error: FerryError | None = None,
        id_member: str = "custom_id",
    ) -> None:
        self.id_member = id_member
        self._slices = slices
        self._error = error
        self.open = False
        self.ended = False

    async def slices(self) -> AsyncGenerator[Sequence[bytes], None]:
        self.open = True
        try:
            for lines in self._slices:
                yield lines
            if self._error is not None:
                raise self._error
            self.ended = True
        finally:
            self.open = False

    def translate(self, line: dict[str, Any], /) -> dict[str, Any]:
        return {"response": {"said": line.get("said")}}

    def missing(self) -> dict[str, Any]:
        assert self.ended
        return MISSING


def table(kind: RowKind = RowKind.KEY) -> RequestTable:
    return RequestTable(kind, [orjson.dumps(key) for key in KEYS])


def metadata() -> RequestTable:
    return RequestTable(RowKind.METADATA, [b"null", b'{"a":"b"}', b"null"])


def line(custom_id: str, said: str = "m") -> bytes:
    return orjson.dumps({"custom_id": custom_id, "said": said})


async def read(lines: Lines, rows: RequestTable | None) -> list[dict[str, Any]]:
    text = b"".join([chunk async for chunk in BatchResults(lines, rows).lines()])
    assert not lines.open
    return [orjson.loads(each) for each in text.splitlines()]


# --- each request once --------------------------------------------------------------------------


async def test_results_come_in_the_providers_order_and_the_missing_last() -> None:
    lines = Lines([line(indexed_id(2), "first")], [line(indexed_id(0), "second")])
    assert await read(lines, table()) == [
        {"key": "c", "response": {"said": "first"}},
        {"key": "a", "response": {"said": "second"}},
        {"key": "b", **MISSING},
    ]


JUNK = st.sampled_from([b"{}", b"no json", b"[]", b'"text"', b'{"custom_id":null}', line("r99")])
OURS = st.sampled_from([line(indexed_id(n)) for n in range(4)])


@given(st.lists(st.lists(JUNK | OURS, max_size=8), max_size=3))
async def test_every_request_has_exactly_one_result(slices: list[list[bytes]]) -> None:
    found = await read(Lines(*slices), table())
    assert sorted(each["key"] for each in found) == KEYS
    answered = {text for lines in slices for text in lines}
    for index, key in enumerate(KEYS):
        [result] = [each for each in found if each["key"] == key]
        assert ("response" in result) is (line(indexed_id(index)) in answered)


@pytest.mark.parametrize("together", [True, False])
async def test_a_second_answer_is_not_the_one(together: bool) -> None:
    both = [line(indexed_id(1), "first"), line(indexed_id(1), "second")]
    lines = Lines(both) if together else Lines(both[:1], both[1:])
    found = {each["key"]: each for each in await read(lines, table())}
    assert found["b"] == {"key": "b", "response": {"said": "first"}}


# --- what a request is called -------------------------------------------------------------------


async def test_a_line_names_its_request_in_the_providers_own_word() -> None:
    named = orjson.dumps({"recordId": indexed_id(1), "custom_id": indexed_id(0), "said": "m"})
    found = await read(Lines([named], id_member="recordId"), table())
    assert found[0] == {"key": "b", "response": {"said": "m"}}


async def test_another_tools_results_are_keyed_by_custom_id() -> None:
    found = await read(Lines([line("mine"), line("r0000000001")]), None)
    assert [each["key"] for each in found] == ["mine", "r0000000001"]


async def test_the_results_of_a_native_file_are_keyed_by_custom_id() -> None:
    found = await read(Lines([line("c", "x"), line("none of it")]), table(RowKind.CUSTOM_ID))
    assert found[0] == {"key": "c", "response": {"said": "x"}}
    assert [each["key"] for each in found] == ["c", "a", "b"]


async def test_an_inline_request_is_known_by_its_number() -> None:
    found = await read(Lines([line(indexed_id(2))]), table(RowKind.METADATA))
    assert [each["key"] for each in found] == ["3", "1", "2"]


async def test_a_batch_without_any_result() -> None:
    assert await read(Lines(), table()) == [{"key": key, **MISSING} for key in KEYS]
    assert await read(Lines(), None) == []


# --- given up, or broken off --------------------------------------------------------------------


async def test_results_given_up_let_their_lines_go() -> None:
    source = Lines([line(indexed_id(0))], [line(indexed_id(1))])
    lines = BatchResults(source, table()).lines()
    assert await anext(lines)
    assert source.open
    await lines.aclose()
    assert not source.open


async def test_results_that_break_off_are_not_filled_up() -> None:
    source = Lines([line(indexed_id(0))], error=FerryError("UNAVAILABLE", "broke off"))
    lines = BatchResults(source, table()).lines()
    assert await anext(lines)
    with pytest.raises(FerryError, match="broke off"):
        await anext(lines)


# --- as a file ----------------------------------------------------------------------------------


async def test_results_as_a_file() -> None:
    memory, source = MemoryBudget(100), Lines([line(indexed_id(0))], [line(indexed_id(1))])
    async with AsyncExitStack() as stack:
        stack.enter_context(memory.reserve(100))
        download = await deliver_file(source, table(), stack)
    with pytest.raises(FerryError):
        memory.take(1)
    assert (download.mime_type, download.body.length) == ("application/jsonl", None)
    text = await collect(aiter(download.body.chunks))
    assert [orjson.loads(each)["key"] for each in text.splitlines()] == KEYS
    assert text.endswith(b"\n")
    await download.close()
    memory.take(100)


async def test_a_file_given_up_lets_everything_go() -> None:
    memory, source = MemoryBudget(100), Lines([line(indexed_id(0))], [line(indexed_id(1))])
    async with AsyncExitStack() as stack:
        stack.enter_context(memory.reserve(100))
        download = await deliver_file(source, table(), stack)
    assert source.open
    await download.close()
    assert not source.open
    memory.take(100)


async def test_a_file_that_cannot_begin_is_refused() -> None:
    memory, source = MemoryBudget(100), Lines(error=not_found("no results any more"))
    async with AsyncExitStack() as stack:
        stack.enter_context(memory.reserve(100))
        with pytest.raises(FerryError, match="any more"):
            await deliver_file(source, table(), stack)
    assert not source.open
    memory.take(100)


async def test_a_file_of_nothing() -> None:
    async with AsyncExitStack() as stack:
        download = await deliver_file(Lines(), None, stack)
    assert await collect(aiter(download.body.chunks)) == b""
    await download.close()


# --- inline -------------------------------------------------------------------------------------

ITEMS: list[dict[str, Any]] = [
    {"response": {"said": "m"}},
    {"error": MISSING["error"], "metadata": {"a": "b"}},
    {"response": {"said": "n"}},
]


def inline_lines() -> Lines:
    return Lines([line(indexed_id(2), "n")], [line(indexed_id(0), "m")])


async def test_inline_results_are_in_request_order() -> None:
    memory, source = MemoryBudget(1000), inline_lines()
    async with AsyncExitStack() as stack:
        reservation = stack.enter_context(memory.reserve())
        found = await deliver_inline(source, metadata(), 1000, reservation, stack)
    assert found is not None
    assert [orjson.loads(item) for item in found.items] == ITEMS
    held = sum(len(item) for item in found.items)
    memory.take(1000 - held)
    with pytest.raises(FerryError):
        memory.take(1)
    await found.close()
    memory.take(held)


async def test_inline_results_up_to_the_limit() -> None:
    size = sum(len(orjson.dumps(item)) for item in ITEMS)
    for limit in (size, size - 1):
        memory, source = MemoryBudget(1000), inline_lines()
        async with AsyncExitStack() as stack:
            reservation = stack.enter_context(memory.reserve())
            found = await deliver_inline(source, metadata(), limit, reservation, stack)
        assert (found is not None) is (limit == size)
        assert not source.open
        if found is not None:
            await found.close()
        memory.take(1000)


async def test_inline_results_draw_on_the_budget() -> None:
    memory, source = MemoryBudget(30), inline_lines()
    async with AsyncExitStack() as stack:
        reservation = stack.enter_context(memory.reserve())
        with pytest.raises(FerryError) as caught:
            await deliver_inline(source, metadata(), 1000, reservation, stack)
    assert caught.value.code == 429
    assert not source.open
    memory.take(30)


def test_metadata_goes_with_its_own_request() -> None:
    rows = RequestTable(RowKind.METADATA, [b"null", b'{"a":"b"}'])
    result: dict[str, Any] = {"response": {}}
    assert orjson.loads(render_inline(Result(0, b'"1"', result), rows)) == result
    rendered = render_inline(Result(1, b'"2"', result), rows)
    assert orjson.loads(rendered) == result | {"metadata": {"a": "b"}}
    assert result == {"response": {}}
