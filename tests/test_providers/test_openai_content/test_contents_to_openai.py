import json
from base64 import b64encode
from typing import Any

import pytest

from providers.openai.dialect import OPENAI_DIALECT, RESPONSES_DIALECT, SERVER_DIALECT
from providers.openai_content.dialect import Dialect
from tests.test_providers.test_openai_content.translate import (
    chat,
    dropped,
    model,
    refusal,
    translate,
    user,
)

_HELLO: dict[str, Any] = {"text": "Hello"}
_CALL: dict[str, Any] = {"functionCall": {"name": "f", "args": {"a_b": 1}}}
_ANSWER: dict[str, Any] = {"functionResponse": {"name": "f", "response": {"result": 2}}}


def _messages(**request: Any) -> Any:
    return chat(**request)["messages"]


def test_a_conversation() -> None:
    assert _messages(
        systemInstruction={"role": "user", "parts": [{"text": "Be brief."}]},
        contents=[user({"text": "Hi"}), model({"text": "Hello"}), {"parts": [{"text": "How?"}]}],
    ) == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": "How?"},
    ]


def test_several_texts_stay_separate() -> None:
    texts = [{"text": "a"}, {"text": "b"}]
    content = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert _messages(
        systemInstruction={"parts": texts},
        contents=[user(*texts), model(*texts), user(*texts)],
    ) == [
        {"role": "system", "content": content},
        {"role": "user", "content": content},
        {"role": "assistant", "content": content},
        {"role": "user", "content": content},
    ]


