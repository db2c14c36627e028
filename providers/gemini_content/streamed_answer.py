"""An answer in chunks, each a GenerateContentResponse.

SDKs forget a turn of a chat unless every chunk has a part and the last one a finish reason. Go
loses a signature on an empty text, and SDKs take function calls in two chunks for two turns. So a
piece of a thought waits for its signature, and all calls are in the last chunk.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import StringIO
from typing import Any, Final, TypeAlias

from providers.gemini_content.candidate import Candidate
from providers.json_api.answer_shape import UnreadableAnswer, present, text_or_none
from providers.limits import STREAM_CALLS
from providers.upstream import invalid_answer

Chunk: TypeAlias = dict[str, Any]

# What a call takes besides its texts, as so many characters.
_CALL: Final = 256
# Characters of one chunk. The JavaScript SDK's time grows with the square of a chunk's length.
_PIECE: Final = 64 << 10
# A stream can have any number of parts that cannot be read.
_FAULTS_SHOWN: Final = 20
_SIGNATURE: Final = "thoughtSignature"


@dataclass(slots=True)
class StreamedCall:
    """A function call whose arguments come in pieces."""

    name: str | None
    call_id: str | None
    where: str
    arguments: StringIO = field(default_factory=StringIO)
    signature: str | None = None


class StreamedAnswer:
    """`model` and `answer_id` are named in each chunk."""

    def __init__(self) -> None:
        self.model: object = None
        self.answer_id: object = None
        self._calls: list[StreamedCall] = []
        self._by_number: dict[int, StreamedCall] = {}
        self._calls_size = 0
        self._thought = ""
        self._signature: str | None = None
        self._shows_thoughts = True
        self._said = False
        self._faults: dict[str, UnreadableAnswer] = {}

    @property
    def begun(self) -> bool:
        """Whether anything was said or called."""
        return self._said or bool(self._calls) or bool(self._thought)

    def say(self, text: str, **members: Any) -> Iterator[Chunk]:
        """`members` are further ones of the candidate, which come with an empty text too."""
        yield from self._release()
        for start in range(0, len(text) or bool(members), _PIECE):
            part = {"text": text[start : start + _PIECE]}
            if text:
                part |= self._pending_signature()
            yield self._chunk(part, **(members if start == 0 else {}))

    def cite(self, uris: Iterable[str | None]) -> Iterator[Chunk]:
        """Name the sources of the text that have an address.

        Where they are cited is left out: the providers count in the whole text, which is not kept.
        """
        sources = [{"uri": uri} for uri in dict.fromkeys(uris) if uri]
        if sources:
            yield from self.say("", citationMetadata={"citationSources": sources})

    def leave_out_thoughts(self) -> None:
        """For a request that does not ask for them: those that follow are not shown."""
        self._shows_thoughts = False

    def think(self, text: str) -> Iterator[Chunk]:
        if not text or not self._shows_thoughts:
            return
        yield from self._release()
        yield from self._release_signature()
        for start in range(0, len(text) - _PIECE, _PIECE):
            yield self._chunk({"text": text[start : start + _PIECE], "thought": True})
        self._thought = text[-(len(text) % _PIECE or _PIECE) :]

    def sign(self, signature: str) -> Iterator[Chunk]:
        """The signature of the thought before, or of one whose text is not shown."""
        yield from self._release_signature()
        self._signature = signature
        if self._thought:
            yield from self._release()

    def call(self, number: int, name: object, call_id: object, where: str) -> StreamedCall:
        """Begins the function call with that number; `where` is its path in the stream.

        Raises UpstreamError beyond STREAM_CALLS.
        """
        call = StreamedCall(text_or_none(name), text_or_none(call_id), where)
        self._count(_CALL + len(call.name or "") + len(call.call_id or ""))
        self._by_number[number] = call
        self._calls.append(call)
        return call

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Read one part of the answer; if it cannot be read, note that at the end, and continue."""
        try:
            yield
        except UnreadableAnswer as fault:
            if len(self._faults) < _FAULTS_SHOWN:
                self._faults.setdefault(fault.what, fault)

    def add_arguments(self, number: int, text: str) -> None:
        """Raises UpstreamError for a call that was not begun, and beyond STREAM_CALLS."""
        if number not in self._by_number:
            raise invalid_answer("a piece of a function call came before the call")
        self._count(len(text))
        self._by_number[number].arguments.write(text)

    def _count(self, characters: int) -> None:
        self._calls_size += characters
        if self._calls_size > STREAM_CALLS:
            raise invalid_answer(f"function calls with more than {STREAM_CALLS} characters")

    def end(self, candidate: Candidate, usage: dict[str, Any]) -> Iterator[Chunk]:
        """`candidate` has the finish reason, and notes on it.

        Raises UnreadableAnswer if nothing of the answer could be read.
        """
        yield from self._release()
        for fault in self._faults.values():
            with candidate.reading():
                raise fault
        for call in self._calls:
            with candidate.reading():
                if call.signature is not None:
                    candidate.sign(call.signature)
                written = call.arguments.getvalue()
                candidate.add_call(call.name, written, call.call_id, call.where)
        if candidate.only_fault is not None and not self._said:
            raise candidate.only_fault
        if self._said and not self._calls:
            candidate.add_text("")
        rendered = candidate.render()
        rendered["content"]["parts"][0] |= self._pending_signature()
        yield {"candidates": [rendered], **usage, **self._named()}

    def _release(self) -> Iterator[Chunk]:
        """The piece of a thought that waited for its signature."""
        if self._thought:
            part = {"text": self._thought, "thought": True, **self._pending_signature()}
            self._thought = ""
            yield self._chunk(part)

    def _release_signature(self) -> Iterator[Chunk]:
        """The signature of a hidden thought, if another thought follows, which has its own."""
        if self._signature is not None:
            yield self._chunk({"text": "", **self._pending_signature()})

    def _pending_signature(self) -> dict[str, str]:
        signature, self._signature = self._signature, None
        return {} if signature is None else {_SIGNATURE: signature}

    def _chunk(self, part: dict[str, Any], **members: Any) -> Chunk:
        self._said = True
        candidate = {"content": {"role": "model", "parts": [part]}, "index": 0, **members}
        return {"candidates": [candidate], **self._named()}

    def _named(self) -> dict[str, str]:
        return present(
            {"modelVersion": text_or_none(self.model), "responseId": text_or_none(self.answer_id)}
        )
