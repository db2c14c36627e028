"""The pieces of function calls in a streamed ChatCompletion, put together.

OpenAI begins a call with its index, id and name, and then writes pieces with the same index.
Compatible servers number every call 0 or none, leave ids out or give each piece its own, or repeat
the name (openai.md section 10).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from providers.gemini_content.streamed_answer import StreamedAnswer, StreamedCall
from providers.json_api.answer_shape import (
    count_or_none,
    object_or_nothing,
    text_or_none,
    written_count,
)
from providers.json_api.json_text import parse_object, render_json
from providers.openai_content.server_reasoning import EXTRA, kept_signature
from providers.upstream import invalid_answer

# Arguments of at most so many characters are parsed, to see whether they are whole. To parse longer
# ones with each of many pieces would take minutes.
_PARSED: Final = 64 << 10


@dataclass(frozen=True, slots=True)
class _Begun:
    number: int
    call: StreamedCall
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def is_whole(self) -> bool:
        arguments = self.call.arguments
        if arguments.tell() > _PARSED:
            return False
        return parse_object(arguments.getvalue().encode(errors="surrogatepass")) is not None


class CallPieces:
    """Adds the calls to `answer`."""

    def __init__(self, answer: StreamedAnswer) -> None:
        self._answer = answer
        self._all: list[_Begun] = []
        self._last: _Begun | None = None
        self._by_index: dict[int, _Begun] = {}
        self._by_id: dict[tuple[str, int | None], _Begun] = {}

    @property
    def begun(self) -> bool:
        return self._last is not None

    def add(self, piece: dict[str, Any]) -> None:
        """Raises UpstreamError for a piece of which it is not clear to which call it belongs."""
        function = object_or_nothing(piece.get("function"))
        name = text_or_none(function.get("name")) or None
        call_id = text_or_none(piece.get("id")) or None
        index = _index(piece.get("index"))
        begun = self._call_of(index, name, call_id) or self._begin(index, name, call_id)
        if begun.call.name is None:
            begun.call.name = name
        if piece.get(EXTRA):
            begun.extra[EXTRA] = piece[EXTRA]
        arguments = function.get("arguments")
        if arguments:
            # Mistral may write an object.
            text = arguments if isinstance(arguments, str) else render_json(arguments).decode()
            self._answer.add_arguments(begun.number, text)

    def sign(self, kept: Mapping[str, Any]) -> None:
        """Give each call what its server wants back, and the first one what the message keeps."""
        for begun in self._all:
            begun.call.signature = kept_signature({} if begun.number else kept, begun.extra)

    def _begin(self, index: int | None, name: str | None, call_id: str | None) -> _Begun:
        number = len(self._all)
        call = self._answer.call(number, name, call_id, f"delta.tool_calls[{index or 0}]")
        self._last = begun = _Begun(number, call)
        self._all.append(begun)
        if index is not None:
            self._by_index[index] = begun
        if call_id:
            self._by_id[call_id, index] = begun
            self._by_id.setdefault((call_id, None), begun)
        return begun

    def _call_of(self, index: int | None, name: str | None, call_id: str | None) -> _Begun | None:
        """The call that this piece continues; None if it begins one."""
        # Two calls of some servers have one id, but each has a name.
        known = self._by_id.get((call_id, index if name else None)) if call_id else None
        if known is not None:
            return known
        current = self._last if index is None else self._by_index.get(index)
        if current is None or name is None or current.call.name is None:
            return current
        other_id = call_id and current.call.call_id and call_id != current.call.call_id
        without_index = index is None and not current.call.arguments.tell()
        if other_id or without_index or current.is_whole:
            return None
        if name != current.call.name:
            raise invalid_answer("a piece of a function call names another function")
        return current


def _index(value: object) -> int | None:
    """Some servers write it as a text."""
    return written_count(value) if isinstance(value, str) else count_or_none(value)
