"""Anthropic's file objects -> `File` (anthropic.md section 3)."""

from providers.json_api.answer_shape import count_or_none, text_or_none, time_or_none
from providers.json_api.client import Answer
from providers.resource_names import native_file_id
from providers.resources import File
from providers.uploads.file_records import FileRecord


def from_anthropic_file(native: Answer, record: FileRecord | None) -> File:
    """Read a file object. Its own names are used only for files that another tool uploaded."""
    names = record or FileRecord("")
    return File(
        id=native_file_id(native.id),
        display_name=names.display_name or text_or_none(native.get("filename")) or None,
        mime_type=names.mime_type or text_or_none(native.get("mime_type")) or None,
        size=count_or_none(native.get("size_bytes")),
        create_time=time_or_none(native.get("created_at")),
        expiration_time=time_or_none(native.get("expires_at")),
        downloadable=native.get("downloadable") is True,
    )
