"""The events of a streamed Message -> Gemini's chunks."""

from collections.abc import Iterator
from typing import Any

from providers.claude_content.error_types import reported_error
from providers.claude_content.message_from_anthropic import (
    COUNTS,
    FINISH_REASONS,
    explain_refusal,
    uri_of,
    usage_of,
)
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
)
from providers.json_api.json_text import render_json
from providers.json_api.stream_events import event_object
from providers.upstream import invalid_answer


class MessageStream:
    """Implements `providers.prompts.stream.StreamReader`."""

    def __init__(self) -> None:
        self.ended = False
        self._answer = StreamedAnswer()
        # Of the thought that is being read; some servers write it at the start of the block.
        self._signature = ""
        self._native: str | None = None
        self._stop_details: dict[str, Any] = {}
        self._usage: dict[str, Any] = {}

    def read(self, data: bytes) -> Iterator[Chunk]:
        event = event_object(data)
        match event.get("type"):
            case "message_start":
                self._start(_part(event, "message"))
            case "content_block_start":
                yield from self._begin_block(_index(event), _part(event, "content_block"))
            case "content_block_delta":
                yield from self._delta(_index(event), _part(event, "delta"))
            case "content_block_stop":
                yield from self._end_block()
            case "message_delta":
                self._finish(event)
            case "message_stop":
                self.ended = True
            case "error":
                raise reported_error(event)
            case _:  # pings, and events that are newer than this
                pass

    def end(self) -> Iterator[Chunk]:
        if not self.ended:
            raise invalid_answer("the stream ended before the answer did")
        candidate = Candidate(0, FINISH_REASONS.get(self._native or "", "OTHER"), self._native)
        if self._native == "refusal":
            explain_refusal(candidate, self._stop_details)
        yield from self._answer.end(candidate, usage_of(self._usage))

    def _start(self, message: dict[str, Any]) -> None:
        self._answer.model = message.get("model")
        self._answer.answer_id = message.get("id")
        self._usage = _part(message, "usage")

    def _begin_block(self, index: int, block: dict[str, Any]) -> Iterator[Chunk]:
        match block.get("type"):
            case "text":
                yield from self._answer.say(as_text(block.get("text"), "content_block.text"))
            case "thinking":
                yield from self._answer.think(text_or_none(block.get("thinking")) or "")
                self._signature = text_or_none(block.get("signature")) or ""
            case "redacted_thinking":
                data = as_text(block.get("data"), "content_block.data")
                yield from self._answer.sign(render_redacted_thinking(data))
            case "tool_use":
                where = f"content[{index}]"
                self._answer.call(index, block.get("name"), block.get("id"), where)
                if block.get("input"):  # Anthropic writes it in pieces that follow
                    self._answer.add_arguments(index, render_json(block["input"]).decode())
            case other:
                raise unknown_type(other, f"content[{index}]")

    def _delta(self, index: int, delta: dict[str, Any]) -> Iterator[Chunk]:
        match delta.get("type"):
            case "text_delta":
                yield from self._answer.say(as_text(delta.get("text"), "delta.text"))
            case "thinking_delta":
                yield from self._answer.think(as_text(delta.get("thinking"), "delta.thinking"))
            case "signature_delta":
                self._signature = as_text(delta.get("signature"), "delta.signature")
                yield from self._end_block()
            case "input_json_delta":
                text = as_text(delta.get("partial_json"), "delta.partial_json")
                self._answer.add_arguments(index, text)
            case "citations_delta":
                yield from self._answer.cite([uri_of(_part(delta, "citation"))])
            case other:
                raise unknown_type(other, f"content[{index}].delta")

    def _end_block(self) -> Iterator[Chunk]:
        signature, self._signature = self._signature, ""
        if signature:
            yield from self._answer.sign(render_thinking_signature(signature))

    def _finish(self, event: dict[str, Any]) -> None:
        """Its counts are those of the whole message, and replace those of the start."""
        delta = _part(event, "delta")
        self._native = text_or_none(delta.get("stop_reason")) or self._native
        self._stop_details = _part(delta, "stop_details") or self._stop_details
        counts = _part(event, "usage")
        self._usage |= {name: counts[name] for name in COUNTS if counts.get(name) is not None}


def _index(event: dict[str, Any]) -> int:
    return count_or_none(event.get("index")) or 0


def _part(event: dict[str, Any], name: str) -> dict[str, Any]:
    return object_or_nothing(event.get(name))
