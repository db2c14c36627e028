from base64 import b64encode
from typing import Any

import orjson
import pytest

from providers.claude_content.thought_signatures import (
    render_redacted_thinking,
    render_thinking_signature,
)
from tests.test_providers.test_claude_content.translate import (
    dropped,
    message,
    model_turn,
    refusal,
    text,
    user,
)

_HELLO: dict[str, Any] = {"text": "Hello"}
_CALL: dict[str, Any] = {"functionCall": {"name": "f", "args": {"a_b": 1}}}
_ANSWER: dict[str, Any] = {"functionResponse": {"name": "f", "response": {"result": 2}}}


def _messages(*contents: dict[str, Any], **request: Any) -> Any:
    return message(contents=list(contents), **request)["messages"]


def test_a_conversation() -> None:
    params = message(
        systemInstruction={"role": "user", "parts": [{"text": "Be brief."}, {"text": "Rhyme."}]},
        contents=[user({"text": "Hi"}), model_turn(_HELLO), {"parts": [{"text": "How?"}]}],
    )
    assert params["system"] == [text("Be brief."), text("Rhyme.")]
    assert params["messages"] == [
        {"role": "user", "content": [text("Hi")]},
        {"role": "assistant", "content": [text("Hello")]},
        {"role": "user", "content": [text("How?")]},
    ]


def test_turns_of_one_role_become_one_message() -> None:
    assert _messages(
        user({"text": "a"}),
        user({"text": "b"}, {"text": "c"}),
        model_turn({"text": "d"}),
        model_turn({"text": "e"}),
        user({"text": "f"}),
    ) == [
        {"role": "user", "content": [text("a"), text("b"), text("c")]},
        {"role": "assistant", "content": [text("de")]},
        {"role": "user", "content": [text("f")]},
    ]


def test_a_text_and_an_image() -> None:
    png = {"inlineData": {"mimeType": "image/png", "data": "__79-w"}}
    assert _messages(user(_HELLO, png))[0]["content"] == [
        text("Hello"),
        {
            "type": "image",
            "source": {"type": "base64", "media_type": "image/png", "data": "//79+w=="},
        },
    ]


def test_a_call_and_its_answer() -> None:
    _, called, answered = _messages(user(_HELLO), model_turn(_HELLO, _CALL), user(_ANSWER))
    assert called["content"] == [
        text("Hello"),
        {"type": "tool_use", "id": "call_1_0", "name": "f", "input": {"a_b": 1}},
    ]
    assert answered["content"] == [
        {"type": "tool_result", "tool_use_id": "call_1_0", "content": '{"result":2}'}
    ]


def test_a_call_and_an_answer_without_content() -> None:
    nothing = {"name": "f"}
    _, called, answered = _messages(
        user(_HELLO), model_turn({"functionCall": nothing}), user({"functionResponse": nothing})
    )
    assert called["content"][0]["input"] == {}
    assert answered["content"][0]["content"] == "{}"


@pytest.mark.parametrize(
    ("response", "failed"),
    [
        ({"error": "no"}, True),
        ({"error": {"code": 1}}, True),
        ({"error": ""}, True),
        ({"output": 1, "error": None}, False),
        ({"output": "error"}, False),
    ],
)
def test_an_answer_that_is_an_error(response: dict[str, Any], failed: bool) -> None:
    answer = {"functionResponse": {"name": "f", "response": response}}
    (result,) = _messages(user(_HELLO), model_turn(_CALL), user(answer))[2]["content"]
    assert result.get("is_error", False) is failed
    assert orjson.loads(result["content"]) == response


def test_answers_come_before_other_parts() -> None:
    content = _messages(
        user(_HELLO), model_turn(_CALL, _CALL), user(_HELLO, _ANSWER), user(_ANSWER, _HELLO)
    )[2]["content"]
    assert [block["type"] for block in content] == ["tool_result", "tool_result", "text", "text"]
    assert [block.get("tool_use_id") for block in content[:2]] == ["call_1_0", "call_1_1"]


def _ids(*calls: dict[str, Any]) -> list[str]:
    """The ids that are sent for calls, each in its own turn and then answered."""
    contents = [user(_HELLO)]
    for call in calls:
        contents += [model_turn({"functionCall": call}), user({"functionResponse": call})]
    messages = _messages(*contents)
    called = [m["content"][0]["id"] for m in messages[1::2]]
    assert called == [m["content"][0]["tool_use_id"] for m in messages[2::2]]
    return called


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("toolu_1-A", "toolu_1-A"),
        ("a.b", "call_1_0"),
        ("ü", "call_1_0"),
        ("a b\n", "call_1_0"),
        ("a\n", "call_1_0"),
        (None, "call_1_0"),
    ],
)
def test_an_id_in_another_alphabet_is_replaced_on_both_sides(given: str | None, sent: str) -> None:
    assert _ids({"id": given, "name": "f"}) == [sent]


