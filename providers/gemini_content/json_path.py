"""JSON paths in errors and warnings: `contents[0].parts[2].text`."""

import re
from typing import Final

import orjson

_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def member(parent: str, key: str) -> str:
    """The path of `key` in the object at `parent`; a key that is not an identifier is quoted."""
    if not _IDENTIFIER.match(key):
        return f"{parent}[{orjson.dumps(key).decode()}]"
    return f"{parent}.{key}" if parent else key


def item(parent: str, index: int) -> str:
    """The path of the list item at `index` in the list at `parent`."""
    return f"{parent}[{index}]"
