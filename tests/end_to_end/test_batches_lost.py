"""Creations without a key whose client lost the answer: an equal request gets the same batch."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from providers.retries import ATTEMPTS
from tests.end_to_end.batch_client import BatchClient, Document
from tests.end_to_end.conftest import Ferry
from tests.end_to_end.fake_client import FakeClient
from tests.processes import Process, proxy

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

TRANSLATED = pytest.mark.parametrize(
    "fake", ["openai", "anthropic", "mistral", "bedrock"], indirect=True
)
UNKNOWN = "whether the batch was made is unknown"


@pytest.fixture
def client(fake: FakeClient, ferry: Ferry, http: ClientSession) -> BatchClient:
    return BatchClient(ferry.base_url, fake.kind, http)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def replica(ferry: Ferry) -> AsyncIterator[Process]:
    async with proxy(ferry.state, ferry.upstreams) as process:
        yield process


@pytest.fixture
def other(fake: FakeClient, replica: Process, http: ClientSession) -> BatchClient:
    """The same client, at another replica."""
    return BatchClient(f"{replica.url}/genai", fake.kind, http)


async def leave(client: BatchClient, fake: FakeClient, one: Document) -> str:
    """A client leaves while the provider creates its batch; returns the name of what holds it."""
    held = await fake.arm(fake.kind.create, "delay", name="held", at="answer")
    leaving = asyncio.create_task(client.create(one))
    await fake.struck(held)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    return held


async def remembered(ferry: Ferry) -> None:
    """Waits until another replica can know of the client that left."""
    async with asyncio.timeout(10):
        # Only the state store shows it.
        while not list((ferry.state / "lost").rglob("*=")):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def created(fake: FakeClient) -> int:
    return len((await fake.objects())["batches"])


@TRANSLATED
async def test_a_repeat_gets_the_batch_of_a_client_that_left(
    client: BatchClient, fake: FakeClient, one: Document
) -> None:
    held = await leave(client, fake, one)
    repeating = asyncio.create_task(client.create(one))
    await fake.release(held)
    again = (await repeating).ok
    assert await created(fake) == 1
    assert (await client.ended(again["name"]))["metadata"]["batchStats"]["requestCount"] == "1"


@TRANSLATED
async def test_a_repeat_at_another_replica_gets_it_too(
    client: BatchClient, other: BatchClient, fake: FakeClient, ferry: Ferry, one: Document
) -> None:
    shutil.rmtree(ferry.state / "lost", ignore_errors=True)
    held = await leave(client, fake, one)
    await remembered(ferry)
    repeating = asyncio.create_task(other.create(one))
    await fake.release(held)
    assert (await repeating).ok["name"]
    assert await created(fake) == 1


@pytest.mark.parametrize("fake", ["openai", "anthropic", "mistral"], indirect=True)
async def test_a_repeat_gets_it_also_on_the_proxys_own_credentials(
    fake: FakeClient, ferry: Ferry, http: ClientSession, tmp_path: Path, one: Document
) -> None:
    """There a creation runs on without its client, so that its batch has an owner."""
    kind = fake.kind
    own = {"CREDENTIALS": "ambient", "API_KEY": kind.key}
    upstreams = {kind.name: {**ferry.upstreams[kind.name], **own}}
    async with proxy(tmp_path, upstreams, {"FERRY_CLIENT_TOKENS": "ann=token-of-ann"}) as lending:
        client = BatchClient(f"{lending.url}/genai", replace(kind, key="token-of-ann"), http)
        held = await leave(client, fake, one)
        repeating = asyncio.create_task(client.create(one))
        await fake.release(held)
        again = (await repeating).ok
        assert await created(fake) == 1
        assert (await client.create(one)).ok["name"] != again["name"]


@TRANSLATED
async def test_a_batch_is_repeated_only_once(
    client: BatchClient, fake: FakeClient, one: Document
) -> None:
    await fake.release(await leave(client, fake, one))
    names = {(await client.create(one)).ok["name"] for _ in range(2)}
    assert len(names) == 2
    assert await created(fake) == 2


@TRANSLATED
async def test_another_request_is_another_batch(
    client: BatchClient, fake: FakeClient, one: Document
) -> None:
    await fake.release(await leave(client, fake, one))
    await fake.ended(method="POST", path=fake.kind.create["path"])
    assert (await client.create(one, displayName="another")).code == 200
    assert await created(fake) == 2


@TRANSLATED
async def test_two_connected_clients_have_two_batches(
    client: BatchClient, fake: FakeClient, one: Document
) -> None:
    made = await asyncio.gather(client.create(one), client.create(one))
    assert len({one.ok["name"] for one in made}) == 2


@TRANSLATED
async def test_a_lost_answer_is_never_a_second_batch(
    client: BatchClient, fake: FakeClient, one: Document
) -> None:
    """Anthropic stores nothing by which the first could be found, so there the client decides."""
    await fake.arm(fake.kind.create, "lose_answer")
    first = await client.create(one)
    if first.code != 200:
        assert first.code == 503
        again = await client.create(one)
        assert again.error == (409, "ABORTED")
    assert await created(fake) == 1


@pytest.mark.parametrize("fake", ["openai", "mistral", "bedrock"], indirect=True)
@pytest.mark.parametrize("status", [503, 403])
async def test_a_lost_answer_that_cannot_be_looked_up_is_no_second_batch(
    client: BatchClient, fake: FakeClient, status: int, one: Document
) -> None:
    """A list that fails, or that the key may not ask for, says nothing about the first batch."""
    assert fake.kind.create is not None
    lists = {"method": "GET", "path": fake.kind.create["path"].removesuffix("$")}
    await fake.arm(fake.kind.create, "lose_answer", times=ATTEMPTS)
    await fake.arm(lists, "status", status=status, times=9 * ATTEMPTS)
    first = await client.create(one)
    assert first.error == (503, "UNAVAILABLE")
    assert UNKNOWN in first.message
    await fake.disarm()
    assert (await client.create(one)).code == 200
    assert await created(fake) == 1
