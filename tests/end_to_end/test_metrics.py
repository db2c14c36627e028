"""The numbers that `/metrics` shows are what happened."""

import asyncio
import json
from typing import Any

import pytest
from aiohttp import ClientSession

from tests.end_to_end.batch_client import (
    ENDED,
    LOOKS,
    NATIVE_LINES,
    PAUSE_SECONDS,
    WORK_SECONDS,
    BatchClient,
    asking,
    from_file,
    gemini_line,
    inline,
)
from tests.end_to_end.conftest import Ferry
from tests.end_to_end.fake_client import FakeClient
from tests.end_to_end.upload_client import UploadClient
from tests.scraping import Scrape, scrape

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

PROMPTS = ["one word", "and now three words"]
KINDS_OF_TOKENS = {
    "promptTokenCount": "input",
    "candidatesTokenCount": "output",
    "cachedContentTokenCount": "cached",
    "thoughtsTokenCount": "reasoning",
}


class Shown:
    """What a scrape shows of one provider."""

    def __init__(self, scraped: Scrape, provider: str) -> None:
        self._scraped = scraped
        self._provider = provider

    def __call__(self, series: str, **labels: str) -> float:
        return self._scraped.of(f"ferry_{series}", provider=self._provider, **labels)


async def counted(http: ClientSession, ferry: Ferry, provider: str, before: Scrape) -> Scrape:
    """A scrape after the tokens of a batch were counted, which no client waits for."""
    async with asyncio.timeout(WORK_SECONDS):
        while True:
            now = await scrape(http, ferry.proxy.url)
            if Shown(now.since(before), provider)("tokens_total"):
                return now
            await asyncio.sleep(PAUSE_SECONDS)


async def ended(client: BatchClient, name: str) -> tuple[dict[str, Any], int]:
    """The ended batch, and after how many gets."""
    for looks in range(1, LOOKS + 1):
        batch = (await client.get(name)).ok
        if batch["metadata"]["state"] in ENDED:
            return batch, looks
    raise AssertionError("it does not end")


async def test_the_numbers_of_a_workflow(
    fake: FakeClient, ferry: Ferry, http: ClientSession
) -> None:
    provider = fake.kind.name
    translated = provider != "gemini"
    before = await scrape(http, ferry.proxy.url)
    client = BatchClient(ferry.base_url, fake.kind, http)
    lines = [{"key": prompt, "request": asking(prompt)} for prompt in PROMPTS]
    file = await client.upload_lines(lines)
    created = (await client.create({"fileName": file})).ok
    batch, looks = await ended(client, created["name"])
    await client.get(created["name"])  # a batch that has ended is not counted again
    results = batch["response"]["responsesFile"]
    path = f"download/v1beta/{results}:download?alt=media"
    downloads = [await client.call("GET", path) for _ in range(2)]
    refused = await client.call("GET", "v1beta/files/there-is-none")
    assert refused.code in (403, 404)
    unknown = await client.call("GET", "v1beta/files", key="no-key-of-anything" * 2)

    now = (
        await counted(http, ferry, provider, before)
        if translated
        else await scrape(http, ferry.proxy.url)
    )
    shown = Shown(now.since(before), provider)

    assert shown("requests_total", operation="upload", code="200") == 1
    assert shown("requests_total", operation="generate_batch", code="200") == 1
    assert shown("requests_total", operation="get_batch", code="200") == looks + 1
    assert shown("requests_total", operation="download_file", code="200") == 2
    assert shown("requests_total", operation="get_file", code=str(refused.code)) == 1
    assert shown("request_duration_seconds_count", operation="get_batch") == looks + 1
    assert shown("request_first_byte_seconds_count", operation="download_file") == 2
    assert shown("requests_total") == looks + 6 + (unknown.code > 0)
    assert Shown(now, provider)("requests_in_flight") == 0
    sent = sum(len(json.dumps(line)) + 1 for line in lines)
    assert shown("request_bytes_total", operation="upload") == sent
    received = sum(len(download.content) for download in downloads)
    assert shown("response_bytes_total", operation="download_file") == received
    assert shown("upstream_requests_total") == await calls_from_the_proxy(fake)
    assert shown("upstream_duration_seconds_count") == shown("upstream_requests_total")
    total = shown("request_duration_seconds_sum")
    assert 0 < shown("request_own_duration_seconds_sum") <= total
    assert shown("batches_created_total", kind="GenerateContentBatch") == 1
    assert shown("input_lines_total", outcome="translated") == 2 * translated
    assert shown("input_lines_total") == 2 * translated
    if translated:
        assert shown("refusals_total", operation="get_file", status="NOT_FOUND") == 1
        assert shown("uploads_total", event="finished") == 1
    assert shown("batches_ended_total", state="succeeded") == translated
    assert shown("batch_requests_total", outcome="succeeded") == 2 * translated
    assert shown("result_lines_total", outcome="answer") == 4 * translated
    expected = tokens(downloads[0].content) if translated else {}
    for kind in KINDS_OF_TOKENS.values():
        assert shown("tokens_total", kind=kind) == expected.get(kind, 0)


