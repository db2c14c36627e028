"""The paths of the API (contract.md section 2), in any version.

Prefixes depend on the SDK and on how its user set `base_url`: `/v1/upload/v1beta/files`, doubled
versions, none (sdk-wire.md sections 1a and 6).
"""

import re
from typing import Final

PREFIX: Final = "/genai"
UPLOAD_TAIL: Final = "upload/files"
"""The end of every upload URL's path, without the version; the token is bound to it."""

_VERSION: Final = re.compile(r"v\d[a-z0-9]*")


def is_below_prefix(raw_path: str) -> bool:
    """Whether `raw_path` is below `/genai`."""
    return raw_path == PREFIX or raw_path.startswith(f"{PREFIX}/")


def effective_method(method: str) -> str:
    """A HEAD is a GET whose body is not sent (RFC 9110 section 9.3.2)."""
    return "GET" if method == "HEAD" else method


def split_prefix(path: str) -> tuple[str, str, str]:
    """The last version; `upload`, `download` or nothing; and the rest of the path."""
    version = service = ""
    segments = path.lstrip("/").split("/")
    while segments:
        if _VERSION.fullmatch(segments[0]):
            version = segments[0]
        elif segments[0] in ("upload", "download") and not service:
            service = segments[0]
        elif segments[0]:
            break
        segments.pop(0)
    return version, service, "/".join(segments)
