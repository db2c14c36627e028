"""Files that arrive in one request, and chunks that the state store keeps until the last one."""

from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.end_to_end.conftest import MIB
from tests.end_to_end.fake_client import FakeClient
from tests.end_to_end.google_client import TRANSLATED
from tests.end_to_end.pattern import pattern_bytes
from tests.end_to_end.upload_client import Answer, UploadClient
from tests.processes import proxy

CHUNK = 8 * MIB
TOTAL = CHUNK + 3 * MIB
DATA = pattern_bytes(TOTAL)
FIRST, LAST = DATA[:CHUNK], DATA[CHUNK:]

INVALID, PRECONDITION = (400, "INVALID_ARGUMENT"), (400, "FAILED_PRECONDITION")
UNKNOWN_URL = (404, "NOT_FOUND", "final")
OPENAI_ONLY = pytest.mark.parametrize("fake", ["openai"], indirect=True)

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]


# --- in one request ------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["header", "query"])
@pytest.mark.parametrize("size", [0, 5, TOTAL])
async def test_the_raw_protocol(
    client: UploadClient, fake: FakeClient, size: int, how: str
) -> None:
    headers = {"X-Goog-Upload-Protocol": "raw"} if how == "header" else {}
    query = "" if how == "header" else "?uploadType=media"
    sent = {**headers, "Content-Type": "application/pdf", "X-Goog-Upload-File-Name": "raw.pdf"}
    answer = await client.create(DATA[:size], sent, query)
    assert answer.code == 200, answer
    file = answer.document["file"]
    await fake.check_only_file(file, DATA[:size])
    assert file["mimeType"] == "application/pdf"


@pytest.mark.parametrize("how", ["header", "query"])
@pytest.mark.parametrize("size", [0, 5, TOTAL])
async def test_the_multipart_protocol(
    client: UploadClient, fake: FakeClient, size: int, how: str
) -> None:
    spec = {"file": {"displayName": 'ünd "so"', "mimeType": "application/pdf"}}
    query = "" if how == "header" else "?uploadType=multipart"
    answer = await client.related(spec, DATA[:size], "application/pdf", query)
    assert answer.code == 200, answer
    file = answer.document["file"]
    await fake.check_only_file(file, DATA[:size])
    assert (file["displayName"], file["mimeType"]) == ('ünd "so"', "application/pdf")


async def test_a_file_without_any_upload_header(client: UploadClient, fake: FakeClient) -> None:
    """Gemini takes it as the raw protocol (gemini.md section 3.4)."""
    answer = await client.create(b"hello", {"Content-Type": "application/pdf"})
    assert answer.code == 200, answer
    file = answer.document["file"]
    await fake.check_only_file(file, b"hello")
    assert file["mimeType"] == "application/pdf"


FORM = (
    b'--b\r\nContent-Disposition: form-data; name="metadata"; filename="blob"\r\n'
    b'Content-Type: application/json\r\n\r\n{"file": {"displayName": "a form"}}\r\n'
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n'
    b"Content-Type: application/pdf\r\n\r\nhello\r\n--b--\r\n"
)


@TRANSLATED
@pytest.mark.parametrize("query", ["", "?uploadType=multipart"])
async def test_a_form_of_two_parts(client: UploadClient, fake: FakeClient, query: str) -> None:
    """Browsers and Apps Script send this one, with or without the name of the protocol."""
    sent = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = await client.create(FORM, sent, query)
    assert answer.code == 200, answer
    file = answer.document["file"]
    await fake.check_only_file(file, b"hello")
    assert (file["displayName"], file["mimeType"]) == ("a form", "application/pdf")


RELATED = {
    "X-Goog-Upload-Protocol": "multipart",
    "Content-Type": "multipart/related; boundary=b",
}
SPEC_PART = b'--b\r\nContent-Type: application/json\r\n\r\n{"file": {}}\r\n'
FILE_PART = b"--b\r\nContent-Type: application/pdf\r\n\r\nhello"


@pytest.mark.parametrize(
    "body",
    [
        SPEC_PART + FILE_PART,
        SPEC_PART + FILE_PART + b"\r\n--b",
        SPEC_PART + b"--b--\r\n",
        SPEC_PART,
        b"--b--\r\n",
        b"--b\r\n\r\n{not json\r\n" + FILE_PART + b"\r\n--b--\r\n",
        SPEC_PART + FILE_PART + b"\r\n" + FILE_PART + b"\r\n--b--\r\n",
        b"hello",
        b"",
    ],
    ids=["cut", "cut in the end", "no file", "cut spec", "no part", "json", "three", "none", ""],
)
async def test_a_malformed_multipart_upload_creates_no_file(
    client: UploadClient, fake: FakeClient, body: bytes
) -> None:
    answer = await client.create(body, RELATED)
    assert (answer.code, answer.document["error"]["status"]) == INVALID, answer
    assert (await fake.objects())["files"] == []


async def test_an_unknown_protocol(client: UploadClient, fake: FakeClient) -> None:
    answer = await client.create(b"hello", {"X-Goog-Upload-Protocol": "pigeon"})
    assert (answer.code, answer.document["error"]["status"]) == INVALID


# --- without the Uploads API ---------------------------------------------------------------------


@OPENAI_ONLY
async def test_staged_uploads(fake: FakeClient, http: ClientSession, tmp_path: Path) -> None:
    upstreams = {fake.kind.name: fake.as_upstream}
    staged = {"FERRY_PROVIDERS__OPENAI__UPLOADS": "staged"}
    async with proxy(tmp_path, upstreams, staged) as process:
        client = UploadClient(f"{process.url}/genai", fake.kind, http)
        url = await client.begin(TOTAL)
        assert (await client.send(url, 0, FIRST)).upload_status == "active"
        kept = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
        assert kept >= CHUNK
        assert await fake.requests(method="POST") == [], "nothing is sent to OpenAI before the end"
        answer: Answer = await client.send(url, CHUNK, LAST, finalize=True)
        await fake.check_only_file(answer.file, DATA)
        kept = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
        assert kept < MIB, "what was staged is gone"
        (sent,) = await fake.requests(method="POST")
        assert (sent["path"], sent["chunked"]) == ("/v1/files", False)
