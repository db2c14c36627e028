import sys
from contextlib import AsyncExitStack
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.batches.batch_results import (
    deliver_file,
)
from providers.batches.json_lines import work_bytes
from providers.batches.request_table import RequestTable, RowKind, indexed_id
from providers.errors import FerryError
from providers.json_api.structure import structure_of
from providers.memory import MemoryBudget
from providers.status import Status
from tests.test_providers.test_batches.scripted_results import (
    KEYS,
    MISSING,
    ScriptedLines,
    line,
    read,
    results_of,
    table,
)

# --- each request once ---------------------------------------------------------------------------


async def test_results_are_in_the_providers_order_and_missing_ones_last() -> None:
    lines = ScriptedLines([line(indexed_id(2), "first")], [line(indexed_id(0), "second")])
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
    found = await read(ScriptedLines(*slices), table())
    assert sorted(each["key"] for each in found) == KEYS
    answered = {text for lines in slices for text in lines}
    for index, key in enumerate(KEYS):
        [result] = [each for each in found if each["key"] == key]
        assert ("response" in result) is (line(indexed_id(index)) in answered)


@pytest.mark.parametrize("together", [True, False])
async def test_a_second_answer_is_ignored(together: bool) -> None:
    both = [line(indexed_id(1), "first"), line(indexed_id(1), "second")]
    lines = ScriptedLines(both) if together else ScriptedLines(both[:1], both[1:])
    found = {each["key"]: each for each in await read(lines, table())}
    assert found["b"] == {"key": "b", "response": {"said": "first"}}


async def test_many_requests_without_an_answer() -> None:
    rows = RequestTable(RowKind.KEY, [orjson.dumps(str(n)) for n in range(1000)])
    found = await read(ScriptedLines([line(indexed_id(700))]), rows)
    assert [int(each["key"]) for each in found] == [700, *range(700), *range(701, 1000)]


# --- what a long line takes of memory ------------------------------------------------------------

MIB = 1 << 20


@pytest.mark.parametrize(("spare", "fits"), [(0, True), (-1, False)])
async def test_the_translation_of_a_long_line_is_counted(spare: int, fits: bool) -> None:
    text = line(indexed_id(0), "m" * MIB)
    free = work_bytes(structure_of(text)) + spare
    memory = MemoryBudget(2 * free)
    memory.take(free)
    lines = results_of(ScriptedLines([text]), table(), memory).lines()
    if fits:
        assert len(await anext(lines)) < MIB
        memory.take(free)  # it was made
    else:
        with pytest.raises(FerryError) as caught:
            await anext(lines)
        assert caught.value.code == 429
        memory.take(free)
    await lines.aclose()


async def test_a_long_line_is_freed_before_its_translation_is_rendered() -> None:
    texts = [line(indexed_id(n), "m" * MIB) for n in range(2)]
    holders: list[int] = []

    class Watched(ScriptedLines):
        def translate(self, line: dict[str, Any], /) -> dict[str, Any]:
            holders.append(sys.getrefcount(texts[len(holders)]))
            return super().translate(line)

    source = Watched(texts[:1], texts[1:])
    before = [sys.getrefcount(texts[0]), sys.getrefcount(texts[1])]
    assert len(await read(source, table())) == len(KEYS)
    assert holders == before


async def test_a_started_file_waits_if_the_budget_is_empty() -> None:
    texts = [line(indexed_id(0)), line(indexed_id(1), "m" * MIB)]
    memory = MemoryBudget(9 * MIB)
    memory.take(8 * MIB)
    async with AsyncExitStack() as stack:
        reservation = stack.enter_context(memory.reserve())
        source = ScriptedLines(texts[:1], texts[1:])
        download = await deliver_file(source, table(), reservation, stack)
    chunks = aiter(download.body.chunks)
    assert orjson.loads(await anext(chunks))["key"] == "a"
    with pytest.raises(FerryError) as caught:
        await anext(chunks)
    assert caught.value.code == 429
    await download.close()
    memory.take(MIB)


# --- what a request is called --------------------------------------------------------------------


async def test_a_line_names_its_request_by_the_providers_member() -> None:
    named = orjson.dumps({"recordId": indexed_id(1), "custom_id": indexed_id(0), "said": "m"})
    found = await read(ScriptedLines([named], id_member="recordId"), table())
    assert found[0] == {"key": "b", "response": {"said": "m"}}


async def test_another_tools_results_are_keyed_by_custom_id() -> None:
    found = await read(ScriptedLines([line("mine"), line("r0000000001")]), None)
    assert [each["key"] for each in found] == ["mine", "r0000000001"]


async def test_the_results_of_a_native_file_are_keyed_by_custom_id() -> None:
    found = await read(ScriptedLines([line("c", "x"), line("another")]), table(RowKind.CUSTOM_ID))
    assert found[0] == {"key": "c", "response": {"said": "x"}}
    assert [each["key"] for each in found] == ["c", "a", "b"]


async def test_an_inline_request_is_identified_by_its_number() -> None:
    found = await read(ScriptedLines([line(indexed_id(2))]), table(RowKind.METADATA))
    assert [each["key"] for each in found] == ["3", "1", "2"]


async def test_a_batch_without_any_result() -> None:
    assert await read(ScriptedLines(), table()) == [{"key": key, **MISSING} for key in KEYS]
    assert await read(ScriptedLines(), None) == []


# --- given up, or broken off ---------------------------------------------------------------------


async def test_abandoned_results_close_their_lines() -> None:
    source = ScriptedLines([line(indexed_id(0))], [line(indexed_id(1))])
    lines = results_of(source, table()).lines()
    assert await anext(lines)
    assert source.open
    await lines.aclose()
    assert not source.open


async def test_results_that_break_off_are_not_completed() -> None:
    source = ScriptedLines([line(indexed_id(0))], error=FerryError(Status.UNAVAILABLE, "broke off"))
    lines = results_of(source, table()).lines()
    assert await anext(lines)
    with pytest.raises(FerryError, match="broke off"):
        await anext(lines)