def test_a_text_and_an_image() -> None:
    png = {"inlineData": {"mimeType": "image/png", "data": "__79-w"}}
    assert _messages(contents=[user(_HELLO, png)])[0]["content"] == [
        {"type": "text", "text": "Hello"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,//79+w=="}},
    ]


def test_a_call_and_its_answer() -> None:
    asked, called, answered = _messages(contents=[user(_HELLO), model(_CALL), user(_ANSWER)])
    assert asked == {"role": "user", "content": "Hello"}
    assert called["tool_calls"][0]["id"] == answered["tool_call_id"] == "call_1_0"
    assert set(called) == {"role", "tool_calls"}
    assert json.loads(called["tool_calls"][0]["function"]["arguments"]) == {"a_b": 1}
    assert answered["role"] == "tool"
    assert json.loads(answered["content"]) == {"result": 2}


def test_a_call_and_an_answer_without_content() -> None:
    nothing = {"name": "f"}
    _, called, answered = _messages(
        contents=[
            user(_HELLO),
            model({"functionCall": nothing}),
            user({"functionResponse": nothing}),
        ]
    )
    assert called["tool_calls"] == [
        {"id": "call_1_0", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    ]
    assert answered == {"role": "tool", "tool_call_id": "call_1_0", "content": "{}"}


@pytest.mark.parametrize("given", ["a.b", "ü", "a b", "i" * 40])
def test_any_id_may_be_openais(given: str) -> None:
    call = {"functionCall": {"id": given, "name": "f"}}
    answer = {"functionResponse": {"id": given, "name": "f"}}
    _, called, answered = _messages(contents=[user(_HELLO), model(call), user(answer)])
    assert called["tool_calls"][0]["id"] == answered["tool_call_id"] == given


def test_an_id_that_is_too_long_for_openai_is_replaced() -> None:
    calls = [{"functionCall": {"id": number + "i" * 40, "name": "f"}} for number in "12"]
    answers = [
        {"functionResponse": {"id": number + "i" * 40, "response": {"output": number}}}
        for number in "21"
    ]
    _, called, *answered = _messages(contents=[user(_HELLO), model(*calls), user(*answers)])
    assert [call["id"] for call in called["tool_calls"]] == ["call_1_0", "call_1_1"]
    assert [(each["tool_call_id"], each["content"]) for each in answered] == [
        ("call_1_1", '{"output":"2"}'),
        ("call_1_0", '{"output":"1"}'),
    ]


def test_answers_come_before_other_parts_of_their_turn() -> None:
    messages = _messages(contents=[user(_HELLO), model(_HELLO, _CALL), user(_HELLO, _ANSWER)])
    assert [message["role"] for message in messages] == ["user", "assistant", "tool", "user"]
    assert messages[1]["content"] == "Hello"


@pytest.mark.parametrize("role", ["function", "tool", "user"])
def test_answers_in_turns_of_their_own(role: str) -> None:
    turn = {"role": role, "parts": [_ANSWER]}
    messages = _messages(contents=[user(_HELLO), model(_CALL, _CALL), turn, turn])
    assert [m.get("tool_call_id") for m in messages] == [None, None, "call_1_0", "call_1_1"]


def test_a_streamed_answer_is_one_message() -> None:
    pieces = [model({"text": "Hel"}), model({"text": "lo"}), model(_CALL), model({"text": ""})]
    messages = _messages(
        contents=[user(_HELLO), *pieces, user(_ANSWER), model(_HELLO), user(_HELLO)]
    )
    assert [message["role"] for message in messages] == [
        "user",
        "assistant",
        "tool",
        "assistant",
        "user",
    ]
    assert messages[1]["content"] == "Hello"
    assert messages[1]["tool_calls"][0]["id"] == "call_1_0"


def test_calls_in_several_pieces_are_answered_together() -> None:
    contents = [user(_HELLO), model(_CALL), model(_CALL), user(_ANSWER, _HELLO), user(_ANSWER)]
    messages = _messages(contents=contents)
    assert [call["id"] for call in messages[1]["tool_calls"]] == ["call_1_0", "call_1_1"]
    assert [m["role"] for m in messages[2:]] == ["tool", "tool", "user"]


def test_the_users_turns_stay_messages_of_their_own() -> None:
    messages = _messages(contents=[user({"text": "a"}), user({"text": ""}), user({"text": "b"})])
    assert [message["content"] for message in messages] == ["a", "b"]


@pytest.mark.parametrize(
    ("contents", "path"),
    [
        ([user(_HELLO), model(_HELLO)], "request.contents[1]"),
        ([user(_HELLO, _CALL)], "request.contents[0].parts[1].functionCall"),
        ([user(_ANSWER)], "request.contents[0].parts[0].functionResponse"),
        (
            [user(_HELLO), model(_ANSWER), user(_HELLO)],
            "request.contents[1].parts[0].functionResponse",
        ),
        (
            [user(_HELLO), model({"inlineData": {}}), user(_HELLO)],
            "request.contents[1].parts[0].inlineData",
        ),
        (
            [user(_HELLO), model(_CALL), user(_HELLO)],
            "request.contents[1].parts[0].functionCall",
        ),
        (
            [user(_HELLO), model(_CALL, _CALL), user(_ANSWER)],
            "request.contents[1].parts[1].functionCall",
        ),
    ],
)
def test_conversations_that_openai_rejects(contents: list[Any], path: str) -> None:
    assert refusal(contents=contents).path == path


def test_a_system_instruction_is_text() -> None:
    parts = [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]
    error = refusal(systemInstruction={"parts": parts})
    assert error.path == "request.systemInstruction.parts[0].inlineData"


# Fields without an equivalent.


def test_thoughts_are_dropped() -> None:
    contents = [
        user(_HELLO),
        model({"text": "Hm", "thought": True}, {"text": "Hi", "thoughtSignature": "AAAA"}),
        user({"text": "How?", "partMetadata": {"a": 1}}),
    ]
    assert _messages(contents=contents)[1] == {"role": "assistant", "content": "Hi"}
    assert dropped(contents=contents) == (
        "request.contents[*].parts[*].thought;count=1, "
        "request.contents[*].parts[*].thoughtSignature;count=1, "
        "request.contents[*].parts[*].partMetadata;count=1"
    )


def test_a_part_with_only_a_signature_is_dropped() -> None:
    contents = [user(_HELLO), model(_HELLO, {"thoughtSignature": "AAAA"}), user(_HELLO)]
    assert _messages(contents=contents)[1] == {"role": "assistant", "content": "Hello"}


def test_a_call_marked_as_a_thought_is_still_a_call() -> None:
    thought = _CALL | {"thought": True}
    assert "tool_calls" in _messages(contents=[user(_HELLO), model(thought), user(_ANSWER)])[1]


@pytest.mark.parametrize("dialect", [OPENAI_DIALECT, SERVER_DIALECT, RESPONSES_DIALECT])
def test_a_turn_of_thoughts_only_is_left_out(dialect: Dialect) -> None:
    """Such as that of an answer which ended while the model thought."""
    signed = b64encode(b"genai-ferry/openai/reasoning:rs_1:secret").decode()
    thought = {"text": "Hm", "thought": True, "thoughtSignature": signed}
    contents = [user(_HELLO), model(thought), user(_HELLO)]
    chat, warnings = translate({"contents": contents}, dialect)
    assert [message["role"] for message in chat["messages"]] == ["user", "user"]
    assert warnings == "request.contents[*];count=1"
