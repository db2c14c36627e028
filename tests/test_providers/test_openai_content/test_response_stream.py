from base64 import b64decode
from typing import Any

import orjson
import pytest

from providers.errors import FerryError
from providers.openai_content.response_stream import ResponseStream
from providers.status import Status
from providers.upstream import UpstreamError

TEXT, CALL = "response.output_text.delta", "response.function_call_arguments.delta"
THOUGHT = "response.reasoning_summary_text.delta"
ADDED, DONE = "response.output_item.added", "response.output_item.done"
USAGE = {
    "input_tokens": 3,
    "output_tokens": 9,
    "output_tokens_details": {"reasoning_tokens": 4},
    "total_tokens": 12,
}


def event(kind: str, **members: Any) -> bytes:
    return orjson.dumps({"type": kind, **members})


def response(status: str = "completed", **members: Any) -> bytes:
    whole = {"id": "r1", "model": "m", "status": status, "output": [], "usage": USAGE, **members}
    return event(f"response.{status}", response=whole)


CREATED = event("response.created", response={"id": "r1", "model": "m", "status": "in_progress"})


def chunks_of(*events: bytes) -> list[dict[str, Any]]:
    stream = ResponseStream()
    read = [one for each in events for one in stream.read(each)]
    assert stream.ended
    return read + list(stream.end())


def parts_of(*events: bytes) -> list[dict[str, Any]]:
    return [part for one in chunks_of(*events) for part in one["candidates"][0]["content"]["parts"]]


def failure(*events: bytes) -> FerryError:
    stream = ResponseStream()
    with pytest.raises(FerryError) as failed:
        _ = [one for each in events for one in stream.read(each)] + list(stream.end())
    return failed.value


def test_a_text() -> None:
    said = chunks_of(
        CREATED,
        event("response.in_progress"),
        event(ADDED, output_index=0, item={"type": "message"}),
        event("response.content_part.added", part={"type": "output_text", "text": ""}),
        event(TEXT, delta="Hel", logprobs=[]),
        event(TEXT, delta="lo", logprobs=[]),
        event("response.output_text.done", text="Hello"),
        event(DONE, output_index=0, item={"type": "message"}),
        response(),
    )
    texts = [one["candidates"][0]["content"]["parts"] for one in said]
    assert texts == [[{"text": "Hel"}], [{"text": "lo"}], [{"text": ""}]]
    assert {(one["modelVersion"], one["responseId"]) for one in said} == {("m", "r1")}
    assert said[-1]["candidates"][0]["finishReason"] == "STOP"
    assert said[-1]["usageMetadata"] == {
        "promptTokenCount": 3,
        "candidatesTokenCount": 5,
        "thoughtsTokenCount": 4,
        "totalTokenCount": 12,
    }


def test_log_probabilities() -> None:
    token = {"token": "a", "logprob": -0.5, "top_logprobs": []}
    first, _ = chunks_of(event(TEXT, delta="a", logprobs=[token]), response())
    chosen = first["candidates"][0]["logprobsResult"]["chosenCandidates"]
    assert chosen == [{"token": "a", "logProbability": -0.5}]


def test_calls_in_pieces() -> None:
    one = {"type": "function_call", "call_id": "a", "name": "f", "arguments": ""}
    said = parts_of(
        event(ADDED, output_index=0, item=one),
        event(CALL, output_index=0, delta='{"x"'),
        event(CALL, output_index=0, delta=":1}"),
        event(DONE, output_index=0, item=one | {"arguments": '{"x":1}'}),
        event(ADDED, output_index=1, item=one | {"call_id": "b", "name": "g"}),
        response(),
    )
    assert said == [
        {"functionCall": {"id": "a", "name": "f", "args": {"x": 1}}},
        {"functionCall": {"id": "b", "name": "g", "args": {}}},
    ]


def test_a_thought_is_signed_with_what_is_encrypted_of_it() -> None:
    begun = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "half"}
    first, last = parts_of(
        event(ADDED, output_index=0, item=begun),
        event(THOUGHT, delta="Hm, "),
        event(THOUGHT, delta="yes"),
        event(DONE, output_index=0, item=begun | {"encrypted_content": "whole"}),
        event(TEXT, delta="Yes."),
        response(),
    )[1:3]
    assert (first["text"], first["thought"]) == ("yes", True)
    assert b64decode(first["thoughtSignature"]).endswith(b":rs_1:whole")
    assert last == {"text": "Yes."}


def test_a_hidden_thought_signs_the_next_part() -> None:
    item = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "whole"}
    call = {"type": "function_call", "call_id": "a", "name": "f"}
    (only,) = parts_of(
        event(DONE, output_index=0, item=item),
        event(ADDED, output_index=1, item=call),
        response(),
    )
    assert only["functionCall"]["name"] == "f"
    assert b64decode(only["thoughtSignature"]).endswith(b":rs_1:whole")


def test_a_refusal_is_text_and_safety() -> None:
    said = chunks_of(
        event("response.refusal.delta", delta="I will"),
        event("response.refusal.delta", delta=" not."),
        response(),
    )
    texts = [one["candidates"][0]["content"]["parts"][0]["text"] for one in said]
    assert texts == ["I will", " not.", ""]
    assert said[-1]["candidates"][0]["finishReason"] == "SAFETY"


@pytest.mark.parametrize(
    ("reason", "finish"), [("max_output_tokens", "MAX_TOKENS"), ("content_filter", "SAFETY")]
)
def test_an_incomplete_answer(reason: str, finish: str) -> None:
    said = chunks_of(
        event(TEXT, delta="Hel"), response("incomplete", incomplete_details={"reason": reason})
    )
    assert said[-1]["candidates"][0]["finishReason"] == finish


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("server_error", Status.UNAVAILABLE),
        ("rate_limit_exceeded", Status.RESOURCE_EXHAUSTED),
        ("insufficient_quota", Status.FAILED_PRECONDITION),
        ("invalid_prompt", Status.INVALID_ARGUMENT),
    ],
)
def test_a_failed_answer(code: str, status: Status) -> None:
    error = {"code": code, "message": "no"}
    failed = failure(event(TEXT, delta="Hel"), response("failed", error=error))
    assert (failed.status, failed.message) == (status, "no")


@pytest.mark.parametrize(
    "members",
    [
        {"code": "rate_limit_exceeded", "message": "slower"},
        {"error": {"code": "rate_limit_exceeded", "message": "slower"}},
    ],
)
def test_an_error_in_place_of_an_event(members: dict[str, Any]) -> None:
    failed = failure(event("error", **members))
    assert isinstance(failed, UpstreamError)
    assert (failed.status, failed.message) == (Status.RESOURCE_EXHAUSTED, "slower")


def test_an_end_without_a_status_is_no_end() -> None:
    failed = failure(CREATED, event(TEXT, delta="Hel"))
    assert failed.message == "the stream ended before the answer did"


@pytest.mark.parametrize(
    ("unreadable", "named"),
    [
        (event(ADDED, output_index=2, item={"type": "image_generation_call"}), "output[2]"),
        (event(TEXT, delta=7), "delta"),
    ],
)
def test_the_rest_of_an_answer_with_something_unreadable(unreadable: bytes, named: str) -> None:
    first, note = parts_of(event(TEXT, delta="a"), unreadable, response())[:2]
    assert first == {"text": "a"}
    assert note["text"].startswith(
        f"[genai-ferry] This part of the answer could not be read: {named}"
    )


def test_what_is_not_known_is_left_out() -> None:
    assert parts_of(event("response.newer.delta", delta="x"), event(TEXT, delta="a"), response())
