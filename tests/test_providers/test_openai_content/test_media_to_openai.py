from typing import Any

import pytest

from providers.gemini_content.media import INLINE
from tests.test_providers.test_openai_content.translate import FILES, chat, dropped, refusal, user

(_KNOWN,) = FILES


def _part(**media: Any) -> Any:
    (content,) = chat(contents=[user(media)])["messages"][0]["content"]
    return content


def _image(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


def _audio(audio_format: str) -> dict[str, Any]:
    return {"type": "input_audio", "input_audio": {"data": "AAAA", "format": audio_format}}


@pytest.mark.parametrize(
    ("mime_type", "part"),
    [
        ("image/png", _image("data:image/png;base64,AAAA")),
        ("image/jpeg", _image("data:image/jpeg;base64,AAAA")),
        ("image/jpg", _image("data:image/jpeg;base64,AAAA")),
        ("image/gif", _image("data:image/gif;base64,AAAA")),
        ("Image/WebP; q=1", _image("data:image/webp;base64,AAAA")),
        ("audio/wav", _audio("wav")),
        ("audio/x-wav", _audio("wav")),
        ("audio/mp3", _audio("mp3")),
        ("audio/mpeg", _audio("mp3")),
    ],
)
def test_inline_media(mime_type: str, part: dict[str, Any]) -> None:
    assert _part(inlineData={"mime_type": mime_type, "data": "AAAA"}) == part


@pytest.mark.parametrize(
    ("name", "filename"), [(None, "document.pdf"), ("", "document.pdf"), ("My paper", "My paper")]
)
def test_an_inline_pdf(name: str | None, filename: str) -> None:
    blob = {"mimeType": "application/pdf", "data": "AAAA", "displayName": name}
    assert _part(inlineData=blob) == {
        "type": "file",
        "file": {"filename": filename, "file_data": "data:application/pdf;base64,AAAA"},
    }
    assert dropped(contents=[user({"inlineData": blob})]) == ""


@pytest.mark.parametrize(
    "mime_type", ["image/bmp", "image/heic", "text/plain", "video/mp4", "audio/flac", ""]
)
def test_other_inline_media_is_refused(mime_type: str) -> None:
    error = refusal(contents=[user({"inlineData": {"mimeType": mime_type, "data": "AAAA"}})])
    assert error.path == "request.contents[0].parts[0].inlineData.mimeType"


def test_inline_text_is_refused_with_what_would_be_right() -> None:
    error = refusal(contents=[user({"inlineData": {"mimeType": "text/plain", "data": "AAAA"}})])
    assert error.message.endswith("and WAV and MP3 audio; send text as a text part")


@pytest.mark.parametrize("missing", ["mimeType", "data"])
def test_inline_media_without_its_type_or_data(missing: str) -> None:
    blob = {"mimeType": "image/png", "data": "AAAA"}
    del blob[missing]
    error = refusal(contents=[user({"inlineData": blob})])
    assert error.path == f"request.contents[0].parts[0].inlineData.{missing}"


@pytest.mark.parametrize("mime_type", [None, "application/pdf"])
def test_a_file_of_this_provider(mime_type: str | None) -> None:
    part = _part(fileData={"file_uri": _KNOWN, "mime_type": mime_type})
    assert part == {"type": "file", "file": {"file_id": "file-1"}}


def test_an_image_on_the_web() -> None:
    part = _part(fileData={"fileUri": "https://example.com/a.png", "mimeType": "image/png"})
    assert part == _image("https://example.com/a.png")


@pytest.mark.parametrize(
    ("uri", "mime_type", "field"),
    [
        (_KNOWN, "image/png", "mimeType"),
        (_KNOWN, "text/plain", "mimeType"),
        ("https://example.com/a.pdf", "application/pdf", "mimeType"),
        ("https://www.youtube.com/watch?v=1", None, "mimeType"),
        ("gs://bucket/a.png", "image/png", "fileUri"),
        ("files/unknown", "application/pdf", "fileUri"),
        (None, "application/pdf", "fileUri"),
    ],
)
def test_files_that_openai_cannot_read(uri: str | None, mime_type: str | None, field: str) -> None:
    error = refusal(contents=[user({"fileData": {"fileUri": uri, "mimeType": mime_type}})])
    assert error.path == f"request.contents[0].parts[0].fileData.{field}"


def test_a_text_file_is_refused_with_what_would_be_right() -> None:
    error = refusal(contents=[user({"fileData": {"fileUri": _KNOWN, "mimeType": "text/plain"}})])
    assert error.message == (
        "request.contents[0].parts[0].fileData.mimeType: OpenAI takes only PDF as a file; "
        f"send text as a text part, and others {INLINE}"
    )


@pytest.mark.parametrize(
    "media",
    [
        {"inlineData": {"mimeType": "image/png", "data": "AAAA", "displayName": "n"}},
        {"fileData": {"fileUri": _KNOWN, "displayName": "n"}},
    ],
)
def test_names_that_openai_does_not_keep_are_dropped(media: dict[str, Any]) -> None:
    (field,) = media
    path = f"request.contents[*].parts[*].{field}.displayName"
    assert dropped(contents=[user(media)]) == f"{path};count=1"
