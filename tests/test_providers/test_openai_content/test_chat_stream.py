from collections.abc import Callable
from typing import Any

import orjson
import pytest

from providers.errors import FerryError
from providers.openai_content.chat_stream import ChatStream
from providers.status import Status
from providers.upstream import UpstreamError


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": delta or {}, "finish_reason": finish}
    return orjson.dumps({"id": "c1", "model": "m", "choices": [choice], **more})


def parts_of(*events: bytes) -> list[dict[str, Any]]:
    return [part for one in chunks_of(*events) for part in one["candidates"][0]["content"]["parts"]]


def chunks_of(*events: bytes, thoughts: bool = False) -> list[dict[str, Any]]:
    stream = ChatStream(thoughts=thoughts)
    read = [one for event in events for one in stream.read(event)]
    return read + list(stream.end())


def test_a_text() -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    said = chunks_of(
        chunk({"role": "assistant", "content": ""}),
        chunk({"content": "Hel"}),
        chunk({"content": "lo"}),
        chunk({}, "stop"),
        orjson.dumps({"id": "c1", "model": "m", "choices": [], "usage": usage}),
        b"[DONE]",
    )
    texts = [one["candidates"][0]["content"]["parts"] for one in said]
    assert texts == [[{"text": "Hel"}], [{"text": "lo"}], [{"text": ""}]]
    assert {(one["modelVersion"], one["responseId"]) for one in said} == {("m", "c1")}
    assert said[-1]["candidates"][0]["finishReason"] == "STOP"
    assert said[-1]["usageMetadata"]["totalTokenCount"] == 5


def test_calls_in_pieces() -> None:
    begun = {"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}
    second = {"index": 1, "id": "b", "function": {"name": "g", "arguments": "{}"}}
    said = parts_of(
        chunk({"tool_calls": [begun]}),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"x"'}}]}),
        chunk({"tool_calls": [second, {"index": 0, "function": {"arguments": ":1}"}}]}),
        chunk({}, "tool_calls"),
    )
    assert said == [
        {"functionCall": {"id": "a", "name": "f", "args": {"x": 1}}},
        {"functionCall": {"id": "b", "name": "g", "args": {}}},
    ]


def test_the_older_form_of_a_call() -> None:
    said = parts_of(
        chunk({"function_call": {"name": "f", "arguments": "{"}}),
        chunk({"function_call": {"arguments": "}"}}),
        chunk({}, "function_call"),
    )
    assert said == [{"functionCall": {"name": "f", "args": {}}}]


def test_a_refusal_is_text_and_safety() -> None:
    said = chunks_of(chunk({"refusal": "I will"}), chunk({"refusal": " not."}), chunk({}, "stop"))
    texts = [one["candidates"][0]["content"]["parts"][0]["text"] for one in said]
    assert texts == ["I will", " not.", ""]
    assert said[-1]["candidates"][0]["finishReason"] == "SAFETY"


@pytest.mark.parametrize("thoughts", [True, False])
def test_thoughts_in_parts_are_shown_if_they_are_asked_for(thoughts: bool) -> None:
    """As Mistral writes them."""
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}
    said = chunks_of(
        chunk({"content": [thinking]}),
        chunk({"content": [{"type": "text", "text": "Hi"}]}),
        chunk({}, "stop"),
        thoughts=thoughts,
    )
    parts = [part for one in said for part in one["candidates"][0]["content"]["parts"]]
    thought = [{"text": "Hm", "thought": True}] if thoughts else []
    assert parts == [*thought, {"text": "Hi"}, {"text": ""}]


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
@pytest.mark.parametrize("thoughts", [True, False])
def test_reasoning_is_shown_if_thoughts_are_asked_for(name: str, thoughts: bool) -> None:
    """As vLLM, DeepSeek and OpenRouter write it; OpenAI does not."""
    said = chunks_of(
        chunk({"role": "assistant", "content": "", name: "H"}),
        chunk({name: "m", "content": None}),
        chunk({"content": "Hi", name: None}),
        chunk({}, "stop"),
        thoughts=thoughts,
    )
    parts = [part for one in said for part in one["candidates"][0]["content"]["parts"]]
    thought = [{"text": "H", "thought": True}, {"text": "m", "thought": True}]
    assert parts == [*(thought if thoughts else []), {"text": "Hi"}, {"text": ""}]


def test_reasoning_under_both_names_is_one_thought() -> None:
    said = chunks_of(
        chunk({"reasoning_content": "H", "reasoning": "H"}), chunk({}, "stop"), thoughts=True
    )
    assert said[0]["candidates"][0]["content"]["parts"] == [{"text": "H", "thought": True}]


