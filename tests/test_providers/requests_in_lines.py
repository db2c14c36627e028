"""An invented provider: it takes numbered lines, and its own format has a custom id."""

from collections.abc import Mapping
from typing import Any

import orjson

from providers.batches.line_formats import LineFormats, SeenTexts, check_custom_id
from providers.batches.request_table import RowKind
from providers.errors import invalid_argument
from providers.gemini_content.warnings import Warnings
from providers.json_api.json_text import render_compact

TRANSLATED, OWN = "/translated", "/own"


class Numbered:
    """Translates every object to its number and itself."""

    endpoint = TRANSLATED

    def __init__(self) -> None:
        self.warnings = Warnings()

    def line(self, index: int, request: object, path: str) -> bytes:
        if not isinstance(request, dict):
            raise invalid_argument("an object is needed", path=path)
        return orjson.dumps({"number": index, "request": request})


class OwnLines:
    """`{"custom_id", "params"}`; they go as written."""

    name = "own"
    row_kind = RowKind.CUSTOM_ID
    endpoint = OWN

    def __init__(self) -> None:
        self._ids = SeenTexts()

    def read(self, _: int, number: int, document: dict[str, Any]) -> tuple[None, bytes]:
        custom_id = check_custom_id(document.get("custom_id"), self._ids, number, "custom_id")
        return None, render_compact(custom_id)


def is_own(document: Mapping[str, Any]) -> bool:
    return "params" in document


def formats() -> LineFormats:
    return LineFormats(OwnLines.name, is_own, OwnLines)
