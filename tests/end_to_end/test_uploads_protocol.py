"""The upload protocols by plain HTTP: every command, and what is refused in which words."""

import base64
import hashlib
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from middlewares.routes import UPLOAD_PATH
from middlewares.sealing import UploadUrls
from tests.end_to_end.conftest import MIB, Ferry
from tests.end_to_end.fake_client import FakeClient
from tests.end_to_end.pattern import pattern_bytes
from tests.end_to_end.upload_client import Answer, UploadClient
from tests.processes import SECRET_KEY, proxy

CHUNK = 8 * MIB
TOTAL = CHUNK + 3 * MIB
DATA = pattern_bytes(TOTAL)
FIRST, LAST = DATA[:CHUNK], DATA[CHUNK:]
SHA256 = hashlib.sha256(DATA).hexdigest()

INVALID, PRECONDITION = (400, "INVALID_ARGUMENT"), (400, "FAILED_PRECONDITION")
UNKNOWN_URL = (404, "NOT_FOUND", "final")
OPENAI_ONLY = pytest.mark.parametrize("fake", ["openai"], indirect=True)

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(loop_scope="session")
async def client(fake: FakeClient, ferry: Ferry, http: ClientSession) -> UploadClient:
    return UploadClient(ferry.base_url, fake.kind, http)


async def check_whole(fake: FakeClient, file: dict[str, Any], size: int = TOTAL) -> None:
    assert int(file["sizeBytes"]) == size
    assert await fake.sha256(file["name"]) == hashlib.sha256(pattern_bytes(size)).hexdigest()
    assert len((await fake.objects())["files"]) == 1


# --- the resumable protocol, command by command -----------------------------------------------------


async def test_each_command_in_turn(client: UploadClient, fake: FakeClient) -> None:
    started = await client.start(TOTAL)
    url = started.headers["X-Goog-Upload-URL"]
    assert (started.code, started.upload_status) == (200, "active")
    assert started.headers["X-Goog-Upload-Chunk-Granularity"] == str(CHUNK)
    assert "X-Goog-Upload-URL" in {str(name) for name in started.headers}, "Python needs the case"
    empty = await client.command(url, "query")
    assert (empty.upload_status, empty.headers["X-Goog-Upload-Size-Received"]) == ("active", "0")
    first = await client.send(url, 0, FIRST)
    assert (first.code, first.upload_status) == (200, "active")
    half = await client.command(url, "query")
    assert half.headers["X-Goog-Upload-Size-Received"] == str(CHUNK)
    last = await client.send(url, CHUNK, LAST, finalize=True)
    await check_whole(fake, last.file)
    assert (await client.command(url, "query")).file == last.file


async def test_a_bare_finalize(client: UploadClient, fake: FakeClient) -> None:
    url = await client.begin(CHUNK)
    await client.send(url, 0, FIRST)
    final = await client.command(url, "finalize")
    await check_whole(fake, final.file, CHUNK)
    assert (await client.command(url, "finalize")).file == final.file


async def test_one_request_of_many_slices(client: UploadClient, fake: FakeClient) -> None:
    url = await client.begin(TOTAL)
    await check_whole(fake, (await client.send(url, 0, DATA, finalize=True)).file)


async def test_several_slices_and_then_the_rest(client: UploadClient, fake: FakeClient) -> None:
    size = 3 * CHUNK + 5
    data = pattern_bytes(size)
    url = await client.begin(size)
    assert (await client.send(url, 0, data[: 2 * CHUNK])).upload_status == "active"
    last = await client.send(url, 2 * CHUNK, data[2 * CHUNK :], finalize=True)
    await check_whole(fake, last.file, size)


async def test_a_chunk_that_comes_again_after_its_answer(
    client: UploadClient, fake: FakeClient
) -> None:
    url = await client.begin(TOTAL)
    for _ in range(2):
        assert (await client.send(url, 0, FIRST)).upload_status == "active"
    await check_whole(fake, (await client.send(url, CHUNK, LAST, finalize=True)).file)


