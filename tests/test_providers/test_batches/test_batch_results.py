import logging
import sys
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.batches.batch_results import (
    BatchResults,
    Result,
    deliver_file,
    deliver_inline,
    render_inline,
)
from providers.batches.json_lines import ResultLine, TooLong, work_bytes
from providers.batches.request_table import RequestTable, RowKind, indexed_id
from providers.errors import FerryError, not_found
from providers.memory import MemoryBudget, Reservation
from providers.resources import Failure
from providers.status import Status
from tests.test_providers.streams import collect

KEYS = ["a", "b", "c"]
MISSING = {"error": {"code": 13, "message": "missing"}}


class Lines:
    """Results that a test has written down; `open` while they are being read."""

    def __init__(
        self,
        *slices: Sequence[ResultLine],
        error: FerryError | None = None,
        id_member: str = "custom_id",
    ) -> None:
        self.id_member = id_member
        self._slices = slices
        self._error = error
        self.open = False
        self.ended = False
        self.missed: list[int] = []

    async def slices(self) -> AsyncGenerator[deque[ResultLine], None]:
        self.open = True
        try:
            for lines in self._slices:
                yield deque(lines)
            if self._error is not None:
                raise self._error
            self.ended = True
        finally:
            self.open = False

    def translate(self, line: dict[str, Any], /) -> dict[str, Any]:
        return {"response": {"said": line.get("said")}}

    def missing(self, line: int, /) -> Failure:
        assert self.ended
        self.missed.append(line)
        return Failure(Status.INTERNAL, "missing")


def table(kind: RowKind = RowKind.KEY) -> RequestTable:
    return RequestTable(kind, [orjson.dumps(key) for key in KEYS])


def metadata() -> RequestTable:
    return RequestTable(RowKind.METADATA, [b"null", b'{"a":"b"}', b"null"])


def line(custom_id: str, said: str = "m") -> bytes:
    return orjson.dumps({"custom_id": custom_id, "said": said})


def results_of(
    lines: Lines, rows: RequestTable | None, memory: MemoryBudget | None = None
) -> BatchResults:
    return BatchResults(lines, rows, Reservation(memory or MemoryBudget()))


async def read(lines: Lines, rows: RequestTable | None) -> list[dict[str, Any]]:
    text = b"".join([chunk async for chunk in results_of(lines, rows).lines()])
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
    assert lines.missed == [2], "the line of the input"


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


async def test_many_requests_without_an_answer() -> None:
    rows = RequestTable(RowKind.KEY, [orjson.dumps(str(n)) for n in range(1000)])
    found = await read(Lines([line(indexed_id(700))]), rows)
    assert [int(each["key"]) for each in found] == [700, *range(700), *range(701, 1000)]


# --- lines that cannot be read -------------------------------------------------------------------

LONG = TooLong(b'{"custom_id":"%s","said":"mm' % indexed_id(1).encode())
BROKEN = line(indexed_id(1))[:-1]
NO_NAME: list[ResultLine] = [TooLong(b'{"said":{}'), b"no json", b"[]", b"{}", b'{"custom_id":7}']


