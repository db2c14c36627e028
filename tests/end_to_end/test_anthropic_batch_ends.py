"""How a batch at Anthropic ends, and where its results then are."""

from collections.abc import Mapping

import pytest
from aiohttp import ClientSession

from tests.end_to_end.batch_client import (
    BatchClient,
    Document,
    anthropic_line,
    asking,
    from_file,
    gemini_line,
    inline,
    text_of,
)
from tests.end_to_end.conftest import Ferry
from tests.end_to_end.fake_client import FakeClient

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

CANCELLED, DEADLINE_EXCEEDED, INTERNAL = 1, 4, 13
COUNT = 10


@pytest.fixture
def client(anthropic: FakeClient, ferry: Ferry, http: ClientSession) -> BatchClient:
    return BatchClient(ferry.base_url, anthropic.kind, http)


# --- how they end --------------------------------------------------------------------------------


def errors(results: list[Document]) -> list[int]:
    return [one["error"]["code"] for one in results if "error" in one]


async def job_of(client: BatchClient, source: str) -> str:
    if source == "inline":
        requests = ({"request": asking(f"q{n}")} for n in range(COUNT))
        return str((await client.create(inline(*requests))).ok["name"])
    line = gemini_line if source == "file" else anthropic_line
    name = await client.upload_lines([line(f"key-{n}", f"q{n}") for n in range(COUNT)])
    return str((await client.create(from_file(name))).ok["name"])


SOURCES = pytest.mark.parametrize("source", ["inline", "file", "native"])


@SOURCES
async def test_cancelled_keeps_what_was_answered(
    client: BatchClient, anthropic: FakeClient, source: str
) -> None:
    name = await job_of(client, source)
    await anthropic.steer(name, hold="canceling")

    assert (await client.cancel(name)).ok == {}
    assert (await client.cancel(name)).ok == {}, "a cancel may be repeated while it goes on"
    assert (await client.get(name)).ok["metadata"]["state"] == "JOB_STATE_CANCELLING"
    assert (await client.delete(name)).error == (400, "FAILED_PRECONDITION")
    await anthropic.steer(name, hold=None)

    batch = await client.ended(name)
    assert batch["metadata"]["state"] == "BATCH_STATE_CANCELLED"
    results = await client.results(batch)
    assert len(results) == COUNT
    assert errors(results) == [CANCELLED] * (COUNT // 2)
    assert (await client.cancel(name)).error == (400, "FAILED_PRECONDITION")


@SOURCES
@pytest.mark.parametrize(
    ("reached", "state"), [(0, "EXPIRED"), (3, "SUCCEEDED")], ids=["none", "some"]
)
async def test_expired_keeps_what_was_answered(
    client: BatchClient, anthropic: FakeClient, source: str, reached: int, state: str
) -> None:
    name = await job_of(client, source)
    await anthropic.steer(name, reached=reached, status="ended")

    batch = await client.ended(name)

    assert batch["metadata"]["state"] == f"BATCH_STATE_{state}"
    assert batch["metadata"]["batchStats"]["failedRequestCount"] == str(COUNT - reached)
    assert errors(await client.results(batch)) == [DEADLINE_EXCEEDED] * (COUNT - reached)


async def test_each_request_has_its_own_end(client: BatchClient) -> None:
    texts = ["fine", "please fail", "please expire", "please lose"]

    results = await client.finished(inline(*({"request": asking(text)} for text in texts)))

    assert text_of(results[0]) == "echo: fine"
    assert errors(results) == [3, DEADLINE_EXCEEDED, INTERNAL]
    assert "without an answer" in results[3]["error"]["message"]


async def test_results_that_anthropic_no_longer_has(
    client: BatchClient, anthropic: FakeClient
) -> None:
    name = await job_of(client, "file")
    file = (await client.ended(name))["metadata"]["output"]["responsesFile"]
    await anthropic.steer(name, archived=True)

    batch = (await client.get(name)).ok

    assert batch["metadata"]["state"] == "BATCH_STATE_SUCCEEDED"
    assert "output" not in batch["metadata"]
    gone = await client.call("GET", f"v1beta/{file}:download?alt=media")
    assert gone.error == (404, "NOT_FOUND")


# --- where results are ---------------------------------------------------------------------------


async def test_results_are_where_anthropic_says(client: BatchClient, anthropic: FakeClient) -> None:
    await anthropic.settings(results_url="/elsewhere/{id}?signed=yes")

    (result,) = await client.finished(inline({"request": asking("x")}))

    assert text_of(result) == "echo: x"
    assert len(await anthropic.requests(path="^/elsewhere/")) == 1


@pytest.mark.parametrize("source", ["inline", "file"])
async def test_results_of_another_origin_are_never_asked_for(
    client: BatchClient, anthropic: FakeClient, fakes: Mapping[str, FakeClient], source: str
) -> None:
    """Whoever is there would be handed the key."""
    stranger = fakes["gemini"]
    await stranger.reset()
    await anthropic.settings(results_url=f"{stranger.base_url}/{{id}}")
    name = await job_of(client, source)
    await anthropic.steer(name, status="ended")

    if source == "inline":
        refused = await client.get(name)
    else:
        file = (await client.get(name)).ok["metadata"]["output"]["responsesFile"]
        refused = await client.call("GET", f"v1beta/{file}:download?alt=media")

    assert refused.error == (503, "UNAVAILABLE")
    assert await stranger.requests() == []
    assert stranger.base_url not in refused.message