def test_reasoning_that_is_no_text_is_named() -> None:
    said = chunks_of(
        chunk({"reasoning": {"a": 1}}), chunk({"content": "Hi"}, "stop"), thoughts=True
    )
    assert said[0]["candidates"][0]["content"]["parts"] == [{"text": "Hi"}]
    note = said[-1]["candidates"][0]["content"]["parts"][0]["text"]
    assert "delta.reasoning is not a string" in note


@pytest.mark.parametrize("text", ["Hi", {"text": "Hi"}, {"type": "output_text", "text": "Hi"}])
def test_a_text_in_a_list(text: Any) -> None:
    assert parts_of(chunk({"content": [text]}), chunk({}, "stop")) == [{"text": "Hi"}, {"text": ""}]


def test_a_refusal_in_a_list() -> None:
    said = chunks_of(chunk({"content": [{"type": "refusal", "refusal": "No."}]}), chunk({}, "stop"))
    assert said[0]["candidates"][0]["content"]["parts"] == [{"text": "No."}]
    assert said[-1]["candidates"][0]["finishReason"] == "SAFETY"


@pytest.mark.parametrize(
    ("part", "why"),
    [
        (
            {"type": "reference", "reference_ids": [1]},
            "delta.content[1] is of type 'reference', which is not translated",
        ),
        (
            {"type": "thinking", "thinking": [{"type": "reference", "reference_ids": [1]}]},
            "delta.content[1].thinking[0].text is not a string",
        ),
        ({"type": "text", "text": 1}, "delta.content[1].text is not a string"),
        (1, "delta.content[1] is not an object"),
    ],
)
def test_a_part_that_cannot_be_read_is_named_and_the_rest_is_kept(part: Any, why: str) -> None:
    said = parts_of(
        chunk({"content": ["a", part, "b"]}),
        chunk({"content": ["c", part, "d"]}),
        chunk({}, "stop"),
    )
    note = f"[genai-ferry] This part of the answer could not be read: {why}"
    assert said == [{"text": text} for text in ("a", "b", "c", "d", note)]


def test_the_notes_of_a_stream_are_few() -> None:
    unknown = [chunk({"content": [{"type": f"t{number}"}]}) for number in range(1000)]
    said = parts_of(chunk({"content": "a"}), *unknown, chunk({}, "stop"))
    assert len(said) == 21
    assert "'t0'" in said[1]["text"]


def test_arguments_that_are_an_object() -> None:
    """As Mistral's package allows."""
    call = {"id": "a", "function": {"name": "f", "arguments": {"x": 1}}}
    assert parts_of(chunk({"tool_calls": [call]}), chunk({}, "tool_calls")) == [
        {"functionCall": {"id": "a", "name": "f", "args": {"x": 1}}}
    ]


@pytest.mark.parametrize("number", [{}, {"index": 0}])
def test_calls_with_the_same_number(number: dict[str, int]) -> None:
    """Some servers number every call 0, or none."""
    calls = [
        {"id": name, "function": {"name": name, "arguments": '{"x":1}'}, **number}
        for name in ("f", "g")
    ]
    wanted = [{"functionCall": {"id": name, "name": name, "args": {"x": 1}}} for name in ("f", "g")]
    assert parts_of(chunk({"tool_calls": calls}), chunk({}, "tool_calls")) == wanted
    one_by_one = [chunk({"tool_calls": [call]}) for call in calls]
    assert parts_of(*one_by_one, chunk({}, "tool_calls")) == wanted


