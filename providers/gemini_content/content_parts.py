"""The parts of a Gemini turn that other providers can take."""

from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypeVar

from providers.errors import invalid_argument
from providers.gemini_content.json_path import item, member
from providers.gemini_content.turns import PlacedPart
from providers.gemini_content.unsupported import refuse_fields
from providers.gemini_content.warnings import Warnings

T = TypeVar("T")

EndRule: TypeAlias = Callable[[list[dict[str, Any]], str, str], None]
"""Checks who has the last turn of the contents at a path, for a provider."""

_CARRIED: Final[tuple[str, ...]] = (
    "text",
    "inlineData",
    "fileData",
    "functionCall",
    "functionResponse",
)
_DROPPED: Final[tuple[str, ...]] = ("thought", "thoughtSignature", "partMetadata")

_NO_SERVER_TOOLS: Final = "{} does not accept the calls and results of Gemini's own tools"
_NO_TUNING: Final = "{} has no settings for how a part is read"
_REFUSED: Final = {
    "executableCode": _NO_SERVER_TOOLS,
    "codeExecutionResult": _NO_SERVER_TOOLS,
    "toolCall": _NO_SERVER_TOOLS,
    "toolResponse": _NO_SERVER_TOOLS,
    "audioTranscription": "{} takes no transcriptions",
    "videoMetadata": _NO_TUNING,
    "speechMetadata": _NO_TUNING,
    "documentMetadata": _NO_TUNING,
    "spreadsheetMetadata": _NO_TUNING,
    "audioMetadata": _NO_TUNING,
    "mediaProcessing": _NO_TUNING,
    "mediaResolution": _NO_TUNING,
}


@dataclass(frozen=True)
class ContentPart:
    """A part reduced to its one field that holds data, and that field's JSON path."""

    field: str
    value: Any
    path: str


def content_parts(
    parts: Iterable[PlacedPart], path: str, warnings: Warnings, provider: str
) -> list[ContentPart]:
    """Those parts of the turn at `path` that go to `provider`, at least one.

    Empty texts go only if there is nothing else. Raises INVALID_ARGUMENT as `content_part` does,
    and if no part is left.
    """
    carried = carried_parts(parts, warnings, provider)
    said = [part for part in carried if part.value != ""]
    return require_content(said or carried[:1], path, provider)


def carried_parts(
    parts: Iterable[PlacedPart], warnings: Warnings, provider: str
) -> list[ContentPart]:
    """All of `parts` that go to `provider`."""
    carried = [content_part(part, warnings, provider) for part in parts]
    return [part for part in carried if part is not None]


def content_part(placed: PlacedPart, warnings: Warnings, provider: str) -> ContentPart | None:
    """The part as it goes to `provider`; None for a thought or metadata alone.

    Thoughts, signatures and metadata are dropped with a warning. Raises INVALID_ARGUMENT for an
    unsupported kind of part, and for a part with no data field or several.
    """
    part, path = placed.fields, placed.path
    refuse_fields(part, _REFUSED, path, provider)
    dropped = [field for field in _DROPPED if field in part]
    for field in dropped:
        warnings.drop(member(path, field))
    fields = [field for field in _CARRIED if field in part]
    if len(fields) > 1 or not (fields or dropped):
        raise invalid_argument(f"must have exactly one of {', '.join(_CARRIED)}", path=path)
    for field in fields:
        # A call inside a thought is still a call, and its response follows.
        if "thought" not in part or field == "functionCall":
            return ContentPart(field, part[field], member(path, field))
    return None


def without_thinking(part: dict[str, Any]) -> dict[str, Any]:
    """The rest of a normalised part whose thought is sent in a place of its own."""
    gone = {"thoughtSignature"}
    if "thought" in part:
        gone |= {"thought", "text"}
    return {field: value for field, value in part.items() if field not in gone}


def require_content(content: list[T], path: str, provider: str) -> list[T]:
    """Raises INVALID_ARGUMENT if nothing of the turn at `path` is left."""
    if not content:
        raise invalid_argument(
            f"has no part that {provider} accepts; give a text that is not blank, a file, a "
            "function call or its response",
            path=member(path, "parts"),
        )
    return content


def require_users_end(contents: list[dict[str, Any]], path: str, provider: str) -> None:
    """Raises INVALID_ARGUMENT if the last turn of the conversation at `path` is the model's."""
    if contents[-1]["role"] == "model":
        raise invalid_argument(
            f"{provider} does not continue the model's turn; the last turn must be the user's",
            path=item(path, len(contents) - 1),
        )


def any_end(_contents: list[dict[str, Any]], _path: str, _provider: str) -> None:
    """For a conversation that is only counted: chats count their history, answers included."""


def find_part(request: dict[str, Any], path: str, fields: Container[str]) -> str | None:
    """The JSON path of the first of `fields` in the turns of the normalised request at `path`."""
    for turn, content in enumerate(request["contents"]):
        for place, part in enumerate(content["parts"]):
            for field in part:
                if field in fields:
                    parts_path = member(item(member(path, "contents"), turn), "parts")
                    return member(item(parts_path, place), field)
    return None
