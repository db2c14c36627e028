"""A line that is translated by a template has the bytes that the general translation gives."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from copy import deepcopy
from typing import Any
from unittest.mock import patch

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.batches.batch_input import FileInput
from providers.batches.json_lines import LineSplitter
from providers.batches.line_templates import LineTemplates
from providers.errors import FerryError
from providers.gemini_content.warnings import Warnings
from providers.memory import MemoryBudget
from tests.benchmarks.translated_lines import TRANSLATIONS

Request = dict[str, Any]
Outcome = tuple[list[object], str, str]

CALL = {"functionCall": {"id": "c", "name": "f", "args": {"text": "in the arguments"}}}
RESPONSE = {"functionResponse": {"id": "c", "name": "f", "response": {"text": "json"}}}
FUNCTION = {
    "name": "f",
    "description": "Finds.",
    "parameters": {"type": "OBJECT", "properties": {"text": {"type": "STRING", "title": "text"}}},
}
USER = {"role": "user", "parts": [{"text": "?"}]}
MODEL = {"role": "model", "parts": [{"text": "?"}]}
REQUESTS: list[Request] = [
    {"contents": [USER]},
    {"contents": [{"parts": [{"text": "?"}, {"text": "?"}]}]},
    {"contents": [USER, MODEL, USER], "systemInstruction": {"parts": [{"text": "?"}]}},
    {"contents": [USER], "system_instruction": {"parts": [{"text": "?"}]}},
    {"contents": [USER], "generationConfig": {"temperature": 0.5, "maxOutputTokens": 9}},
    {"contents": [USER], "generation_config": {"stopSequences": ["text", "json"]}},
    {"contents": [USER], "generationConfig": {"responseMimeType": "application/json"}},
    {"contents": [USER], "safetySettings": [{"category": "C", "threshold": "BLOCK_ALL"}]},
    {"contents": [USER], "labels": {"key": "text", "text": "key"}},
    {"contents": [USER], "tools": [{"functionDeclarations": [FUNCTION]}]},
    {
        "contents": [USER, {"role": "model", "parts": [CALL]}, {"parts": [RESPONSE]}],
        "tools": [{"functionDeclarations": [FUNCTION]}],
    },
    {"contents": [{"parts": [{"text": "?", "thought": True}, {"text": "?"}]}]},
    {"contents": [{"parts": [{"text": "?", "thoughtSignature": "AA=="}, {"text": "?"}]}]},
    {"contents": [USER], "cachedContent": "cachedContents/c"},
    {"contents": []},
]
SHORT = st.sampled_from(
    [
        *("", " ", "\n", "\u2003", "a", "b", 'in "quotes"', "\\", "\\u0041", "a\tb\x7f", "/", "é"),
        *("json", '"}]}', '","text":"', "\u2028 \x85", "\U0001f600", "r9999999999", "1" * 30),
    ]
)
TEXTS = SHORT | st.text(max_size=8)
WRITERS: list[Callable[[Any], bytes]] = [
    orjson.dumps,
    lambda value: json.dumps(value).encode(),
    lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(),
    lambda value: orjson.dumps(value).replace(b"/", rb"\/"),
]


def set_texts(value: Any, draw: Callable[[], str]) -> None:
    for member in value.values() if isinstance(value, dict) else value:
        if isinstance(member, dict | list):
            set_texts(member, draw)
    if isinstance(value, dict) and value.get("text") == "?":
        value["text"] = draw()


@st.composite
def inputs(draw: st.DrawFn) -> list[bytes]:
    """Lines of few shapes, so that most are like an earlier one."""
    shapes = draw(st.lists(st.sampled_from(REQUESTS), min_size=1, max_size=2))
    write = draw(st.sampled_from(WRITERS))
    lines: list[bytes] = []
    for number in range(draw(st.integers(2, 5))):
        request = deepcopy(draw(st.sampled_from(shapes)))
        set_texts(request, lambda: draw(TEXTS))
        key = draw(st.just(f"k{number}") | SHORT)
        lines.append(write({"key": key, "request": request}))
    if draw(st.booleans()):
        spoilt = draw(st.integers(0, len(lines) - 1))
        lines[spoilt] = draw(st.sampled_from([_cut, _doubled, _invalid, _split]))(lines[spoilt])
    return lines


def _cut(line: bytes) -> bytes:
    return line[:-3]


def _doubled(line: bytes) -> bytes:
    return line.replace(b'"text"', b'"text":"first","text"', 1)


def _invalid(line: bytes) -> bytes:
    return line.replace(b"a", b"\xff", 1)


def _split(line: bytes) -> bytes:
    return line.replace(b"a", b"\r", 1)


async def translated(provider: str, lines: list[bytes]) -> Outcome:
    translation = TRANSLATIONS[provider]
    translator = translation.translator()

    @asynccontextmanager
    async def opened() -> AsyncIterator[AsyncIterator[bytes]]:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"\n".join(lines)

        yield chunks()

    source = FileInput(opened, LineSplitter(1 << 20, MemoryBudget()), translation.formats())
    found: list[object] = []
    error = ""
    try:
        async for line in source.lines(translator):
            found += [line]
    except FerryError as refused:
        error = f"{refused.status}: {refused.message}"
    return found, error, translator.warnings.render()


@pytest.mark.parametrize("provider", TRANSLATIONS)
@given(lines=inputs())
async def test_templates_change_nothing(provider: str, lines: list[bytes]) -> None:
    quick = await translated(provider, lines)
    with patch.object(LineTemplates, "learn"):
        assert quick == await translated(provider, lines)


@pytest.mark.parametrize("provider", TRANSLATIONS)
async def test_a_line_like_an_earlier_one_is_not_translated_again(provider: str) -> None:
    lines = [
        orjson.dumps({"key": f"k{n}", "request": {"contents": [{"parts": [{"text": f"{n}"}]}]}})
        for n in range(9)
    ]
    kind: Any = type(TRANSLATIONS[provider].translator())
    with patch.object(kind, "line", autospec=True, side_effect=kind.line) as line:
        found, error, _ = await translated(provider, lines)
    assert (len(found), error) == (9, "")
    # The first line, and its template.
    assert line.call_count == 2


def test_what_is_recorded_apart_can_be_added() -> None:
    warnings = Warnings()
    warnings.drop("a[1]")
    with warnings.apart() as recorded:
        warnings.drop("a[2]")
        warnings.drop("b")
    assert warnings.render() == "a[*];count=1"
    warnings.add(recorded)
    warnings.add(recorded)
    assert warnings.render() == "a[*];count=3, b;count=2"
