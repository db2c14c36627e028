"""The chunks of a streamed ChatCompletion -> Gemini's chunks."""

from collections.abc import Iterator
from io import StringIO
from typing import Any, Final

from providers.gemini_content.candidate import Candidate
from providers.gemini_content.plain_answer import NOTHING
from providers.gemini_content.streamed_answer import Chunk, StreamedAnswer
from providers.json_api.answer_shape import (
    as_object,
    as_text,
    count_or_none,
    list_or_empty,
    object_or_nothing,
    text_or_none,
    unknown_type,
)
from providers.json_api.refusal_body import message_of
from providers.json_api.stream_events import event_object
from providers.limits import STREAM_CALLS
from providers.openai_content.answer_members import (
    CHAT_USAGE,
    MEDIA,
    cited_addresses,
    from_openai_usage,
    logprobs_of,
    media_in_answer,
    reasoning_of,
)
from providers.openai_content.call_pieces import CallPieces
from providers.openai_content.chat_from_openai import finish_reason_of
from providers.openai_content.failures import failure_of, reported_error
from providers.openai_content.server_reasoning import (
    CONTENT,
    DETAILS,
    DetailPieces,
    kept_members,
)
from providers.upstream import invalid_answer

_DONE: Final = b"[DONE]"


class ChatStream:
    """Implements `providers.prompts.stream.StreamReader`.

    `thoughts`: whether the request asked for them.
    """

    def __init__(self, *, thoughts: bool = False) -> None:
        self._thoughts = thoughts
        self.ended = False
        self._answer = StreamedAnswer()
        self._calls = CallPieces(self._answer)
        if not thoughts:
            self._answer.leave_out_thoughts()
        self._native: str | None = None
        self._refused = False
        self._usage: dict[str, Any] = {}
        # For the request that gives the functions' results, also if thoughts are not shown.
        self._reasoning: StringIO | None = None
        self._details = DetailPieces()

    def read(self, data: bytes) -> Iterator[Chunk]:
        if data.strip() == _DONE:
            self.ended = True
            return
        chunk = event_object(data)
        # Some servers write the members of an error without `error`.
        if chunk.get("error") or ("choices" not in chunk and message_of(chunk)):
            raise reported_error(chunk)
        self._answer.model = self._answer.model or chunk.get("model")
        self._answer.answer_id = self._answer.answer_id or chunk.get("id")
        self._count(chunk.get("usage") or object_or_nothing(chunk.get("x_groq")).get("usage"))
        for choice in list_or_empty(chunk.get("choices"), "choices"):
            yield from self._choice(as_object(choice, "choices[0]"))

    def end(self) -> Iterator[Chunk]:
        if self._native is None:
            raise invalid_answer("the stream ended before the answer did")
        reason = "SAFETY" if self._refused else finish_reason_of(self._native)
        if self._calls.begun:
            reasoning = None if self._reasoning is None else self._reasoning.getvalue()
            self._calls.sign(kept_members({CONTENT: reasoning, DETAILS: self._details.whole}))
        yield from self._answer.end(Candidate(0, reason, self._native), self._usage)

    def _count(self, usage: object) -> None:
        """The last counts are those of the whole answer."""
        if usage:
            self._usage = from_openai_usage(usage, CHAT_USAGE) or self._usage

    def _choice(self, choice: dict[str, Any]) -> Iterator[Chunk]:
        delta = self._delta(choice)
        self._count(choice.get("usage"))
        self._native = text_or_none(choice.get("finish_reason")) or self._native
        tokens = object_or_nothing(choice.get("logprobs")).get("content")
        if self._thoughts:
            with self._answer.reading():
                yield from self._answer.think(reasoning_of(delta, "delta"))
        self._keep_reasoning(delta.get(CONTENT))
        if DETAILS in delta:
            self._details.add(delta[DETAILS])
        yield from self._content(delta.get("content"), logprobs_of(tokens, "logprobs.content"))
        if delta.get("annotations"):
            with self._answer.reading():
                found = cited_addresses(delta["annotations"], "delta.annotations")
                yield from self._answer.cite(found)
        if delta.get("refusal"):
            yield from self._refuse(delta["refusal"], "delta.refusal")
        for call in list_or_empty(delta.get("tool_calls"), "delta.tool_calls"):
            self._call(as_object(call, "delta.tool_calls[0]"))
        if delta.get("function_call") is not None:  # the older form of tool_calls
            self._calls.add({"index": 0, "function": delta["function_call"]})
        for name in MEDIA:
            if delta.get(name) not in NOTHING:
                raise media_in_answer(f"delta.{name}")
        failure = failure_of(choice)
        if failure is not None:
            raise failure

    def _keep_reasoning(self, piece: object) -> None:
        """No more than STREAM_CALLS characters."""
        if not isinstance(piece, str):
            return
        if self._reasoning is None:
            self._reasoning = StringIO()
        if self._reasoning.tell() + len(piece) <= STREAM_CALLS:
            self._reasoning.write(piece)

    def _delta(self, choice: dict[str, Any]) -> dict[str, Any]:
        """A server that does not stream writes the whole message, or in an old form a text."""
        if choice.get("delta") is None and not self._answer.begun:
            return object_or_nothing(choice.get("message") or {"content": choice.get("text")})
        return object_or_nothing(choice.get("delta"))

    def _content(self, content: object, logprobs: dict[str, Any]) -> Iterator[Chunk]:
        """OpenAI writes a string; Mistral writes a list of parts where the model thinks."""
        if isinstance(content, str):
            yield from self._answer.say(content, **logprobs)
            return
        for place, part in enumerate(list_or_empty(content, "delta.content")):
            with self._answer.reading():
                yield from self._part(part, f"delta.content[{place}]")

    def _part(self, part: object, where: str) -> Iterator[Chunk]:
        if isinstance(part, str):
            yield from self._answer.say(part)
            return
        fields = as_object(part, where)
        match fields.get("type"):
            case "text" | "output_text" | None:
                yield from self._answer.say(as_text(fields.get("text"), f"{where}.text"))
            case "refusal":
                yield from self._refuse(fields.get("refusal"), f"{where}.refusal")
            case "thinking":
                yield from self._thinking(fields.get("thinking"), f"{where}.thinking")
            case other:
                raise unknown_type(other, where)

    def _refuse(self, refusal: object, where: str) -> Iterator[Chunk]:
        self._refused = True
        yield from self._answer.say(as_text(refusal, where))

    def _thinking(self, thinking: object, where: str) -> Iterator[Chunk]:
        if isinstance(thinking, str):
            yield from self._answer.think(thinking)
            return
        for place, entry in enumerate(list_or_empty(thinking, where)):
            with self._answer.reading():
                text = as_object(entry, f"{where}[{place}]").get("text")
                yield from self._answer.think(as_text(text, f"{where}[{place}].text"))

    def _call(self, piece: dict[str, Any]) -> None:
        if piece.get("custom"):
            number = count_or_none(piece.get("index")) or 0
            raise unknown_type("custom", f"delta.tool_calls[{number}]")
        self._calls.add(piece)
