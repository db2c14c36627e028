"""Pages of batches, deleted batches, and calls that the batch's state does not allow."""

from typing import Any

import pytest
from aiohttp import ClientSession

from tests.end_to_end.batch_client import BatchClient, Document, asking, inline
from tests.end_to_end.conftest import Ferry
from tests.end_to_end.fake_client import FakeClient

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

ONE = inline({"request": asking("hello")})
WRONG_STATE = (400, "FAILED_PRECONDITION")
ABSENT = (404, "NOT_FOUND")


@pytest.fixture
def client(translated: FakeClient, ferry: Ferry, http: ClientSession) -> BatchClient:
    return BatchClient(ferry.base_url, translated.kind, http)


async def jobs(client: BatchClient, count: int) -> list[str]:
    """Batches, newest first as in lists."""
    return [(await client.create(ONE)).ok["name"] for _ in range(count)][::-1]


async def page(client: BatchClient, size: int, token: str = "") -> Document:
    return (await client.call("GET", f"v1beta/batches?pageSize={size}&pageToken={token}")).ok


def names(page: Document) -> list[str]:
    return [operation["name"] for operation in page.get("operations", [])]


async def every_page(client: BatchClient, size: int) -> list[list[str]]:
    pages, token = [], ""
    while True:
        listed = await page(client, size, token)
        pages.append(names(listed))
        token = listed.get("nextPageToken", "")
        if not token:
            return pages


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
async def test_pages_are_full_and_show_every_batch_once(client: BatchClient, size: int) -> None:
    made = await jobs(client, 7)

    pages = await every_page(client, size)

    assert [name for each in pages for name in each] == made
    assert all(len(each) == size for each in pages[:-1])


async def test_no_batches_are_an_empty_page(client: BatchClient) -> None:
    assert (await client.call("GET", "v1beta/batches")).ok == {}


async def test_a_page_has_ten_by_default(client: BatchClient) -> None:
    made = await jobs(client, 11)

    assert names((await client.call("GET", "v1beta/batches")).ok) == made[:10]


async def test_a_page_is_full_despite_deleted_batches(client: BatchClient) -> None:
    made = await jobs(client, 9)
    deleted = [made[n] for n in (0, 1, 4, 7)]
    for name in deleted:
        await client.ended(name)
        assert (await client.delete(name)).ok == {}
    kept = [name for name in made if name not in deleted]

    assert names(await page(client, 3)) == kept[:3]
    assert [name for each in await every_page(client, 2) for name in each] == kept


async def test_deleted_batches_are_gone_for_every_call(client: BatchClient) -> None:
    (name,) = await jobs(client, 1)
    await client.ended(name)

    assert (await client.delete(name)).ok == {}

    for answer in (
        await client.get(name),
        await client.cancel(name),
        await client.delete(name),
    ):
        assert answer.error == ABSENT
    assert (await client.call("GET", "v1beta/batches")).ok == {}


async def test_a_running_batch_is_not_deleted_and_an_ended_one_not_cancelled(
    client: BatchClient, translated: FakeClient
) -> None:
    (name,) = await jobs(client, 1)

    assert (await client.delete(name)).error == WRONG_STATE
    batch = await client.ended(name)
    assert batch["metadata"]["state"] == "BATCH_STATE_SUCCEEDED", "the refusal changed nothing"
    assert (await client.cancel(name)).error == WRONG_STATE
    assert (await client.delete(name)).ok == {}


_INVALID = {"error": {"message": "too late", "type": "invalid_request_error", "code": None}}
_LATE: dict[str, Any] = {
    "match": {"path": "/cancel$"},
    "kind": "status",
    "status": 409,
    "body": _INVALID,
}
TOO_LATE: dict[str, dict[str, Any]] = {
    "openai": _LATE,
    "anthropic": _LATE,
    "mistral": {
        **_LATE,
        "status": 400,
        "body": {"object": "error", "message": "too late", "type": "invalid_request_error"},
    },
    "bedrock": {
        "match": {"path": "/stop$"},
        "kind": "status",
        "status": 400,
        "headers": {"x-amzn-ErrorType": "ConflictException"},
        "body": {"message": "too late"},
    },
}
"""How each provider refuses to cancel a batch that has just ended."""


async def test_a_cancel_that_is_too_late_is_a_failed_precondition(
    client: BatchClient, translated: FakeClient
) -> None:
    (name,) = await jobs(client, 1)
    await translated.arm(**TOO_LATE[translated.kind.name])

    refused = await client.cancel(name)

    assert refused.error == WRONG_STATE
    assert "too late" in refused.message


@pytest.mark.parametrize("translated", ["openai", "anthropic", "mistral"], indirect=True)
async def test_a_batch_of_another_key_does_not_exist(
    client: BatchClient, translated: FakeClient
) -> None:
    """Bedrock's keys belong to one account, and see the same jobs."""
    (name,) = await jobs(client, 1)
    theirs = translated.kind.other_key

    for method, path in (
        ("GET", f"v1beta/{name}"),
        ("DELETE", f"v1beta/{name}"),
        ("POST", f"v1beta/{name}:cancel"),
    ):
        assert (await client.call(method, path, key=theirs)).error == ABSENT
    assert (await client.call("GET", "v1beta/batches", key=theirs)).ok == {}


@pytest.mark.parametrize(
    "query",
    ["pageSize=-1", "pageSize=x", "pageSize=1e3", "pageToken=nonsense", "filter=state%3DFAILED"],
)
async def test_an_invalid_query_is_refused(client: BatchClient, query: str) -> None:
    refused = await client.call("GET", f"v1beta/batches?{query}")

    assert refused.error == (400, "INVALID_ARGUMENT")
