from datetime import UTC, datetime
from typing import Any

import pytest

from providers.batches.file_batches.files import derived_file_name
from providers.credential import Caller, Credential
from providers.errors import FerryError
from providers.json_api.client import Answer
from providers.openai.files import (
    from_openai_file,
    is_listed,
    purpose_of,
)
from providers.resource_names import native_file_id
from providers.resources import FileState
from providers.upload import UploadStart
from providers.uploads.native_files import FileRecord

CALLER = Caller(Credential("k"), "tenant")
NATIVE: dict[str, Any] = {
    "id": "file-AbC",
    "bytes": 12,
    "created_at": 1_700_000_000,
    "expires_at": 1_700_000_060,
    "filename": "a.jsonl",
    "purpose": "batch",
    "status": "processed",
}


@pytest.mark.parametrize(
    ("start", "purpose"),
    [
        (UploadStart("a.txt", batch_input=True), "batch"),
        (UploadStart("a.png", batch_input=True), "batch"),
        (UploadStart("a.png"), "vision"),
        (UploadStart("a", "image/webp"), "vision"),
        (UploadStart("a", file_name="a.JPG"), "vision"),
        (UploadStart("a.pdf", "application/pdf"), "user_data"),
        (UploadStart("notes.txt", "text/plain"), "user_data"),
        (UploadStart(), "user_data"),
    ],
)
def test_a_purpose_by_what_the_file_is(start: UploadStart, purpose: str) -> None:
    assert purpose_of(CALLER, start) == purpose


def test_a_purpose_that_the_caller_gives() -> None:
    caller = Caller(Credential("k"), "tenant", {"x-ferry-openai-purpose": "evals"})
    assert purpose_of(caller, UploadStart("a.jsonl")) == "evals"
    caller = Caller(Credential("k"), "tenant", {"x-ferry-openai-purpose": "batch_output"})
    with pytest.raises(FerryError, match="assistants, batch"):
        purpose_of(caller, UploadStart("a.jsonl"))


def test_only_the_users_own_files_are_listed() -> None:
    name = derived_file_name("0123456789abcdef" * 2)
    assert not is_listed({"purpose": "batch", "filename": name})
    assert not is_listed({"purpose": "batch_output", "filename": "a"})
    for mine in ("ferry-1.jsonl", f"my-{name}", f"{name}.jsonl"):
        assert is_listed({"purpose": "batch", "filename": mine})
    assert is_listed({})


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


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("pending", FileState.PROCESSING),
        ("running", FileState.PROCESSING),
        ("Pending", FileState.PROCESSING),
        ("uploaded", FileState.ACTIVE),
        ("processed", FileState.ACTIVE),
        (None, FileState.ACTIVE),
    ],
)
def test_a_file_that_the_server_still_reads(status: str | None, state: FileState) -> None:
    assert from_openai_file(Answer(NATIVE | {"status": status}), None).state is state


def test_a_file_with_only_an_id() -> None:
    file = from_openai_file(Answer(id="a", bytes="many", created_at="then"), None)
    assert (file.size, file.create_time, file.display_name) == (None, None, None)
