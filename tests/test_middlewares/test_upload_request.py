"""Requests of the upload protocols (sdk-wire.md section 1a, gemini.md section 3)."""

from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request

from middlewares.upload_request import (
    Protocol,
    commands,
    file_fields,
    parse_size,
    upload_protocol,
)
from providers.errors import FerryError
from providers.status import Status

RESUMABLE = {"X-Goog-Upload-Protocol": "resumable", "X-Goog-Upload-Command": "start"}


def asked(headers: dict[str, str], query: str = "") -> Any:
    return make_mocked_request("POST", f"/genai/upload/v1beta/files{query}", headers)


@pytest.mark.parametrize(
    ("headers", "query", "protocol"),
    [
        (RESUMABLE, "", Protocol.RESUMABLE),
        ({"Content-Type": "application/json"}, "", Protocol.RESUMABLE),  # JS, per-call options
        ({}, "", Protocol.RESUMABLE),
        ({"X-Goog-Upload-Protocol": " Resumable "}, "", Protocol.RESUMABLE),
        ({"X-Goog-Upload-Command": "Start"}, "?uploadType=resumable", Protocol.RESUMABLE),
        ({}, "?upload_protocol=resumable", Protocol.RESUMABLE),
        ({"Content-Type": "multipart/related; boundary=b"}, "", Protocol.MULTIPART),
        ({"Content-Type": "multipart/form-data; boundary=b"}, "", Protocol.MULTIPART),
        ({"X-Goog-Upload-Protocol": "multipart"}, "", Protocol.MULTIPART),
        ({}, "?uploadType=multipart", Protocol.MULTIPART),
        ({"X-Goog-Upload-Protocol": "raw"}, "", Protocol.RAW),
        ({}, "?uploadType=media", Protocol.RAW),
        ({}, "?upload_protocol=raw", Protocol.RAW),
        ({"Content-Type": "video/mp4"}, "", Protocol.RAW),
        ({"Content-Type": "video/mp4", "X-Goog-Upload-Command": "start"}, "", Protocol.RESUMABLE),
        (
            {"Content-Type": "text/plain", "X-Goog-Upload-Header-Content-Length": "1"},
            "",
            Protocol.RESUMABLE,
        ),
        ({"Content-Type": "application/x-www-form-urlencoded"}, "", Protocol.RESUMABLE),  # curl -d
    ],
)
def test_the_protocol(headers: dict[str, str], query: str, protocol: Protocol) -> None:
    assert upload_protocol(asked(headers, query)) is protocol


@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [
        ({}, "?uploadType=resumable", Status.UNIMPLEMENTED),
        ({"X-Goog-Upload-Protocol": "tus"}, "", Status.INVALID_ARGUMENT),
        ({}, "?uploadType=x", Status.INVALID_ARGUMENT),
        ({"X-Goog-Upload-Command": "upload"}, "", Status.INVALID_ARGUMENT),
        ({"X-Goog-Upload-Command": "start, upload"}, "", Status.INVALID_ARGUMENT),
        ({"X-Goog-Upload-Command": "query", "X-Goog-Upload-Protocol": "resumable"}, "",
         Status.INVALID_ARGUMENT),
    ],
)  # fmt: skip
def test_no_protocol(headers: dict[str, str], query: str, status: Status) -> None:
    with pytest.raises(FerryError) as refusal:
        upload_protocol(asked(headers, query))
    assert refusal.value.status == status


@pytest.mark.parametrize(
    ("header", "listed"),
    [
        ("upload, finalize", ["upload", "finalize"]),
        ("UPLOAD,FINALIZE", ["upload", "finalize"]),
        (" upload ,, finalize ,", ["upload", "finalize"]),
        ("", []),
        (",", []),
    ],
)
def test_the_command_list(header: str, listed: list[str]) -> None:
    assert commands(asked({"X-Goog-Upload-Command": header})) == listed


@pytest.mark.parametrize(
    "file",
    [
        {"display_name": "d", "mime_type": "m", "size_bytes": 71},  # Python
        {"displayName": "d", "mimeType": "m", "sizeBytes": "71"},  # JS
        {"displayName": "d", "mime_type": "m", "sizeBytes": "71", "name": None},
    ],
)
def test_both_spellings_of_a_start(file: dict[str, Any]) -> None:
    fields = file_fields({"file": file})
    assert fields == {"display_name": "d", "mime_type": "m", "size_bytes": "71"}


@pytest.mark.parametrize("document", [{}, {"file": None}, {"file": {}}, {"file": {"name": ""}}])
def test_a_start_may_be_empty(document: dict[str, Any]) -> None:
    assert set(file_fields(document)) <= {"name"}


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"other": 1}, "other"),
        ({"file": []}, "file"),
        ({"file": {"uri": "u"}}, "file.uri"),
        ({"file": {"name": "files/mine"}}, "file.name"),
        ({"file": {"display_name": "a", "displayName": "a"}}, "file.displayName"),
        ({"file": {"sizeBytes": True}}, "file.sizeBytes"),
        ({"file": {"mimeType": {}}}, "file.mimeType"),
    ],
)
def test_a_start_is_refused_with_its_path(document: dict[str, Any], path: str) -> None:
    with pytest.raises(FerryError) as refusal:
        file_fields(document)
    assert (refusal.value.code, refusal.value.path) == (400, path)


def test_a_size() -> None:
    assert [parse_size(text) for text in ("0", "71", "9" * 18)] == [0, 71, int("9" * 18)]


@pytest.mark.parametrize("text", ["", "-1", "+1", "1.0", " 1", "1_0", "0x1", "\u0663", "9" * 19])
def test_no_size(text: str) -> None:
    with pytest.raises(FerryError):
        parse_size(text)
