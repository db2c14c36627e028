"""OpenAI's file objects -> `File`, with the recorded names that OpenAI has no field for."""

from providers.json_api.answer_shape import count_or_none, text_or_none
from providers.json_api.client import Answer
from providers.json_api.unix_time import from_unix
from providers.resource_names import native_file_id
from providers.resources import File, FileState
from providers.uploads.file_records import FileRecord


def from_openai_file(native: Answer, record: FileRecord | None) -> File:
    """Read a file object (openai.md section 2). Without a record its file name is its display name.

    OpenAI keeps no content type, so files of other tools have none.
    """
    names = record or FileRecord("", text_or_none(native.get("filename")) or "")
    failed = native.get("status") == "error"
    return File(
        id=native_file_id(native.id),
        display_name=names.display_name or None,
        mime_type=names.mime_type or None,
        size=count_or_none(native.get("bytes")),
        create_time=from_unix(native.get("created_at")),
        expiration_time=from_unix(native.get("expires_at")),
        state=FileState.FAILED if failed else FileState.ACTIVE,
        error=str(native.get("status_details") or "the provider says: error") if failed else None,
        downloadable=native.get("purpose") in ("batch", "batch_output"),
    )
