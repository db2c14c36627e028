"""Ids of immediate jobs, unlike the ids of any provider's batches."""

import hashlib
import re
from base64 import b32hexencode
from typing import Final

_PREFIX: Final = "immediate-"
_ID: Final = re.compile(rf"{_PREFIX}[0-9a-v]{{26}}")
_BYTES: Final = 16


def job_id_of(mark: str) -> str:
    """The id derived from `mark`."""
    digest = hashlib.sha256(mark.encode()).digest()[:_BYTES]
    return _PREFIX + b32hexencode(digest).decode().rstrip("=").lower()


def is_immediate(batch_id: str) -> bool:
    return _ID.fullmatch(batch_id) is not None
