"""Clients that leave, upstreams that fail, and what must never be shown or left behind."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientSession

from tests.end_to_end.conftest import MIB, Ferry
from tests.end_to_end.fake_client import CHUNKS_GO_UPSTREAM, GEMINI, OPENAI, FakeClient
from tests.end_to_end.pattern import pattern_bytes
from tests.end_to_end.upload_client import UploadClient

CHUNK = 8 * MIB
TOTAL = 2 * CHUNK
DATA = pattern_bytes(TOTAL)
FIRST, SECOND = DATA[:CHUNK], DATA[CHUNK:]
OPENAI_ONLY = pytest.mark.parametrize("fake", ["openai"], indirect=True)

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]


# --- a client that leaves ------------------------------------------------------------------------


async def send_a_part_and_leave(
    fake: FakeClient, url: str, headers: dict[str, str], declared: int, data: bytes
) -> None:
    """A POST whose body is cut off after `data`, once all of `data` has arrived upstream."""
    parts = urlsplit(url)
    _, writer = await asyncio.open_connection(parts.hostname, parts.port)
    sent = {"Host": parts.netloc, "Content-Length": str(declared), **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
    writer.write(f"POST {parts.path}?{parts.query} HTTP/1.1\r\n{head}\r\n".encode() + data)
    await writer.drain()
    await fake.received(len(data) - MIB, outcome="open")
    writer.close()
    await writer.wait_closed()


@CHUNKS_GO_UPSTREAM
async def test_a_client_that_disconnects_during_a_chunk_ends_it_upstream(
    client: UploadClient, fake: FakeClient
) -> None:
    url = await client.begin(TOTAL)
    await client.send(url, 0, FIRST)
    chunk = {"X-Goog-Upload-Command": "upload, finalize", "X-Goog-Upload-Offset": str(CHUNK)}
    await send_a_part_and_leave(fake, url, chunk, CHUNK, SECOND[: 3 * MIB])
    await fake.ended(outcome="client_gone")
    assert (await fake.objects())["files"] == []
    await fake.check_only_file((await client.insist(url, CHUNK, SECOND, finalize=True)).file, DATA)


async def test_a_client_that_disconnects_during_an_only_chunk_creates_no_file(
    client: UploadClient, fake: FakeClient
) -> None:
    url = await client.begin(TOTAL)
    headers = {"X-Goog-Upload-Command": "upload, finalize", "X-Goog-Upload-Offset": "0"}
    await send_a_part_and_leave(fake, url, headers, TOTAL, FIRST)
    await fake.ended(outcome="client_gone")
    assert (await fake.objects())["files"] == []
    await fake.check_only_file((await client.insist(url, 0, DATA, finalize=True)).file, DATA)


async def test_a_client_that_disconnects_during_a_raw_upload_creates_no_file(
    client: UploadClient, fake: FakeClient
) -> None:
    headers = {**client.authorised, "X-Goog-Upload-Protocol": "raw"}
    url = f"{client.base_url}/upload/v1beta/files"
    await send_a_part_and_leave(fake, url, headers, TOTAL, FIRST)
    await fake.ended(outcome="client_gone")
    assert (await fake.objects())["files"] == []


async def test_a_client_that_disconnects_during_a_multipart_upload_creates_no_file(
    client: UploadClient, fake: FakeClient, http: ClientSession
) -> None:
    """Its length is known at its end: if the upstream needs it first, nothing is sent earlier."""
    spec = b'--b\r\nContent-Type: application/json\r\n\r\n{"file": {}}\r\n'
    head = b"--b\r\nContent-Type: application/pdf\r\n\r\n"
    headers = {
        **client.authorised,
        "X-Goog-Upload-Protocol": "multipart",
        "Content-Type": "multipart/related; boundary=b",
    }
    url = f"{client.base_url}/upload/v1beta/files"
    if fake.kind is not GEMINI:
        cut = await client.post(url, spec + head + DATA, headers)
        assert (cut.code, cut.document["error"]["status"]) == (400, "INVALID_ARGUMENT")
        if fake.kind.name == "bedrock":  # parts are sent as they arrive, and then aborted
            await fake.ended(method="DELETE")
            assert (await fake.objects())["uploads"] == []
        else:
            assert await fake.requests() == []
    else:
        await send_a_part_and_leave(fake, url, headers, 3 * CHUNK, spec + head + DATA)
        await fake.ended(outcome="client_gone")
    assert (await fake.objects())["files"] == []


async def test_a_client_that_disconnects_while_its_answer_is_prepared(
    client: UploadClient, fake: FakeClient
) -> None:
    """The upload is already being finished; a repeated request gets the same file."""
    url = await client.begin(TOTAL)
    await client.send(url, 0, FIRST)
    held = await fake.arm(fake.kind.finish, "delay", name="held", at="answer")
    leaving = asyncio.create_task(client.send(url, CHUNK, SECOND, finalize=True))
    await fake.struck(held)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    await fake.ended(outcome="client_gone")
    await fake.check_only_file((await client.insist(url, CHUNK, SECOND, finalize=True)).file, DATA)


# --- an upstream that fails ----------------------------------------------------------------------


@CHUNKS_GO_UPSTREAM
@pytest.mark.parametrize("code", [429, 500, 502, 503, 529])
async def test_an_upstream_with_temporary_errors(
    client: UploadClient, fake: FakeClient, code: int
) -> None:
    """Temporary errors have no upload status, so SDKs send the chunk again."""
    url = await client.begin(TOTAL)
    for nth in (1, 2):
        await fake.arm(fake.kind.part, "status", nth=nth, status=code)
    first = await client.send(url, 0, FIRST)
    assert first.upload_status is None
    assert first.code == 429 if code == 429 else first.code >= 500
    await client.insist(url, 0, FIRST)
    await fake.check_only_file((await client.insist(url, CHUNK, SECOND, finalize=True)).file, DATA)


@CHUNKS_GO_UPSTREAM
async def test_an_upstream_with_an_invalid_answer(client: UploadClient, fake: FakeClient) -> None:
    url = await client.begin(TOTAL)
    await fake.arm(fake.kind.part, "status", status=200, body="<html>not JSON</html>")
    first = await client.send(url, 0, FIRST)
    assert (first.code, first.document["error"]["status"]) == (503, "UNAVAILABLE")
    await client.insist(url, 0, FIRST)
    await fake.check_only_file((await client.insist(url, CHUNK, SECOND, finalize=True)).file, DATA)


@OPENAI_ONLY
async def test_an_upload_that_expired_at_openai_says_so(
    client: UploadClient, fake: FakeClient
) -> None:
    url = await client.begin(TOTAL)
    await client.send(url, 0, FIRST)
    (upload,) = (await fake.objects())["uploads"]
    await fake.expire_upload(upload)
    refused = await client.send(url, CHUNK, SECOND, finalize=True)
    assert (refused.code, refused.upload_status) == (400, "final")
    assert "expired" in refused.document["error"]["message"]


@OPENAI_ONLY
async def test_a_cancel_reaches_openai(client: UploadClient, fake: FakeClient) -> None:
    url = await client.begin(TOTAL)
    await client.send(url, 0, FIRST)
    await client.command(url, "cancel")
    (upload,) = (await fake.objects())["uploads"]
    cancelled = await fake.requests(path=f"{upload}/cancel$")
    assert [one["status"] for one in cancelled] == [200]


async def test_a_refused_start_creates_nothing(
    client: UploadClient, fake: FakeClient, ferry: Ferry, http: ClientSession
) -> None:
    keyless = UploadClient(ferry.base_url, fake.kind, http)
    refused = await keyless.post(
        f"{ferry.base_url}/upload/v1beta/files",
        b"",
        {"X-Goog-Upload-Command": "start", **fake.kind.headers},
    )
    assert refused.error[:2] == (401, "UNAUTHENTICATED")
    assert "X-Goog-Upload-URL" not in refused.headers
    assert await fake.requests() == []


async def test_a_wrong_key_is_reported_and_never_shown(
    fake: FakeClient, ferry: Ferry, http: ClientSession
) -> None:
    wrong = "a-key-that-is-wrong"
    headers = {**fake.kind.headers, "x-goog-api-key": wrong}
    async with http.get(f"{ferry.base_url}/v1beta/files", headers=headers) as reply:
        text = await reply.text()
        assert reply.status in (400, 401)
    assert wrong not in text
    assert wrong not in ferry.proxy.output


# --- what is left behind -------------------------------------------------------------------------


@OPENAI_ONLY
async def test_an_ended_session_keeps_no_bytes_and_no_credential(
    client: UploadClient, fake: FakeClient, ferry: Ferry
) -> None:
    url = await client.begin(None)
    await client.send(url, 0, FIRST)
    session = url.partition("upload_id=")[2].partition(".")[0]
    kept = ferry.state / "uploads" / session
    assert sum(one.stat().st_size for one in files_below(kept)) >= CHUNK
    await client.send(url, CHUNK, SECOND, finalize=True)
    assert sum(one.stat().st_size for one in files_below(kept)) < 1024
    secret = OPENAI.key.encode()
    assert not any(secret in one.read_bytes() for one in files_below(ferry.state))


def files_below(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]
