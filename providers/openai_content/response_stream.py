"""The events of a streamed Response -> Gemini's chunks."""

from collections.abc import Iterator
from typing import Any

from providers.gemini_content.candidate import Candidate
from providers.gemini_content.streamed_answer import Chunk, StreamedAnswer
from providers.json_api.answer_shape import (
    as_text,
    count_or_none,
    object_or_nothing,
    unknown_type,
)
from providers.json_api.stream_events import event_object
from providers.openai_content.answer_members import (
    RESPONSES_USAGE,
    cited_addresses,
    from_openai_usage,
    logprobs_of,
)
from providers.openai_content.failures import reported_error
from providers.openai_content.reasoning_signatures import reasoning_signature
from providers.openai_content.responses_from_openai import SERVER_TOOL_OUTPUTS, finish_of
from providers.upstream import invalid_answer


class ResponseStream:
    """Implements `providers.prompts.stream.StreamReader`.

    `thoughts`: whether the request asked for them. Only the last event of a stream has the status
    of the whole answer, and its counts.
    """

    def __init__(self, *, thoughts: bool = False) -> None:
        self._thoughts = thoughts
        self._answer = StreamedAnswer()
        self._refused = False
        self._final: dict[str, Any] = {}

    @property
    def ended(self) -> bool:
        return bool(self._final)

    def read(self, data: bytes) -> Iterator[Chunk]:
        event = event_object(data)
        with self._answer.reading():
            yield from self._read(event)

    def _read(self, event: dict[str, Any]) -> Iterator[Chunk]:
        match event.get("type"):
            case "response.created":
                self._name(_part(event, "response"))
            case "response.output_item.added":
                self._begin_item(_number(event), _part(event, "item"))
            case "response.output_text.delta":
                logprobs = logprobs_of(event.get("logprobs"), "logprobs")
                yield from self._answer.say(_delta(event), **logprobs)
            case "response.refusal.delta":
                self._refused = True
                yield from self._answer.say(_delta(event))
            case "response.reasoning_summary_text.delta":
                yield from self._answer.think(_delta(event))
            case "response.reasoning_text.delta" if self._thoughts:
                yield from self._answer.think(_delta(event))
            case "response.output_text.annotation.added":
                found = cited_addresses([event.get("annotation")], "annotation")
                yield from self._answer.cite(found)
            case "response.function_call_arguments.delta":
                self._answer.add_arguments(_number(event), _delta(event))
            case "response.output_item.done":
                yield from self._end_item(_part(event, "item"))
            case "response.completed" | "response.incomplete" | "response.failed":
                self._final = _part(event, "response")
            case "error":
                raise reported_error(event)
            case _:  # repetitions of what was said, and events that are newer than this
                pass

    def end(self) -> Iterator[Chunk]:
        if not self._final:
            raise invalid_answer("the stream ended before the answer did")
        self._name(self._final)
        reason, native = finish_of(self._final)
        candidate = Candidate(0, "SAFETY" if self._refused else reason, native)
        usage = from_openai_usage(self._final.get("usage"), RESPONSES_USAGE)
        yield from self._answer.end(candidate, usage)

    def _name(self, response: dict[str, Any]) -> None:
        self._answer.model = self._answer.model or response.get("model")
        self._answer.answer_id = self._answer.answer_id or response.get("id")

    def _begin_item(self, number: int, item: dict[str, Any]) -> None:
        match item.get("type"):
            case "function_call":
                where = f"output[{number}]"
                self._answer.call(number, item.get("name"), item.get("call_id"), where)
            case known if known in ("message", "reasoning", *SERVER_TOOL_OUTPUTS):
                pass
            case other:
                raise unknown_type(other, f"output[{number}]")

    def _end_item(self, item: dict[str, Any]) -> Iterator[Chunk]:
        """What is encrypted of the model's reasoning is only complete at the end of the item."""
        signature = reasoning_signature(item) if item.get("type") == "reasoning" else None
        if signature is not None:
            yield from self._answer.sign(signature)


def _delta(event: dict[str, Any]) -> str:
    return as_text(event.get("delta"), "delta")


def _number(event: dict[str, Any]) -> int:
    return count_or_none(event.get("output_index")) or 0


def _part(event: dict[str, Any], name: str) -> dict[str, Any]:
    return object_or_nothing(event.get(name))
