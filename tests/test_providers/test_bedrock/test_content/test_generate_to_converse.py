import re
from itertools import pairwise
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.bedrock.content.generate_to_converse import to_converse
from providers.claude_content.thought_signatures import (
    render_redacted_thinking,
    render_thinking_signature,
)
from providers.errors import FerryError
from providers.gemini_content.normalise import normalise_generate
from providers.gemini_content.warnings import Warnings
from providers.status import Status
from tests.test_providers.test_bedrock.test_content.converse_shape import require_converse
from tests.test_providers.test_bedrock.test_content.translate import (
    CLAUDE,
    NEW_CLAUDE,
    NOVA,
    OPAQUE,
    OTHER,
    converse,
    dropped,
    model_turn,
    refusal,
    translate,
    user,
)
from tests.test_providers.test_gemini_content.conversations import conversations, pieces_of
from tests.test_providers.test_gemini_content.maximal_requests import GENERATE

_ID: Final = re.compile(r"[a-zA-Z0-9_.:-]{1,64}")
_HI: Final = {"text": "Hello"}
_DECLARED: Final = [{"functionDeclarations": [{"name": "f"}, {"name": "g"}]}]


def _messages(*contents: dict[str, Any], model: str = CLAUDE) -> Any:
    return converse(model=model, contents=list(contents), tools=_DECLARED)["messages"]


def test_turns_of_one_role_are_one_message() -> None:
    assert _messages(user(_HI), user({"text": "b"}), model_turn({"text": "c"}), user(_HI)) == [
        {"role": "user", "content": [{"text": "Hello"}, {"text": "b"}]},
        {"role": "assistant", "content": [{"text": "c"}]},
        {"role": "user", "content": [{"text": "Hello"}]},
    ]


def test_calls_and_answers() -> None:
    call = {"functionCall": {"id": "a.1", "name": "f", "args": {"a_b": None}}}
    nameless = {"functionCall": {"name": "g"}}
    answers = [
        {"functionResponse": {"name": "g", "response": {"error": "no"}}},
        {"functionResponse": {"id": "a.1", "name": "f", "response": {"n": 1}}},
    ]
    _, called, answered = _messages(user(_HI), model_turn(call, nameless), user(_HI, *answers))
    assert called["content"] == [
        {"toolUse": {"toolUseId": "a.1", "name": "f", "input": {"a_b": None}}},
        {"toolUse": {"toolUseId": "call_1_1", "name": "g", "input": {}}},
    ]
    failed = {"toolUseId": "call_1_1", "content": [{"json": {"error": "no"}}], "status": "error"}
    assert answered["content"] == [
        {"toolResult": failed},
        {"toolResult": {"toolUseId": "a.1", "content": [{"json": {"n": 1}}]}},
        {"text": "Hello"},
    ]


def _answered_with(mime_type: str) -> list[dict[str, Any]]:
    part = {"inlineData": {"mimeType": mime_type, "data": "AAEC"}}
    answer = {"functionResponse": {"name": "f", "response": {"a": 1}, "parts": [part]}}
    return [user(_HI), model_turn({"functionCall": {"name": "f"}}), user(answer)]


def test_a_function_answers_with_an_image() -> None:
    [block] = _messages(*_answered_with("image/png"))[2]["content"]
    image = {"image": {"format": "png", "source": {"bytes": "AAEC"}}}
    assert block["toolResult"]["content"] == [{"json": {"a": 1}}, image]


def test_a_function_answers_without_audio() -> None:
    tools = [{"functionDeclarations": [{"name": "f"}]}]
    error = refusal(contents=_answered_with("audio/wav"), tools=tools, model=NOVA)
    path = "request.contents[2].parts[0].functionResponse.parts[0].inlineData"
    assert error.path == path


def test_a_system_instruction() -> None:
    parts = [{"text": "Be brief."}, {"text": " "}, {"text": "Be kind."}]
    body = converse(systemInstruction={"parts": parts})
    assert body["system"] == [{"text": "Be brief."}, {"text": "Be kind."}]
    media = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}
    error = refusal(systemInstruction={"parts": [media]})
    assert error.path == "request.systemInstruction.parts[0].inlineData"


_THINKING = {"text": "Hm", "thought": True, "thoughtSignature": render_thinking_signature("s")}
_REDACTED = {"thoughtSignature": render_redacted_thinking("AAAA")}


