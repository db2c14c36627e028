from datetime import UTC, datetime
from typing import Any

import pytest

from providers.json_api.client import Answer
from providers.openai.files import from_openai_file
from providers.resource_names import native_file_id
from providers.resources import FileState
from providers.uploads.file_records import FileRecord

NATIVE: dict[str, Any] = {
    "id": "file-AbC",
    "bytes": 12,
    "created_at": 1_700_000_000,
    "expires_at": 1_700_000_060,
    "filename": "a.jsonl",
    "purpose": "batch",
    "status": "processed",
}


def test_a_file_with_its_record() -> None:
    file = from_openai_file(Answer(NATIVE), FileRecord("s", "dn", "jsonl"))
    assert file.id == native_file_id("file-AbC")
    assert (file.display_name, file.mime_type) == ("dn", "jsonl")
    assert (file.size, file.state, file.downloadable) == (12, FileState.ACTIVE, True)
    assert file.create_time == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert file.expiration_time == datetime(2023, 11, 14, 22, 14, 20, tzinfo=UTC)


def test_a_file_of_another_tool() -> None:
    file = from_openai_file(Answer(NATIVE | {"purpose": "user_data", "expires_at": None}), None)
    assert (file.display_name, file.mime_type, file.expiration_time) == ("a.jsonl", None, None)
    assert not file.downloadable


def test_a_file_without_a_display_name_has_none() -> None:
    assert from_openai_file(Answer(NATIVE), FileRecord("s")).display_name is None


@pytest.mark.parametrize("details", [None, "bad image"])
def test_a_file_that_failed_says_why(details: str | None) -> None:
    file = from_openai_file(Answer(NATIVE | {"status": "error", "status_details": details}), None)
    assert file.state is FileState.FAILED
    assert file.error == (details or "the provider says: error")


def test_a_file_with_only_an_id() -> None:
    file = from_openai_file(Answer(id="a", bytes="many", created_at="then"), None)
    assert (file.size, file.create_time, file.display_name) == (None, None, None)
