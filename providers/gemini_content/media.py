"""What every provider's translation of inlineData and fileData shares."""

from base64 import b64decode
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from providers.errors import FerryError, invalid_argument
from providers.gemini_content.json_path import member
from providers.gemini_content.warnings import Warnings

FileIds: TypeAlias = Callable[[str, str], str | None]
"""The native id of a file from its URI or name here and their JSON path; None for other URIs."""

INLINE: Final = (
    "as inlineData (all of a call has at most FERRY_INLINE_MAX_BYTES, by default 20 MiB, and a "
    "line of a file FERRY_MAX_LINE_BYTES, by default 32 MiB)"
)
"""How else to send a file that a provider cannot read by its name, and the limits of that."""

PDF: Final = "application/pdf"
IMAGES: Final = {
    "image/png": "image/png",
    "image/jpeg": "image/jpeg",
    "image/jpg": "image/jpeg",
    "image/gif": "image/gif",
    "image/webp": "image/webp",
}


# How the base64 of images begins.
_IMAGE_STARTS: Final = {
    "iVBORw0KGgo": "image/png",
    "/9j/": "image/jpeg",
    "R0lGODdh": "image/gif",
    "R0lGODlh": "image/gif",
}
_RIFF: Final = "UklGR"


def bare_type(media: dict[str, Any]) -> str:
    """The media type without parameters, or "" if there is none."""
    mime_type: str = media.get("mimeType", "")
    return mime_type.partition(";")[0].strip().lower()


def image_type(blob: dict[str, Any], path: str, warnings: Warnings) -> str:
    """The type of the image in the Blob at `path`, which has a type of IMAGES.

    It is what the bytes say, since programs often name another: Claude refuses that, Gemini does
    not (anthropic.md section 4).
    """
    named = IMAGES[bare_type(blob)]
    data: str = blob["data"]
    found = next((kind for start, kind in _IMAGE_STARTS.items() if data.startswith(start)), named)
    if data.startswith(_RIFF) and b64decode(data[:16])[8:] == b"WEBP":
        found = "image/webp"
    if found != named:
        warnings.drop(member(path, "mimeType"))
    return found


def require_blob(blob: dict[str, Any], path: str) -> None:
    for required in ("mimeType", "data"):
        if required not in blob:
            raise invalid_argument("is required", path=member(path, required))
        if not blob[required]:
            raise invalid_argument("must not be empty", path=member(path, required))


def require_web_address(uri: str, path: str) -> None:
    if not uri.lower().startswith(("http://", "https://")):
        raise invalid_argument(
            "is neither a file of this provider nor a web address (http or https)",
            path=member(path, "fileUri"),
        )


def drop_name(media: dict[str, Any], path: str, warnings: Warnings) -> None:
    if "displayName" in media:
        warnings.drop(member(path, "displayName"))


def unsupported_type(path: str, provider: str, takes: str) -> FerryError:
    return invalid_argument(f"{provider} takes {takes}", path=member(path, "mimeType"))