def test_pieces_of_one_call_with_ids_of_their_own() -> None:
    """As older versions of vLLM write them."""
    said = parts_of(
        chunk({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f"}}]}),
        chunk({"tool_calls": [{"index": 0, "id": "b", "function": {"arguments": '{"x"'}}]}),
        chunk({"tool_calls": [{"index": 0, "id": "c", "function": {"arguments": ":1}"}}]}),
        chunk({}, "tool_calls"),
    )
    assert said == [{"functionCall": {"id": "a", "name": "f", "args": {"x": 1}}}]


def test_log_probabilities_are_those_of_their_chunk() -> None:
    token = {"token": "Hi", "logprob": -0.5, "bytes": None, "top_logprobs": []}
    choice = {"index": 0, "delta": {"content": "Hi"}, "logprobs": {"content": [token]}}
    first, _ = chunks_of(orjson.dumps({"choices": [choice]}), chunk({}, "stop"))
    assert first["candidates"][0]["logprobsResult"]["chosenCandidates"] == [
        {"token": "Hi", "logProbability": -0.5}
    ]


def test_a_stream_that_ends_too_early_is_an_error() -> None:
    with pytest.raises(UpstreamError, match="ended before"):
        chunks_of(chunk({"content": "Hi"}), b"[DONE]")


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (
            {"error": {"message": "slow down", "code": "rate_limit_exceeded"}},
            Status.RESOURCE_EXHAUSTED,
            "slow down",
        ),
        ({"error": {"message": "oh", "code": "server_error"}}, Status.UNAVAILABLE, "oh"),
        (
            {
                "error": {
                    "message": "pay",
                    "type": "insufficient_quota",
                    "code": "insufficient_quota",
                }
            },
            Status.FAILED_PRECONDITION,
            "pay",
        ),
        (
            {"error": {"message": "long", "type": "invalid_request_error", "code": "too_long"}},
            Status.INVALID_ARGUMENT,
            "long",
        ),
        (
            {"error": {"message": "no", "type": "BadRequestError", "code": 400}},
            Status.INVALID_ARGUMENT,
            "no",
        ),
        ({"error": {"message": "busy", "code": 429}}, Status.RESOURCE_EXHAUSTED, "busy"),
        ({"object": "error", "message": "vllm"}, Status.UNAVAILABLE, "vllm"),
        ({"message": "llama", "code": 400}, Status.INVALID_ARGUMENT, "llama"),
        ({"error": "Unexpected endpoint or method."}, Status.UNIMPLEMENTED, "Unexpected"),
        (
            {"choices": [{"delta": {}, "finish_reason": "error"}], "error": {"message": "router"}},
            Status.UNAVAILABLE,
            "router",
        ),
        (
            {"choices": [{"finish_reason": "error", "error": {"message": "busy", "code": 429}}]},
            Status.RESOURCE_EXHAUSTED,
            "busy",
        ),
        (
            {"choices": [{"delta": {}, "finish_reason": "insufficient_system_resource"}]},
            Status.UNAVAILABLE,
            "broke the answer off",
        ),
        ({"error": "just text"}, Status.UNAVAILABLE, "just text"),
    ],
)
def test_an_error_in_the_stream(error: dict[str, Any], status: Status, message: str) -> None:
    with pytest.raises(UpstreamError) as failed:
        chunks_of(chunk({"content": "Hi"}), orjson.dumps(error))
    assert failed.value.status is status
    assert message in failed.value.message


@pytest.mark.parametrize(
    "event", [b"{", b"[]", b"1", b"<html>", b'{"choices": 5}', b'{"choices":[1]}']
)
def test_what_is_no_chunk_is_an_error(event: bytes) -> None:
    with pytest.raises(FerryError, match=r"object|list"):
        chunks_of(event)


@pytest.mark.parametrize(
    "whole", [{"message": {"role": "assistant", "content": "Hi"}}, {"text": "Hi", "delta": None}]
)
def test_a_whole_message_in_one_event(whole: dict[str, Any]) -> None:
    """As servers write it that do not stream."""
    said = chunks_of(orjson.dumps({"choices": [{"index": 0, "finish_reason": "stop", **whole}]}))
    parts = [part for one in said for part in one["candidates"][0]["content"]["parts"]]
    assert parts == [{"text": "Hi"}, {"text": ""}]


@pytest.mark.parametrize("more", [{"delta": {"content": "i"}}, {"delta": None}])
def test_a_message_that_repeats_what_was_said_is_left_out(more: dict[str, Any]) -> None:
    """Perplexity writes the whole message so far into every event."""
    events = [
        {"delta": {"content": "H"}, "message": {"content": "H"}, "finish_reason": None},
        {**more, "message": {"content": "Hi"}, "finish_reason": "stop"},
    ]
    said = parts_of(*(orjson.dumps({"choices": [event]}) for event in events))
    assert said == [{"text": "H"}, *([{"text": "i"}] if more["delta"] else []), {"text": ""}]


@pytest.mark.parametrize(
    "place",
    [
        lambda usage: {"choices": [], "usage": usage},
        lambda usage: {"choices": [], "x_groq": {"usage": usage}},
        lambda usage: {"choices": [{"delta": {}, "usage": usage}]},
    ],
)
def test_places_of_the_counts(place: Callable[[Any], Any]) -> None:
    """OpenAI's, Groq's and Moonshot's."""
    counts = orjson.dumps(place({"prompt_tokens": 1, "total_tokens": 3}))
    said = chunks_of(chunk({"content": "Hi"}), chunk({}, "stop"), counts)
    assert said[-1]["usageMetadata"] == {"promptTokenCount": 1, "totalTokenCount": 3}
