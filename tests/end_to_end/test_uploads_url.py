"""The upload URL: it alone opens the session, and nothing else does."""

import base64
import time
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from aiohttp import ClientSession

from middlewares.paths import UPLOAD_TAIL
from middlewares.sealing import UploadUrls
from tests.end_to_end.conftest import MIB, Ferry
from tests.end_to_end.fake_client import FakeClient
from tests.end_to_end.pattern import pattern_bytes
from tests.end_to_end.upload_client import UploadClient
from tests.memory_state import MemoryState
from tests.processes import SECRET_KEY, proxy

CHUNK = 8 * MIB
TOTAL = CHUNK + 3 * MIB
DATA = pattern_bytes(TOTAL)
FIRST, LAST = DATA[:CHUNK], DATA[CHUNK:]

INVALID, PRECONDITION = (400, "INVALID_ARGUMENT"), (400, "FAILED_PRECONDITION")
UNKNOWN_URL = (404, "NOT_FOUND", "final")
OPENAI_ONLY = pytest.mark.parametrize("fake", ["openai"], indirect=True)

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]


# --- the URL -------------------------------------------------------------------------------------


def token_of(url: str) -> str:
    return url.partition("upload_id=")[2].partition("&")[0]


async def test_the_url_shows_no_secret(
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
    """Every URL that does not open gets the same message."""
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
    ]
    answers = [await client.send(one, 0, FIRST) for one in bad]
    assert {answer.error for answer in answers} == {UNKNOWN_URL}
    assert len({str(answer.document) for answer in answers}) == 1
    assert (await client.send(url, 0, FIRST)).upload_status == "active"


@pytest.mark.parametrize(
    "path",
    [
        "/genai/genai/upload/v1beta/files",  # Java: the base path, and then the URL's own
        "/team/genai/team/genai/upload/v1beta/files",  # Java below a sub-path
        "/genai/team/genai/upload/v1beta/files",  # the same behind an ingress that strips it
        "/upload/v1/files",
        "/genai/upload/files",
    ],
)
async def test_a_url_is_known_on_any_path_with_its_tail(
    client: UploadClient, fake: FakeClient, ferry: Ferry, path: str
) -> None:
    """Every command, with the headers that Java sends with chunks."""
    url = moved(await client.begin(TOTAL), ferry, path)
    first = await client.send(url, 0, FIRST, headers=client.authorised)
    assert (first.code, first.upload_status) == (200, "active")
    queried = await client.command(url, "query")
    assert queried.headers["X-Goog-Upload-Size-Received"] == str(CHUNK)
    last = await client.send(url, CHUNK, LAST, finalize=True, headers=client.authorised)
    await fake.check_only_file(last.file, DATA)
    given_up = moved(await client.begin(TOTAL), ferry, path)
    assert (await client.command(given_up, "cancel")).upload_status == "cancelled"


async def test_outside_the_prefix_an_id_opens_nothing(
    client: UploadClient, fake: FakeClient, ferry: Ferry
) -> None:
    url = moved(await client.begin(TOTAL), ferry, "/team/genai/upload/v1beta/files")
    stranger = {"x-goog-api-key": fake.kind.other_key}
    assert (await client.send(url, 0, FIRST, headers=stranger)).error == UNKNOWN_URL
    changed = url.replace(token_of(url), token_of(url)[:-1])
    assert (await client.send(changed, 0, FIRST)).error == UNKNOWN_URL


@OPENAI_ONLY
async def test_outside_the_prefix_nothing_is_served_without_an_id(
    client: UploadClient, ferry: Ferry
) -> None:
    url = f"{ferry.proxy.url}/team/genai/upload/v1beta/files"
    refused = await client.post(url, b"{}", client.authorised)
    assert (refused.code, refused.document["error"]["message"]) == (
        404,
        "nothing is served here; the SDK's base_url must end with /genai",
    )


def moved(url: str, ferry: Ferry, path: str) -> str:
    """The URL with another path before its query, as some clients send it."""
    return f"{ferry.proxy.url}{path}?{url.partition('?')[2]}"


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
        await fake.check_only_file(
            (await client.send(moved, CHUNK, LAST, finalize=True)).file, DATA
        )
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
    by_query = f"{url}&key={quote(fake.kind.other_key, safe='')}"
    assert (await client.send(by_query, 0, FIRST)).error == UNKNOWN_URL
    # As JavaScript and Go send it: with the session's own key and the provider's name.
    own = await client.send(url, 0, FIRST, headers=client.authorised)
    assert (own.code, own.upload_status) == (200, "active")


async def test_an_expired_url_says_so(client: UploadClient, fake: FakeClient, ferry: Ferry) -> None:
    url = await client.begin(TOTAL)
    await client.send(url, 0, FIRST)
    token = token_of(url)
    sealer = UploadUrls([SECRET_KEY], MemoryState(), ttl=60)
    opened = sealer.open(token, UPLOAD_TAIL)
    assert opened is not None
    aged = sealer.seal(replace(opened, expires=int(time.time()) - 1), UPLOAD_TAIL)
    for refused in (
        await client.send(url.replace(token, aged), CHUNK, LAST, finalize=True),
        await client.command(url.replace(token, aged), "query"),
        await client.command(url.replace(token, aged), "cancel"),
    ):
        assert refused.error == (*PRECONDITION, "final")
        assert "expired" in refused.document["error"]["message"]
    if fake.kind.name != "gemini":  # the key of its credential is gone
        assert (await client.send(url, CHUNK, LAST, finalize=True)).error[:2] == PRECONDITION
    assert (await fake.objects())["files"] == []


@OPENAI_ONLY
async def test_headers_of_the_start_are_sent_with_every_chunk(
    client: UploadClient, fake: FakeClient
) -> None:
    headers = {
        "OpenAI-Organization": "org-1",
        "OpenAI-Project": "proj-1",
        "x-ferry-openai-purpose": "assistants",
    }
    url = await client.begin(TOTAL, headers=headers)
    await client.send(url, 0, FIRST)
    file = (await client.send(url, CHUNK, LAST, finalize=True)).file
    await fake.check_only_file(file, DATA)
    assert "downloadUri" not in file, "it is not to be downloaded"
    for sent in await fake.requests(path="^/v1/uploads"):
        assert sent["headers"]["openai-organization"] == "org-1"
        assert sent["headers"]["openai-project"] == "proj-1"
