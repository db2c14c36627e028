"""A line that is translated by a template has the bytes that the general translation gives."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from copy import deepcopy
from functools import partial
from typing import Any
from unittest.mock import patch

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.anthropic.batch_lines import AnthropicTranslator, BatchItems
from providers.anthropic.batch_lines import line_formats as anthropic_formats
from providers.batches.batch_input import FileInput
from providers.batches.json_lines import LineSplitter
from providers.batches.line_formats import LineFormats, RequestTranslator
from providers.batches.line_templates import LineTemplates
from providers.bedrock.content.batch_lines import BedrockTranslator
from providers.bedrock.content.bedrock_models import InvocationType
from providers.bedrock.content.native_lines import NativeRules
from providers.bedrock.content.native_lines import line_formats as bedrock_formats
from providers.errors import FerryError
from providers.gemini_content.warnings import Warnings
from providers.json_api.json_text import render_json
from providers.limits import LINE_KEY, LINE_NODES
from providers.memory import MemoryBudget
from providers.openai.batch_lines import OpenAITranslator
from providers.openai.batch_lines import line_formats as openai_formats
from providers.prompt_cache import CacheLife
from providers.resources import BatchKind
from tests.benchmarks.translated_lines import TRANSLATIONS

Request = dict[str, Any]
Outcome = tuple[list[object], str, str]

ONE_HOUR = CacheLife.ONE_HOUR
CLAUDE = "anthropic.claude-haiku-4-5-20251001-v1:0"
TITAN = "amazon.titan-embed-text-v2:0"

CALL = {"functionCall": {"id": "c", "name": "f", "args": {"text": "in the arguments"}}}
LARGE = {"functionCall": {"id": "c", "name": "f", "args": {"n": [2**53 + 1, 2**64, -(2**70)]}}}
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
    {"contents": [USER, {"role": "model", "parts": [LARGE]}, {"parts": [RESPONSE]}]},
    {"contents": [USER], "generationConfig": {"seed": 2**53 + 1, "temperature": 1.0}},
    {"contents": [USER], "generationConfig": {"seed": 2**64}},
    {"contents": {"parts": {"text": "?"}}},
    {"contents": [{"parts": {"text": "?"}}], "systemInstruction": {"parts": {"text": "?"}}},
    {"contents": [None, "text", {"parts": [None, "text", {"text": None}]}]},
]
SHORT = st.sampled_from(
    [
        *("", " ", "\n", "\u2003", "a", "b", 'in "quotes"', "\\", "\\u0041", "a\tb\x7f", "/", "é"),
        *(" a", "a ", "\\ud800", "\x00", "text", '"text": "b"', "[{" * 120, "9" * 40, "1e400"),
        *("json", '"}]}', '","text":"', "\u2028 \x85", "\U0001f600", "r9999999999", "1" * 30),
    ]
)
KEYS: list[Any] = ["k" * LINE_KEY, "k" * (LINE_KEY + 1), "é" * LINE_KEY, None, 7, ["k"], 2**70]
TEXTS = SHORT | st.text(max_size=8)
WRITERS: list[Callable[[Any], bytes]] = [
    render_json,
    lambda value: json.dumps(value).encode(),
    lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(),
    lambda value: render_json(value).replace(b"/", rb"\/"),
]


def set_texts(value: Any, draw: Callable[[], str]) -> None:
    for member in value.values() if isinstance(value, dict) else value:
        if isinstance(member, dict | list):
            set_texts(member, draw)
    if isinstance(value, dict) and value.get("text") == "?":
        value["text"] = draw()


@st.composite
def documents(draw: st.DrawFn, usual_key: str, request: Request) -> Any:
    """Mostly a line with a usual key."""
    key = draw(st.just(usual_key) | SHORT | st.sampled_from(KEYS))
    return draw(
        st.sampled_from(
            [
                *[{"key": key, "request": request}] * 4,
                {"request": request, "key": key},
                {"request": request},
                request,
                {"key": key, "request": request, "kye": key},
            ]
        )
    )


@st.composite
def inputs(draw: st.DrawFn) -> list[bytes]:
    """Lines of few shapes, so that most are like an earlier one."""
    shapes = draw(st.lists(st.sampled_from(REQUESTS), min_size=1, max_size=2))
    write = draw(st.sampled_from(WRITERS))
    lines: list[bytes] = []
    for number in range(draw(st.integers(2, 5))):
        request = deepcopy(draw(st.sampled_from(shapes)))
        set_texts(request, lambda: draw(TEXTS))
        lines.append(write(draw(documents(f"k{number}", request))))
    if draw(st.booleans()):
        spoilt = draw(st.integers(0, len(lines) - 1))
        lines[spoilt] = draw(st.sampled_from(SPOILERS))(lines[spoilt])
    return lines


def _cut(line: bytes) -> bytes:
    return line[:-3]


def _doubled(line: bytes) -> bytes:
    return line.replace(b'"text"', b'"text":"first","text"', 1)


def _invalid(line: bytes) -> bytes:
    return line.replace(b"a", b"\xff", 1)


def _split(line: bytes) -> bytes:
    return line.replace(b"a", b"\r", 1)


def _surrogate(line: bytes) -> bytes:
    return line.replace(b"a", rb"\ud800", 1)


def _marked(line: bytes) -> bytes:
    return b"\xef\xbb\xbf" + line


def _framed(line: bytes) -> bytes:
    return b"\n \t" + line + b"\x0b\r\n"


def _spaced(line: bytes) -> bytes:
    return line.replace(b'"text"', b' "text"\t', 1)


def _repeated_key(line: bytes) -> bytes:
    return line.replace(b"{", b'{"key": "first",', 1)


SPOILERS = [
    *(_cut, _doubled, _invalid, _split, _surrogate, _marked, _framed, _spaced, _repeated_key),
]


async def translated(provider: str, lines: list[bytes]) -> Outcome:
    translation = TRANSLATIONS[provider]
    return await read(lines, translation.translator(), translation.formats())


async def read(lines: list[bytes], translator: RequestTranslator, formats: LineFormats) -> Outcome:
    @asynccontextmanager
    async def opened() -> AsyncIterator[AsyncIterator[bytes]]:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"\n".join(lines)

        yield chunks()

    source = FileInput(opened, LineSplitter(1 << 20, MemoryBudget()), formats)
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


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("shape", REQUESTS)
@pytest.mark.parametrize("provider", TRANSLATIONS)
async def test_templates_change_nothing_in_lines_that_are_alike(
    provider: str, shape: Request, write: Callable[[Any], bytes]
) -> None:
    lines = []
    for number, text in enumerate(("first", 'a / in "quotes"', "é\u2028\x00\U0001f600")):
        request = deepcopy(shape)
        set_texts(request, partial(str, text))
        lines.append(write({"key": f"k{number}", "request": request}))
    quick = await translated(provider, lines)
    with patch.object(LineTemplates, "learn"):
        assert quick == await translated(provider, lines)


def asking(key: object, text: str, **members: object) -> bytes:
    request = {"contents": [{"parts": [{"text": text}]}], **members}
    return orjson.dumps({"key": key, "request": request})


def deep(levels: int) -> bytes:
    """A line with `levels` levels, of which the last ones are in a schema that is not read."""
    return asking("deep", "a", labels=[[]]).replace(b"[[]]", b"[" * levels + b"]" * levels)


ALIKE = [asking(f"k{n}", f"text {n}") for n in range(3)]
LIMITED = {
    "a long key": [*ALIKE, asking("k" * (LINE_KEY + 1), "a")],
    "a long key in few characters": [*ALIKE, asking("é" * (LINE_KEY // 2 + 1), "a")],
    "a repeated key": [*ALIKE, asking("k1", "a")],
    "a repeated long key": [*ALIKE, asking("k" * 99, "a"), asking("k" * 99, "b")],
    "a line that is too long": [*ALIKE, asking("long", "a" * (1 << 20))],
    "too many levels": [*ALIKE, deep(200)],
    "too many nodes": [*ALIKE, asking("dense", "a", labels={"a": [{}] * LINE_NODES})],
    "brackets in a text": [*ALIKE, asking("k3", "[{" * LINE_NODES)],
    "no key": [*ALIKE, asking(None, "a"), asking("4", "a")],
}


@pytest.mark.parametrize("lines", LIMITED.values(), ids=LIMITED)
@pytest.mark.parametrize("provider", TRANSLATIONS)
async def test_limits_are_those_of_the_general_translation(
    provider: str, lines: list[bytes]
) -> None:
    found, error, _ = quick = await translated(provider, lines)
    with patch.object(LineTemplates, "learn"):
        assert quick == await translated(provider, lines)
    assert len(found) >= len(ALIKE)
    assert error or len(found) == len(lines)


EMBEDDERS: dict[str, Callable[[], tuple[RequestTranslator, LineFormats]]] = {
    "openai": lambda: (
        OpenAITranslator("text-embedding-3-small", BatchKind.EMBED),
        openai_formats("text-embedding-3-small", BatchKind.EMBED),
    ),
    "bedrock": lambda: (
        BedrockTranslator(TITAN, BatchKind.EMBED, InvocationType.INVOKE_MODEL, lambda _, __: None),
        bedrock_formats(TITAN, BatchKind.EMBED, NativeRules(lambda _: False)),
    ),
}


@pytest.mark.parametrize("made", EMBEDDERS.values(), ids=EMBEDDERS)
@given(
    texts=st.lists(st.lists(TEXTS, min_size=1, max_size=2), min_size=2, max_size=4),
    keyed=st.booleans(),
)
async def test_templates_change_no_embedding(
    made: Callable[[], tuple[RequestTranslator, LineFormats]], texts: list[list[str]], keyed: bool
) -> None:
    lines = []
    for number, each in enumerate(texts):
        request = {"content": {"parts": [{"text": text} for text in each]}}
        lines.append(orjson.dumps({"key": f"k{number}", "request": request} if keyed else request))
    quick = await read(lines, *made())
    with patch.object(LineTemplates, "learn"):
        assert quick == await read(lines, *made())


def cached_at_bedrock(invocation: InvocationType) -> tuple[RequestTranslator, LineFormats]:
    translator = BedrockTranslator(
        CLAUDE, BatchKind.GENERATE, invocation, lambda _, __: None, cache=ONE_HOUR
    )
    return translator, bedrock_formats(CLAUDE, BatchKind.GENERATE, NativeRules(lambda _: False))


CACHED: dict[str, Callable[[], tuple[RequestTranslator, LineFormats]]] = {
    "anthropic": lambda: (
        AnthropicTranslator("claude-haiku-4-5", "0" * 32, BatchItems(), 4096, cache=ONE_HOUR),
        anthropic_formats(BatchItems()),
    ),
    "converse": partial(cached_at_bedrock, InvocationType.CONVERSE),
    "invoke": partial(cached_at_bedrock, InvocationType.INVOKE_MODEL),
}


@pytest.mark.parametrize("made", CACHED.values(), ids=CACHED)
@given(lines=inputs())
async def test_templates_change_nothing_that_is_marked_for_a_cache(
    made: Callable[[], tuple[RequestTranslator, LineFormats]], lines: list[bytes]
) -> None:
    quick = await read(lines, *made())
    with patch.object(LineTemplates, "learn"):
        assert quick == await read(lines, *made())


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
