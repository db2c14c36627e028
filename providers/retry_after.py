"""The time after which an upstream wants a refused call to be repeated."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import ceil
from typing import Final

_NUMBER: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")


def retry_after_of(headers: Mapping[str, str]) -> str | None:
    """In whole seconds, rounded up; None if the answer names no time.

    OpenAI also says it in milliseconds. `Retry-After` is seconds or a date (RFC 9110 section
    10.2.3). An upstream may send anything, so everything else is ignored.
    """
    milliseconds = headers.get("retry-after-ms", "")
    if _NUMBER.fullmatch(milliseconds):
        return str(ceil(float(milliseconds) / 1000))
    said = headers.get("retry-after", "")
    return seconds_of_duration(f"{said}s") or _until(said)


def seconds_of_duration(text: str) -> str | None:
    """The same of a duration as protobuf writes it, such as `7.5s`."""
    number = text.removesuffix("s")
    return str(ceil(float(number))) if number != text and _NUMBER.fullmatch(number) else None


def _until(date: str) -> str | None:
    try:
        time = parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        return None
    left = (time.replace(tzinfo=time.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return str(ceil(max(0.0, left)))
