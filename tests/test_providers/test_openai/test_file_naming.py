import pytest

from providers.batches.file_batches.files import derived_file_name
from providers.credential import Caller, Credential
from providers.errors import FerryError
from providers.openai.file_naming import (
    is_listed,
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


def test_only_the_users_own_files_are_listed() -> None:
    name = derived_file_name("0123456789abcdef" * 2)
    assert not is_listed({"purpose": "batch", "filename": name})
    assert not is_listed({"purpose": "batch_output", "filename": "a"})
    for mine in ("ferry-1.jsonl", f"my-{name}", f"{name}.jsonl"):
        assert is_listed({"purpose": "batch", "filename": mine})
    assert is_listed({})
