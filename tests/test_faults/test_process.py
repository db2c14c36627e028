"""A proxy that is stopped, whose disk is full or gone, and whose clock is moved.

Killed proxies and replicas are tested in tests/end_to_end/test_replicas.py.
"""

import asyncio
import hashlib
import signal
from pathlib import Path
from typing import Final

import pytest
from aiohttp import ClientSession

from tests.end_to_end.batch_client import BatchClient, asking, inline
from tests.end_to_end.conftest import MIB, Ferry
from tests.end_to_end.fake_client import CHUNKS_GO_UPSTREAM, FakeClient
from tests.end_to_end.pattern import pattern_bytes
from tests.end_to_end.upload_client import UploadClient
from tests.lost_directory import lost
from tests.processes import start_proxy
from tests.test_faults.calls import CALLS, READS, outcomes, prepare
from tests.test_faults.shifted_clock import SHIFT_FILE

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

CHUNK: Final = 8 * MIB
DATA: Final = pattern_bytes(2 * CHUNK + MIB)
SHA256: Final = hashlib.sha256(DATA).hexdigest()
TRANSLATED: Final = pytest.mark.parametrize(
    "fake", ["openai", "anthropic", "mistral", "bedrock"], indirect=True
)

TEN_MINUTES: Final = 600


# --- signals -------------------------------------------------------------------------------------


@CHUNKS_GO_UPSTREAM
async def test_a_chunk_on_its_way_is_finished_after_sigterm(
    ferry: Ferry, fake: FakeClient, http: ClientSession, tmp_path: Path
) -> None:
    """And the upload goes on at the next proxy."""
    old = await start_proxy(tmp_path, ferry.upstreams)
    client = UploadClient(f"{old.url}/genai", fake.kind, http)
    url = await client.begin(len(DATA))
    held = await fake.arm(fake.kind.part, "delay", name="held", after_bytes=3 * MIB)
    sending = asyncio.create_task(client.send(url, 0, DATA[:CHUNK]))
    await fake.struck(held)
    stopping = asyncio.create_task(old.stop())
    await old.line_with('"draining"')
    await fake.release(held)
    assert (await sending).upload_status == "active"
    assert await stopping == 0
    new = await start_proxy(tmp_path, ferry.upstreams)
    try:
        url = url.replace(old.url, new.url)
        await client.insist(url, CHUNK, DATA[CHUNK : 2 * CHUNK])
        last = await client.insist(url, 2 * CHUNK, DATA[2 * CHUNK :], finalize=True)
        assert await fake.sha256(last.file["name"]) == SHA256
    finally:
        await new.stop()


async def test_a_creation_on_its_way_is_finished_after_sigterm(
    ferry: Ferry, fake: FakeClient, http: ClientSession, tmp_path: Path
) -> None:
    process = await start_proxy(tmp_path, ferry.upstreams)
    client = BatchClient(f"{process.url}/genai", fake.kind, http)
    path = {"bedrock": "^/model-invocation-job$"}.get(fake.kind.name, "(batches|jobs|Content)$")
    match = {"method": "POST", "path": path}
    held = await fake.arm(match, "delay", name="held", at="answer")
    creating = asyncio.create_task(client.create(inline({"request": asking("hello")})))
    await fake.struck(held)
    stopping = asyncio.create_task(process.stop())
    await process.line_with('"draining"')
    await fake.release(held)
    assert (await creating).code == 200
    assert await stopping == 0
    assert len((await fake.objects())["batches"]) == 1


async def test_sigint_skips_the_grace_that_sigterm_has(
    ferry: Ferry, http: ClientSession, tmp_path: Path
) -> None:
    """With a grace of a minute, a test that waited for it would not end in time."""
    env = {"FERRY_DRAIN_GRACE_SECONDS": "60", "FERRY_DRAIN_SECONDS": "90"}
    process = await start_proxy(tmp_path, ferry.upstreams, env)
    process.send_signal(signal.SIGTERM)
    await process.line_with('"draining"')
    async with http.get(f"{process.url}/readyz") as reply:
        assert reply.status == 503
    async with http.get(f"{process.url}/genai/v1beta/files") as reply:
        assert reply.status == 401, "the port still accepts, and answers"
    await process.kill()

    process = await start_proxy(tmp_path, ferry.upstreams, env)
    process.send_signal(signal.SIGINT)
    await process.line_with('"closed to new connections"')
    assert await process.ended() == 0