async def test_the_finalizing_chunk_again_after_its_answer(
    client: UploadClient, fake: FakeClient
) -> None:
    url = await client.begin(TOTAL)
    await client.send(url, 0, FIRST)
    files = [(await client.send(url, CHUNK, LAST, finalize=True)).file for _ in range(3)]
    assert files[0] == files[1] == files[2]
    await check_whole(fake, files[0])


async def test_an_only_chunk_again_after_its_answer(client: UploadClient, fake: FakeClient) -> None:
    url = await client.begin(5)
    files = [(await client.send(url, 0, DATA[:5], finalize=True)).file for _ in range(2)]
    assert files[0] == files[1]
    await check_whole(fake, files[0], 5)


async def test_after_the_end_all_else_is_refused(client: UploadClient, fake: FakeClient) -> None:
    url = await client.begin(TOTAL)
    await client.send(url, 0, FIRST)
    await client.send(url, CHUNK, LAST, finalize=True)
    for refused in (
        await client.send(url, 0, FIRST),
        await client.send(url, 0, DATA[:10], finalize=True),
        await client.command(url, "cancel"),
    ):
        assert refused.error[:2] == PRECONDITION, refused
        assert refused.upload_status == "final"
    assert len((await fake.objects())["files"]) == 1


async def test_a_cancelled_upload(client: UploadClient, fake: FakeClient) -> None:
    url = await client.begin(TOTAL)
    await client.send(url, 0, FIRST)
    cancelled = await client.command(url, "cancel")
    assert (cancelled.code, cancelled.upload_status) == (200, "cancelled")
    for refused in (
        await client.send(url, CHUNK, LAST, finalize=True),
        await client.send(url, 0, FIRST),
        await client.command(url, "finalize"),
        await client.command(url, "query"),
        await client.command(url, "cancel"),
    ):
        assert refused.error == (*PRECONDITION, "cancelled"), refused
        assert "cancelled" in refused.document["error"]["message"]
    assert (await fake.objects())["files"] == []


async def test_put_is_taken_as_post(
    client: UploadClient, fake: FakeClient, http: ClientSession
) -> None:
    url = await client.begin(5)
    headers = {"X-Goog-Upload-Command": "upload, finalize", "X-Goog-Upload-Offset": "0"}
    async with http.put(url, data=DATA[:5], headers=headers) as reply:
        assert (reply.status, reply.headers["X-Goog-Upload-Status"]) == (200, "final")
        await check_whole(fake, (await reply.json())["file"], 5)


async def test_the_start_of_another_spelling(client: UploadClient, fake: FakeClient) -> None:
    """JavaScript with options of its own for a call loses every header of the protocol."""
    document = {"file": {"display_name": "one", "mime_type": "text/plain", "size_bytes": "5"}}
    started = await client.create(document, {})
    url = started.headers["X-Goog-Upload-URL"]
    final = await client.send(url, 0, DATA[:5], finalize=True)
    assert final.file["displayName"] == "one"
    await check_whole(fake, final.file, 5)


# --- refused ----------------------------------------------------------------------------------------


async def test_a_wrong_offset(client: UploadClient, fake: FakeClient) -> None:
    url = await client.begin(4 * CHUNK)
    await client.send(url, 0, FIRST)
    refused = await client.send(url, 2 * CHUNK, FIRST)
    assert refused.error == (*PRECONDITION, "final")
    assert str(CHUNK) in refused.document["error"]["message"], "says what has been received"
    assert (await client.send(url, CHUNK, FIRST)).upload_status == "active", "nothing was harmed"


@pytest.mark.parametrize("offset", ["-1", "x", "", "1e3", "٣"])
async def test_an_offset_that_is_no_number(
    client: UploadClient, fake: FakeClient, offset: str
) -> None:
    url = await client.begin(TOTAL)
    refused = await client.send(url, 0, FIRST, headers={"X-Goog-Upload-Offset": offset})
    assert refused.error == (*INVALID, "final")


