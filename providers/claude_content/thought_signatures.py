"""Claude's thinking blocks in Gemini's thoughtSignature, and back.

Anthropic accepts a thinking block only unchanged, with its signature. A thoughtSignature of the
proxy has a prefix that marks it as Claude's, so signatures of Gemini or another provider are told
apart. It needs no protection from forgery, because Anthropic checks the signature inside.
"""

from base64 import b64decode, b64encode
from typing import Any, Final

_THINKING: Final = b"genai-ferry/anthropic/thinking:"
_REDACTED: Final = b"genai-ferry/anthropic/redacted_thinking:"


def render_thinking_signature(signature: str) -> str:
    return b64encode(_THINKING + signature.encode()).decode()


def render_redacted_thinking(data: str) -> str:
    return b64encode(_REDACTED + data.encode()).decode()


def thinking_block(part: dict[str, Any]) -> dict[str, Any] | None:
    """The thinking block in a normalised part's thoughtSignature; None if it is not Claude's.

    The block's text is that of the part, if the part is a thought; otherwise it was omitted.
    """
    carried = b64decode(part.get("thoughtSignature", ""))
    try:
        if carried.startswith(_THINKING):
            thinking = part.get("text", "") if part.get("thought") else ""
            signature = carried.removeprefix(_THINKING).decode()
            return {"type": "thinking", "thinking": thinking, "signature": signature}
        if carried.startswith(_REDACTED):
            data = carried.removeprefix(_REDACTED).decode()
            return {"type": "redacted_thinking", "data": data}
    except UnicodeDecodeError:
        return None
    return None
