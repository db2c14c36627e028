"""Every kind of answer through the converters of the real SDK, compared field by field.

The converters drop only `finishMessage`, so its content must also be in a text.
"""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from google.genai import types
from google.genai.batches import _InlinedResponse_from_mldev

from providers.anthropic.results import from_anthropic_line
from providers.bedrock.content.answer_from_converse import from_converse_answer
from providers.bedrock.content.bedrock_models import InvocationType
from providers.bedrock.content.result_from_bedrock import (
    from_cohere_embeddings,
    from_titan_embedding,
    result_from_bedrock,
)
from providers.claude_content.message_from_anthropic import from_anthropic_message
from providers.json_api.json_text import render_json
from providers.openai_content.chat_from_openai import from_openai_chat
from providers.openai_content.embed_from_openai import from_openai_embedding
from providers.openai_content.responses_from_openai import from_openai_response
from providers.openai_content.result_from_openai import from_openai_line

Json = dict[str, Any]


def chat(message: Json, finish: str = "stop", **more: Any) -> Json:
    choice = {"index": 0, "message": message, "finish_reason": finish, "logprobs": None} | more
    return from_openai_chat(
        {
            "id": "chatcmpl-1",
            "created": 1_700_000_000,
            "model": "gpt-test",
            "choices": [choice],
            "usage": {
                "prompt_tokens": 10,
                "completion_tokens": 7,
                "total_tokens": 17,
                "prompt_tokens_details": {"cached_tokens": 2},
                "completion_tokens_details": {"reasoning_tokens": 5},
            },
        }
    )


def response(*output: Json, **more: Any) -> Json:
    usage = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
    fields = {"id": "resp_1", "created_at": 1.0, "model": "gpt-test", "usage": usage}
    return from_openai_response(fields | {"status": "completed", "output": list(output)} | more)


def message(*content: Json, stop: str = "end_turn", **more: Any) -> Json:
    usage = {"input_tokens": 3, "output_tokens": 5, "cache_read_input_tokens": 4}
    fields = {"id": "msg_1", "model": "claude-test", "usage": usage, "stop_reason": stop}
    return from_anthropic_message(fields | {"content": list(content)} | more)


def converse(*content: Json, stop: str = "end_turn") -> Json:
    return from_converse_answer(
        {
            "output": {"message": {"role": "assistant", "content": list(content)}},
            "stopReason": stop,
            "usage": {"inputTokens": 3, "outputTokens": 5, "totalTokens": 8},
        },
        thoughts=True,
    )


FUNCTION = {"name": "f", "arguments": '{"a":[1,null,{"b":"c"}],"n":18446744073709551617}'}
CALL = {"id": "call_1", "type": "function", "function": FUNCTION}
MALFORMED = {"id": "call_2", "type": "function", "function": {"name": "g", "arguments": '{"a":'}}
PAGE = {"type": "url_citation", "start_index": 0, "end_index": 2, "url": "https://a.example"}
TOKEN = {"token": "H", "logprob": -0.5, "top_logprobs": [{"token": "J", "logprob": -2}]}
OUTPUT = {"type": "output_text", "text": "😀i", "annotations": [PAGE], "logprobs": [TOKEN]}
THINKING = {"type": "thinking", "thinking": "Hm", "signature": "sig>>>???"}
TEXT = {"type": "text", "text": "😀i"}

