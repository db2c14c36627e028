"""Reads the JSON of a provider's answer and checks its shape.

Every reader raises INTERNAL, with the name of the field, for a value that differs from the
documentation. Inside `Candidate.reading` that fails one member of the answer, elsewhere the whole
item.
"""

import re
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Final

from providers.errors import FerryError
from providers.status import Status
from providers.upstream import UpstreamError

INT64_END: Final = 2**63 - 1
# Fewer digits than `INT64_END` has. Python refuses to parse a number of more than 4,300 digits.
_WRITTEN_COUNT: Final = re.compile(r"[0-9]{1,18}")
_FOUR_DIGITS: Final = 1000
_HTTP_STATUS: Final = re.compile(r"[1-5][0-9]{2}")


class UnreadableAnswer(FerryError):
    """An answer, or a member of one, that is not translated; `what` has its JSON path."""

    def __init__(self, status: Status, what: str) -> None:
        super().__init__(status, f"the provider's answer could not be read: {what}")
        self.what: Final = what


def unreadable(what: str) -> UnreadableAnswer:
    """For a value that differs from the provider's documentation."""
    return UnreadableAnswer(Status.INTERNAL, what)


def untranslatable(what: str) -> UnreadableAnswer:
    """For a value that Gemini's schema has no place for."""
    return UnreadableAnswer(Status.UNIMPLEMENTED, what)


def unusable(error: UnreadableAnswer, name: str = "") -> UpstreamError:
    """For an answer of which nothing can be used; `name` is the provider's.

    One that Gemini's schema has no place for is not asked for again: the next would be the same.
    """
    lasts = error.status is Status.UNIMPLEMENTED
    message = f"{name}: {error.message}" if name else error.message
    return UpstreamError(Status.UNIMPLEMENTED if lasts else Status.UNAVAILABLE, message)


def unknown_type(value: object, where: str) -> UnreadableAnswer:
    """For a member at `where` whose type has no translation."""
    named = repr(value[:80]) if isinstance(value, str) else "unknown"
    return untranslatable(f"{where} is of type {named}, which is not translated")


def as_object(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise unreadable(f"{what} is not an object")
    return value


def as_list(value: object, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise unreadable(f"{what} is not a list")
    return value


def as_text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise unreadable(f"{what} is not a string")
    return value


def as_number(value: object, what: str) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise unreadable(f"{what} is not a number")
    if isinstance(value, float) and not isfinite(value):
        raise unreadable(f"{what} is not a finite number")
    if isinstance(value, int) and abs(value) > INT64_END:
        raise unreadable(f"{what} is too large")
    return value


def as_objects(value: object, what: str) -> list[dict[str, Any]]:
    return [as_object(each, f"{what}[{i}]") for i, each in enumerate(as_list(value, what))]


def objects_or_empty(value: object, what: str) -> list[dict[str, Any]]:
    """A list of objects that the provider may leave out or set to null."""
    return [] if value is None else as_objects(value, what)


def list_or_empty(value: object, what: str) -> list[Any]:
    """A list that the provider may leave out or set to null."""
    return [] if value is None else as_list(value, what)


def count_or_none(value: object) -> int | None:
    """A count; None for any other value, because a bad count must not fail the answer."""
    # One look at the type, which True does not pass: this runs six times for each result.
    return value if type(value) is int and 0 <= value <= INT64_END else None


def written_count(text: str) -> int | None:
    """The count in the text of a header or an XML element; None for any other text."""
    return int(text) if _WRITTEN_COUNT.fullmatch(text) else None


def http_status(value: object) -> int | None:
    """An HTTP status as a number or as text; None for any other value.

    A number with more than three digits is not one: a very long one may have been read as a float.
    """
    if isinstance(value, str) and _HTTP_STATUS.fullmatch(value):
        return int(value)
    return value if type(value) is int and abs(value) < _FOUR_DIGITS else None


def object_or_nothing(value: object) -> dict[str, Any]:
    """An object that is not essential to an answer, such as its counts; {} for any other value."""
    return value if isinstance(value, dict) else {}


def list_or_nothing(value: object) -> list[Any]:
    """A list that is not essential to an answer; [] for any other value."""
    return value if isinstance(value, list) else []


def number_or_none(value: object) -> int | float | None:
    """A number that is not essential to an answer; None for any other value."""
    if type(value) is int and abs(value) <= INT64_END:
        return value
    return value if isinstance(value, float) and isfinite(value) else None


def text_or_none(value: object) -> str | None:
    """A text that is not essential to an answer; None for any other value."""
    return value if isinstance(value, str) else None


def time_or_none(value: object) -> datetime | None:
    """An RFC 3339 time, in UTC, which is also the default zone; None for any other value."""
    if not isinstance(value, str):
        return None
    try:
        time = datetime.fromisoformat(value)
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # its zone may move it before year 1 or after year 9999
        return None


def present(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields that have a value: what the provider does not say is left out."""
    return {name: value for name, value in fields.items() if value is not None}
