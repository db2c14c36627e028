"""Times in the format that most providers use."""

from datetime import UTC, datetime
from typing import Any


def from_rfc3339(text: Any) -> datetime | None:
    """The time in UTC, which is also the default zone; None for any other value."""
    if not isinstance(text, str):
        return None
    try:
        time = datetime.fromisoformat(text)
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # its zone may move it before year 1 or after year 9999
        return None
