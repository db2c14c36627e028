"""`x-ferry-idempotency-key`: a repeated creation gives the same batch."""

import asyncio
from collections.abc import Mapping

import pytest
from aiohttp import ClientSession

from tests.end_to_end.batch_client import BatchClient, asking, inline, text_of
from tests.end_to_end.conftest import Ferry
from tests.end_to_end.fake_client import FakeClient

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

CREATE = {"method": "POST", "path": "^/v1/batches$"}
ONE = inline({"request": asking("hello"), "metadata": {"n": "1"}})


@pytest.fixture
def client(openai: FakeClient, ferry: Ferry, http: ClientSession) -> BatchClient:
    return BatchClient(ferry.base_url, openai.kind, http)


async def left(openai: FakeClient) -> tuple[int, int]:
    """The number of files and of batches at OpenAI."""
    objects = await openai.objects()
    return len(objects["files"]), len(objects["batches"])


async def has_its_result(client: BatchClient, name: str) -> None:
    (result,) = await client.results(await client.ended(name))
    assert text_of(result) == "echo: hello"


KEY: Mapping[str, str] = {"x-ferry-idempotency-key": "Tuesday's job"}


async def test_the_same_key_and_body_are_the_same_batch(
    client: BatchClient, openai: FakeClient
) -> None:
    first = (await client.create(ONE, headers=KEY)).ok

    again = (await client.create(ONE, headers=KEY)).ok

    assert again["name"] == first["name"]
    assert await left(openai) == (1, 1)


async def test_the_same_key_with_another_body_is_a_conflict(
    client: BatchClient, openai: FakeClient
) -> None:
    headers = {"x-ferry-idempotency-key": "Wednesday's job"}
    await client.create(ONE, headers=headers)

    other = await client.create(ONE, headers=headers, displayName="another")

    assert other.error == (409, "ALREADY_EXISTS")
    assert await left(openai) == (1, 1)


async def test_each_tenant_has_its_own_keys(
    client: BatchClient, openai: FakeClient, http: ClientSession
) -> None:
    path, body = (
        f"v1beta/models/{client.model}:batchGenerateContent",
        {"batch": {"inputConfig": ONE}},
    )
    headers = {"x-ferry-idempotency-key": "Thursday's job"}

    names = [
        (await client.call("POST", path, body, headers, key=key)).ok["name"]
        for key in (openai.kind.key, openai.kind.other_key)
    ]

    assert names[0] != names[1]


async def test_without_a_key_or_with_another_one_each_request_is_its_own_batch(
    client: BatchClient, openai: FakeClient
) -> None:
    names = [
        (await client.create(ONE, headers=headers)).ok["name"]
        for headers in ({}, {}, {"x-ferry-idempotency-key": "one"})
    ]

    assert len(set(names)) == 3
    assert await left(openai) == (3, 3)


async def test_a_creation_that_failed_may_be_repeated_with_its_key(
    client: BatchClient, openai: FakeClient
) -> None:
    headers = {"x-ferry-idempotency-key": "Friday's job"}
    await openai.arm(CREATE, "status", status=503)
    assert (await client.create(ONE, headers=headers)).error == (503, "UNAVAILABLE")

    created = (await client.create(ONE, headers=headers)).ok

    assert await left(openai) == (1, 1)
    await has_its_result(client, created["name"])


async def test_two_at_the_same_time_with_one_key_are_one_batch(
    client: BatchClient, openai: FakeClient
) -> None:
    """If both were created, one is cancelled, and no client sees it."""
    headers = {"x-ferry-idempotency-key": "Saturday's job"}

    created = await asyncio.gather(*(client.create(ONE, headers=headers) for _ in range(2)))

    assert len({one.ok["name"] for one in created}) == 1
    listed = (await client.call("GET", "v1beta/batches")).ok["operations"]
    assert [one["name"] for one in listed] == [created[0].ok["name"]]
    await has_its_result(client, created[0].ok["name"])
