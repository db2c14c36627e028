"""The events of ConverseStream -> Gemini's chunks (botocore: ConverseStreamOutput)."""

from base64 import b64decode
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

from providers.bedrock.content.answer_from_converse import (
    FINISH_REASONS,
    SERVER_TOOL,
    uri_of,
    usage_of,
)
from providers.claude_content.message_stream import MessageStream
from providers.claude_content.thought_signatures import (
    render_redacted_thinking,
    render_thinking_signature,
)
from providers.gemini_content.candidate import Candidate
from providers.gemini_content.streamed_answer import Chunk, StreamedAnswer
from providers.json_api.answer_shape import (
    as_text,
    count_or_none,
    object_or_nothing,
    text_or_none,
    unknown_type,
    unreadable,
)
from providers.status import Status
from providers.upstream import UpstreamError, invalid_answer

_STATUS_OF_EXCEPTION: Final[Mapping[str, Status]] = {
    "throttlingException": Status.RESOURCE_EXHAUSTED,
    "validationException": Status.INVALID_ARGUMENT,
}


Event: TypeAlias = tuple[str, dict[str, Any]]
"""The type of an event, and its members."""


class ConverseStream:
    """Implements `providers.prompts.stream.StreamReader`.

    `thoughts`: whether the request asked for them.
    """

    ended = False  # the metadata come after the end of the message

    def __init__(self, model: str, answer_id: str, *, thoughts: bool) -> None:
        self._answer = StreamedAnswer()
        self._answer.model, self._answer.answer_id = model, answer_id or None
        self._thoughts = thoughts
        self._served: set[int] = set()
        self._dropped: set[int] = set()
        self._native: str | None = None
        self._usage: dict[str, Any] = {}

    def read(self, typed: Event) -> Iterator[Chunk]:
        kind, event = typed
        index = count_or_none(event.get("contentBlockIndex")) or 0
        match kind:
            case "contentBlockStart":
                self._begin_block(index, object_or_nothing(event.get("start")))
            case "contentBlockDelta":
                for member, value in object_or_nothing(event.get("delta")).items():
                    yield from self._delta(index, member, value)
            case "messageStop":
                self._native = text_or_none(event.get("stopReason")) or "unknown"
            case "metadata":
                self._usage = object_or_nothing(event.get("usage")) or self._usage
            case _:
                pass

    def end(self) -> Iterator[Chunk]:
        if self._native is None:
            raise invalid_answer("the stream ended before the answer did")
        candidate = Candidate(0, FINISH_REASONS.get(self._native, "OTHER"), self._native)
        yield from self._answer.end(candidate, usage_of(self._usage))

    def _begin_block(self, index: int, start: dict[str, Any]) -> None:
        use = object_or_nothing(start.get("toolUse"))
        if not use:
            return
        if use.get("type") == SERVER_TOOL:
            self._served.add(index)
            return
        where = f"content[{index}].toolUse"
        self._answer.call(index, use.get("name"), use.get("toolUseId"), where)

    def _delta(self, index: int, member: str, value: object) -> Iterator[Chunk]:
        match member:
            case "text":
                yield from self._answer.say(as_text(value, "delta.text"))
            case "toolUse":
                text = as_text(object_or_nothing(value).get("input"), "delta.toolUse.input")
                if index not in self._served:
                    self._answer.add_arguments(index, text)
            case "reasoningContent":
                yield from self._reasoning(index, object_or_nothing(value))
            case "citation":
                yield from self._answer.cite([uri_of(object_or_nothing(value))])
            case "cachePoint" | "p":
                pass
            case other:
                raise unknown_type(other, f"content[{index}]")

    def _reasoning(self, index: int, reasoning: dict[str, Any]) -> Iterator[Chunk]:
        """A hidden thought has a signature without a text.

        A text that was not asked for is dropped with the signature over it.
        """
        if reasoning.get("text"):
            text = as_text(reasoning["text"], "delta.reasoningContent.text")
            if self._thoughts:
                yield from self._answer.think(text)
            else:
                self._dropped.add(index)
        if reasoning.get("signature") and index not in self._dropped:
            signature = as_text(reasoning["signature"], "delta.reasoningContent.signature")
            yield from self._answer.sign(render_thinking_signature(signature))
        if reasoning.get("redactedContent"):
            data = as_text(reasoning["redactedContent"], "delta.reasoningContent.redactedContent")
            yield from self._answer.sign(render_redacted_thinking(data))


def stream_error(kind: str, message: str) -> UpstreamError:
    """The error for an exception in the stream."""
    status = _STATUS_OF_EXCEPTION.get(kind, Status.UNAVAILABLE)
    return UpstreamError(status, message or kind, reason=kind)


class ClaudeStream:
    """Claude's own stream, in the events of InvokeModelWithResponseStream.

    Implements `providers.prompts.stream.StreamReader`.
    """

    def __init__(self) -> None:
        self._messages = MessageStream()

    @property
    def ended(self) -> bool:
        return self._messages.ended

    def read(self, typed: Event) -> Iterator[Chunk]:
        kind, event = typed
        if kind == "chunk":
            yield from self._messages.read(_bytes_of(event))

    def end(self) -> Iterator[Chunk]:
        yield from self._messages.end()


def _bytes_of(chunk: dict[str, Any]) -> bytes:
    encoded = as_text(chunk.get("bytes"), "chunk.bytes")
    try:
        return b64decode(encoded, validate=True)
    except ValueError:
        raise unreadable("chunk.bytes is not base64") from None
