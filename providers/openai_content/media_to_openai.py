"""Gemini's inlineData and fileData -> content parts of an OpenAI user message."""

from typing import Any, Final

from providers.gemini_content.media import (
    IMAGES,
    PDF,
    FileIds,
    bare_type,
    drop_name,
    require_blob,
    require_web_address,
    unsupported_type,
)
from providers.gemini_content.warnings import Warnings

_AUDIO_FORMATS: Final = {
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/wave": "wav",
    "audio/mp3": "mp3",
    "audio/mpeg": "mp3",
}


def to_openai_inline_media(blob: dict[str, Any], path: str, warnings: Warnings) -> dict[str, Any]:
    """Translate the Blob at `path`: an image, a PDF, or WAV or MP3 audio."""
    require_blob(blob, path)
    mime_type, data = bare_type(blob), blob["data"]
    if mime_type == PDF:
        name = blob.get("displayName") or "document.pdf"
        return _file({"filename": name, "file_data": f"data:{PDF};base64,{data}"})
    drop_name(blob, path, warnings)
    if mime_type in IMAGES:
        return _image(f"data:{IMAGES[mime_type]};base64,{data}")
    if mime_type in _AUDIO_FORMATS:
        return {
            "type": "input_audio",
            "input_audio": {"data": data, "format": _AUDIO_FORMATS[mime_type]},
        }
    raise unsupported_type(
        path, "OpenAI", "PNG, JPEG, GIF and WebP images, PDF, and WAV and MP3 audio"
    )


def to_openai_file_media(
    file_data: dict[str, Any], path: str, warnings: Warnings, file_ids: FileIds
) -> dict[str, Any]:
    """Translate the FileData at `path`: a PDF file at OpenAI, or an image on the web."""
    uri = file_data.get("fileUri", "")
    mime_type = bare_type(file_data)
    drop_name(file_data, path, warnings)
    file_id = file_ids(uri)
    if file_id is not None:
        # OpenAI keeps no content type, so a client may not know it.
        if mime_type not in ("", PDF):
            takes = "only PDF as a file; send an image as inlineData, and text as a text part"
            raise unsupported_type(path, "OpenAI", takes)
        return _file({"file_id": file_id})
    require_web_address(uri, path)
    if mime_type not in IMAGES:
        raise unsupported_type(path, "OpenAI", "PNG, JPEG, GIF and WebP images by web address")
    return _image(uri)


def _image(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


def _file(file: dict[str, Any]) -> dict[str, Any]:
    return {"type": "file", "file": file}
