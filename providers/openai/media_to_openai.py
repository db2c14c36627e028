"""Gemini's inlineData and fileData -> content parts of an OpenAI user message."""

from collections.abc import Callable
from typing import Any, Final

from providers.errors import FerryError, invalid_argument
from providers.gemini_content.json_path import member
from providers.gemini_content.warnings import Warnings

_PDF: Final = "application/pdf"
_IMAGES: Final = {
    "image/png": "image/png",
    "image/jpeg": "image/jpeg",
    "image/jpg": "image/jpeg",
    "image/gif": "image/gif",
    "image/webp": "image/webp",
}
_AUDIO_FORMATS: Final = {
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/wave": "wav",
    "audio/mp3": "mp3",
    "audio/mpeg": "mp3",
}


def to_openai_inline_media(blob: dict[str, Any], path: str, warnings: Warnings) -> dict[str, Any]:
    """Translate the Blob at `path`: an image, a PDF, or WAV or MP3 audio."""
    for required in ("mimeType", "data"):
        if required not in blob:
            raise invalid_argument("is required", path=member(path, required))
    mime_type, data = _bare(blob["mimeType"]), blob["data"]
    if mime_type == _PDF:
        name = blob.get("displayName") or "document.pdf"
        return _file({"filename": name, "file_data": f"data:{_PDF};base64,{data}"})
    _drop_name(blob, path, warnings)
    if mime_type in _IMAGES:
        return _image(f"data:{_IMAGES[mime_type]};base64,{data}")
    if mime_type in _AUDIO_FORMATS:
        return {
            "type": "input_audio",
            "input_audio": {"data": data, "format": _AUDIO_FORMATS[mime_type]},
        }
    raise _unsupported(path, "PNG, JPEG, GIF and WebP images, PDF, and WAV and MP3 audio")


def to_openai_file_media(
    file_data: dict[str, Any],
    path: str,
    warnings: Warnings,
    file_ids: Callable[[str], str | None],
) -> dict[str, Any]:
    """Translate the FileData at `path`: a PDF among OpenAI's files, or an image on the web."""
    uri = file_data.get("fileUri", "")
    mime_type = _bare(file_data.get("mimeType", ""))
    _drop_name(file_data, path, warnings)
    file_id = file_ids(uri)
    if file_id is not None:
        # OpenAI keeps no content type, so a client that only knows the file cannot give one.
        if mime_type not in ("", _PDF):
            raise _unsupported(path, "PDF by file; an image must be sent as inlineData")
        return _file({"file_id": file_id})
    if not uri.lower().startswith(("http://", "https://")):
        raise invalid_argument(
            "is neither a file of this provider nor a web address", path=member(path, "fileUri")
        )
    if mime_type not in _IMAGES:
        raise _unsupported(path, "PNG, JPEG, GIF and WebP images by web address")
    return _image(uri)


def _bare(mime_type: str) -> str:
    return mime_type.partition(";")[0].strip().lower()


def _image(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


def _file(file: dict[str, Any]) -> dict[str, Any]:
    return {"type": "file", "file": file}


def _drop_name(media: dict[str, Any], path: str, warnings: Warnings) -> None:
    if "displayName" in media:
        warnings.drop(member(path, "displayName"))


def _unsupported(path: str, takes: str) -> FerryError:
    return invalid_argument(f"OpenAI takes {takes}", path=member(path, "mimeType"))
