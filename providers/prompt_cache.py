"""The prompt cache of Claude's API and of Bedrock, where the system instruction and tools are kept.

A client asks for it with a header, and the operator for all clients with a setting.
"""

from enum import StrEnum
from typing import Final

from providers.credential import Caller
from providers.errors import invalid_argument

CACHE_HEADER: Final = "x-ferry-anthropic-cache"


class CacheLife(StrEnum):
    """How long an entry is kept after it was last used."""

    FIVE_MINUTES = "5m"
    ONE_HOUR = "1h"


def requested_cache(caller: Caller) -> CacheLife | None:
    """What the caller's header asks for. Raises INVALID_ARGUMENT for another value."""
    text = caller.headers.get(CACHE_HEADER)
    if text is None:
        return None
    if text not in list(CacheLife):
        raise invalid_argument(f"{CACHE_HEADER} must be {' or '.join(CacheLife)}")
    return CacheLife(text)
