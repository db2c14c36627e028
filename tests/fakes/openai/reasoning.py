"""What a reasoning model thought, encrypted for the client that sends it back."""

import hashlib
import hmac
import re
from base64 import b64encode
from typing import Any

from ..shape import ShapeError

SECRET = b"only-the-fake-OpenAI-knows-this"
MODEL = re.compile(r"o\d.*|gpt-5.*|codex.*")


def reasons(model: str) -> bool:
    return MODEL.fullmatch(model) is not None


def reasoning_item(item_id: str, text: str, *, shown: bool) -> dict[str, Any]:
    """With a summary of it if that is `shown`."""
    summary = [{"type": "summary_text", "text": text}] if shown else []
    return {
        "id": item_id,
        "type": "reasoning",
        "summary": summary,
        "encrypted_content": _encrypted(item_id),
    }


def check_reasoning(item: dict[str, Any], path: str) -> None:
    """Raises ShapeError for one that does not come from here, or not whole."""
    if item.get("encrypted_content") is None:
        text = f"Item with id '{item['id']}' not found. Items are not persisted with `store` false."
        raise ShapeError("value", path, text)
    if item["encrypted_content"] != _encrypted(item["id"]):
        text = f"The encrypted content for item {item['id']} could not be verified."
        raise ShapeError("value", f"{path}.encrypted_content", text)


def _encrypted(item_id: str) -> str:
    return "gAAA" + b64encode(hmac.digest(SECRET, item_id.encode(), hashlib.sha256)).decode()
