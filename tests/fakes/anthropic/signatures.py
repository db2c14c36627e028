"""Thinking blocks that the fake signs, and recognises when they come back.

A thinking block must return exactly as it was given; its signature shows that it did.
"""

import base64
import binascii
import hashlib

NONCE = 8


def _seal(kind: bytes, nonce: bytes, text: str) -> str:
    proof = hashlib.sha256(b"claude " + kind + nonce + text.encode()).digest()
    return base64.b64encode(nonce + proof).decode()


def _nonce(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:NONCE]


def _holds(kind: bytes, seal: str, text: str) -> bool:
    try:
        nonce = base64.b64decode(seal, validate=True)[:NONCE]
    except binascii.Error:
        return False
    return _seal(kind, nonce, text) == seal


def thinking_block(thought: str, display: str) -> dict[str, str]:
    """`display` is "summarized" or "omitted"; with "omitted" the text is empty but signed."""
    shown = thought if display == "summarized" else ""
    signature = _seal(b"thinking", _nonce(thought), shown)
    return {"type": "thinking", "thinking": shown, "signature": signature}


def redacted_block(thought: str) -> dict[str, str]:
    return {"type": "redacted_thinking", "data": _seal(b"redacted", _nonce(thought), "")}


def is_genuine(block: dict[str, str]) -> bool:
    """The signature of a thinking or redacted_thinking block."""
    if block["type"] == "thinking":
        return _holds(b"thinking", block["signature"], block["thinking"])
    return _holds(b"redacted", block["data"], "")
