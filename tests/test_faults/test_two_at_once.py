"""The same request at two replicas at the same time, as from a client that stops waiting."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Final

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from tests.end_to_end.batch_client import BatchClient, asking, inline
from tests.end_to_end.conftest import MIB, Ferry
from tests.end_to_end.fake_client import FakeClient
from tests.end_to_end.pattern import pattern_bytes
from tests.end_to_end.upload_client import UploadClient
from tests.processes import Process, proxy

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

CHUNK: Final = 8 * MIB
DATA: Final = pattern_bytes(CHUNK + MIB)
SHA256: Final = hashlib.sha256(DATA).hexdigest()
KEYED: Final = {"x-ferry-idempotency-key": "the same at both"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def replica(ferry: Ferry) -> AsyncIterator[Process]:
    async with proxy(ferry.state, ferry.upstreams) as process:
        yield process


async def test_the_same_chunk(
    ferry: Ferry, replica: Process, fake: FakeClient, http: ClientSession
) -> None:
    """One of them may be told to come again; the file is right, and there is one."""
    client = UploadClient(ferry.base_url, fake.kind, http)
    url = await client.begin(len(DATA))
    urls = (url, url.replace(ferry.proxy.url, replica.url))
    answers = await asyncio.gather(*(client.send(each, 0, DATA[:CHUNK]) for each in urls))
    assert {answer.upload_status for answer in answers} <= {"active", None}, answers
    await client.insist(url, 0, DATA[:CHUNK])
    file = (await client.insist(url, CHUNK, DATA[CHUNK:], finalize=True)).file
    assert await fake.sha256(file["name"]) == SHA256
    assert len((await fake.objects())["files"]) == 1


async def test_the_same_creation(
    ferry: Ferry, replica: Process, fake: FakeClient, http: ClientSession
) -> None:
    """Where an attempt cannot be looked up, the second is told that the first is under way."""
    base_urls = (ferry.base_url, f"{replica.url}/genai")
    clients = [BatchClient(url, fake.kind, http) for url in base_urls]
    source = inline({"request": asking("hello")})
    answers = await asyncio.gather(*(each.create(source, headers=KEYED) for each in clients))
    made = {answer.document["name"] for answer in answers if answer.code == 200}
    refused = [answer.error for answer in answers if answer.code != 200]
    assert len(made) == 1
    assert refused in ([], [(409, "ABORTED")])
    again = await clients[1].create(source, headers=KEYED)
    assert {again.ok["name"]} == made
