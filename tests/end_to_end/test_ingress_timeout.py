"""An ingress that waits for too short a time: a creation that is repeated is one batch."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Final

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from tests.end_to_end.batch_client import MODELS, Answer, BatchClient, asking, inline
from tests.end_to_end.conftest import Ferry
from tests.end_to_end.fake_client import FakeClient
from tests.end_to_end.nginx import nginx
from tests.end_to_end.sdk_process import PYTHON_NEWEST, SdkError

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

TRANSLATED = pytest.mark.parametrize(
    "fake", ["openai", "anthropic", "mistral", "bedrock"], indirect=True
)
ONE = inline({"request": asking("hello"), "metadata": {"n": "1"}})
REPEATS: Final = 10
"""Those of a client that insists: on a busy machine, a second may be too short once more."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def front(ferry: Ferry, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The address of an nginx that waits for a second."""
    folder = tmp_path_factory.mktemp("impatient")
    async with nginx(folder, ferry.proxy.url, read_timeout="1s") as address:
        yield f"{address}/genai"


@pytest.fixture
def client(fake: FakeClient, front: str, http: ClientSession) -> BatchClient:
    return BatchClient(front, fake.kind, http)


def headers(fake: FakeClient, key: str) -> Mapping[str, str]:
    return {"x-ferry-idempotency-key": f"{key} at {fake.kind.name}"} if key else {}


async def insist(client: BatchClient, headers: Mapping[str, str]) -> Answer:
    """Repeats after 504, and after the 409 that says that the first request is not over."""
    for _ in range(REPEATS):
        answer = await client.create(ONE, headers=headers)
        if answer.code == 200:
            return answer
        assert answer.code == 504 or answer.error == (409, "ABORTED")
    raise AssertionError("no repeat was answered")


async def cut_off(
    client: BatchClient, fake: FakeClient, match: Mapping[str, object], headers: Mapping[str, str]
) -> str:
    """nginx ends a creation while the provider holds a call; returns the name of what holds it."""
    held = await fake.arm(match, "delay", name="held", at="answer")
    answer = await client.create(ONE, headers=headers)
    assert answer.code == 504
    assert b"nginx" in answer.content
    return held


@TRANSLATED
@pytest.mark.parametrize("key", ["", "nightly job"])
async def test_a_creation_cut_off_while_the_provider_makes_the_batch(
    client: BatchClient, fake: FakeClient, key: str
) -> None:
    """The call that creates it has some seconds to end without its client."""
    assert fake.kind.create is not None
    held = await cut_off(client, fake, fake.kind.create, headers(fake, key))
    repeating = asyncio.create_task(insist(client, headers(fake, key)))
    await fake.release(held)

    again = (await repeating).ok

    objects = await fake.objects()
    assert len(objects["batches"]) == 1
    ended = await client.ended(again["name"])
    assert ended["metadata"]["batchStats"]["requestCount"] == "1"


@pytest.mark.parametrize("fake", ["openai", "mistral"], indirect=True)
@pytest.mark.parametrize("key", ["", "weekly job"])
async def test_a_creation_cut_off_before_that_ends(
    client: BatchClient, fake: FakeClient, key: str
) -> None:
    """It leaves nothing, and the repeat begins again."""
    await cut_off(client, fake, fake.kind.whole, headers(fake, key))
    await fake.ended(outcome="client_gone")
    await fake.disarm()

    again = (await insist(client, headers(fake, key))).ok

    objects = await fake.objects()
    assert (len(objects["files"]), len(objects["batches"])) == (1, 1)
    assert (await client.ended(again["name"]))["metadata"]["batchStats"]["requestCount"] == "1"


@TRANSLATED
async def test_an_sdk_raises_the_504_or_repeats_if_told_to(fake: FakeClient, front: str) -> None:
    assert fake.kind.create is not None
    held = await fake.arm(fake.kind.create, "delay", name="held", at="answer")
    sdk = PYTHON_NEWEST.start(front, api_key=fake.kind.key, headers=dict(fake.kind.headers))
    request = {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}
    job = {"model": MODELS[fake.kind.name], "src": [request]}
    async with sdk as process:
        with pytest.raises(SdkError) as caught:
            await process.call("batches.create", **job, config={})
        assert caught.value.code == 504

        await fake.release(held)
        retrying = {"retryOptions": {"attempts": REPEATS, "initialDelay": 0.1, "maxDelay": 0.5}}
        made = await process.call("batches.create", **job, config={"httpOptions": retrying})

        assert [one["name"] for one in (await process.call("batches.list"))["items"]] == [
            made["name"]
        ]
    assert len((await fake.objects())["batches"]) == 1
