"""How a batch at Anthropic ends, and where its results are then."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.end_to_end.batch_client import (
    MODELS,
    BatchClient,
    Document,
    anthropic_line,
    asking,
    from_file,
    gemini_line,
    inline,
    text_of,
)
from tests.end_to_end.conftest import Ferry, Sdks
from tests.end_to_end.fake_client import FakeClient
from tests.end_to_end.sdk_process import GO, JAVASCRIPT, PYTHON_NEWEST, Sdk

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

CANCELLED, DEADLINE_EXCEEDED, NOT_FOUND, INTERNAL = 1, 4, 5, 13
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
async def test_cancelled_keeps_the_answers_so_far(
    client: BatchClient, anthropic: FakeClient, source: str
) -> None:
    name = await job_of(client, source)
    await anthropic.steer(name, hold="canceling")

    assert (await client.cancel(name)).ok == {}
    assert (await client.cancel(name)).ok == {}, "a cancel can be repeated while it continues"
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
async def test_expired_keeps_the_answers_so_far(
    client: BatchClient, anthropic: FakeClient, source: str, reached: int, state: str
) -> None:
    name = await job_of(client, source)
    await anthropic.steer(name, reached=reached, status="ended")

    batch = await client.ended(name)

    assert batch["metadata"]["state"] == f"BATCH_STATE_{state}"
    assert batch["metadata"]["batchStats"]["failedRequestCount"] == str(COUNT - reached)
    assert errors(await client.results(batch)) == [DEADLINE_EXCEEDED] * (COUNT - reached)


async def test_each_request_has_its_own_outcome(client: BatchClient) -> None:
    texts = ["fine", "please fail", "please expire", "please lose"]

    results = await client.finished(inline(*({"request": asking(text)} for text in texts)))

    assert text_of(results[0]) == "echo: fine"
    assert errors(results) == [3, DEADLINE_EXCEEDED, INTERNAL]
    assert "without an answer" in results[3]["error"]["message"]


@pytest.mark.parametrize("source", ["inline", "file"])
async def test_results_that_anthropic_no_longer_has(
    client: BatchClient, anthropic: FakeClient, source: str
) -> None:
    name = await job_of(client, source)
    await client.ended(name)
    await anthropic.steer(name, archived=True)

    batch = (await client.get(name)).ok

    assert batch["metadata"]["state"] == "BATCH_STATE_SUCCEEDED"
    assert batch["error"]["code"] == NOT_FOUND
    results = await client.results(batch)
    assert errors(results) == [NOT_FOUND] * COUNT
    assert all("keeps them for 29 days" in one["error"]["message"] for one in results)


# --- where results are ---------------------------------------------------------------------------

URLS = {
    "relative": "/v1/messages/batches/{id}/results",
    "behind": "https://internal.gateway.test/v1/messages/batches/{id}/results",
    "anthropic": "https://api.anthropic.com/v1/messages/batches/{id}/results",
}


@pytest.mark.parametrize("sdk", [PYTHON_NEWEST, JAVASCRIPT, GO], ids=str)
@pytest.mark.parametrize("url", URLS.values(), ids=URLS)
async def test_results_are_under_the_configured_address(
    anthropic: FakeClient, sdks: Sdks, sdk: Sdk, url: str, tmp_path: Path
) -> None:
    """Not under `results_url`: gateways pass on the URL of the host behind them."""
    sdk.require()
    process = await sdks.get(sdk, anthropic.kind)
    await anthropic.settings(results_url=url)
    path = tmp_path / "lines.jsonl"
    path.write_text(json.dumps(gemini_line("k", "x")))
    source = await process.call("files.upload", path=str(path), mime_type="application/jsonl")
    model = MODELS["anthropic"]
    request = {"contents": [{"role": "user", "parts": [{"text": "x"}]}]}
    made = [
        await process.call("batches.create", model=model, src=src)
        for src in (source["name"], [request])
    ]
    for job in made:
        await anthropic.steer(job["name"], status="ended")

    from_file, inlined = [await process.call("batches.get", name=job["name"]) for job in made]

    name = from_file["dest"]["fileName"]
    await process.call("files.download", path=str(tmp_path / "results"), name=name)
    assert text_of(json.loads((tmp_path / "results").read_text())) == "echo: x"
    assert text_of(inlined["dest"]["inlinedResponses"][0]) == "echo: x"


async def test_results_are_never_requested_from_another_origin(
    client: BatchClient, anthropic: FakeClient, fakes: Mapping[str, FakeClient]
) -> None:
    """The other origin would get the key."""
    stranger = fakes["gemini"]
    await stranger.reset()
    await anthropic.settings(results_url=f"{stranger.base_url}/{{id}}")

    (result,) = await client.finished(inline({"request": asking("x")}))

    assert text_of(result) == "echo: x"
    assert await stranger.requests() == []