def test_ids_are_unique_in_the_whole_conversation() -> None:
    calls = [{"id": given, "name": "f"} for given in ("a", "a", "call_7_0", None)]
    assert _ids(*calls) == ["a", "call_3_0", "call_7_0", "call_7_0_"]


def test_two_waiting_calls_with_ids_in_another_alphabet() -> None:
    calls = [{"functionCall": {"id": given, "name": "f"}} for given in ("a.1", "a.2")]
    answers = [
        {"functionResponse": {"id": given, "name": "f", "response": {"is": given}}}
        for given in ("a.2", "a.1")
    ]
    _, called, answered = _messages(user(_HELLO), model_turn(*calls), user(*answers))
    assert [block["id"] for block in called["content"]] == ["call_1_0", "call_1_1"]
    assert [(b["tool_use_id"], orjson.loads(b["content"])["is"]) for b in answered["content"]] == [
        ("call_1_1", "a.2"),
        ("call_1_0", "a.1"),
    ]


def _at(turn: int, part: int, field: str) -> str:
    return f"request.contents[{turn}].parts[{part}].{field}"


@pytest.mark.parametrize(
    ("contents", "path"),
    [
        ([model_turn(_HELLO), user(_HELLO)], "request.contents[0]"),
        ([user(_HELLO), model_turn(_HELLO)], "request.contents[1]"),
        ([user(_HELLO, _CALL)], _at(0, 1, "functionCall")),
        ([user(_ANSWER)], _at(0, 0, "functionResponse")),
        ([user(_HELLO), model_turn(_ANSWER), user(_HELLO)], _at(1, 0, "functionResponse")),
        ([user(_HELLO), model_turn({"inlineData": {}}), user(_HELLO)], _at(1, 0, "inlineData")),
        ([user(_HELLO), model_turn({"fileData": {}}), user(_HELLO)], _at(1, 0, "fileData")),
        ([user(_HELLO), model_turn(_CALL), user(_HELLO)], _at(1, 0, "functionCall")),
        # Answered, but a turn too late.
        (
            [user(_HELLO), model_turn(_CALL), user(_HELLO), model_turn(_HELLO), user(_ANSWER)],
            _at(1, 0, "functionCall"),
        ),
        (
            [user(_HELLO), model_turn(_CALL, _CALL), user(_ANSWER)],
            _at(1, 1, "functionCall"),
        ),
        (
            [user(_HELLO), model_turn(_CALL), user(_ANSWER, _ANSWER)],
            _at(2, 1, "functionResponse"),
        ),
        (
            [user(_HELLO), model_turn({"functionCall": {"name": ""}}), user(_HELLO)],
            _at(1, 0, "functionCall.name"),
        ),
    ],
)
def test_conversations_that_anthropic_rejects(contents: list[Any], path: str) -> None:
    assert refusal(contents=contents).path == path


@pytest.mark.parametrize("field", ["executableCode", "codeExecutionResult", "videoMetadata"])
def test_parts_of_other_kinds_are_refused(field: str) -> None:
    error = refusal(contents=[user(_HELLO, {"text": "a", field: {}})])
    assert error.path == f"request.contents[0].parts[1].{field}"


def test_a_function_answers_with_an_image() -> None:
    """As Pydantic AI sends what a tool returns."""
    blob = {"mime_type": "image/png", "data": "AAEC"}
    answer = {"name": "f", "response": {"a": 1}, "parts": [{"inlineData": blob}]}
    sent = _messages(user(_HELLO), model_turn(_CALL), user({"functionResponse": answer}))
    source = {"type": "base64", "media_type": "image/png", "data": "AAEC"}
    [result] = sent[2]["content"]
    assert result["content"] == [text('{"a":1}'), {"type": "image", "source": source}]


@pytest.mark.parametrize(
    ("part", "path"),
    [
        ({}, ""),
        ({"fileData": {"fileUri": "files/a"}}, ""),
        ({"inlineData": {"mimeType": "image/png", "data": "AAEC"}, "mediaResolution": {}}, ""),
        ({"inlineData": {"mimeType": "audio/wav", "data": "AAEC"}}, ".inlineData.mimeType"),
    ],
)
def test_other_media_in_a_response_are_refused(part: dict[str, Any], path: str) -> None:
    answer = {"functionResponse": {"name": "f", "parts": [part]}}
    error = refusal(contents=[user(_HELLO), model_turn(_CALL), user(answer)])
    assert error.path == f"request.contents[2].parts[0].functionResponse.parts[0]{path}"


def test_a_system_instruction_is_text() -> None:
    parts = [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]
    error = refusal(systemInstruction={"parts": parts})
    assert error.path == "request.systemInstruction.parts[0].inlineData"


# Texts without content, which Anthropic refuses.


def test_empty_texts_are_left_out() -> None:
    contents = [user({"text": ""}, _HELLO), model_turn(_HELLO, {"text": ""}), user(_HELLO)]
    assert all(m["content"] == [text("Hello")] for m in _messages(*contents))
    assert dropped(contents=contents) == ""