def test_claudes_thinking_is_sent_back_to_it() -> None:
    _, turn, _ = _messages(user(_HI), model_turn(_THINKING, _REDACTED, _HI), user(_HI))
    reasoning = {"reasoningText": {"text": "Hm", "signature": "s"}}
    assert turn["content"] == [
        {"reasoningContent": reasoning},
        {"reasoningContent": {"redactedContent": "AAAA"}},
        {"text": "Hello"},
    ]


@pytest.mark.parametrize("model", [NOVA, OPAQUE])
def test_thoughts_are_not_sent_to_another_model(model: str) -> None:
    contents = [user(_HI), model_turn(_THINKING, _REDACTED, _HI), user(_HI)]
    assert _messages(*contents, model=model)[1]["content"] == [{"text": "Hello"}]
    at = "request.contents[*].parts[*]"
    warning = f"{at}.thought;count=1, {at}.thoughtSignature;count=2"
    assert dropped(model=model, contents=contents) == warning


_SENT = user({"functionResponse": {"name": "f", "response": {}}})
_CALLED = model_turn({"functionCall": {"name": "f"}})


@pytest.mark.parametrize(
    ("contents", "path"),
    [
        ([model_turn(_HI), user(_HI)], "[0]"),
        ([user(_HI), model_turn(_HI)], "[1]"),
        ([user({"text": " "})], "[0].parts"),
        ([user({"functionCall": {"name": "f"}})], "[0].parts[0].functionCall"),
        ([user(_HI), _CALLED, user(_HI)], "[1].parts[0].functionCall"),
        ([user(_HI), model_turn(_HI), _SENT], "[2].parts[0].functionResponse"),
        ([user(_HI), model_turn({"executableCode": {}}), user(_HI)], "[1].parts[0].executableCode"),
        (
            [user(_HI), model_turn({"functionCall": {"name": ""}}), user(_HI)],
            "[1].parts[0].functionCall.name",
        ),
        (
            [user(_HI | {"videoMetadata": {"startOffset": "1s"}})],
            "[0].parts[0].videoMetadata",
        ),
    ],
)
def test_conversations_that_converse_rejects(contents: list[dict[str, Any]], path: str) -> None:
    assert refusal(contents=contents, tools=_DECLARED).path == f"request.contents{path}"


@settings(deadline=None, max_examples=200)
@given(contents=conversations())
def test_a_conversation_valid_for_gemini_is_valid_for_converse(
    contents: list[dict[str, Any]],
) -> None:
    messages = _messages(*contents)
    roles = [sent["role"] for sent in messages]
    assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"]
    called_ids = [use["toolUseId"] for sent in messages for use in _of(sent, "toolUse")]
    assert len(called_ids) == len(set(called_ids))
    assert all(_ID.fullmatch(call_id) for call_id in called_ids)
    for before, after in pairwise(messages):
        results = _of(after, "toolResult")
        assert [list(block) for block in after["content"][: len(results)]] == (
            [["toolResult"]] * len(results)
        )
        called = sorted(use["toolUseId"] for use in _of(before, "toolUse"))
        assert called == sorted(result["toolUseId"] for result in results)
    assert all(words.strip() for sent in messages for words in _of(sent, "text"))


def _of(sent: dict[str, Any], kind: str) -> list[Any]:
    return [block[kind] for block in sent["content"] if kind in block]


@pytest.mark.parametrize("model", [CLAUDE, NOVA, OTHER, OPAQUE])
def test_a_body_has_no_model(model: str) -> None:
    assert converse(model=model, contents=[user({"text": "a"})]) == {
        "messages": [{"role": "user", "content": [{"text": "a"}]}]
    }


def test_a_whole_request() -> None:
    body = converse(
        contents=[user({"text": "a"})],
        systemInstruction={"parts": [{"text": "b"}]},
        generationConfig={"temperature": 0.5},
        tools=[{"functionDeclarations": [{"name": "f"}]}],
    )
    assert set(body) == {"messages", "system", "inferenceConfig", "toolConfig"}


@pytest.mark.parametrize("name", [CLAUDE, f"models/{CLAUDE}"])
def test_a_request_may_name_the_batchs_own_model(name: str) -> None:
    request = {"contents": [user({"text": "a"})]}
    assert translate({"model": name} | request, CLAUDE) == translate(request, CLAUDE)


