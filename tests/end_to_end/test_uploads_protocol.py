"""The upload protocols by plain HTTP: every command, and every refusal with its message."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession

from tests.end_to_end.conftest import MIB
from tests.end_to_end.fake_client import FakeClient
from tests.end_to_end.pattern import pattern_bytes
from tests.end_to_end.upload_client import UploadClient

CHUNK = 8 * MIB
TOTAL = CHUNK + 3 * MIB
DATA = pattern_bytes(TOTAL)
FIRST, LAST = DATA[:CHUNK], DATA[CHUNK:]

INVALID, PRECONDITION = (400, "INVALID_ARGUMENT"), (400, "FAILED_PRECONDITION")
UNKNOWN_URL = (404, "NOT_FOUND", "final")
TRANSLATED = pytest.mark.parametrize(
    "fake", ["openai", "anthropic", "mistral", "bedrock"], indirect=True
)

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]


# --- the resumable protocol, command by command --------------------------------------------------


async def test_each_command_in_order(client: UploadClient, fake: FakeClient) -> None:
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
    await fake.check_only_file(last.file, DATA)
    assert (await client.command(url, "query")).file == last.file


async def test_a_bare_finalize(client: UploadClient, fake: FakeClient) -> None:
    url = await client.begin(CHUNK)
    await client.send(url, 0, FIRST)
    final = await client.command(url, "finalize")
    await fake.check_only_file(final.file, DATA[:CHUNK])
    assert (await client.command(url, "finalize")).file == final.file


async def test_one_request_of_many_slices(client: UploadClient, fake: FakeClient) -> None:
    url = await client.begin(TOTAL)
    await fake.check_only_file((await client.send(url, 0, DATA, finalize=True)).file, DATA)


async def test_several_slices_and_then_the_rest(client: UploadClient, fake: FakeClient) -> None:
    size = 3 * CHUNK + 5
    data = pattern_bytes(size)
    url = await client.begin(size)
    assert (await client.send(url, 0, data[: 2 * CHUNK])).upload_status == "active"
    last = await client.send(url, 2 * CHUNK, data[2 * CHUNK :], finalize=True)
    await fake.check_only_file(last.file, data)


async def test_a_chunk_repeated_after_its_answer(client: UploadClient, fake: FakeClient) -> None:
    url = await client.begin(TOTAL)
    for _ in range(2):
        assert (await client.send(url, 0, FIRST)).upload_status == "active"
    await fake.check_only_file((await client.send(url, CHUNK, LAST, finalize=True)).file, DATA)


async def test_the_finalizing_chunk_again_after_its_answer(
    client: UploadClient, fake: FakeClient
) -> None:
    url = await client.begin(TOTAL)
    await client.send(url, 0, FIRST)
    files = [(await client.send(url, CHUNK, LAST, finalize=True)).file for _ in range(3)]
    assert files[0] == files[1] == files[2]
    await fake.check_only_file(files[0], DATA)


async def test_an_only_chunk_repeated_after_its_answer(
    client: UploadClient, fake: FakeClient
) -> None:
    url = await client.begin(5)
    files = [(await client.send(url, 0, DATA[:5], finalize=True)).file for _ in range(2)]
    assert files[0] == files[1]
    await fake.check_only_file(files[0], DATA[:5])


async def test_after_the_end_everything_else_is_refused(
    client: UploadClient, fake: FakeClient
) -> None:
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


async def test_put_is_accepted_like_post(
    client: UploadClient, fake: FakeClient, http: ClientSession
) -> None:
    url = await client.begin(5)
    headers = {"X-Goog-Upload-Command": "upload, finalize", "X-Goog-Upload-Offset": "0"}
    async with http.put(url, data=DATA[:5], headers=headers) as reply:
        assert (reply.status, reply.headers["X-Goog-Upload-Status"]) == (200, "final")
        await fake.check_only_file((await reply.json())["file"], DATA[:5])


async def test_the_start_of_another_spelling(client: UploadClient, fake: FakeClient) -> None:
    """JavaScript loses the protocol's headers if a call has options of its own."""
    document = {"file": {"display_name": "one", "mime_type": "application/pdf", "size_bytes": "5"}}
    started = await client.create(document, {})
    url = started.headers["X-Goog-Upload-URL"]
    final = await client.send(url, 0, DATA[:5], finalize=True)
    assert final.file["displayName"] == "one"
    await fake.check_only_file(final.file, DATA[:5])


# --- refused -------------------------------------------------------------------------------------


async def test_a_wrong_offset(client: UploadClient, fake: FakeClient) -> None:
    url = await client.begin(4 * CHUNK)
    await client.send(url, 0, FIRST)
    refused = await client.send(url, 2 * CHUNK, FIRST)
    assert refused.error == (*PRECONDITION, "final")
    assert str(CHUNK) in refused.document["error"]["message"], "says what has been received"
    assert (await client.send(url, CHUNK, FIRST)).upload_status == "active", "nothing was changed"


@pytest.mark.parametrize("offset", ["-1", "x", "", "1e3", "٣"])
async def test_an_offset_that_is_not_a_number(
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


async def test_a_chunk_that_is_not_a_multiple(client: UploadClient, fake: FakeClient) -> None:
    url = await client.begin(TOTAL)
    refused = await client.send(url, 0, DATA[: 3 * MIB])
    assert (refused.code, refused.upload_status) == (400, "final")
    assert str(CHUNK) in refused.document["error"]["message"]


async def test_a_chunk_without_a_length(client: UploadClient, fake: FakeClient) -> None:
    async def unmeasured() -> AsyncIterator[bytes]:
        yield DATA[:5]

    url = await client.begin(5)
    refused = await client.send(url, 0, unmeasured(), finalize=True)
    assert refused.error == (*INVALID, "final")
    await fake.check_only_file((await client.send(url, 0, DATA[:5], finalize=True)).file, DATA[:5])


@pytest.mark.parametrize("command", ["", "begin", "upload, query", "upload, upload", "start"])
async def test_an_unknown_command(client: UploadClient, fake: FakeClient, command: str) -> None:
    url = await client.begin(TOTAL)
    refused = await client.command(url, command)
    assert refused.error == (*INVALID, "final")


@pytest.mark.parametrize(
    ("fake", "mime_type", "size"),
    [
        ("openai", "application/jsonl", (200 << 20) + 1),
        ("openai", "application/pdf", (8 << 30) + 1),
        ("anthropic", "application/jsonl", (500 << 20) + 1),
        ("anthropic", "application/pdf", (500 << 20) + 1),
        ("mistral", "application/pdf", (512 << 20) + 1),
        ("bedrock", "application/pdf", 10_000 * CHUNK + 1),
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


@TRANSLATED
@pytest.mark.parametrize("size", ["-1", "many", "1.5"])
async def test_an_invalid_size(client: UploadClient, fake: FakeClient, size: str) -> None:
    refused = await client.start(None, headers={"X-Goog-Upload-Header-Content-Length": size})
    assert refused.error[:2] == INVALID


@TRANSLATED
@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"file": {"displayName": "x", "sha256Hash": "x"}}, "file.sha256Hash"),
        ({"file": {"name": "files/mine"}}, "file.name"),
        ({"config": {}}, "config"),
    ],
)
async def test_a_start_that_the_provider_does_not_support(
    client: UploadClient, fake: FakeClient, document: dict[str, Any], path: str
) -> None:
    headers = {"X-Goog-Upload-Protocol": "resumable", "X-Goog-Upload-Command": "start"}
    refused = await client.create(document, headers)
    assert refused.error[:2] == INVALID
    assert path in refused.document["error"]["message"]
