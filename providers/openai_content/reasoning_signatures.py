"""OpenAI's reasoning in Gemini's thoughtSignature, and back.

A request that keeps nothing at OpenAI sends the model's reasoning back with its calls of functions,
so that the model can continue its thoughts. A thoughtSignature of the proxy has a prefix that marks
it as OpenAI's. It needs no protection from forgery, because only OpenAI can decrypt what is inside
(openai.md section 9).
"""

from base64 import b64decode, b64encode
from typing import Any, Final

from providers.json_api.answer_shape import text_or_none

_REASONING: Final = b"genai-ferry/openai/reasoning:"


def reasoning_signature(item: dict[str, Any]) -> str | None:
    """The signature of a reasoning item; None for one that cannot be sent back."""
    item_id, encrypted = text_or_none(item.get("id")), text_or_none(item.get("encrypted_content"))
    if not item_id or not encrypted:
        return None
    return b64encode(_REASONING + f"{item_id}:{encrypted}".encode()).decode()


def reasoning_item(part: dict[str, Any]) -> dict[str, Any] | None:
    """The reasoning item in a normalised part's thoughtSignature; None if it is not OpenAI's.

    Its summary is the text of the part, if the part is a thought.
    """
    carried = b64decode(part.get("thoughtSignature", ""))
    if not carried.startswith(_REASONING):
        return None
    try:
        item_id, _, encrypted = carried.removeprefix(_REASONING).decode().partition(":")
    except UnicodeDecodeError:
        return None
    if not item_id or not encrypted:
        return None  # an id alone could name another client's reasoning that OpenAI keeps
    text = part.get("text") if part.get("thought") else None
    return {
        "type": "reasoning",
        "id": item_id,
        "summary": [{"type": "summary_text", "text": text}] if text else [],
        "encrypted_content": encrypted,
    }
