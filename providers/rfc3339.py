"""Times as most providers write them."""

from datetime import UTC, datetime
from typing import Any


def from_rfc3339(text: Any) -> datetime | None:
    """None for what is no time. Without a zone it is in UTC."""
    if not isinstance(text, str):
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
