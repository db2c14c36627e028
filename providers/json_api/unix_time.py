"""Times as numbers of seconds, as some providers write them."""

from datetime import UTC, datetime


def from_unix(seconds: object) -> datetime | None:
    """The time in UTC; None for any other value."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None
