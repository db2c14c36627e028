import pytest

from providers.batches.file_batches.input_files import derived_file_name
from providers.credential import Caller, Credential
from providers.errors import FerryError
from providers.openai.file_naming import (
    is_listed,
    native_file_name,
    part_type,
    purpose_of,
)
from providers.upload import UploadStart

CALLER = Caller(Credential("k"), "tenant")


@pytest.mark.parametrize(
    ("display_name", "mime_type", "purpose"),
    [
        ("a.jsonl", None, "batch"),
        ("a.JSONL", None, "batch"),
        ("a.ndjson", "application/octet-stream", "batch"),
        ("batch_input", "jsonl", "batch"),
        ("a", "application/json", "batch"),
        ("a", "Text/Plain; charset=utf-8", "batch"),
        ("a.png", None, "vision"),
        ("a", "image/webp", "vision"),
        ("a.pdf", "application/pdf", "user_data"),
        (None, None, "user_data"),
    ],
)
def test_a_purpose_by_name_and_type(
    display_name: str | None, mime_type: str | None, purpose: str
) -> None:
    assert purpose_of(CALLER, UploadStart(display_name, mime_type)) == purpose


def test_a_purpose_by_the_name_on_disk() -> None:
    assert purpose_of(CALLER, UploadStart("notes", file_name="a.jsonl")) == "batch"


def test_a_purpose_that_the_caller_gives() -> None:
    caller = Caller(Credential("k"), "tenant", {"x-ferry-openai-purpose": "evals"})
    assert purpose_of(caller, UploadStart("a.jsonl")) == "evals"
    caller = Caller(Credential("k"), "tenant", {"x-ferry-openai-purpose": "batch_output"})
    with pytest.raises(FerryError, match="assistants, batch"):
        purpose_of(caller, UploadStart("a.jsonl"))


@pytest.mark.parametrize(
    ("name", "native"),
    [
        ("a.jsonl", "a.jsonl"),
        ("a.json", "a.json.jsonl"),
        ("a.JSONL", "a.JSONL.jsonl"),
        ("a", "a.jsonl"),
        (".jsonl", ".jsonl"),
        ("a/b\\c\n\x00\ud800.jsonl", "a_b_c___.jsonl"),
        ("漢字.jsonl", "漢字.jsonl"),
        ("", "upload.jsonl"),
    ],
)
def test_the_name_of_a_batch_file_ends_as_openai_requires(name: str, native: str) -> None:
    assert native_file_name(UploadStart(name), "batch") == native


def test_another_files_name_stays() -> None:
    assert native_file_name(UploadStart(None, file_name="a.json"), "user_data") == "a.json"


@pytest.mark.parametrize(
    ("purpose", "mime_type", "sent"),
    [
        ("batch", "text/plain", "application/jsonl"),
        ("vision", "image/png", "image/png"),
        ("user_data", "jsonl", "application/octet-stream"),
        ("user_data", "a/b\r\nX: 1", "application/octet-stream"),
        ("user_data", "é/b", "application/octet-stream"),
    ],
)
def test_a_content_type_that_openai_can_read(purpose: str, mime_type: str, sent: str) -> None:
    assert part_type({"purpose": purpose, "mime_type": mime_type}) == sent
    assert part_type({"purpose": "vision"}) == "application/octet-stream"


def test_only_the_users_own_files_are_listed() -> None:
    name = derived_file_name("0123456789abcdef" * 2)
    assert not is_listed({"purpose": "batch", "filename": name})
    assert not is_listed({"purpose": "batch_output", "filename": "a"})
    for mine in ("ferry-1.jsonl", f"my-{name}", f"{name}.jsonl"):
        assert is_listed({"purpose": "batch", "filename": mine})
    assert is_listed({})
