"""Two proxies on one state store, and a killed proxy: no state is in one process only."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientError, ClientSession

from tests.end_to_end.balancer import Balancer, balancer
from tests.end_to_end.batch_client import MODELS
from tests.end_to_end.conftest import MIB, Ferry
from tests.end_to_end.fake_client import CHUNKS_GO_UPSTREAM, KINDS, FakeClient
from tests.end_to_end.pattern import pattern_bytes
from tests.end_to_end.sdk_process import (
    GO,
    JAVASCRIPT,
    PYTHON_NEWEST,
    PYTHON_NEWEST_ASYNC,
    Sdk,
)
from tests.end_to_end.upload_client import Answer, UploadClient
from tests.processes import Process, Upstreams, free_port, proxy, start_proxy

CHUNK = 8 * MIB
TOTAL = 3 * CHUNK + MIB
DATA = pattern_bytes(TOTAL)
SHA256 = hashlib.sha256(DATA).hexdigest()

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def second(ferry: Ferry) -> AsyncIterator[Process]:
    """A replica of the session's proxy."""
    async with proxy(ferry.state, ferry.upstreams) as process:
        yield process


@pytest_asyncio.fixture(loop_scope="session")
async def between(ferry: Ferry, second: Process, http: ClientSession) -> AsyncIterator[Balancer]:
    """Requests go to the two proxies in turn."""
    async with balancer([ferry.proxy.url, second.url], http) as balanced:
        yield balanced


# --- replicas ------------------------------------------------------------------------------------


@pytest.mark.parametrize("sdk", [PYTHON_NEWEST, PYTHON_NEWEST_ASYNC, JAVASCRIPT, GO], ids=str)
async def test_two_proxies_share_an_upload(
    between: Balancer, fake: FakeClient, sdk: Sdk, twenty_mib: Path
) -> None:
    client = sdk.start(between.url, api_key=fake.kind.key, headers=dict(fake.kind.headers))
    async with client as process:
        file = await process.call("files.upload", path=str(twenty_mib), display_name="shared")
        again = await process.call("files.get", name=file["name"])
    assert min(between.served.values()) >= 2, "both took part"
    assert (file["displayName"], again["displayName"]) == ("shared", "shared")
    assert await fake.sha256(file["name"]) == hashlib.sha256(twenty_mib.read_bytes()).hexdigest()
    assert len((await fake.objects())["files"]) == 1


async def test_two_proxies_share_a_batch(between: Balancer, fake: FakeClient) -> None:
    requests = [
        {
            "contents": [{"role": "user", "parts": [{"text": f"number {n}"}]}],
            "metadata": {"number": str(n)},
        }
        for n in range(3)
    ]
    kind = fake.kind
    client = PYTHON_NEWEST.start(between.url, api_key=kind.key, headers=dict(kind.headers))
    async with client as process:
        job = await process.call(
            "batches.create",
            model=MODELS[kind.name],
            src=requests,
            config={"displayName": "shared"},
        )
        states = [job["state"]]
        while states[-1] not in ("JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED"):
            job = await process.call("batches.get", name=job["name"])
            states.append(job["state"])
    assert states[-1] == "JOB_STATE_SUCCEEDED"
    assert len(states) >= 3
    assert min(between.served.values()) >= 1, "each poll was another proxy's"
    assert job["displayName"] == "shared"
    results = job["dest"]["inlinedResponses"]
    assert [one["metadata"]["number"] for one in results] == ["0", "1", "2"]
    for n, one in enumerate(results):
        (candidate,) = one["response"]["candidates"]
        assert candidate["content"]["parts"][0]["text"] == f"echo: number {n}"


async def test_one_finalize_at_two_proxies(
    ferry: Ferry, second: Process, fake: FakeClient, http: ClientSession
) -> None:
    """A client that stops waiting sends it again: there is one file, and both answers show it."""
    client = UploadClient(ferry.base_url, fake.kind, http)
    url = await client.begin(CHUNK + 5)
    await client.send(url, 0, DATA[:CHUNK])
    urls = [url, url.replace(ferry.proxy.url, second.url)]
    answers: list[Answer] = await asyncio.gather(
        *(client.send(each, CHUNK, DATA[CHUNK : CHUNK + 5], finalize=True) for each in urls)
    )
    while any(answer.code == 503 for answer in answers):  # as an SDK does
        answers = [
            await client.send(each, CHUNK, DATA[CHUNK : CHUNK + 5], finalize=True) for each in urls
        ]
    names = {answer.file["name"] for answer in answers}
    assert len(names) == 1
    assert len((await fake.objects())["files"]) == 1
    wanted = hashlib.sha256(DATA[: CHUNK + 5]).hexdigest()
    assert await fake.sha256(names.pop()) == wanted


