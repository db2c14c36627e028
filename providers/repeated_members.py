"""JSON objects that name one member twice.

Parsers take the first of them, or the last, or refuse: what was checked would not be what is read.
"""

import json
from typing import Any, Final

from providers.json_text import render_json

# How a colon may be written in a string, so that counting colons proves nothing.
_ESCAPED: Final = b"\\u003"


class _Repeated(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def repeated_member(text: bytes, document: object) -> str | None:
    """The name of the first member that stands twice in one object of `text`; None if none does.

    `document` is what `text` was parsed to. Raises orjson.JSONEncodeError where that is nested
    more deeply than it can be written.
    """
    # Each member has a colon, and a repeated one is not in the document: a count is enough, and
    # takes a hundredth of the time of a second parsing.
    if render_json(document).count(b":") == text.count(b":") and _ESCAPED not in text:
        return None
    try:
        json.loads(text, object_pairs_hook=_unrepeated, parse_int=str, parse_float=str)
    except _Repeated as found:
        return found.name
    return None


def _unrepeated(pairs: list[tuple[str, Any]]) -> None:
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            raise _Repeated(name)
        seen.add(name)
