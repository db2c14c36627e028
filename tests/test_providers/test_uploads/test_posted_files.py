import pytest

from providers.upload import UploadStart
from providers.uploads.posted_files import native_file_name, part_type, start_details


def test_details_have_no_empty_ones() -> None:
    details = start_details(UploadStart("a", expires_after=3600), staged="", purpose="p")
    assert details.keys() == {"display_name", "started", "expires_after", "purpose"}
    assert (details["display_name"], details["expires_after"]) == ("a", "3600")


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
def test_the_name_of_a_batch_file_ends_as_providers_require(name: str, native: str) -> None:
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
def test_a_content_type_that_a_provider_can_read(purpose: str, mime_type: str, sent: str) -> None:
    assert part_type({"purpose": purpose, "mime_type": mime_type}) == sent
    assert part_type({"purpose": "vision"}) == "application/octet-stream"
