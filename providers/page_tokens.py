"""Page tokens made of the native id after which a page goes on."""

import base64
import binascii

from providers.errors import invalid_argument
from providers.resource_names import NATIVE_ID


def encode_page_token(after: str) -> str:
    return base64.urlsafe_b64encode(after.encode()).rstrip(b"=").decode()


def decode_page_token(token: str) -> str:
    """Raises INVALID_ARGUMENT for what is no token of ours."""
    try:
        padded = token + "=" * (-len(token) % 4)
        after = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, UnicodeError, ValueError):
        after = ""
    if not NATIVE_ID.fullmatch(after):
        raise invalid_argument("not a page token of this list", path="pageToken")
    return after
