"""Batches that the proxy runs itself: they outlive the proxy that began them."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pytest
from aiohttp import ClientSession

from tests.buckets import aws_environment
from tests.end_to_end.batch_client import (
    PAUSE_SECONDS,
    WORK_SECONDS,
    BatchClient,
    Document,
    asking,
    inline,
    text_of,
)
from tests.end_to_end.fake_client import BEDROCK, CONVERSE, IMMEDIATE, FakeClient
from tests.processes import Process, start_proxy

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

TOKEN: Final = "the-only-client-token"
COUNT: Final = 5
SHORT_LEASE: Final = "tests.end_to_end.short_lease"
AMBIENT: Final[Mapping[str, str]] = {"CREDENTIALS": "ambient"}
CALLER: Final[Mapping[str, str]] = {"CREDENTIALS": "caller"}
CALLS: Final = {"path": "/converse$"}


@dataclass
class Interrupted:
    """A batch of COUNT requests, all answered except one, whose call is under way."""

    process: Process
    client: BatchClient
    name: str
    held: str

    async def draining(self) -> None:
        async with asyncio.timeout(WORK_SECONDS):
            while "draining" not in self.process.output:  # noqa: ASYNC110 - it says no more
                await asyncio.sleep(PAUSE_SECONDS)


class Stage:
    """Proxies one after the other, on one state directory."""

    def __init__(
        self, fake: FakeClient, session: ClientSession, state: Path, credentials: Mapping[str, str]
    ) -> None:
        self._fake = fake
        self._session = session
        self._state = state
        self._credentials = credentials

    async def proxy(self, program: str = "proxy", drain: str = "30") -> Process:
        """`drain` in seconds."""
        upstreams = {"bedrock": {**self._fake.as_upstream, **IMMEDIATE, **self._credentials}}
        own = {**aws_environment(), "FERRY_CLIENT_TOKENS": TOKEN}
        env = own if self._credentials is AMBIENT else {}
        env = {**env, "FERRY_DRAIN_SECONDS": drain}
        return await start_proxy(self._state, upstreams, env, program)

    def client(self, process: Process) -> BatchClient:
        kind = replace(BEDROCK, key=TOKEN) if self._credentials is AMBIENT else BEDROCK
        return BatchClient(f"{process.url}/genai", kind, self._session)

    async def interrupted(self, drain: str = "0.5") -> Interrupted:
        """Of the answered requests the results are recorded: only these count as answered."""
        process = await self.proxy(SHORT_LEASE, drain)
        client = self.client(process)
        held = await self._fake.arm(CONVERSE, "delay", nth=COUNT)
        requests = ({"request": asking(f"question {n}")} for n in range(COUNT))
        name = (await client.create(inline(*requests))).ok["name"]
        await self._fake.struck(held)
        await client.until_answered(name, COUNT - 1)
        return Interrupted(process, client, name, held)

    async def check(self, batch: Document, client: BatchClient, repeated: int = 1) -> None:
        """Checks that every result is there, and that no call was unnecessary."""
        assert batch["metadata"]["state"] == "BATCH_STATE_SUCCEEDED"
        texts = [text_of(one) for one in await client.results(batch)]
        assert texts == [f"echo: question {n}" for n in range(COUNT)]
        calls = await self._fake.requests(**CALLS)
        answered = Counter(one["asked"] for one in calls if one["outcome"] == "answered")
        assert answered == Counter(f"question {n}" for n in range(COUNT))
        assert len(calls) == COUNT + repeated, "only the call under way was repeated, once"


async def test_a_killed_proxys_batch_is_finished_by_the_next_one(
    bedrock: FakeClient, http: ClientSession, tmp_path: Path
) -> None:
    """With the proxy's own credentials no client has to ask for the batch."""
    stage = Stage(bedrock, http, tmp_path, AMBIENT)
    interrupted = await stage.interrupted()
    await interrupted.process.kill()
    await bedrock.release(interrupted.held)

    process = await stage.proxy(SHORT_LEASE)
    try:
        await bedrock.ended(COUNT, outcome="answered", **CALLS)
        client = stage.client(process)
        await stage.check(await client.ended_by_itself(interrupted.name), client)
    finally:
        await process.stop()


async def test_a_stopped_proxys_batch_is_finished_by_the_next_one_immediately(
    bedrock: FakeClient, http: ClientSession, tmp_path: Path
) -> None:
    """The proxy releases its lease before it ends; its drain is shorter than the call under way."""
    stage = Stage(bedrock, http, tmp_path, AMBIENT)
    interrupted = await stage.interrupted()
    assert await interrupted.process.stop() == 0
    await bedrock.release(interrupted.held)

    process = await stage.proxy()
    try:
        await bedrock.ended(COUNT, outcome="answered", **CALLS)
        client = stage.client(process)
        await stage.check(await client.ended_by_itself(interrupted.name), client)
    finally:
        await process.stop()


async def test_a_drain_lets_the_current_call_end(
    bedrock: FakeClient, http: ClientSession, tmp_path: Path
) -> None:
    stage = Stage(bedrock, http, tmp_path, AMBIENT)
    interrupted = await stage.interrupted(drain="30")
    stopping = asyncio.create_task(interrupted.process.stop())
    await interrupted.draining()
    await bedrock.release(interrupted.held)
    assert await stopping == 0

    process = await stage.proxy()
    try:
        client = stage.client(process)
        await stage.check(await client.ended_by_itself(interrupted.name), client, repeated=0)
    finally:
        await process.stop()


async def test_with_a_callers_credential_a_batch_continues_at_the_next_request(
    bedrock: FakeClient, http: ClientSession, tmp_path: Path
) -> None:
    stage = Stage(bedrock, http, tmp_path, CALLER)
    interrupted = await stage.interrupted()
    assert await interrupted.process.stop() == 0
    await bedrock.release(interrupted.held)
    secret = BEDROCK.secrets[0].encode()
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert kept
    assert not any(secret in path.read_bytes() for path in kept), (
        "nothing that could continue the batch is stored"
    )

    process = await stage.proxy()
    try:
        client = stage.client(process)
        assert (await client.call("GET", "v1beta/files")).ok == {}
        assert len(await bedrock.requests(**CALLS)) == COUNT, (
            "a call for files does not continue the batch"
        )
        await stage.check(await client.ended_by_itself(interrupted.name), client)
    finally:
        await process.stop()
    assert secret.decode() not in interrupted.process.output + process.output


async def test_the_error_of_a_proxy_that_refuses_small_batches(
    bedrock: FakeClient, http: ClientSession, tmp_path: Path
) -> None:
    process = await start_proxy(tmp_path, {"bedrock": {**bedrock.as_upstream, "MIN_RECORDS": "3"}})
    try:
        client = BatchClient(f"{process.url}/genai", BEDROCK, http)
        two = inline({"request": asking("one")}, {"request": asking("two")})

        refused = await client.create(two)

        assert refused.error == (400, "INVALID_ARGUMENT")
        for words in (
            "too few records (2)",
            "Minimum number of records",
            "IMMEDIATE_BATCHES=small",
        ):
            assert words in refused.message
        assert await bedrock.requests(method="POST") == []
    finally:
        await process.stop()
