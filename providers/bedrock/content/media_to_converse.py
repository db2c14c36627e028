"""Gemini's inlineData and fileData -> image, document, audio and video blocks of Converse."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from providers.bedrock.content.bedrock_models import ModelFamily
from providers.errors import invalid_argument
from providers.gemini_content.content_parts import ContentPart
from providers.gemini_content.json_path import member
from providers.gemini_content.media import (
    INLINE,
    bare_type,
    drop_name,
    image_type,
    require_blob,
    unsupported_type,
)
from providers.gemini_content.warnings import Warnings

MediaUri: TypeAlias = Callable[[str, str], str | None]
"""The `s3://` URI of a file of this proxy, from its URI or name here and the JSON path that names
it; None for any other file."""

# MIME types and formats of botocore's ImageBlock, DocumentBlock, AudioBlock and VideoBlock. Audio
# without a header (pcm) does not state its sample rate and is left out.
_FORMATS: Final[Mapping[str, Mapping[str, str]]] = {
    "image": {
        "image/png": "png",
        "image/jpeg": "jpeg",
        "image/jpg": "jpeg",
        "image/gif": "gif",
        "image/webp": "webp",
    },
    "document": {
        "application/pdf": "pdf",
        "application/msword": "doc",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
        "application/vnd.ms-excel": "xls",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
        "text/plain": "txt",
        "text/markdown": "md",
        "text/html": "html",
        "text/csv": "csv",
    },
    "audio": {
        "audio/wav": "wav",
        "audio/x-wav": "wav",
        "audio/wave": "wav",
        "audio/mp3": "mp3",
        "audio/mpeg": "mp3",
        "audio/aac": "aac",
        "audio/flac": "flac",
        "audio/ogg": "ogg",
        "audio/opus": "opus",
        "audio/mp4": "mp4",
        "audio/m4a": "m4a",
        "audio/webm": "webm",
    },
    "video": {
        "video/mp4": "mp4",
        "video/quicktime": "mov",
        "video/mov": "mov",
        "video/x-matroska": "mkv",
        "video/webm": "webm",
        "video/x-flv": "flv",
        "video/mpeg": "mpeg",
        "video/mpg": "mpg",
        "video/wmv": "wmv",
        "video/x-ms-wmv": "wmv",
        "video/3gpp": "three_gp",
    },
}
_BLOCK_OF: Final = {mime: block for block, formats in _FORMATS.items() for mime in formats}
# translation.md section 1: Claude reads images and documents. Other models decide themselves.
_CLAUDE_BLOCKS: Final = ("image", "document")


class ConverseMedia:
    """Translates the media of one request; documents are named by their number."""

    def __init__(self, family: ModelFamily, warnings: Warnings, media_uri: MediaUri) -> None:
        self._blocks = _CLAUDE_BLOCKS if family is ModelFamily.CLAUDE else tuple(_FORMATS)
        self._warnings = warnings
        self._media_uri = media_uri
        self._documents = 0

    def block(self, part: ContentPart) -> dict[str, Any]:
        """Translate an inlineData or fileData. Raises INVALID_ARGUMENT for unreadable media."""
        media = part.value
        if part.field == "inlineData":
            require_blob(media, part.path)
            source: dict[str, Any] = {"bytes": media["data"]}
        else:
            source = {"s3Location": {"uri": self._uri(media.get("fileUri", ""), part.path)}}
        drop_name(media, part.path, self._warnings)
        name, media_format = self._block_and_format(media, part.path)
        if name == "image" and "bytes" in source:
            media_format = _FORMATS[name][image_type(media, part.path, self._warnings)]
        if name != "document":
            return {name: {"format": media_format, "source": source}}
        self._documents += 1
        # The model might read a client's name as an instruction (botocore: DocumentBlock.name).
        neutral = f"document-{self._documents}"
        return {name: {"format": media_format, "name": neutral, "source": source}}

    def _uri(self, uri: str, path: str) -> str:
        field_path = member(path, "fileUri")
        found = self._media_uri(uri, field_path)
        if found is None:
            raise invalid_argument(
                "is not a file of this provider, and Bedrock reads no others; upload the file, or "
                f"send it {INLINE}",
                path=field_path,
            )
        return found

    def _block_and_format(self, media: dict[str, Any], path: str) -> tuple[str, str]:
        mime_type = bare_type(media)
        block = _BLOCK_OF.get(mime_type)
        if block in self._blocks:
            return block, _FORMATS[block][mime_type]
        if block is None and mime_type.startswith("text/"):
            self._warnings.drop(member(path, "mimeType"))  # Converse has no format for this text
            return "document", "txt"
        known = [mime for mime, block in _BLOCK_OF.items() if block in self._blocks]
        raise unsupported_type(path, "Bedrock", f"{', '.join(known)} and other text here")