ANSWERS: dict[str, Callable[[], Json]] = {
    "openai: text and tokens": lambda: chat({"content": "Hi"}),
    "openai: a citation": lambda: chat({"content": "😀i", "annotations": [PAGE]}),
    "openai: log probabilities": lambda: chat({"content": "H"}, logprobs={"content": [TOKEN]}),
    "openai: calls": lambda: chat({"content": None, "tool_calls": [CALL]}, "tool_calls"),
    "openai: a malformed call": lambda: chat({"content": "a", "tool_calls": [CALL, MALFORMED]}),
    "openai: a refusal": lambda: chat({"content": None, "refusal": "I will not."}),
    "openai: a filter": lambda: chat({"content": None}, "content_filter"),
    "openai: cut": lambda: chat({"content": "Hi"}, "length"),
    "openai: an unknown end": lambda: chat({"content": "Hi"}, "bored"),
    "openai: unread": lambda: chat({"content": "Hi", "audio": {"id": "a"}}),
    "openai responses: everything": lambda: response(
        {"type": "reasoning", "summary": [{"text": "Hm"}]},
        {"type": "message", "content": [OUTPUT, {"type": "refusal", "refusal": "No more."}]},
        {"type": "function_call", "call_id": "call_1"} | FUNCTION,
        {"type": "odd"},
    ),
    "openai responses: incomplete": lambda: response(
        status="incomplete", incomplete_details={"reason": "content_filter"}
    ),
    "anthropic: everything": lambda: message(
        THINKING,
        {"type": "redacted_thinking", "data": "ab+/"},
        TEXT | {"citations": [{"type": "char_location"}, {"url": "https://a.example"}]},
        {"type": "tool_use", "id": "t", "name": "f", "input": {"a": None}},
        {"type": "odd"},
        stop="tool_use",
    ),
    "anthropic: a refusal": lambda: message(
        stop="refusal", stop_details={"category": "bio", "explanation": "It harms."}
    ),
    "anthropic: a pause": lambda: message(TEXT, stop="pause_turn"),
    "converse: everything": lambda: converse(
        {"reasoningContent": {"reasoningText": {"text": "Hm", "signature": "s"}}},
        {
            "citationsContent": {
                "content": [{"text": "😀i"}],
                "citations": [{"location": {"web": {"url": "https://a.example"}}}, {}],
            }
        },
        {"toolUse": {"toolUseId": "t", "name": "f", "input": {}}},
        {"video": {}},
    ),
    "converse: a guardrail": lambda: converse(stop="guardrail_intervened"),
    "converse: malformed": lambda: converse(stop="malformed_model_output"),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_every_field_arrives(answer: Callable[[], Json]) -> None:
    emitted = answer()
    item = json.loads(render_json({"response": emitted, "metadata": {"k": "v"}}))

    read = types.InlinedResponse.model_validate(_InlinedResponse_from_mldev(item))

    assert read.response is not None
    arrived = json.loads(
        read.response.model_dump_json(
            by_alias=True, exclude_none=True, exclude={"automatic_function_calling_history"}
        )
    )
    assert _as_written(arrived) == _without_finish_messages(emitted)


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_a_finish_message_is_also_in_a_text(answer: Callable[[], Json]) -> None:
    for candidate in answer()["candidates"]:
        texts = [part.get("text", "") for part in candidate["content"]["parts"]]
        reason = candidate.get("finishMessage")
        assert reason is None or any(reason in text for text in texts)


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_the_wire_has_no_null_and_plain_base64(answer: Callable[[], Json]) -> None:
    """Java refuses nulls, Go and Java refuse the URL-safe alphabet (sdk-wire.md section 9)."""
    emitted = answer()
    for candidate in emitted["candidates"]:
        for part in candidate["content"]["parts"]:
            if "thoughtSignature" in part:
                base64.b64decode(part["thoughtSignature"], validate=True)
            part.pop("functionCall", None)  # its arguments are the model's
    assert "null" not in json.dumps(emitted)


def _as_written(arrived: Json) -> Json:
    """The fields whose names differ between the SDK's types and the wire."""
    for candidate in arrived["candidates"]:
        candidate["content"].setdefault("parts", [])
        if "citationMetadata" in candidate:
            sources = candidate["citationMetadata"].pop("citations")
            candidate["citationMetadata"]["citationSources"] = sources
        for part in candidate["content"]["parts"]:
            if "thoughtSignature" in part:
                signature = base64.urlsafe_b64decode(part["thoughtSignature"])
                part["thoughtSignature"] = base64.b64encode(signature).decode()
            if "functionCall" in part:
                part["functionCall"].setdefault("args", {})
    return arrived


def _without_finish_messages(emitted: Json) -> Json:
    for candidate in emitted["candidates"]:
        candidate.pop("finishMessage", None)
    return emitted


def test_citations_point_at_the_bytes_of_the_text() -> None:
    for kind in ("openai: a citation", "anthropic: everything", "converse: everything"):
        (candidate,) = ANSWERS[kind]()["candidates"]
        text = "".join(
            part["text"]
            for part in candidate["content"]["parts"]
            if "text" in part and not part.get("thought")
        ).encode()
        for source in candidate["citationMetadata"]["citationSources"]:
            assert text[source["startIndex"] : source["endIndex"]].decode() == "😀i"


ERRORS: dict[str, Callable[[], Json]] = {
    "openai": lambda: from_openai_line(
        {"response": {"status_code": 429, "body": {"error": {"message": "why"}}}},
        "/v1/chat/completions",
    ),
    "anthropic": lambda: from_anthropic_line(
        {
            "result": {
                "type": "errored",
                "error": {"error": {"type": "rate_limit_error", "message": "why"}},
            }
        }
    ),
    "bedrock": lambda: result_from_bedrock(
        {"error": {"errorCode": 429, "errorMessage": "why"}}, InvocationType.CONVERSE
    ),
}


@pytest.mark.parametrize("kind", ERRORS)
def test_an_error_arrives(kind: str) -> None:
    item = json.loads(render_json(ERRORS[kind]() | {"metadata": {"k": "v"}}))
    read = types.InlinedResponse.model_validate(_InlinedResponse_from_mldev(item))
    assert read.error is not None
    assert (read.error.code, read.error.message) == (8, "why")
    assert (read.response, read.metadata) == (None, {"k": "v"})


EMBEDDINGS: dict[str, Callable[[], Json]] = {
    "openai": lambda: from_openai_embedding(
        {"data": [{"index": 0, "embedding": [0.5, 1]}], "usage": {"prompt_tokens": 3}}
    ),
    "titan": lambda: from_titan_embedding({"embedding": [0.5, 1], "inputTextTokenCount": 3}),
    "cohere": lambda: from_cohere_embeddings({"embeddings": [[0.5, 1]]}),
}


@pytest.mark.parametrize("kind", EMBEDDINGS)
def test_every_field_of_an_embedding_arrives(kind: str) -> None:
    item = {"response": EMBEDDINGS[kind](), "metadata": {"k": "v"}}
    read = types.InlinedEmbedContentResponse.model_validate_json(json.dumps(item))
    assert read.response is not None
    assert read.response.embedding is not None
    assert read.response.embedding.values == [0.5, 1]
    assert read.response.token_count == (None if kind == "cohere" else 3)
    assert read.metadata == {"k": "v"}
