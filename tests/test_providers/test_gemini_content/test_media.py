from base64 import b64encode
from typing import Any

import pytest

from providers.errors import FerryError
from providers.gemini_content.media import (
    bare_type,
    drop_name,
    image_type,
    require_blob,
    require_web_address,
    unsupported_type,
)
from providers.gemini_content.warnings import Warnings


@pytest.mark.parametrize(
    ("media", "bare"),
    [
        ({}, ""),
        ({"mimeType": "image/png"}, "image/png"),
        ({"mimeType": " Text/HTML ; charset=utf-8"}, "text/html"),
    ],
)
def test_a_bare_type(media: dict[str, Any], bare: str) -> None:
    assert bare_type(media) == bare


@pytest.mark.parametrize(
    ("blob", "wrong"),
    [
        ({"data": "AAAA"}, "mimeType"),
        ({"mimeType": "image/png"}, "data"),
        ({"mimeType": "", "data": "AAAA"}, "mimeType"),
        ({"mimeType": "image/png", "data": ""}, "data"),
    ],
)
def test_a_blob_has_a_type_and_data(blob: dict[str, Any], wrong: str) -> None:
    with pytest.raises(FerryError) as refused:
        require_blob(blob, "blob")
    assert refused.value.path == f"blob.{wrong}"
    require_blob({"data": "AAAA", "mimeType": "image/png"}, "blob")


@pytest.mark.parametrize("uri", ["http://a.example", "HTTPS://a.example"])
def test_a_web_address(uri: str) -> None:
    require_web_address(uri, "file")


@pytest.mark.parametrize("uri", ["", "gs://bucket/a", "files/a", "httpss://a"])
def test_invalid_web_addresses(uri: str) -> None:
    with pytest.raises(FerryError) as refused:
        require_web_address(uri, "file")
    assert refused.value.path == "file.fileUri"


@pytest.mark.parametrize(
    ("media", "rendered"), [({}, ""), ({"displayName": "n"}, "blob.displayName;count=1")]
)
def test_a_name_is_dropped(media: dict[str, Any], rendered: str) -> None:
    warnings = Warnings()
    drop_name(media, "blob", warnings)
    assert warnings.render() == rendered


def test_a_refusal_names_the_accepted_values() -> None:
    error = unsupported_type("blob", "Elsewhere", "PDF")
    assert (error.path, error.message) == ("blob.mimeType", "blob.mimeType: Elsewhere takes PDF")


@pytest.mark.parametrize(
    ("starts", "found"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"GIF87a", "image/gif"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
        (b"RIFF\x10\0\0\0WAVEfmt ", None),
        (b"RIFF", None),
        (b"\0", None),
    ],
)
@pytest.mark.parametrize("named", ["image/png", "image/jpg", "image/webp"])
def test_an_image_has_the_type_of_its_bytes(starts: bytes, found: str | None, named: str) -> None:
    warnings = Warnings()
    blob = {"mimeType": named, "data": b64encode(starts).decode()}
    plain = named.replace("jpg", "jpeg")
    assert image_type(blob, "blob", warnings) == (found or plain)
    assert warnings.render() == ("" if found in (None, plain) else "blob.mimeType;count=1")
