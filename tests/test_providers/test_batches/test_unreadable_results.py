import logging
from collections.abc import Sequence
from typing import Any

import pytest

from providers.batches.json_lines import ResultLine, TooLong
from providers.batches.request_table import indexed_id
from tests.test_providers.test_batches.scripted_results import (
    KEYS,
    MISSING,
    ScriptedLines,
    line,
    read,
    table,
)

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
async def test_an_unreadable_result_belongs_to_its_request(
    unreadable: ResultLine, message: str
) -> None:
    found = await read(ScriptedLines([line(indexed_id(0)), unreadable]), table())
    assert without_answer(found) == {
        "b": {"code": 13, "message": message},
        "c": MISSING["error"],
    }


@pytest.mark.parametrize("unreadable", NO_NAME)
async def test_an_unreadable_result_without_a_request(unreadable: ResultLine) -> None:
    found = await read(ScriptedLines([unreadable, line(indexed_id(0))], [unreadable]), table())
    errors = without_answer(found)
    assert list(errors) == ["b", "c"]
    for error in errors.values():
        assert error["code"] == 13
        assert error["message"].startswith("No answer to this request could be read")
        assert error["message"].endswith(": 2.")


@pytest.mark.parametrize("unreadable", [LONG, BROKEN])
async def test_a_readable_result_takes_precedence_over_an_unreadable_one(
    unreadable: ResultLine,
) -> None:
    for lines in ([unreadable, line(indexed_id(1))], [line(indexed_id(1)), unreadable]):
        found = await read(ScriptedLines(lines), table())
        assert found[0] == {"key": "b", "response": {"said": "m"}}
        assert without_answer(found) == {"a": MISSING["error"], "c": MISSING["error"]}


async def test_another_batchs_unreadable_result_does_not_affect_this_one() -> None:
    found = await read(ScriptedLines([line("r99")[:-1]]), table())
    assert without_answer(found) == dict.fromkeys(KEYS, MISSING["error"])


async def test_another_tools_unreadable_result() -> None:
    [found] = await read(ScriptedLines([line("mine")[:-1], b"no json"]), None)
    assert (found["key"], found["error"]["code"]) == ("mine", 13)


async def test_an_invalid_character_does_not_break_a_result() -> None:
    said = line(indexed_id(0)).replace(b'"m"', rb'"m\ud800"')
    found = await read(ScriptedLines([said]), table())
    assert found[0] == {"key": "a", "response": {"said": "m\ufffd"}}


async def test_unreadable_lines_are_logged_once_without_their_content(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    await read(ScriptedLines([LONG, BROKEN, *NO_NAME], [LONG]), table())
    [record] = caplog.records
    assert record.levelname == "WARNING"
    assert record.args == (3, 5, 5)
    assert indexed_id(1) not in caplog.text
    caplog.clear()
    await read(ScriptedLines([line(indexed_id(0)), line("r99")]), table())
    assert not caplog.records