def without_answer(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {each["key"]: each["error"] for each in found if "error" in each}


@pytest.mark.parametrize(
    ("unreadable", "message"),
    [
        (LONG, "The result of this request is longer than FERRY_MAX_LINE_BYTES bytes."),
        (BROKEN, "The result of this request cannot be read."),
    ],
)
async def test_a_result_that_cannot_be_read_is_its_requests(
    unreadable: ResultLine, message: str
) -> None:
    found = await read(Lines([line(indexed_id(0)), unreadable]), table())
    assert without_answer(found) == {
        "b": {"code": 13, "message": message},
        "c": MISSING["error"],
    }


@pytest.mark.parametrize("unreadable", NO_NAME)
async def test_a_result_that_may_be_anybodys(unreadable: ResultLine) -> None:
    found = await read(Lines([unreadable, line(indexed_id(0))], [unreadable]), table())
    errors = without_answer(found)
    assert list(errors) == ["b", "c"]
    for error in errors.values():
        assert error["code"] == 13
        assert error["message"].startswith("No answer to this request could be read")
        assert error["message"].endswith(": 2.")


@pytest.mark.parametrize("unreadable", [LONG, BROKEN])
async def test_a_result_that_can_be_read_goes_before_one_that_cannot(
    unreadable: ResultLine,
) -> None:
    for lines in ([unreadable, line(indexed_id(1))], [line(indexed_id(1)), unreadable]):
        found = await read(Lines(lines), table())
        assert found[0] == {"key": "b", "response": {"said": "m"}}
        assert without_answer(found) == {"a": MISSING["error"], "c": MISSING["error"]}


async def test_another_batchs_result_that_cannot_be_read_says_nothing_of_this_one() -> None:
    found = await read(Lines([line("r99")[:-1]]), table())
    assert without_answer(found) == dict.fromkeys(KEYS, MISSING["error"])


async def test_another_tools_result_that_cannot_be_read() -> None:
    [found] = await read(Lines([line("mine")[:-1], b"no json"]), None)
    assert (found["key"], found["error"]["code"]) == ("mine", 13)


async def test_half_a_character_spoils_no_result() -> None:
    said = line(indexed_id(0)).replace(b'"m"', rb'"m\ud800"')
    found = await read(Lines([said]), table())
    assert found[0] == {"key": "a", "response": {"said": "m\ufffd"}}


async def test_what_could_not_be_read_is_logged_once_and_without_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    await read(Lines([LONG, BROKEN, *NO_NAME], [LONG]), table())
    [record] = caplog.records
    assert record.levelname == "WARNING"
    assert record.args == (3, 5, 5)
    assert indexed_id(1) not in caplog.text
    caplog.clear()
    await read(Lines([line(indexed_id(0)), line("r99")]), table())
    assert not caplog.records


# --- what a long line takes of memory ------------------------------------------------------------

MIB = 1 << 20


@pytest.mark.parametrize(("spare", "fits"), [(0, True), (-1, False)])
async def test_what_is_made_of_a_long_line_is_counted(spare: int, fits: bool) -> None:
    text = line(indexed_id(0), "m" * MIB)
    free = work_bytes(len(text)) + spare
    memory = MemoryBudget(2 * free)
    memory.take(free)
    lines = results_of(Lines([text]), table(), memory).lines()
    if fits:
        assert len(await anext(lines)) < MIB
        memory.take(free)  # it was made
    else:
        with pytest.raises(FerryError) as caught:
            await anext(lines)
        assert caught.value.code == 429
        memory.take(free)
    await lines.aclose()


async def test_a_long_line_is_not_held_beside_its_translation() -> None:
    texts = [line(indexed_id(n), "m" * MIB) for n in range(2)]
    holders: list[int] = []

    class Watched(Lines):
        def translate(self, line: dict[str, Any], /) -> dict[str, Any]:
            holders.append(sys.getrefcount(texts[len(holders)]))
            return super().translate(line)

    source = Watched(texts[:1], texts[1:])
    before = [sys.getrefcount(texts[0]), sys.getrefcount(texts[1])]
    assert len(await read(source, table())) == len(KEYS)
    assert holders == before


async def test_a_file_that_has_begun_is_not_ended_where_the_budget_is_empty() -> None:
    texts = [line(indexed_id(0)), line(indexed_id(1), "m" * MIB)]
    memory = MemoryBudget(9 * MIB)
    memory.take(8 * MIB)
    async with AsyncExitStack() as stack:
        reservation = stack.enter_context(memory.reserve())
        source = Lines(texts[:1], texts[1:])
        download = await deliver_file(source, table(), reservation, stack)
    chunks = aiter(download.body.chunks)
    assert orjson.loads(await anext(chunks))["key"] == "a"
    with pytest.raises(FerryError) as caught:
        await anext(chunks)
    assert caught.value.code == 429
    await download.close()
    memory.take(MIB)


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
    lines = results_of(source, table()).lines()
    assert await anext(lines)
    assert source.open
    await lines.aclose()
    assert not source.open


async def test_results_that_break_off_are_not_filled_up() -> None:
    source = Lines([line(indexed_id(0))], error=FerryError(Status.UNAVAILABLE, "broke off"))
    lines = results_of(source, table()).lines()
    assert await anext(lines)
    with pytest.raises(FerryError, match="broke off"):
        await anext(lines)


# --- as a file ----------------------------------------------------------------------------------


async def test_results_as_a_file() -> None:
    memory, source = MemoryBudget(100), Lines([line(indexed_id(0))], [line(indexed_id(1))])
    async with AsyncExitStack() as stack:
        reservation = stack.enter_context(memory.reserve(100))
        download = await deliver_file(source, table(), reservation, stack)
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
        reservation = stack.enter_context(memory.reserve(100))
        download = await deliver_file(source, table(), reservation, stack)
    assert source.open
    await download.close()
    assert not source.open
    memory.take(100)


async def test_a_file_that_cannot_begin_is_refused() -> None:
    memory, source = MemoryBudget(100), Lines(error=not_found("no results any more"))
    async with AsyncExitStack() as stack:
        reservation = stack.enter_context(memory.reserve(100))
        with pytest.raises(FerryError, match="any more"):
            await deliver_file(source, table(), reservation, stack)
    assert not source.open
    memory.take(100)


async def test_a_file_of_nothing() -> None:
    async with AsyncExitStack() as stack:
        download = await deliver_file(Lines(), None, Reservation(MemoryBudget()), stack)
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
    memory, source = MemoryBudget(1000), inline_lines()
    memory.take(970)
    async with AsyncExitStack() as stack:
        reservation = stack.enter_context(memory.reserve())
        with pytest.raises(FerryError) as caught:
            await deliver_inline(source, metadata(), 1000, reservation, stack)
    assert caught.value.code == 429
    assert not source.open
    memory.take(30)


async def test_inline_results_that_no_memory_could_hold_are_for_a_file() -> None:
    memory, source = MemoryBudget(30), inline_lines()
    async with AsyncExitStack() as stack:
        reservation = stack.enter_context(memory.reserve())
        assert await deliver_inline(source, metadata(), 1000, reservation, stack) is None
    assert not source.open
    memory.take(30)


def test_metadata_goes_with_its_own_request() -> None:
    rows = RequestTable(RowKind.METADATA, [b"null", b'{"a":"b"}'])
    result: dict[str, Any] = {"response": {}}
    assert orjson.loads(render_inline(Result(0, b'"1"', result), rows)) == result
    rendered = render_inline(Result(1, b'"2"', result), rows)
    assert orjson.loads(rendered) == result | {"metadata": {"a": "b"}}
    assert result == {"response": {}}