def test_blank_text_is_left_out_with_a_warning() -> None:
    contents = [user({"text": " \n"}, {"text": " a "})]
    assert _messages(*contents)[0]["content"] == [text(" a ")]
    assert dropped(contents=contents) == "request.contents[*].parts[*].text;count=1"


@pytest.mark.parametrize("empty", ["", " "])
def test_a_turn_without_content_is_refused(empty: str) -> None:
    nothing = {"text": empty}
    assert refusal(contents=[user(nothing), user(nothing)]).path == "request.contents[0].parts"


def test_a_blank_system_instruction_is_left_out() -> None:
    blank = {"systemInstruction": {"parts": [{"text": " "}]}}
    assert "system" not in message(**blank)
    assert dropped(**blank) == "request.systemInstruction.parts[*].text;count=1"


def test_a_turn_of_the_model_with_white_space_alone_is_refused() -> None:
    blank = model_turn({"text": " "})
    assert refusal(contents=[user(_HELLO), blank, user(_HELLO)]).path == "request.contents[1].parts"


def test_a_conversation_goes_on_after_an_empty_answer() -> None:
    nothing, called = model_turn({"text": ""}), model_turn({"functionCall": {"name": "f"}})
    answer = user({"functionResponse": {"name": "f", "response": {}}})
    contents = [user(_HELLO), called, answer, nothing, user({"text": "Well?"})]
    messages = message(contents=contents)["messages"]
    assert [turn["role"] for turn in messages] == ["user", "assistant", "user"]
    assert [block["type"] for block in messages[2]["content"]] == ["tool_result", "text"]


# Thoughts: Claude's are sent back to it, others are dropped.

_THOUGHT: dict[str, Any] = {
    "text": "Hm",
    "thought": True,
    "thoughtSignature": render_thinking_signature("sig/+="),
}
_OMITTED: dict[str, Any] = {"thoughtSignature": render_thinking_signature("sig")}
_REDACTED: dict[str, Any] = {"thoughtSignature": render_redacted_thinking("data")}
_GEMINIS = b64encode(b"opaque to all but Gemini").decode()


def _thinking(words: str, signature: str) -> dict[str, Any]:
    return {"type": "thinking", "thinking": words, "signature": signature}


@pytest.mark.parametrize(
    ("parts", "content"),
    [
        ([_THOUGHT, _HELLO], [_thinking("Hm", "sig/+="), text("Hello")]),
        ([_OMITTED, _HELLO], [_thinking("", "sig"), text("Hello")]),
        (
            [_REDACTED, _HELLO],
            [{"type": "redacted_thinking", "data": "data"}, text("Hello")],
        ),
        # The signature is on the next part, as Gemini's own are.
        ([_HELLO | _OMITTED], [_thinking("", "sig"), text("Hello")]),
    ],
)
def test_claudes_thinking_is_sent_back_to_it(parts: list[Any], content: list[Any]) -> None:
    contents = [user(_HELLO), model_turn(*parts), user(_HELLO)]
    assert _messages(*contents)[1]["content"] == content
    assert dropped(contents=contents) == ""


def test_thinking_before_a_call() -> None:
    called = _messages(user(_HELLO), model_turn(_THOUGHT, _CALL | _OMITTED), user(_ANSWER))[1]
    kinds = [block["type"] for block in called["content"]]
    assert kinds == ["thinking", "thinking", "tool_use"]


def test_a_signature_in_the_sdks_alphabet() -> None:
    url_safe = _THOUGHT["thoughtSignature"].translate(str.maketrans("+/", "-_")).rstrip("=")
    thought = _THOUGHT | {"thoughtSignature": url_safe}
    sent = _messages(user(_HELLO), model_turn(thought, _HELLO), user(_HELLO))[1]["content"]
    assert sent == [_thinking("Hm", "sig/+="), text("Hello")]


def test_thoughts_of_others_are_dropped() -> None:
    contents = [
        user(_HELLO),
        model_turn(
            {"text": "Hm", "thought": True, "thoughtSignature": _GEMINIS},
            {"text": "Hm", "thought": True},
            _HELLO | {"thoughtSignature": _GEMINIS},
        ),
        user(_HELLO | {"partMetadata": {"a": 1}}),
    ]
    assert _messages(*contents)[1]["content"] == [text("Hello")]
    assert dropped(contents=contents) == (
        "request.contents[*].parts[*].thought;count=2, "
        "request.contents[*].parts[*].thoughtSignature;count=2, "
        "request.contents[*].parts[*].partMetadata;count=1"
    )


def test_a_user_turn_has_no_thoughts_of_claude() -> None:
    assert _messages(user(_HELLO, _THOUGHT))[0]["content"] == [text("Hello")]
    assert dropped(contents=[user(_HELLO, _THOUGHT)]) == (
        "request.contents[*].parts[*].thought;count=1, "
        "request.contents[*].parts[*].thoughtSignature;count=1"
    )