async def calls_from_the_proxy(fake: FakeClient) -> int:
    """Bedrock's fake, which runs the jobs, calls S3 too, as Bedrock does."""
    agents = [call["headers"].get("user-agent", "") for call in await fake.requests()]
    return sum(not agent.startswith("aiobotocore") for agent in agents)


def tokens(content: bytes) -> dict[str, int]:
    """The tokens of a file of results, added up by kind."""
    found: dict[str, int] = {}
    for line in content.splitlines():
        usage = json.loads(line)["response"]["usageMetadata"]
        for member, kind in KINDS_OF_TOKENS.items():
            found[kind] = found.get(kind, 0) + usage.get(member, 0)
    assert found["input"] > 0 < found["output"]
    return found


async def test_the_models_of_tokens_are_ids(
    translated: FakeClient, ferry: Ferry, http: ClientSession
) -> None:
    client = BatchClient(ferry.base_url, translated.kind, http)
    before = await scrape(http, ferry.proxy.url)
    created = (await client.create(inline({"request": asking("hello")}))).ok
    await ended(client, created["name"])

    now = await counted(http, ferry, translated.kind.name, before)

    models = now.labels("ferry_tokens_total", "model")

    assert any(model.startswith(client.model) for model in models)
    assert not any(model.startswith("arn:") for model in models)


async def test_input_lines_by_what_they_are(
    translated: FakeClient, ferry: Ferry, http: ClientSession
) -> None:
    provider, before = translated.kind.name, await scrape(http, ferry.proxy.url)
    client, native = BatchClient(ferry.base_url, translated.kind, http), NATIVE_LINES[provider]
    own = await client.upload_lines([native(f"id-{number}", "hello") for number in range(3)])
    (await client.create(from_file(own))).ok  # noqa: B018 - it must be created
    wrong = [gemini_line("a", "b"), gemini_line("c", "d", noSuchField=1), gemini_line("e", "f")]
    refused = await client.create(from_file(await client.upload_lines(wrong)))
    assert "line 2" in refused.message
    whole = await client.create(from_file(await client.upload(b"\x1f\x8b, compressed")))
    assert "gzip" in whole.message

    shown = Shown((await scrape(http, ferry.proxy.url)).since(before), provider)

    outcomes = ("translated", "native", "refused")
    counted = [shown("input_lines_total", outcome=outcome) for outcome in outcomes]
    assert counted == [0, 3, 1]


async def test_an_upload_in_chunks(
    client: UploadClient, fake: FakeClient, ferry: Ferry, http: ClientSession
) -> None:
    before = await scrape(http, ferry.proxy.url)
    url = await client.begin(5)
    await client.post(url, b"", {"X-Goog-Upload-Command": "query"})
    for _ in range(3):  # as if the first answers were lost
        await client.send(url, 0, b"12345", finalize=True)
    cancelled = await client.begin(5)
    await client.post(cancelled, b"", {"X-Goog-Upload-Command": "cancel"})

    added = (await scrape(http, ferry.proxy.url)).since(before)

    shown = Shown(added, fake.kind.name)
    events = {
        event: shown("uploads_total", event=event)
        for event in ("started", "resumed", "finished", "cancelled")
    }
    assert events == {"started": 2, "resumed": 1, "finished": 1, "cancelled": 1}
    assert shown("request_bytes_total", operation="upload") >= 15


async def test_nothing_that_a_client_sends_becomes_a_label(
    translated: FakeClient, ferry: Ferry, http: ClientSession
) -> None:
    mark = "a-mark-of-the-client"
    client = BatchClient(ferry.base_url, translated.kind, http)
    await client.call("GET", f"v1beta/files/{mark}", headers={"x-request-id": mark})
    await client.call("POST", f"v1beta/models/{mark}:batchGenerateContent", {"batch": {mark: 1}})
    await client.call("GET", f"v1beta/{mark}")
    await client.call("GET", "v1beta/files", headers={"x-model-provider": mark})
    await client.call("GET", "v1beta/files", headers={"x-goog-api-key": mark})
    await client.call(mark, "v1beta/files")
    async with http.get(f"{ferry.proxy.url}/metrics") as reply:
        assert mark not in await reply.text()


async def test_a_repeated_creation_is_one_batch(
    translated: FakeClient, ferry: Ferry, http: ClientSession
) -> None:
    before = await scrape(http, ferry.proxy.url)
    client = BatchClient(ferry.base_url, translated.kind, http)
    key = {"x-ferry-idempotency-key": f"metrics-{translated.kind.name}"}
    source = inline({"request": asking("hello")})
    names = {(await client.create(source, headers=key)).ok["name"] for _ in range(2)}
    assert len(names) == 1

    shown = Shown((await scrape(http, ferry.proxy.url)).since(before), translated.kind.name)

    assert shown("requests_total", operation="generate_batch", code="200") == 2
    assert shown("batches_created_total") == 1
