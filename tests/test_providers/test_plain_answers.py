"""A plain answer is translated in a faster way, which must give the same bytes as the general one.

The documents are plain answers in which a few members are changed, so most are almost plain.
"""

import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import partial
from typing import Any
from unittest.mock import patch

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from providers.batches.batch_results import BatchResults
from providers.bedrock.content.answer_from_converse import from_converse_answer, plain_converse
from providers.claude_content.message_from_anthropic import from_anthropic_message, plain_message
from providers.errors import FerryError
from providers.json_api.json_text import render_json
from providers.json_api.structure import PARSED_BYTES, SHORT_BYTES
from providers.memory import MemoryBudget, Reservation
from providers.openai_content.chat_from_openai import from_openai_chat, plain_chat
from tests.benchmarks.translated_lines import (
    TRANSLATIONS,
    Translation,
    anthropic_result,
    bedrock_result,
    mistral_result,
    openai_result,
    table_of,
)
from tests.test_providers.test_batches.scripted_results import ScriptedLines

Document = dict[str, Any]
Translate = Callable[[Document], Document]

CHATS = [
    orjson.loads(result(1, 20))["response"]["body"] for result in (openai_result, mistral_result)
]
MESSAGE = orjson.loads(anthropic_result(1, 20))["result"]["message"]
CONVERSE = orjson.loads(bedrock_result(1, 20))["modelOutput"]
# Everything that a member may be, also by mistake, and the ends that providers give.
VALUES: st.SearchStrategy[Any] = st.sampled_from(
    [
        *(None, True, False, 0, 1, -1, 2**63, 2**70, 1.0, 0.5, "", " ", "a", "é", [], [None], [[]]),
        *({}, {"a": 1}, [{}], [{"type": "text", "text": "b"}], {"content": []}, {"content": None}),
        *("stop", "length", "tool_calls", "content_filter", "end_turn", "max_tokens", "refusal"),
        *(
            "eos_token",
            "STOP",
            "error",
            "stop_sequence",
            "tool_use",
            "guardrail_intervened",
            "malformed_tool_use",
            "text",
        ),
        [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        [{"text": "b"}],
        [{"toolUse": {"toolUseId": "t", "name": "f", "input": {}}}],
    ]
).map(deepcopy)
SPOILERS: list[Callable[[bytes], bytes]] = [
    lambda line: line,
    lambda line: line[:-1],
    lambda line: line.replace(b"a", b"\xff", 1),
    lambda line: line.replace(b"a", rb"\ud800", 1),
    lambda line: line.replace(b'"a', b'"a' + b"[{" * 120, 1),
    lambda line: line.replace(b"[", b"[" * 120, 1).replace(b"]", b"]" * 120, 1),
    lambda line: line.replace(b"{", b'{ "custom_id" : "first" , ', 1),
]
# In the place of a word of a text.
WRITTEN = [
    *(
        "é".encode(),
        "日本 😀".encode(),
        "a\u2028b\u0085".encode(),
        b"\x7f",
        b"\xff",
        b"\xed\xa0\x80",
    ),
    *(rb"\u00e9", rb"\ud83d\ude00", rb"\ud83d", rb"\ude00\ud83d", rb"\\ud83d", rb"\u0000", rb"\/"),
    *(rb"\n\r\t\b\f\"", rb"\u001B", rb"\q", rb"\\", b"[" * 120, b"{" * 120, b"," * 6000),
    *(b"\n ", b'" ', b'","x":"', b'","text":"again', b'","content":"again', b"1" * 400),
]
NEW_NAMES = st.sampled_from(
    ["refusal", "audio", "images", "function_call", "citations", "toolUse", "new"]
)


def places(document: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in the document, with each of its keys."""
    for key, value in list(document.items() if isinstance(document, dict) else enumerate(document)):
        yield document, key
        if isinstance(value, dict | list):
            yield from places(value)


@st.composite
def almost(draw: st.DrawFn, plain: list[Document]) -> Document:
    document = deepcopy(draw(st.sampled_from(plain)))
    for _ in range(draw(st.integers(0, 3))):
        container, key = draw(st.sampled_from(list(places(document)) or [(document, "new")]))
        match draw(st.sampled_from(["change", "remove", "add"])):
            case "change":
                container[key] = draw(VALUES)
            case "remove":
                container.pop(key, None) if isinstance(container, dict) else container.clear()
            case _ if isinstance(container, dict):
                container[draw(NEW_NAMES)] = draw(VALUES)
            case _:
                container.append(draw(VALUES))
    return document


def outcome(translate: Translate, document: Document) -> bytes | str:
    try:
        return orjson.dumps(translate(document))
    except FerryError as error:
        return f"{error.status}: {error.message}"


def check_same(
    plain: Callable[[Document], Document | None], any_: Translate, answer: Document
) -> None:
    quick = plain(answer)
    if quick is not None:
        assert orjson.dumps(quick) == outcome(any_, answer)


def with_member(name: str, value: Any) -> Document:
    body: Document = deepcopy(CHATS[0])
    body["choices"][0]["message"][name] = value
    return body


@given(almost(CHATS))
@example(with_member("audio", []))
@example(with_member("function_call", []))
def test_a_chat_completion(body: Document) -> None:
    check_same(plain_chat, from_openai_chat, body)


@given(almost([MESSAGE]))
def test_a_message_of_claude(message: Document) -> None:
    check_same(plain_message, from_anthropic_message, message)


@given(almost([CONVERSE]), st.booleans())
def test_an_answer_of_converse(answer: Document, thoughts: bool) -> None:
    check_same(plain_converse, partial(from_converse_answer, thoughts=thoughts), answer)


@pytest.mark.parametrize("provider", TRANSLATIONS)
@given(data=st.data())
async def test_a_line_of_results(provider: str, data: st.DataObject) -> None:
    translation = TRANSLATIONS[provider]
    size = data.draw(st.sampled_from([20, SHORT_BYTES + 1, PARSED_BYTES + 1]))
    plain = [orjson.loads(translation.result(number, size)) for number in (0, 1)]
    lines = [render_json(data.draw(almost(plain))) for _ in range(2)]
    spoil = data.draw(st.sampled_from(SPOILERS))
    lines = [spoil(line) for line in lines]
    await check_lines(translation, lines)


@pytest.mark.parametrize("provider", TRANSLATIONS)
@pytest.mark.parametrize("written", WRITTEN)
async def test_a_text_however_it_is_written(provider: str, written: bytes) -> None:
    translation = TRANSLATIONS[provider]
    lines = [
        translation.result(number, 40).replace(b"the", written).replace(b"and", written)
        for number in range(2)
    ]
    await check_lines(translation, lines)


@pytest.mark.parametrize("provider", TRANSLATIONS)
@pytest.mark.parametrize("size", [20, SHORT_BYTES + 1, PARSED_BYTES + 1])
@pytest.mark.parametrize("number", [b"99999999999999999999", b"1" * 19, b"-1", b"1e400", b"0.10"])
async def test_a_number_stays_as_it_is(provider: str, number: bytes, size: int) -> None:
    translation = TRANSLATIONS[provider]
    lines = [re.sub(rb":[0-9]+", b":" + number, translation.result(0, size), count=4)]
    await check_lines(translation, lines)


async def check_lines(translation: Translation, lines: list[bytes]) -> None:
    quick = await delivered(translation, lines)
    with (
        patch.object(BatchResults, "_read_short", BatchResults._read),
        patch.object(BatchResults, "_plain", return_value=None),
    ):
        assert quick == await delivered(translation, lines)


async def delivered(translation: Translation, lines: list[bytes]) -> list[bytes]:
    source, memory = ScriptedLines(lines, id_member=translation.id_member), MemoryBudget()
    results = BatchResults(source, table_of([b"", b""]), Reservation(memory))
    with (
        patch.object(source, "translate", translation.from_line),
        patch.object(source, "plain", translation.plain),
    ):
        return [chunk async for chunk in results.lines()]


@pytest.mark.parametrize(
    ("plain", "document"),
    [
        *((plain_chat, chat) for chat in CHATS),
        (plain_message, MESSAGE),
        (plain_converse, CONVERSE),
    ],
)
def test_usual_answers_are_plain(
    plain: Callable[[Document], Document | None], document: Document
) -> None:
    assert plain(document) is not None
