"""Claude's thinking blocks carried through Gemini's thoughtSignature, and back.

Anthropic takes a thinking block back only as it gave it, with its signature. So a signature that
we hand out says that it is Claude's, and any other (Gemini's own, another provider's) is known to
be none. It need not be kept from forgery: Anthropic checks what is inside.
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
    """The block that a normalised part's thoughtSignature came from; None where none of ours did.

    The text of a thinking block is that of its part, if that is a thought; else it was omitted.
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
