"""The valid names of state objects, the same in a directory and in a bucket."""

import re
from typing import Final

_SEGMENT: Final = r"[a-z0-9_-][a-z0-9._-]{0,253}"
_NAME: Final = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})*")
_PREFIX: Final = re.compile(rf"(?:{_SEGMENT}/)*(?:{_SEGMENT})?")


def is_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def check_name(name: str) -> str:
    """Raises ValueError."""
    if not is_name(name):
        raise ValueError(f"{name!r} is not a valid name of a state object")
    return name


def check_prefix(prefix: str) -> str:
    """Raises ValueError."""
    if not _PREFIX.fullmatch(prefix):
        raise ValueError(f"{prefix!r} is not a valid prefix of the names of state objects")
    return prefix
