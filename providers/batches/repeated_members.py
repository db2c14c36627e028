"""JSON objects that name one member twice.

Parsers take the first, or the last, or refuse. So a provider could read another value than the one
that was checked.
"""

import json
from typing import Any, Final

from providers.json_api.json_text import render_json

# A colon can be escaped like this; then counting colons proves nothing.
_ESCAPED: Final = b"\\u003"


class _Repeated(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def repeated_member(text: bytes, document: object) -> str | None:
    """The first member name that appears twice in one object of `text`; None if there is none.

    `document` is the parsed `text`. Raises orjson.JSONEncodeError if it is nested too deeply to be
    written.
    """
    # Each member has a colon, and the document lacks a repeated one. Counting colons takes a
    # hundredth of the time of a second parsing.
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
