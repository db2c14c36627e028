"""Gemini's inlineData and fileData -> Anthropic's image and document blocks."""

from base64 import b64decode
from typing import Any, Final

from providers.errors import invalid_argument
from providers.gemini_content.json_path import member
from providers.gemini_content.media import (
    IMAGES,
    INLINE,
    PDF,
    FileIds,
    bare_type,
    drop_name,
    image_type,
    require_blob,
    require_web_address,
    unsupported_type,
)
from providers.gemini_content.warnings import Warnings

_PLAIN: Final = "text/plain"
_TITLE_CHARACTERS: Final = 500


def to_anthropic_inline_media(
    blob: dict[str, Any], path: str, warnings: Warnings
) -> dict[str, Any]:
    """Translate the Blob at `path`: an image, or a PDF or text, which become documents."""
    require_blob(blob, path)
    mime_type, data = bare_type(blob), blob["data"]
    if mime_type in IMAGES:
        drop_name(blob, path, warnings)
        kind = image_type(blob, path, warnings)
        source = {"type": "base64", "media_type": kind, "data": data}
        return {"type": "image", "source": source}
    if mime_type == PDF:
        source = {"type": "base64", "media_type": PDF, "data": data}
        return _document(source, blob, path, warnings)
    if mime_type.startswith("text/"):
        if mime_type != _PLAIN:
            warnings.drop(member(path, "mimeType"))  # Anthropic takes text as text/plain only
        source = {"type": "text", "media_type": _PLAIN, "data": _text(data, path)}
        return _document(source, blob, path, warnings)
    raise unsupported_type(path, "Anthropic", "PNG, JPEG, GIF and WebP images, PDF, and text")


def to_anthropic_file_media(
    file_data: dict[str, Any], path: str, warnings: Warnings, file_ids: FileIds
) -> dict[str, Any]:
    """Translate the FileData at `path`: a file at Anthropic, or one on the web.

    Its type is required, because images and documents are different blocks.
    """
    uri = file_data.get("fileUri", "")
    file_id = file_ids(uri, member(path, "fileUri"))
    documents: tuple[str, ...] = (PDF,) if file_id is None else (PDF, _PLAIN)
    if file_id is None:
        require_web_address(uri, path)
        source, way = {"type": "url", "url": uri}, "by web address"
    else:
        source, way = {"type": "file", "file_id": file_id}, "as a file"
    mime_type = bare_type(file_data)
    if mime_type in IMAGES:
        drop_name(file_data, path, warnings)
        return {"type": "image", "source": source}
    if mime_type in documents:
        return _document(source, file_data, path, warnings)
    kinds = ", ".join([*documents, *IMAGES])
    text = mime_type.startswith("text/")
    instead = f"send other text {INLINE}" if text else "mimeType must say which it is"
    raise unsupported_type(path, "Anthropic", f"{kinds} {way}; {instead}")


def _document(
    source: dict[str, Any], media: dict[str, Any], path: str, warnings: Warnings
) -> dict[str, Any]:
    document = {"type": "document", "source": source}
    name = media.get("displayName")
    if name and len(name) <= _TITLE_CHARACTERS:
        return document | {"title": name}
    if name:
        drop_name(media, path, warnings)
    return document


def _text(data: str, path: str) -> str:
    try:
        text = b64decode(data).decode()
    except UnicodeDecodeError:
        raise invalid_argument("must be UTF-8", path=member(path, "data")) from None
    if not text.strip():
        raise invalid_argument("has no text", path=member(path, "data"))
    return text
