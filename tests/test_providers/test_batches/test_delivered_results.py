"""Results delivered as a file, and inline."""

from contextlib import AsyncExitStack
from typing import Any

import orjson
import pytest

from providers.batches.batch_results import (
    Result,
    deliver_file,
    deliver_inline,
    render_inline,
)
from providers.batches.request_table import RequestTable, RowKind, indexed_id
from providers.errors import FerryError, not_found
from providers.memory import MemoryBudget, Reservation
from tests.test_providers.streams import collect
from tests.test_providers.test_batches.scripted_results import (
    KEYS,
    MISSING,
    ScriptedLines,
    line,
    metadata,
    table,
)

# --- as a file -----------------------------------------------------------------------------------


async def test_results_as_a_file() -> None:
    memory, source = MemoryBudget(100), ScriptedLines([line(indexed_id(0))], [line(indexed_id(1))])
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


async def test_an_abandoned_file_closes_everything() -> None:
    memory, source = MemoryBudget(100), ScriptedLines([line(indexed_id(0))], [line(indexed_id(1))])
    async with AsyncExitStack() as stack:
        reservation = stack.enter_context(memory.reserve(100))
        download = await deliver_file(source, table(), reservation, stack)
    assert source.open
    await download.close()
    assert not source.open
    memory.take(100)


async def test_a_file_that_cannot_start_is_refused() -> None:
    memory, source = MemoryBudget(100), ScriptedLines(error=not_found("no results any more"))
    async with AsyncExitStack() as stack:
        reservation = stack.enter_context(memory.reserve(100))
        with pytest.raises(FerryError, match="any more"):
            await deliver_file(source, table(), reservation, stack)
    assert not source.open
    memory.take(100)


async def test_an_empty_results_file() -> None:
    async with AsyncExitStack() as stack:
        download = await deliver_file(ScriptedLines(), None, Reservation(MemoryBudget()), stack)
    assert await collect(aiter(download.body.chunks)) == b""
    await download.close()


# --- inline --------------------------------------------------------------------------------------

ITEMS: list[dict[str, Any]] = [
    {"response": {"said": "m"}},
    {"error": MISSING["error"], "metadata": {"a": "b"}},
    {"response": {"said": "n"}},
]


def inline_lines() -> ScriptedLines:
    return ScriptedLines([line(indexed_id(2), "n")], [line(indexed_id(0), "m")])


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


async def test_inline_results_larger_than_the_budget_become_a_file() -> None:
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
