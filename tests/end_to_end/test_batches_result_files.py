"""The results file of a batch, and what happens if OpenAI's files are gone."""

import base64
import json

import pytest
from aiohttp import ClientError, ClientSession

from tests.end_to_end.batch_client import (
    BatchClient,
    Document,
    asking,
    by_key,
    from_file,
    gemini_line,
    inline,
    text_of,
)
from tests.end_to_end.conftest import Ferry
from tests.end_to_end.fake_client import FakeClient

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

TEXTS = {"good": "hello", "bad": "please fail"}
LINES = [gemini_line(key, text) for key, text in TEXTS.items()]
COUNT = 40
FAILED, LOST = 3, 5
FILES = {"output_file_id": "good", "error_file_id": "bad"}


@pytest.fixture
def client(openai: FakeClient, ferry: Ferry, http: ClientSession) -> BatchClient:
    return BatchClient(ferry.base_url, openai.kind, http)


async def file_job(client: BatchClient, count: int = 3) -> str:
    name = await client.upload_lines([gemini_line(f"key {n}", f"q{n}") for n in range(count)])
    return str((await client.create(from_file(name))).ok["name"])


# --- it is a file --------------------------------------------------------------------------------


async def test_the_file_of_results_is_a_file(client: BatchClient, ferry: Ferry) -> None:
    batch = await client.ended(await file_job(client))
    name = batch["metadata"]["output"]["responsesFile"]

    file = (await client.call("GET", f"v1beta/{name}")).ok

    assert (file["name"], file["source"], file["state"]) == (name, "GENERATED", "ACTIVE")
    assert file["uri"] == f"{ferry.base_url}/v1beta/{name}"
    downloaded = await client.call("GET", file["downloadUri"].removeprefix(f"{ferry.base_url}/"))
    assert [json.loads(line) for line in downloaded.content.splitlines()] == await client.download(
        name
    )
    elsewhere = await client.call("GET", f"download/v1beta/{name}:download?alt=media")
    assert elsewhere.content == downloaded.content


async def test_deleting_it_deletes_openais_files(client: BatchClient, openai: FakeClient) -> None:
    source = await client.upload_lines(LINES)
    job = (await client.create(from_file(source))).ok["name"]
    name = (await client.ended(job))["metadata"]["output"]["responsesFile"]
    assert len((await openai.objects())["files"]) == 4

    assert (await client.call("DELETE", f"v1beta/{name}")).ok == {}

    assert len((await openai.objects())["files"]) == 2, "the input, and its translation"
    assert (await client.call("GET", f"v1beta/{name}")).error == (404, "NOT_FOUND")
    gone = await client.call("GET", f"v1beta/{name}:download?alt=media")
    assert gone.error == (404, "NOT_FOUND")
    batch = (await client.get(job)).ok
    assert (batch["metadata"]["state"], "output" in batch["metadata"]) == (
        "BATCH_STATE_SUCCEEDED",
        False,
    )
    assert (await client.call("DELETE", f"v1beta/{name}")).error == (404, "NOT_FOUND")


async def test_a_results_file_does_not_exist_before_the_batch_has_ended(
    client: BatchClient,
) -> None:
    running = await file_job(client)
    native = running.removeprefix("batches/").encode()

    name = f"files/r{base64.b32encode(native).decode().rstrip('=').lower()}"

    assert (await client.call("GET", f"v1beta/{name}")).error == (404, "NOT_FOUND")
    assert "output" not in (await client.get(running)).ok["metadata"]


async def test_a_batchs_own_files_are_not_listed_and_are_deleted_with_it(
    client: BatchClient, openai: FakeClient
) -> None:
    source = await client.upload_lines(LINES)
    inline_job = await client.create(inline(*[{"request": asking(t)} for t in TEXTS.values()]))
    jobs = [(await client.create(from_file(source))).ok["name"], inline_job.ok["name"]]
    for job in jobs:
        await client.ended(job)
    assert len((await openai.objects())["files"]) == 7, "the input, 2 translations, 4 results"

    listed = (await client.call("GET", "v1beta/files?pageSize=1")).ok
    assert ([file["name"] for file in listed["files"]], "nextPageToken" in listed) == (
        [source],
        False,
    )

    for job in jobs:
        assert (await client.delete(job)).ok == {}
    assert (await openai.objects())["files"] == [openai.native_id(source)]