async def test_an_upload_cancelled_at_one_proxy_is_cancelled_at_the_other(
    ferry: Ferry, second: Process, fake: FakeClient, http: ClientSession
) -> None:
    client = UploadClient(ferry.base_url, fake.kind, http)
    url = await client.begin(TOTAL)
    await client.send(url, 0, DATA[:CHUNK])
    moved = url.replace(ferry.proxy.url, second.url)
    assert (await client.command(moved, "cancel")).upload_status == "cancelled"
    refused = await client.send(url, CHUNK, DATA[CHUNK : 2 * CHUNK])
    assert refused.error == (400, "FAILED_PRECONDITION", "cancelled")


# --- a proxy that is killed ----------------------------------------------------------------------


@asynccontextmanager
async def killable(
    state: Path, upstreams: Upstreams, env: Mapping[str, str]
) -> AsyncIterator["Killable"]:
    """A proxy that can be restarted on the same port."""
    one = Killable(state, upstreams, {**env, "FERRY_PORT": str(free_port())})
    await one.start()
    try:
        yield one
    finally:
        await one.process.kill()


class Killable:
    def __init__(self, *how: Any) -> None:
        self._how = how

    async def start(self) -> None:
        self.process = await start_proxy(*self._how)

    async def kill_and_start(self) -> None:
        await self.process.kill()
        await self.start()


@pytest.mark.parametrize(
    ("fake", "uploads"),
    [
        ("gemini", "auto"),
        ("openai", "auto"),
        ("openai", "staged"),
        ("anthropic", "auto"),
        ("mistral", "auto"),
        ("bedrock", "auto"),
    ],
    indirect=["fake"],
)
async def test_a_proxy_killed_between_two_chunks(
    fake: FakeClient, http: ClientSession, ferry: Ferry, tmp_path: Path, uploads: str
) -> None:
    env = {"FERRY_PROVIDERS__OPENAI__UPLOADS": uploads}
    async with killable(tmp_path, ferry.upstreams, env) as proxy:
        client = UploadClient(f"{proxy.process.url}/genai", fake.kind, http)
        url = await client.begin(TOTAL)
        for offset in range(0, 3 * CHUNK, CHUNK):
            answer = await client.send(url, offset, DATA[offset : offset + CHUNK])
            assert answer.upload_status == "active"
            if offset == 0:
                await proxy.kill_and_start()
        await proxy.kill_and_start()
        file = (await client.send(url, 3 * CHUNK, DATA[3 * CHUNK :], finalize=True)).file
        assert file["displayName"] == "a name"
        assert await fake.sha256(file["name"]) == SHA256
        await proxy.kill_and_start()
        repeated = await client.send(url, 3 * CHUNK, DATA[3 * CHUNK :], finalize=True)
        assert repeated.file == file
        assert len((await fake.objects())["files"]) == 1


@CHUNKS_GO_UPSTREAM
async def test_a_proxy_killed_during_a_chunk(
    fake: FakeClient, http: ClientSession, ferry: Ferry, tmp_path: Path
) -> None:
    async with killable(tmp_path, ferry.upstreams, {}) as proxy:
        client = UploadClient(f"{proxy.process.url}/genai", fake.kind, http)
        url = await client.begin(TOTAL)
        await client.send(url, 0, DATA[:CHUNK])
        held = await fake.arm(fake.kind.part, "delay", name="held", after_bytes=3 * MIB)
        sending = asyncio.create_task(client.send(url, CHUNK, DATA[CHUNK : 2 * CHUNK]))
        await fake.struck(held)
        await proxy.kill_and_start()
        with pytest.raises(ClientError):
            await sending
        await fake.release(held)
        method = fake.kind.part["method"] if fake.kind.part else ""
        # Two chunks, the second in any state, and the start if it matches too.
        await fake.ended(3 if method == "POST" else 2, method=method)
        for offset in range(CHUNK, 3 * CHUNK, CHUNK):
            await client.insist(url, offset, DATA[offset : offset + CHUNK])
        last = await client.insist(url, 3 * CHUNK, DATA[3 * CHUNK :], finalize=True)
        assert await fake.sha256(last.file["name"]) == SHA256
        assert len((await fake.objects())["files"]) == 1


async def test_a_restart_without_a_secret_key_says_that_urls_do_not_survive(
    fakes: Mapping[str, FakeClient], http: ClientSession, tmp_path: Path
) -> None:
    upstreams = {name: fake.as_upstream for name, fake in fakes.items()}
    async with killable(tmp_path, upstreams, {"FERRY_SECRET_KEY": ""}) as proxy:
        assert "FERRY_SECRET_KEY" in proxy.process.output
        client = UploadClient(f"{proxy.process.url}/genai", KINDS["openai"], http)
        url = await client.begin(TOTAL)
        await proxy.kill_and_start()
        assert (await client.send(url, 0, DATA[:CHUNK])).error == (404, "NOT_FOUND", "final")
