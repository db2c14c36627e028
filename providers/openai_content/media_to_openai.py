"""Gemini's inlineData and fileData -> content parts of an OpenAI user message."""

from typing import Any

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
from providers.openai_content.dialect import Dialect, Part


def to_openai_inline_media(
    blob: dict[str, Any], path: str, warnings: Warnings, dialect: Dialect
) -> Part:
    """Translate the Blob at `path`."""
    require_blob(blob, path)
    make_part = dialect.inline_media.get(bare_type(blob))
    if make_part is None:
        takes = f"{dialect.takes}; send text as a text part"
        raise unsupported_type(path, dialect.provider, takes)
    return make_part(blob, path, warnings)


def to_openai_file_media(
    file_data: dict[str, Any], path: str, warnings: Warnings, file_ids: FileIds, dialect: Dialect
) -> Part:
    """Translate the FileData at `path`: a file at the provider, or one on the web."""
    uri = file_data.get("fileUri", "")
    mime_type = bare_type(file_data)
    drop_name(file_data, path, warnings)
    file_id = file_ids(uri, member(path, "fileUri"))
    if file_id is not None:
        return dialect.stored_file(mime_type, file_id, path)
    require_web_address(uri, path)
    make_part = dialect.web_media.get(mime_type)
    if make_part is None:
        takes = f"{dialect.takes_from_web} by web address"
        raise unsupported_type(path, dialect.provider, takes)
    return make_part(uri)


def inline_image(blob: dict[str, Any], path: str, warnings: Warnings) -> Part:
    drop_name(blob, path, warnings)
    return web_image(f"data:{image_type(blob, path, warnings)};base64,{blob['data']}")


def inline_pdf(blob: dict[str, Any], _path: str, _warnings: Warnings) -> Part:
    name = blob.get("displayName") or "document.pdf"
    return _file({"filename": name, "file_data": f"data:{PDF};base64,{blob['data']}"})


def inline_audio(blob: dict[str, Any], path: str, warnings: Warnings) -> Part:
    """WAV or MP3."""
    drop_name(blob, path, warnings)
    audio = {"data": blob["data"], "format": "wav" if "wav" in bare_type(blob) else "mp3"}
    return {"type": "input_audio", "input_audio": audio}


def stored_pdf(mime_type: str, file_id: str, path: str) -> Part:
    """A PDF at OpenAI, which keeps no content type, so a client may not know it."""
    if mime_type not in ("", PDF):
        takes = f"only PDF as a file; send text as a text part, and others {INLINE}"
        raise unsupported_type(path, "OpenAI", takes)
    return _file({"file_id": file_id})


def stored_image_or_pdf(mime_type: str, file_id: str, path: str) -> Part:
    """For /v1/responses. OpenAI keeps no content type: a file is an image only if it is named one.

    `image_file` is in no chat completion; `to_responses` rewrites it.
    """
    if mime_type in IMAGES:
        return {"type": "image_file", "file_id": file_id}
    return stored_pdf(mime_type, file_id, path)


def web_image(url: str) -> Part:
    return {"type": "image_url", "image_url": {"url": url}}


def web_pdf(url: str) -> Part:
    """Only for /v1/responses."""
    return _file({"file_url": url})


def _file(file: dict[str, Any]) -> Part:
    return {"type": "file", "file": file}
