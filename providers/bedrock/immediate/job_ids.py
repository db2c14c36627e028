"""Ids of immediate jobs: none is an id of Bedrock's, which are `[a-z0-9]{12}` (bedrock.md)."""

import hashlib
import re
import secrets
from base64 import b32hexencode
from datetime import datetime
from typing import Final

_PREFIX: Final = "immediate-"
_ID: Final = re.compile(rf"{_PREFIX}[0-9a-v]{{26}}")
_RANDOM_BYTES: Final = 10
_TIME_BYTES: Final = 6
_LAST_TIME: Final = (1 << 8 * _TIME_BYTES) - 1


def new_job_id(now: datetime) -> str:
    """A random id; ids of later times, in milliseconds, sort before those of earlier ones."""
    left = _LAST_TIME - int(now.timestamp() * 1000)
    return _PREFIX + _base32(left.to_bytes(_TIME_BYTES, "big") + secrets.token_bytes(_RANDOM_BYTES))


def job_id_of(mark: str) -> str:
    """The one id that belongs to `mark`."""
    return _PREFIX + _base32(hashlib.sha256(mark.encode()).digest()[: _TIME_BYTES + _RANDOM_BYTES])


def is_immediate(batch_id: str) -> bool:
    return _ID.fullmatch(batch_id) is not None


def _base32(data: bytes) -> str:
    """In the alphabet that keeps the order of what it encodes."""
    return b32hexencode(data).decode().rstrip("=").lower()