async def test_a_total_that_was_not_declared(client: UploadClient, fake: FakeClient) -> None:
    url = await client.begin(2 * CHUNK)
    await client.send(url, 0, FIRST)
    short = await client.send(url, CHUNK, LAST, finalize=True)
    long = await client.send(url, CHUNK, FIRST + FIRST)
    for refused in (short, long):
        assert (refused.code, refused.upload_status) == (400, "final")
        assert str(2 * CHUNK) in refused.document["error"]["message"]
    assert (await fake.objects())["files"] == []


async def test_a_chunk_that_is_no_multiple(client: UploadClient, fake: FakeClient) -> None:
    url = await client.begin(TOTAL)
    refused = await client.send(url, 0, DATA[: 3 * MIB])
    assert (refused.code, refused.upload_status) == (400, "final")
    assert str(CHUNK) in refused.document["error"]["message"]


async def test_a_chunk_that_does_not_say_its_length(client: UploadClient, fake: FakeClient) -> None:
    async def unmeasured() -> AsyncIterator[bytes]:
        yield DATA[:5]

    url = await client.begin(5)
    refused = await client.send(url, 0, unmeasured(), finalize=True)
    assert refused.error == (*INVALID, "final")
    await check_whole(fake, (await client.send(url, 0, DATA[:5], finalize=True)).file, 5)


@pytest.mark.parametrize("command", ["", "begin", "upload, query", "upload, upload", "start"])
async def test_a_command_that_there_is_not(
    client: UploadClient, fake: FakeClient, command: str
) -> None:
    url = await client.begin(TOTAL)
    refused = await client.command(url, command)
    assert refused.error == (*INVALID, "final")


@pytest.mark.parametrize(
    ("fake", "mime_type", "size"),
    [
        ("openai", "application/jsonl", (200 << 20) + 1),
        ("openai", "application/pdf", (8 << 30) + 1),
        ("gemini", "application/pdf", (2 << 30) + 1),
    ],
    indirect=["fake"],
)
async def test_a_size_over_the_providers_limit(
    client: UploadClient, fake: FakeClient, mime_type: str, size: int
) -> None:
    refused = await client.start(size, mime_type=mime_type, display_name="big")
    assert refused.error[:2] == INVALID
    assert "X-Goog-Upload-URL" not in refused.headers
    objects = await fake.objects()
    assert (objects["files"], objects["uploads"]) == ([], [])


@OPENAI_ONLY
@pytest.mark.parametrize("size", ["-1", "many", "1.5"])
async def test_a_size_that_is_none(client: UploadClient, fake: FakeClient, size: str) -> None:
    refused = await client.start(None, headers={"X-Goog-Upload-Header-Content-Length": size})
    assert refused.error[:2] == INVALID


@OPENAI_ONLY
@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"file": {"displayName": "x", "sha256Hash": "x"}}, "file.sha256Hash"),
        ({"file": {"name": "files/mine"}}, "file.name"),
        ({"config": {}}, "config"),
    ],
)
async def test_a_start_that_cannot_be_honoured(
    client: UploadClient, fake: FakeClient, document: dict[str, Any], path: str
) -> None:
    headers = {"X-Goog-Upload-Protocol": "resumable", "X-Goog-Upload-Command": "start"}
    refused = await client.create(document, headers)
    assert refused.error[:2] == INVALID
    assert path in refused.document["error"]["message"]


# --- the URL ----------------------------------------------------------------------------------------


def token_of(url: str) -> str:
    return url.partition("upload_id=")[2].partition("&")[0]


async def test_the_url_gives_nothing_away(
    client: UploadClient, fake: FakeClient, ferry: Ferry
) -> None:
    token = token_of(await client.begin(TOTAL))
    session, tenant, sealed = token.split(".")
    plain = base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
    for secret in (fake.kind.key, fake.base_url, "upload_id"):
        assert secret not in session + tenant + sealed
        assert secret.encode() not in plain
    assert all(c.isascii() and (c.isalnum() or c in "._~-") for c in token), "Java decodes it"
    assert ferry.leaks() == []


