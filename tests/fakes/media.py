"""How a fake model shows that it got an image or a document."""

import base64
import hashlib

URL_SAFE = str.maketrans("-_", "+/")


def seen(data: str) -> str:
    """The start of the SHA-256 of what `data` holds, in base64 of either alphabet."""
    standard = data.translate(URL_SAFE)
    content = base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    return f"[{hashlib.sha256(content).hexdigest()[:12]}]"


def seen_at(url: str) -> str:
    """Of a `data:` URL; nothing of another one, which a fake does not fetch."""
    return seen(url.partition(";base64,")[2]) if url.startswith("data:") else ""