def test_a_request_may_not_name_another_model() -> None:
    with pytest.raises(FerryError) as refused:
        translate({"model": NOVA}, CLAUDE)
    assert refused.value.path == "request.model"


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({"cachedContent": "cachedContents/c"}, "cachedContent"),
        ({"store": True}, "store"),
        ({"continuationToken": "AAAA"}, "continuationToken"),
    ],
)
def test_fields_that_bedrock_lacks(request_: dict[str, Any], field: str) -> None:
    assert refusal(**request_).path == f"request.{field}"


def test_neutral_fields_are_dropped() -> None:
    settings_ = [{"category": "C", "threshold": "BLOCK_LOW_AND_ABOVE"}]
    request: dict[str, Any] = {"labels": {"a": "b"}, "serviceTier": "FLEX"}
    request["safetySettings"] = settings_
    names = ("labels", "serviceTier", "safetySettings")
    assert dropped(**request) == ", ".join(f"request.{name};count=1" for name in names)


def _translated(request: dict[str, Any], model: str) -> tuple[dict[str, Any] | FerryError, str]:
    warnings = Warnings()
    try:
        body = to_converse(
            normalise_generate(request, "request"),
            model=model,
            path="request",
            warnings=warnings,
            media_uri=lambda *_: "s3://bucket/a",
        )
    except FerryError as error:
        return error, ""
    return body, warnings.render()


_MODELS = st.sampled_from([CLAUDE, NEW_CLAUDE, NOVA, OTHER, OPAQUE])


@settings(deadline=None, max_examples=500)
@given(request=pieces_of(GENERATE), model=_MODELS)
def test_a_request_is_translated_or_refused_with_a_path(
    request: dict[str, Any], model: str
) -> None:
    outcome, _ = _translated(request, model)
    if isinstance(outcome, FerryError):
        assert outcome.status == Status.INVALID_ARGUMENT
        assert (outcome.path or "").startswith("request.")
    else:
        require_converse(outcome)


# One field at a time in an otherwise valid request: no field is lost silently.

_BASE: dict[str, Any] = {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}
# Settings that block nothing have the same meaning as none.
_WITHOUT_A_WORD = ("safetySettings",)


def _requests() -> list[tuple[str, dict[str, Any]]]:
    whole = {field: {field: value} for field, value in GENERATE.items() if field != "contents"}
    config = {
        f"generationConfig.{field}": {"generationConfig": {field: value}}
        for field, value in GENERATE["generationConfig"].items()
    }
    thinking = {
        f"generationConfig.thinkingConfig.{field}": {
            "generationConfig": {"thinkingConfig": {field: value}}
        }
        for field, value in GENERATE["generationConfig"]["thinkingConfig"].items()
    }
    del whole["generationConfig"], config["generationConfig.thinkingConfig"]
    return [*whole.items(), *config.items(), *thinking.items()]


@pytest.mark.parametrize("model", [CLAUDE, OTHER])
@pytest.mark.parametrize(("field", "request_"), _requests(), ids=lambda value: str(value)[:40])
def test_no_field_is_silently_lost(field: str, request_: dict[str, Any], model: str) -> None:
    outcome, warnings = _translated(_BASE | request_, model)
    if isinstance(outcome, FerryError):
        assert (outcome.path or "").startswith(f"request.{field}".partition("[")[0])
        return
    plain, _ = _translated(_BASE, model)
    carried = outcome != plain
    assert carried or field in warnings or field in _WITHOUT_A_WORD


_PARTS = {
    f"{number}.{field}": {"text": "Hello"} | {field: value}
    for number, content in enumerate(GENERATE["contents"])
    for part in content["parts"]
    for field, value in part.items()
    if field not in ("text", "inlineData", "fileData", "functionCall", "functionResponse")
}


@pytest.mark.parametrize("field", _PARTS)
def test_no_field_of_a_part_is_silently_lost(field: str) -> None:
    part = _PARTS[field]
    contents = [{"role": "user", "parts": [{"text": "a"}, part]}]
    outcome, warnings = _translated({"contents": contents}, CLAUDE)
    name = field.partition(".")[2]
    if isinstance(outcome, FerryError):
        assert outcome.path == f"request.contents[0].parts[1].{name}"
    else:
        assert f"request.contents[*].parts[*].{name};count=1" in warnings