async def test_a_url_that_is_not_ours(client: UploadClient, fake: FakeClient) -> None:
    """Every way of not opening is told in the same words."""
    url = await client.begin(TOTAL)
    token = token_of(url)
    middle = len(token) // 2
    flipped = "A" if token[middle] != "A" else "B"
    bad = [
        url.replace(token, token[:middle] + flipped + token[middle + 1 :]),
        url.replace(token, token[:-1]),
        url.replace(token, token + "A"),
        url.replace(token, token.replace(".", "", 1)),
        url.replace(token, token[5:]),
        url.replace(token, "x"),
        url.replace("/upload/v1beta/", "/upload/v1/"),
    ]
    answers = [await client.send(one, 0, FIRST) for one in bad]
    assert {answer.error for answer in answers} == {UNKNOWN_URL}
    assert len({str(answer.document) for answer in answers}) == 1
    assert (await client.send(url, 0, FIRST)).upload_status == "active"


async def test_a_url_of_another_proxy(
    client: UploadClient, fake: FakeClient, ferry: Ferry, http: ClientSession, tmp_path: Path
) -> None:
    other = {"FERRY_SECRET_KEY": "another-secret-key-of-good-length"}
    async with proxy(ferry.state, ferry.upstreams, other) as process:
        stranger = UploadClient(f"{process.url}/genai", fake.kind, http)
        theirs = (await stranger.begin(TOTAL)).replace(process.url, ferry.proxy.url)
        ours = (await client.begin(TOTAL)).replace(ferry.proxy.url, process.url)
        assert (await client.send(theirs, 0, FIRST)).error == UNKNOWN_URL
        assert (await client.send(ours, 0, FIRST)).error == UNKNOWN_URL


async def test_secret_keys_rotate(
    client: UploadClient, fake: FakeClient, ferry: Ferry, http: ClientSession
) -> None:
    url = await client.begin(TOTAL)
    await client.send(url, 0, FIRST)
    rotated = {"FERRY_SECRET_KEY": f"the-newer-key-of-good-length,{SECRET_KEY}"}
    async with proxy(ferry.state, ferry.upstreams, rotated) as process:
        moved = url.replace(ferry.proxy.url, process.url)
        await check_whole(fake, (await client.send(moved, CHUNK, LAST, finalize=True)).file)
        newer = UploadClient(f"{process.url}/genai", fake.kind, http)
        theirs = (await newer.begin(TOTAL)).replace(process.url, ferry.proxy.url)
        assert (await client.send(theirs, 0, FIRST)).error == UNKNOWN_URL


async def test_a_key_of_another_tenant(client: UploadClient, fake: FakeClient) -> None:
    url = await client.begin(TOTAL)
    for stranger in (
        {"x-goog-api-key": fake.kind.other_key},
        {"Authorization": f"Bearer {fake.kind.other_key}"},
    ):
        assert (await client.send(url, 0, FIRST, headers=stranger)).error == UNKNOWN_URL
    by_query = f"{url}&key={fake.kind.other_key}"
    assert (await client.send(by_query, 0, FIRST)).error == UNKNOWN_URL
    # As JavaScript and Go send it: the session's own key, and the provider's name.
    own = await client.send(url, 0, FIRST, headers=client.authorised)
    assert (own.code, own.upload_status) == (200, "active")


async def test_an_expired_url_says_so(client: UploadClient, fake: FakeClient, ferry: Ferry) -> None:
    url = await client.begin(TOTAL)
    await client.send(url, 0, FIRST)
    token = token_of(url)
    sealer = UploadUrls([SECRET_KEY])
    opened = sealer.open(token, UPLOAD_PATH)
    assert opened is not None
    aged = sealer.seal(replace(opened, expires=int(time.time()) - 1), UPLOAD_PATH)
    for refused in (
        await client.send(url.replace(token, aged), CHUNK, LAST, finalize=True),
        await client.command(url.replace(token, aged), "query"),
        await client.command(url.replace(token, aged), "cancel"),
    ):
        assert refused.error == (*PRECONDITION, "final")
        assert "expired" in refused.document["error"]["message"]
    if fake.kind.name == "openai":  # where the credential was sealed in: now nothing opens it
        assert (await client.send(url, CHUNK, LAST, finalize=True)).error[:2] == PRECONDITION
    assert (await fake.objects())["files"] == []


