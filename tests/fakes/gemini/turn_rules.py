"""What Gemini wants of function calls and their answers (gemini.md; ai.google.dev's pages).

Neighbouring turns of one role count as one: SDKs send a streamed answer back as several.
"""

import base64
import binascii
import hashlib
from typing import Any

import orjson

from ..media import URL_SAFE

Part = dict[str, Any]


class TurnError(Exception):
    """The turns do not follow each other as they must."""


def signature_of(call: dict[str, Any]) -> str:
    """The thought signature of a call that the fake model makes."""
    proof = hashlib.sha256(b"gemini " + orjson.dumps(call, option=orjson.OPT_SORT_KEYS)).digest()
    return base64.b64encode(proof).decode()


def check_turns(contents: list[dict[str, Any]]) -> None:
    """Raises TurnError."""
    calls = 0
    for role, parts in _joined(contents):
        answers = sum("functionResponse" in part for part in parts)
        if role == "user" and answers and not calls:
            raise TurnError(
                "Please ensure that function response turn comes immediately after a function "
                "call turn."
            )
        if role == "user" and answers != calls:
            raise TurnError(
                "Please ensure that the number of function response parts is equal to the number "
                "of function call parts of the function call turn."
            )
        calls = sum("functionCall" in part for part in parts) if role == "model" else 0
        for part in parts:
            _check_signature(part)


def _joined(contents: list[dict[str, Any]]) -> list[tuple[str, list[Part]]]:
    turns: list[tuple[str, list[Part]]] = []
    for content in contents:
        role = "model" if content.get("role") == "model" else "user"
        if not turns or turns[-1][0] != role:
            turns.append((role, []))
        turns[-1][1].extend(content.get("parts", ()))
    return turns


def _check_signature(part: Part) -> None:
    """A signature must come back as it was given; the base64 alphabet may be either."""
    given = part.get("thoughtSignature")
    if given is None or "functionCall" not in part:
        return
    call = {name: part["functionCall"].get(name, {}) for name in ("name", "args")}
    try:
        proof = base64.b64decode(str(given).translate(URL_SAFE), validate=True)
    except binascii.Error:
        raise TurnError("Invalid value for thought_signature: it is not base64.") from None
    if base64.b64encode(proof).decode() != signature_of(call):
        raise TurnError("Thought signature is not valid.")
