from base64 import b64encode
from typing import Any

import pytest

from providers.gemini_content.media import INLINE
from tests.test_providers.test_claude_content.translate import (
    FILES,
    dropped,
    message,
    refusal,
    user,
)

(_KNOWN,) = FILES


def _block(**media: Any) -> Any:
    (block,) = message(contents=[user(media)])["messages"][0]["content"]
    return block


def _base64(words: str | bytes) -> str:
    return b64encode(words if isinstance(words, bytes) else words.encode()).decode()


@pytest.mark.parametrize(
    ("mime_type", "media_type"),
    [
        ("image/png", "image/png"),
        ("image/jpeg", "image/jpeg"),
        ("image/jpg", "image/jpeg"),
        ("image/gif", "image/gif"),
        ("Image/WebP; q=1", "image/webp"),
    ],
)
def test_an_inline_image(mime_type: str, media_type: str) -> None:
    assert _block(inlineData={"mime_type": mime_type, "data": "__79-w"}) == {
        "type": "image",
        "source": {"type": "base64", "media_type": media_type, "data": "//79+w=="},
    }


@pytest.mark.parametrize(("name", "title"), [(None, {}), ("", {}), ("Paper", {"title": "Paper"})])
def test_an_inline_pdf(name: str | None, title: dict[str, str]) -> None:
    blob = {"mimeType": "application/pdf", "data": "AAAA", "displayName": name}
    source = {"type": "base64", "media_type": "application/pdf", "data": "AAAA"}
    assert _block(inlineData=blob) == {"type": "document", "source": source} | title
    assert dropped(contents=[user({"inlineData": blob})]) == ""


@pytest.mark.parametrize(
    ("field", "media"),
    [
        ("inlineData", {"mimeType": "application/pdf", "data": "AAAA"}),
        ("inlineData", {"mimeType": "text/plain", "data": "AAAA"}),
        ("fileData", {"mimeType": "application/pdf", "fileUri": _KNOWN}),
    ],
)
def test_a_name_that_is_too_long_for_a_title_is_dropped(field: str, media: dict[str, Any]) -> None:
    longest = {field: media | {"displayName": "n" * 500}}
    assert _block(**longest)["title"] == "n" * 500
    assert dropped(contents=[user(longest)]) == ""
    longer = {field: media | {"displayName": "n" * 501}}
    assert "title" not in _block(**longer)
    warning = f"request.contents[*].parts[*].{field}.displayName;count=1"
    assert dropped(contents=[user(longer)]) == warning


@pytest.mark.parametrize(
    ("mime_type", "warnings"),
    [
        ("text/plain", ""),
        ("text/plain; charset=utf-8", ""),
        ("text/csv", "request.contents[*].parts[*].inlineData.mimeType;count=1"),
    ],
)
def test_an_inline_text_is_a_document(mime_type: str, warnings: str) -> None:
    blob = {"mimeType": mime_type, "data": _base64("Grüße"), "displayName": "a.txt"}
    assert _block(inlineData=blob) == {
        "type": "document",
        "source": {"type": "text", "media_type": "text/plain", "data": "Grüße"},
        "title": "a.txt",
    }
    assert dropped(contents=[user({"inlineData": blob})]) == warnings


@pytest.mark.parametrize("data", [b"\xff\xfe", b"", b" \n"])
def test_an_invalid_inline_text(data: bytes) -> None:
    error = refusal(
        contents=[user({"inlineData": {"mimeType": "text/plain", "data": _base64(data)}})]
    )
    assert error.path == "request.contents[0].parts[0].inlineData.data"


@pytest.mark.parametrize(
    "mime_type", ["image/bmp", "audio/wav", "video/mp4", "application/json", ""]
)
def test_other_inline_media_is_refused(mime_type: str) -> None:
    error = refusal(contents=[user({"inlineData": {"mimeType": mime_type, "data": "AAAA"}})])
    assert error.path == "request.contents[0].parts[0].inlineData.mimeType"


