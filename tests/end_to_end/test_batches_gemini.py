"""Batches at Gemini are relayed: the client gets Google's answers."""

from collections.abc import Mapping

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from tests.end_to_end.batch_client import (
    BatchClient,
    asking,
    by_key,
    from_file,
    gemini_line,
    inline,
    text_of,
)
from tests.end_to_end.conftest import Ferry
from tests.end_to_end.fake_client import ATTEMPTS, GEMINI, FakeClient

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

ONE = inline({"request": asking("hello"), "metadata": {"n": "1"}})


@pytest_asyncio.fixture(loop_scope="session")
async def gemini(fakes: Mapping[str, FakeClient]) -> FakeClient:
    await fakes["gemini"].reset()
    return fakes["gemini"]


@pytest.fixture
def client(gemini: FakeClient, ferry: Ferry, http: ClientSession) -> BatchClient:
    return BatchClient(ferry.base_url, GEMINI, http)


async def test_inline_results_have_their_metadata(client: BatchClient) -> None:
    created = (await client.create(ONE, displayName="one")).ok

    batch = await client.ended(created["name"])

    (result,) = await client.results(batch)
    assert (text_of(result), result["metadata"]) == ("echo: hello", {"n": "1"})
    assert batch["metadata"]["displayName"] == "one"


async def test_the_names_of_files_stay_googles(client: BatchClient, gemini: FakeClient) -> None:
    source = await client.upload_lines([gemini_line("a", "x"), gemini_line("b", "please fail")])
    batch = await client.ended((await client.create(from_file(source))).ok["name"])

    results = by_key(await client.results(batch))

    assert text_of(results["a"]) == "echo: x"
    assert results["b"]["error"]["code"] == 3
    assert source.removeprefix("files/") in (await gemini.objects())["files"]
    assert batch["metadata"]["output"]["responsesFile"].startswith("files/batch-")


@pytest.mark.parametrize("provider", ["gemini", "Gemini", ""])
async def test_our_own_headers_do_not_reach_google(
    client: BatchClient, gemini: FakeClient, provider: str
) -> None:
    headers = {"x-model-provider": provider, "x-ferry-openai-purpose": "batch"}

    assert (await client.create(ONE, headers=headers)).code == 200

    (sent,) = await gemini.requests(method="POST")
    names = {name.lower() for name in sent["headers"]}
    assert not [name for name in names if name.startswith(("x-ferry-", "x-model-"))]


@pytest.mark.parametrize("status", [400, 403, 404, 429, 500, 503])
async def test_a_refusal_is_googles_own(
    client: BatchClient, gemini: FakeClient, status: int
) -> None:
    error = {"error": {"code": status, "message": "Google's words", "status": "ITS_OWN"}}
    await gemini.arm({"path": "/batches"}, "status", times=ATTEMPTS, status=status, body=error)

    refused = await client.call("GET", "v1beta/batches")

    assert (refused.error, refused.document) == ((status, "ITS_OWN"), error)


async def test_states_that_do_not_allow_it(client: BatchClient) -> None:
    name = (await client.create(ONE)).ok["name"]
    assert (await client.cancel(name)).ok == {}
    assert (await client.ended(name))["metadata"]["state"] == "BATCH_STATE_CANCELLED"

    assert (await client.cancel(name)).error == (400, "FAILED_PRECONDITION")
    assert (await client.delete(name)).ok == {}
    assert (await client.get(name)).error == (404, "NOT_FOUND")


async def test_every_other_path_is_relayed(client: BatchClient, gemini: FakeClient) -> None:
    path = f"v1beta/models/{client.model}"

    answer = (await client.call("POST", f"{path}:generateContent", asking("hello"))).ok
    stream = await client.call("POST", f"{path}:streamGenerateContent?alt=sse", asking("hello"))

    assert text_of({"response": answer}) == "echo: hello"
    assert stream.headers["Content-Type"].startswith("text/event-stream")
    # The text comes in three pieces, and then the end.
    assert stream.content.count(b"data: ") == 4