# --- the state store -----------------------------------------------------------------------------


@TRANSLATED
async def test_a_full_disk(
    ferry: Ferry, fake: FakeClient, http: ClientSession, tmp_path: Path
) -> None:
    """What fits is served; what does not is refused as temporary, and leaves nothing behind."""
    process = await start_proxy(tmp_path, ferry.upstreams, program="tests.test_faults.small_disk")
    try:
        batches = BatchClient(f"{process.url}/genai", fake.kind, http)
        assert (await outcomes(batches, await prepare(batches))) == dict.fromkeys(CALLS, "200")
        uploads = UploadClient(batches.base_url, fake.kind, http)
        url = await uploads.begin(None)
        if fake.kind.name != "bedrock":  # which keeps the parts of any file itself
            refused = await uploads.send(url, 0, DATA[:CHUNK])
            assert refused.error == (503, "UNAVAILABLE", None)
            assert "the proxy's state store failed" in refused.document["error"]["message"]
        drafts = tmp_path / ".tmp"
        assert [path for path in drafts.rglob("*") if path.is_file()] == []
        assert "a bug of ours" not in process.output
    finally:
        await process.stop()


@TRANSLATED
async def test_a_store_that_is_gone(
    ferry: Ferry, fake: FakeClient, http: ClientSession, tmp_path: Path
) -> None:
    """A file is where its directory was: every access fails, and then it is back."""
    state = tmp_path / "state"
    process = await start_proxy(state, ferry.upstreams)
    try:
        client = BatchClient(f"{process.url}/genai", fake.kind, http)
        on = await prepare(client)
        with lost(state):
            ended = await outcomes(client, on)
        allowed = {"200", "400 FAILED_PRECONDITION", "503 UNAVAILABLE"}
        assert {call: found for call, found in ended.items() if found not in allowed} == {}
        assert "400 FAILED_PRECONDITION" in ended.values()
        assert await outcomes(client, on, READS) == dict.fromkeys(READS, "200")
        assert "a bug of ours" not in process.output
    finally:
        await process.stop()


@pytest.mark.parametrize("fake", ["gemini"], indirect=True)
async def test_gemini_needs_no_store(
    ferry: Ferry, fake: FakeClient, http: ClientSession, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    process = await start_proxy(state, ferry.upstreams)
    try:
        client = BatchClient(f"{process.url}/genai", fake.kind, http)
        on = await prepare(client)
        with lost(state):
            assert await outcomes(client, on) == dict.fromkeys(CALLS, "200")
    finally:
        await process.stop()


# --- the clock -----------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [TEN_MINUTES, -TEN_MINUTES], ids=["forward", "back"])
async def test_a_clock_that_is_set(
    ferry: Ferry, fake: FakeClient, http: ClientSession, tmp_path: Path, seconds: int
) -> None:
    """Uploads, batches and names from before go on, and new ones are made."""
    clock = tmp_path / "clock"
    clock.write_text("0")
    process = await start_proxy(
        tmp_path / "state",
        ferry.upstreams,
        {SHIFT_FILE: str(clock)},
        "tests.test_faults.shifted_clock",
    )
    try:
        client = BatchClient(f"{process.url}/genai", fake.kind, http)
        uploads = UploadClient(client.base_url, fake.kind, http)
        on = await prepare(client)
        url = await uploads.begin(len(DATA))
        await uploads.insist(url, 0, DATA[:CHUNK])
        clock.write_text(str(seconds))
        await uploads.insist(url, CHUNK, DATA[CHUNK : 2 * CHUNK])
        last = await uploads.insist(url, 2 * CHUNK, DATA[2 * CHUNK :], finalize=True)
        again = await uploads.send(url, 2 * CHUNK, DATA[2 * CHUNK :], finalize=True)
        assert again.file == last.file
        assert await fake.sha256(last.file["name"]) == SHA256
        assert await outcomes(client, on) == dict.fromkeys(CALLS, "200")
    finally:
        await process.stop()