@OPENAI_ONLY
async def test_what_came_with_the_start_goes_with_every_chunk(
    client: UploadClient, fake: FakeClient
) -> None:
    said = {
        "OpenAI-Organization": "org-1",
        "OpenAI-Project": "proj-1",
        "x-ferry-openai-purpose": "user_data",
    }
    url = await client.begin(TOTAL, headers=said)
    await client.send(url, 0, FIRST)
    file = (await client.send(url, CHUNK, LAST, finalize=True)).file
    await check_whole(fake, file)
    assert "downloadUri" not in file, "user_data is not to be downloaded"
    for sent in await fake.requests(path="^/v1/uploads"):
        assert sent["headers"]["openai-organization"] == "org-1"
        assert sent["headers"]["openai-project"] == "proj-1"


# --- in one request ---------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["header", "query"])
@pytest.mark.parametrize("size", [0, 5, TOTAL])
async def test_the_raw_protocol(
    client: UploadClient, fake: FakeClient, size: int, how: str
) -> None:
    headers = {"X-Goog-Upload-Protocol": "raw"} if how == "header" else {}
    query = "" if how == "header" else "?uploadType=media"
    said = {**headers, "Content-Type": "text/plain", "X-Goog-Upload-File-Name": "raw.txt"}
    answer = await client.create(DATA[:size], said, query)
    assert answer.code == 200, answer
    file = answer.document["file"]
    await check_whole(fake, file, size)
    assert file["mimeType"] == "text/plain"


@pytest.mark.parametrize("how", ["header", "query"])
@pytest.mark.parametrize("size", [0, 5, TOTAL])
async def test_the_multipart_protocol(
    client: UploadClient, fake: FakeClient, size: int, how: str
) -> None:
    spec = {"file": {"displayName": 'ünd "so"', "mimeType": "text/plain"}}
    query = "" if how == "header" else "?uploadType=multipart"
    answer = await client.related(spec, DATA[:size], "text/plain", query)
    assert answer.code == 200, answer
    file = answer.document["file"]
    await check_whole(fake, file, size)
    assert (file["displayName"], file["mimeType"]) == ('ünd "so"', "text/plain")


RELATED = {
    "X-Goog-Upload-Protocol": "multipart",
    "Content-Type": "multipart/related; boundary=b",
}
SPEC_PART = b'--b\r\nContent-Type: application/json\r\n\r\n{"file": {}}\r\n'
FILE_PART = b"--b\r\nContent-Type: text/plain\r\n\r\nhello"


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
async def test_a_malformed_multipart_makes_no_file(
    client: UploadClient, fake: FakeClient, body: bytes
) -> None:
    answer = await client.create(body, RELATED)
    assert (answer.code, answer.document["error"]["status"]) == INVALID, answer
    assert (await fake.objects())["files"] == []


async def test_an_unknown_protocol(client: UploadClient, fake: FakeClient) -> None:
    answer = await client.create(b"hello", {"X-Goog-Upload-Protocol": "pigeon"})
    assert (answer.code, answer.document["error"]["status"]) == INVALID


# --- without the Uploads API --------------------------------------------------------------------------


@OPENAI_ONLY
async def test_staged_uploads(fake: FakeClient, http: ClientSession, tmp_path: Path) -> None:
    upstreams = {fake.kind.name: fake.base_url}
    staged = {"FERRY_PROVIDERS__OPENAI__UPLOADS": "staged"}
    async with proxy(tmp_path, upstreams, staged) as process:
        client = UploadClient(f"{process.url}/genai", fake.kind, http)
        url = await client.begin(TOTAL)
        assert (await client.send(url, 0, FIRST)).upload_status == "active"
        kept = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
        assert kept >= CHUNK
        assert await fake.requests() == [], "nothing is said to OpenAI before the end"
        answer: Answer = await client.send(url, CHUNK, LAST, finalize=True)
        await check_whole(fake, answer.file)
        kept = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
        assert kept < MIB, "what was staged is gone"
        (sent,) = await fake.requests(method="POST")
        assert (sent["path"], sent["chunked"]) == ("/v1/files", False)
