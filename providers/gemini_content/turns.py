"""The turns of a conversation, put together again.

An SDK sends a streamed answer back as one content for each chunk. Some contents have an empty text
or no parts. A thought may be in several contents, and only the last one has its signature.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final, TypeAlias

from providers.errors import invalid_argument
from providers.gemini_content.json_path import item, member
from providers.gemini_content.warnings import Warnings

_Numbered: TypeAlias = tuple[int, dict[str, Any]]

_TEXT: Final = frozenset({"text"})
_SIGNED_TEXT: Final = frozenset({"text", "thoughtSignature"})
_THOUGHT: Final = frozenset({"text", "thought"})
_SIGNED_THOUGHT: Final = frozenset({"text", "thought", "thoughtSignature"})


@dataclass(frozen=True, slots=True)
class PlacedPart:
    """A normalised part and its JSON path."""

    fields: dict[str, Any]
    path: str


@dataclass(frozen=True, slots=True)
class Turn:
    """Neighbouring contents of one role; `index` and `path` are those of the first.

    The model's are one content, in which a text that was cut is whole. The user's stay apart. An
    empty text is left out, unless the turn has nothing else.
    """

    role: str
    index: int
    path: str
    contents: list[list[PlacedPart]]

    @property
    def parts(self) -> list[PlacedPart]:
        return [part for content in self.contents for part in content]


def joined_turns(request: dict[str, Any], path: str, warnings: Warnings) -> Iterator[Turn]:
    """The turns of the normalised request at `path`. Raises INVALID_ARGUMENT for an empty one.

    A turn in which the model said nothing is left out, with a warning if it thought. Chats send it
    back, and providers refuse it.
    """
    contents_path = member(path, "contents")
    for role, numbered in _spoken(request["contents"], contents_path, warnings):
        contents = [placed_parts(each, item(contents_path, index)) for index, each in numbered]
        first, _ = numbered[0]
        turn_path = item(contents_path, first)
        if not any(contents):
            raise invalid_argument("must have at least one part", path=member(turn_path, "parts"))
        joined = [_joined(contents)] if role == "model" else contents
        said = [[part for part in each if part.fields != {"text": ""}] for each in joined]
        yield Turn(role, first, turn_path, said if any(said) else joined)


def _spoken(
    contents: list[dict[str, Any]], path: str, warnings: Warnings
) -> list[tuple[str, list[_Numbered]]]:
    """The contents of each turn, with their places, and its role."""
    turns: list[tuple[str, list[_Numbered]]] = []
    spoken = (turn for turn in enumerate(contents) if not _says_nothing(turn[1]))
    for role, group in groupby(spoken, key=lambda turn: turn[1]["role"]):
        numbered = list(group)
        if role == "model" and _only_thinks(numbered):
            warnings.drop(item(path, numbered[0][0]))
        elif turns and turns[-1][0] == role:
            turns[-1][1].extend(numbered)
        else:
            turns.append((role, numbered))
    return turns


def _only_thinks(numbered: list[_Numbered]) -> bool:
    """Whether the turn has only thoughts and signatures, as after an answer that was cut off."""
    parts = [part for _, content in numbered for part in content["parts"]]
    return bool(parts) and all(
        part.keys() <= _SIGNED_THOUGHT and ("thought" in part or not part.get("text"))
        for part in parts
    )


def _says_nothing(content: dict[str, Any]) -> bool:
    """Whether it is the model's, with empty texts only."""
    parts = content["parts"]
    return content["role"] == "model" and parts != [] and all(p == {"text": ""} for p in parts)


def placed_parts(content: dict[str, Any], path: str) -> list[PlacedPart]:
    """The parts of the normalised content at `path`."""
    parts_path = member(path, "parts")
    return [PlacedPart(part, item(parts_path, i)) for i, part in enumerate(content["parts"])]


def _joined(contents: list[list[PlacedPart]]) -> list[PlacedPart]:
    parts: list[PlacedPart] = []
    for content in contents:
        for place, part in enumerate(content):
            if parts and _continues(parts[-1].fields, part.fields, starts_content=place == 0):
                parts.append(_with_more(parts.pop(), part.fields))
            else:
                parts.append(part)
    return parts


def _with_more(part: PlacedPart, more: dict[str, Any]) -> PlacedPart:
    text = part.fields["text"] + more["text"]
    return PlacedPart(part.fields | more | {"text": text}, part.path)


def _continues(before: dict[str, Any], part: dict[str, Any], *, starts_content: bool) -> bool:
    """Whether `part` is the next piece of the text or thought `before`.

    Two texts in one content are two texts of the model. A thought without a signature is never
    whole, so there the next content makes no difference.
    """
    if before.keys() == _THOUGHT:
        return part.keys() in (_THOUGHT, _SIGNED_THOUGHT)
    return starts_content and part.keys() == _TEXT and before.keys() in (_TEXT, _SIGNED_TEXT)
