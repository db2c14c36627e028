import re
from typing import Any

import pytest

from providers.errors import FerryError
from providers.gemini_content.content_parts import ContentPart
from providers.gemini_content.function_calls import CallRules, FunctionCall, FunctionResponse
from providers.gemini_content.merged_turns import Block, Message, merged_turns, system_texts
from providers.gemini_content.normalise import normalise_generate
from providers.gemini_content.warnings import Warnings
from providers.status import Status


class Named:
    """Blocks that show what they were made from."""

    rules = CallRules("Elsewhere", longest_name=8, ids=re.compile("[a-z]+"))

    def text(self, words: str) -> Block:
        return {"text": words}

    def media(self, part: ContentPart) -> Block:
        return {"media": part.path}

    def thinking(self, part: dict[str, Any]) -> Block | None:
        return {"thinking": part.get("text")} if part.get("thoughtSignature") == "AAAA" else None

    def call(self, call: FunctionCall) -> Block:
        return {"call": call.id}

    def response(self, answer: FunctionResponse) -> Block:
        return {"answer": answer.call_id}


def _messages(*turns: tuple[str, list[dict[str, Any]]]) -> tuple[list[Message], str]:
    contents = [{"role": role, "parts": parts} for role, parts in turns]
    request, warnings = normalise_generate({"contents": contents}, "request"), Warnings()
    return list(merged_turns(request, "request", warnings, Named())), warnings.render()


_HI = {"text": "Hello"}
_CALL = {"functionCall": {"id": "a", "name": "f"}}
_ANSWER = {"functionResponse": {"id": "a", "name": "f", "response": {}}}
_IMAGE = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}


def test_turns_of_one_role_are_one_message_with_its_answers_first() -> None:
    messages, warnings = _messages(
        ("user", [_HI, {"text": " "}]),
        ("model", [{"text": "Hm", "thought": True, "thoughtSignature": "AAAA"}]),
        ("model", [_HI | {"thoughtSignature": "AAAA"}, _CALL]),
        ("user", [_HI, _IMAGE]),
        ("user", [_ANSWER]),
    )
    assert messages == [
        Message("user", [{"text": "Hello"}], "request.contents[0]"),
        Message(
            "model",
            [{"thinking": "Hm"}, {"thinking": "Hello"}, {"text": "Hello"}, {"call": "a"}],
            "request.contents[1]",
        ),
        Message(
            "user",
            [
                {"answer": "a"},
                {"text": "Hello"},
                {"media": "request.contents[3].parts[1].inlineData"},
            ],
            "request.contents[3]",
        ),
    ]
    assert warnings == "request.contents[*].parts[*].text;count=1"


def test_thoughts_of_another_model_are_dropped() -> None:
    messages, warnings = _messages(
        ("user", [_HI]),
        ("model", [{"text": "Hm", "thought": True, "thoughtSignature": "BBBB"}, _HI]),
        ("user", [_HI]),
    )
    assert messages[1].content == [{"text": "Hello"}]
    at = "request.contents[*].parts[*]"
    assert warnings == f"{at}.thought;count=1, {at}.thoughtSignature;count=1"


@pytest.mark.parametrize(
    ("turns", "path"),
    [
        ([("model", [_HI]), ("user", [_HI])], "[0]"),
        ([("user", [_HI]), ("model", [_HI])], "[1]"),
        ([("user", [{"text": ""}]), ("user", [])], "[0].parts"),
        ([("user", [])], "[0].parts"),
        ([("user", [_CALL])], "[0].parts[0].functionCall"),
        ([("user", [_HI]), ("model", [_IMAGE]), ("user", [_HI])], "[1].parts[0].inlineData"),
        ([("user", [_HI]), ("model", [_CALL]), ("user", [_HI])], "[1].parts[0].functionCall"),
        ([("user", [_HI, _ANSWER])], "[0].parts[1].functionResponse"),
    ],
)
def test_fields_without_an_equivalent(
    turns: list[tuple[str, list[dict[str, Any]]]], path: str
) -> None:
    with pytest.raises(FerryError) as refused:
        _messages(*turns)
    assert (refused.value.status, refused.value.path) == (
        Status.INVALID_ARGUMENT,
        f"request.contents{path}",
    )


def test_a_system_instruction_is_text() -> None:
    request = {"systemInstruction": {"parts": [_HI, _IMAGE]}}
    with pytest.raises(FerryError) as refused:
        system_texts(request, "request", Warnings(), Named())
    assert refused.value.path == "request.systemInstruction.parts[1].inlineData"
    request = {"systemInstruction": {"parts": [{"text": "\n"}, _HI]}}
    assert system_texts(request, "request", Warnings(), Named()) == {"system": [_HI]}
    request = {"systemInstruction": {"parts": [{"text": "\n"}]}}
    assert system_texts(request, "request", Warnings(), Named()) == {}
    assert system_texts({}, "request", Warnings(), Named()) == {}


_SIGNED_CALL = _CALL | {"thoughtSignature": "AAAA"}
_OTHER_CALL = {"functionCall": {"id": "b", "name": "f"}}
_THINKING: Any = {"thinking": None}


@pytest.mark.parametrize(
    ("parts", "blocks"),
    [
        ([_CALL, _HI], [{"text": "Hello"}, {"call": "a"}]),
        ([_SIGNED_CALL, _HI], [_THINKING, {"text": "Hello"}, {"call": "a"}]),
        (
            [_SIGNED_CALL, _HI, _OTHER_CALL | {"thoughtSignature": "AAAA"}],
            [_THINKING, {"text": "Hello"}, {"call": "a"}, _THINKING, {"call": "b"}],
        ),
        (
            [_CALL, _HI | {"thoughtSignature": "AAAA"}],
            [{"thinking": "Hello"}, {"text": "Hello"}, {"call": "a"}],
        ),
        ([_CALL, {"thoughtSignature": "AAAA"}], [_THINKING, {"call": "a"}]),
    ],
)
def test_calls_are_last(parts: list[dict[str, Any]], blocks: list[Block]) -> None:
    calls = [part["functionCall"] for part in parts if "functionCall" in part]
    answers = [{"functionResponse": call | {"response": {}}} for call in calls]
    messages, _ = _messages(("user", [_HI]), ("model", parts), ("user", answers))
    assert messages[1].content == blocks
