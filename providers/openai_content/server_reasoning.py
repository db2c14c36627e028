"""What a compatible server wants back with a function's result, in Gemini's thoughtSignature.

DeepSeek wants the `reasoning_content` that the model wrote before its calls of functions,
OpenRouter the `reasoning_details`, and Google the `extra_content` of each call (openai.md section
10). Each goes back as it came. Nothing of it is secret: the client may see it.
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from providers.json_api.answer_shape import count_or_none, text_or_none
from providers.json_api.json_text import parse_object, render_json
from providers.limits import STREAM_CALLS

_PLAIN: Final = b"genai-ferry/openai/reasoning-content:"
_KEPT: Final = b"genai-ferry/openai/kept:"

CONTENT: Final = "reasoning_content"
"""Servers that name it `reasoning` do not ask for it, and some refuse it."""
DETAILS: Final = "reasoning_details"
EXTRA: Final = "extra_content"
CALL: Final = "call"
"""In what `own_reasoning` returns: the members of the call. The others belong to the message."""

Members: TypeAlias = Mapping[str, Any]

# The members of a detail that a stream cuts.
_IN_PIECES: Final = ("text", "summary", "data")


def kept_members(message: Members) -> dict[str, Any]:
    """Those members of a message that its server wants back."""
    content, details = message.get(CONTENT), message.get(DETAILS)
    kept = {CONTENT: content} if isinstance(content, str) else {}
    return kept | ({DETAILS: details} if isinstance(details, list) and details else {})


def kept_signature(kept: Members, call: Members) -> str | None:
    """The signature of a call: `kept` are members of its message, which the first call carries."""
    extra = call.get(EXTRA)
    beside = {EXTRA: extra} if isinstance(extra, dict) and extra else {}
    if beside or DETAILS in kept:
        return b64encode(_KEPT + render_json({"message": dict(kept), CALL: beside})).decode()
    if CONTENT in kept:
        return b64encode(_PLAIN + kept[CONTENT].encode(errors="surrogatepass")).decode()
    return None


def own_reasoning(part: Members) -> dict[str, Any] | None:
    """What is kept in a normalised part's thoughtSignature; None if it is no signature of these."""
    carried = b64decode(part.get("thoughtSignature", ""))
    if carried.startswith(_PLAIN):
        return {CONTENT: carried.removeprefix(_PLAIN).decode(errors="replace")}
    if not carried.startswith(_KEPT):
        return None
    parsed = parse_object(carried.removeprefix(_KEPT)) or {}
    message, call = parsed.get("message"), parsed.get(CALL)
    kept = kept_members(message) if isinstance(message, dict) else {}
    extra = call.get(EXTRA) if isinstance(call, dict) else None
    return kept | ({CALL: {EXTRA: extra}} if isinstance(extra, dict) else {})


def write_reasoning(thoughts: list[dict[str, Any]]) -> dict[str, Any]:
    """The members of a message for the reasoning of its calls."""
    contents = [thought[CONTENT] for thought in thoughts if CONTENT in thought]
    details = [detail for thought in thoughts for detail in thought.get(DETAILS, ())]
    return kept_members({CONTENT: "".join(contents) if contents else None, DETAILS: details})


def add_empty_reasoning(messages: list[dict[str, Any]]) -> None:
    """If a message has `reasoning_content`, every other of the model gets an empty one.

    Where functions are declared, DeepSeek wants it in each, and only calls carry what was written.
    """
    if any(CONTENT in message for message in messages):
        for message in messages:
            if message["role"] == "assistant":
                message.setdefault(CONTENT, "")


@dataclass(slots=True)
class _Detail:
    """`texts` are the pieces of members that come in several."""

    members: dict[str, Any] = field(default_factory=dict)
    texts: dict[str, list[str]] = field(default_factory=dict)

    def add(self, piece: dict[str, Any]) -> None:
        for name, value in piece.items():
            if name in _IN_PIECES and isinstance(value, str):
                self.texts.setdefault(name, []).append(value)
            elif value is not None or name not in self.members:
                self.members[name] = value

    @property
    def whole(self) -> dict[str, Any]:
        return self.members | {name: "".join(pieces) for name, pieces in self.texts.items()}


class DetailPieces:
    """The `reasoning_details` of a stream, put together.

    OpenRouter writes the text of a detail in pieces with the same index, and the signature over it
    in the last one. The details must come back whole, in their order.
    """

    def __init__(self) -> None:
        self._details: list[_Detail] = []
        self._by_index: dict[tuple[int, str | None], _Detail] = {}
        self._size = 0

    def add(self, pieces: object) -> None:
        """Beyond STREAM_CALLS nothing is kept: the server refuses a part of the details."""
        for piece in pieces if isinstance(pieces, list) else ():
            if not isinstance(piece, dict):
                continue
            self._size += len(render_json(piece))
            if self._size > STREAM_CALLS:
                self._details.clear()
                self._by_index.clear()
            else:
                self._detail_of(piece).add(piece)

    def _detail_of(self, piece: dict[str, Any]) -> _Detail:
        """The detail that this piece continues or begins."""
        index, kind = count_or_none(piece.get("index")), text_or_none(piece.get("type"))
        known = None if index is None else self._by_index.get((index, kind))
        if known is not None:
            ids = {text_or_none(known.members.get("id")), text_or_none(piece.get("id"))} - {None}
            if len(ids) < 2:
                return known
        begun = _Detail()
        self._details.append(begun)
        if index is not None:
            self._by_index[index, kind] = begun
        return begun

    @property
    def whole(self) -> list[dict[str, Any]]:
        return [detail.whole for detail in self._details]