@pytest.mark.parametrize("missing", ["mimeType", "data"])
def test_inline_media_without_its_type_or_data(missing: str) -> None:
    blob = {"mimeType": "image/png", "data": "AAAA"}
    del blob[missing]
    error = refusal(contents=[user({"inlineData": blob})])
    assert error.path == f"request.contents[0].parts[0].inlineData.{missing}"


@pytest.mark.parametrize(
    ("mime_type", "block"),
    [
        ("image/png", "image"),
        ("image/jpg", "image"),
        ("application/pdf", "document"),
        ("text/plain", "document"),
    ],
)
def test_a_file_of_this_provider(mime_type: str, block: str) -> None:
    assert _block(fileData={"file_uri": _KNOWN, "mime_type": mime_type}) == {
        "type": block,
        "source": {"type": "file", "file_id": "file_1"},
    }


@pytest.mark.parametrize(
    ("mime_type", "block"), [("image/png", "image"), ("application/pdf", "document")]
)
def test_a_file_on_the_web(mime_type: str, block: str) -> None:
    uri = "https://example.com/a"
    assert _block(fileData={"fileUri": uri, "mimeType": mime_type}) == {
        "type": block,
        "source": {"type": "url", "url": uri},
    }


@pytest.mark.parametrize(
    ("uri", "mime_type", "field"),
    [
        (_KNOWN, None, "mimeType"),
        (_KNOWN, "text/csv", "mimeType"),
        (_KNOWN, "video/mp4", "mimeType"),
        ("https://example.com/a.txt", "text/plain", "mimeType"),
        ("https://www.youtube.com/watch?v=1", None, "mimeType"),
        ("gs://bucket/a.png", "image/png", "fileUri"),
        ("files/unknown", "application/pdf", "fileUri"),
        (None, "application/pdf", "fileUri"),
    ],
)
def test_files_that_anthropic_cannot_read(
    uri: str | None, mime_type: str | None, field: str
) -> None:
    error = refusal(contents=[user({"fileData": {"fileUri": uri, "mimeType": mime_type}})])
    assert error.path == f"request.contents[0].parts[0].fileData.{field}"


@pytest.mark.parametrize(
    ("uri", "mime_type", "message"),
    [
        (
            _KNOWN,
            "text/markdown",
            "Anthropic takes application/pdf, text/plain, image/png, image/jpeg, image/jpg, "
            f"image/gif, image/webp as a file; send other text {INLINE}",
        ),
        (
            "https://example.com/a.txt",
            "text/plain",
            "Anthropic takes application/pdf, image/png, image/jpeg, image/jpg, image/gif, "
            f"image/webp by web address; send other text {INLINE}",
        ),
    ],
)
def test_a_text_file_is_refused_with_what_would_be_right(
    uri: str, mime_type: str, message: str
) -> None:
    error = refusal(contents=[user({"fileData": {"fileUri": uri, "mimeType": mime_type}})])
    assert error.message.endswith(f"mimeType: {message}")


@pytest.mark.parametrize("uri", [_KNOWN, "https://example.com/a.txt"])
def test_a_file_without_a_type_is_refused_with_what_is_missing(uri: str) -> None:
    error = refusal(contents=[user({"fileData": {"fileUri": uri}})])
    assert "mimeType must say which it is" in error.message


@pytest.mark.parametrize(
    ("media", "warns"),
    [
        ({"inlineData": {"mimeType": "image/png", "data": "AAAA", "displayName": "n"}}, True),
        ({"fileData": {"fileUri": _KNOWN, "mimeType": "image/png", "displayName": "n"}}, True),
        (
            {"fileData": {"fileUri": _KNOWN, "mimeType": "application/pdf", "displayName": "n"}},
            False,
        ),
    ],
)
def test_an_images_name_is_dropped(media: dict[str, Any], warns: bool) -> None:
    (field,) = media
    warning = f"request.contents[*].parts[*].{field}.displayName;count=1"
    assert dropped(contents=[user(media)]) == (warning if warns else "")
    assert ("title" in _block(**media)) is not warns