async def test_a_download_that_is_cut_off_never_ends_cleanly(
    client: BatchClient, openai: FakeClient
) -> None:
    batch = await client.ended(await file_job(client, COUNT))
    name = batch["metadata"]["output"]["responsesFile"]
    await openai.arm({"method": "GET", "path": "/content$"}, "truncate", after_bytes=2000)

    with pytest.raises(ClientError):
        await client.download(name)

    assert len(by_key(await client.download(name))) == COUNT


async def test_inline_results_that_are_cut_off_are_an_error(
    client: BatchClient, openai: FakeClient
) -> None:
    job = (await client.create(inline(*[{"request": asking("hello")}] * COUNT))).ok["name"]
    await client.ended(job)
    await openai.arm({"method": "GET", "path": "/content$"}, "truncate", after_bytes=2000)

    assert (await client.get(job)).error == (503, "UNAVAILABLE")

    assert len(await client.results((await client.get(job)).ok)) == COUNT


# --- files expire at OpenAI, and other tools delete them -----------------------------------------


async def delete_at_openai(openai: FakeClient, http: ClientSession, job: str, field: str) -> None:
    """Deletes the file that the batch names in `field`, without the proxy."""
    key = {"Authorization": f"Bearer {openai.kind.key}"}
    async with http.get(f"{openai.base_url}/{job}", headers=key) as got:
        file = (await got.json())[field]
    async with http.delete(f"{openai.base_url}/files/{file}", headers=key) as deleted:
        assert deleted.status == 200


def check(results: Document, lost: str) -> None:
    """Checks that the lost result is an error, and the other one is there."""
    assert results.keys() == TEXTS.keys()
    assert results[lost]["error"]["code"] == LOST
    assert "no longer" in results[lost]["error"]["message"]
    if lost == "bad":
        assert text_of(results["good"]) == "echo: hello"
    else:
        assert results["bad"]["error"]["code"] == FAILED


@pytest.mark.parametrize(("field", "lost"), FILES.items(), ids=FILES)
async def test_one_of_two_files_for_a_job_from_a_file(
    client: BatchClient, openai: FakeClient, http: ClientSession, field: str, lost: str
) -> None:
    source = await client.upload_lines(LINES)
    job = (await client.create(from_file(source))).ok["name"]
    await client.ended(job)

    await delete_at_openai(openai, http, job, field)

    check(by_key(await client.results((await client.get(job)).ok)), lost)


@pytest.mark.parametrize(("field", "lost"), FILES.items(), ids=FILES)
async def test_one_of_two_files_for_an_inline_job(
    client: BatchClient, openai: FakeClient, http: ClientSession, field: str, lost: str
) -> None:
    requests = [{"request": asking(text)} for text in TEXTS.values()]
    job = (await client.create(inline(*requests))).ok["name"]
    await client.ended(job)

    await delete_at_openai(openai, http, job, field)

    results = await client.results((await client.get(job)).ok)
    check(dict(zip(TEXTS, results, strict=True)), lost)


async def test_all_of_them(client: BatchClient, openai: FakeClient, http: ClientSession) -> None:
    source = await client.upload_lines(LINES)
    from_a_file = (await client.create(from_file(source))).ok["name"]
    results = (await client.ended(from_a_file))["metadata"]["output"]["responsesFile"]
    inlined = (await client.create(inline({"request": asking("hello")}))).ok["name"]
    await client.ended(inlined)

    await delete_at_openai(openai, http, from_a_file, "output_file_id")
    await delete_at_openai(openai, http, from_a_file, "error_file_id")
    await delete_at_openai(openai, http, inlined, "output_file_id")

    download = await client.call("GET", f"v1beta/{results}:download?alt=media")
    assert download.error == (404, "NOT_FOUND")
    batch = (await client.get(inlined)).ok
    assert batch["metadata"]["state"] == "BATCH_STATE_SUCCEEDED"
    assert "output" not in batch["metadata"]
    for job in (from_a_file, inlined):
        assert (await client.delete(job)).ok == {}
