"""A server of OpenAI's kind without files and batches, as vLLM: the proxy has both for it."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeVar

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from google import genai
from google.genai import errors, types

from tests.end_to_end.batch_client import (
    EMBEDDING_MODELS,
    MODELS,
    PAUSE_SECONDS,
    WORK_SECONDS,
    BatchClient,
    asking,
    from_file,
    gemini_line,
    inline,
    text_of,
)
from tests.end_to_end.fake_client import OPENAI, FakeClient
from tests.processes import Process, fake, proxy, start_proxy

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

T = TypeVar("T")

NAME: Final = "my-vllm"
HEADERS: Final = {"x-model-provider": NAME}
MODEL: Final = MODELS["openai"]
SETTINGS: Final[Mapping[str, str]] = {"KIND": "openai", "IMMEDIATE_BATCHES": "always"}
TOKEN: Final = "the-only-client-token"
CHAT: Final = {"method": "POST", "path": "/chat/completions$"}
COUNT: Final = 5
SHORT_LEASE: Final = "tests.end_to_end.short_lease"
FAIL: Final = "please fail"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def started_server(http: ClientSession) -> AsyncIterator[FakeClient]:
    async with fake("completions") as process:
        yield FakeClient(replace(OPENAI, headers=HEADERS), process, http)


@pytest_asyncio.fixture(loop_scope="session")
async def server(started_server: FakeClient) -> FakeClient:
    await started_server.reset()
    return started_server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def ferry(
    started_server: FakeClient, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Process]:
    upstreams = {"my_vllm": {**started_server.as_upstream, **SETTINGS}}
    async with proxy(tmp_path_factory.mktemp("own-batches"), upstreams) as process:
        yield process
    assert OPENAI.key not in process.output


def sdk(process: Process, key: str) -> genai.Client:
    options = types.HttpOptions(base_url=f"{process.url}/genai", headers=HEADERS)
    return genai.Client(api_key=key, http_options=options)


async def with_sdk(ferry: Process, use: Callable[[genai.Client], T], key: str = OPENAI.key) -> T:
    """Another key is another tenant, so a test sees only its own files and batches."""
    with sdk(ferry, key) as client:
        return await asyncio.to_thread(use, client)


def ended(client: genai.Client, job: types.BatchJob) -> types.BatchJob:
    end = time.monotonic() + WORK_SECONDS
    while not job.done:
        assert time.monotonic() < end, job.state
        time.sleep(PAUSE_SECONDS)
        job = client.batches.get(name=str(job.name))
    return job


async def test_a_batch_from_a_file(server: FakeClient, ferry: Process, tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    texts = {"a": "one", "b": FAIL, "c": "three"}
    path.write_text("".join(json.dumps(gemini_line(k, t)) + "\n" for k, t in texts.items()))

    def use(client: genai.Client) -> None:
        file = client.files.upload(file=path, config={"mime_type": "application/jsonl"})
        assert file.name
        assert [each.name for each in client.files.list()] == [file.name]
        assert client.files.download(file=file.name) == path.read_bytes()
        job = client.batches.create(model=MODEL, src=file.name, config={"display_name": "all"})
        assert job.state is types.JobState.JOB_STATE_PENDING
        client.files.delete(name=file.name)  # the batch does not need it any more
        job = ended(client, job)
        assert job.state is types.JobState.JOB_STATE_SUCCEEDED
        assert job.dest
        assert job.dest.file_name
        written = client.files.download(file=job.dest.file_name)
        results = {line["key"]: line for line in map(json.loads, written.splitlines())}
        assert text_of(results["a"]) == "echo: one"
        assert text_of(results["c"]) == "echo: three"
        assert "asked to fail" in results["b"]["error"]["message"]
        [listed] = client.batches.list()
        assert (listed.name, listed.display_name) == (job.name, "all")
        client.batches.delete(name=str(job.name))
        with pytest.raises(errors.ClientError) as refused:
            client.batches.get(name=str(job.name))
        assert refused.value.code == 404
        assert list(client.files.list()) == []

    await with_sdk(ferry, use, "sk-of-a-file")
    calls = await server.requests(method="POST")
    assert Counter(call["path"] for call in calls) == {"/v1/chat/completions": 3}


async def test_a_batch_of_inline_requests(server: FakeClient, ferry: Process) -> None:
    def use(client: genai.Client) -> None:
        requests: Any = [asking(text) for text in ("one", FAIL, "three")]
        job = ended(client, client.batches.create(model=MODEL, src=requests))
        assert job.dest
        assert job.dest.inlined_responses
        first, second, third = job.dest.inlined_responses
        assert first.response
        assert first.response.text == "echo: one"
        assert second.error
        assert "asked to fail" in str(second.error.message)
        assert third.response
        assert third.response.text == "echo: three"

    await with_sdk(ferry, use, "sk-of-inline-requests")


@pytest.mark.filterwarnings("ignore:.*create_embeddings.*experimental")
async def test_a_batch_of_embeddings(server: FakeClient, ferry: Process) -> None:
    def use(client: genai.Client) -> None:
        contents = types.EmbedContentBatch(contents=["one", "two"])
        source = types.EmbeddingsBatchJobSource(inlined_requests=contents)
        job = client.batches.create_embeddings(model=EMBEDDING_MODELS["openai"], src=source)
        job = ended(client, job)
        assert job.dest
        assert job.dest.inlined_embed_content_responses
        for each in job.dest.inlined_embed_content_responses:
            assert each.response
            assert each.response.embedding
            assert each.response.embedding.values

    await with_sdk(ferry, use, "sk-of-embeddings")
    assert {call["path"] for call in await server.requests(method="POST")} == {"/v1/embeddings"}


async def test_counts_and_cancel(server: FakeClient, ferry: Process, http: ClientSession) -> None:
    kind = replace(server.kind, key="sk-of-a-cancel")
    client = BatchClient(f"{ferry.url}/genai", kind, http)
    # Eight calls of a batch are made at once.
    held = await server.arm(CHAT, "delay", times=8)
    source = inline(*({"request": asking(f"question {n}")} for n in range(10)))
    name = (await client.create(source)).ok["name"]
    await server.struck(held)
    running = (await client.get(name)).ok["metadata"]
    assert running["state"] == "BATCH_STATE_RUNNING"
    assert running["batchStats"]["pendingRequestCount"] == "10"
    assert (await client.cancel(name)).ok == {}
    await server.release(held)
    batch = await client.ended_by_itself(name)
    assert batch["metadata"]["state"] == "BATCH_STATE_CANCELLED"
    results = await client.results(batch)
    answered = [text_of(result) for result in results if "response" in result]
    errors_of = [result["error"]["code"] for result in results if "error" in result]
    assert answered == [f"echo: question {n}" for n in range(len(answered))]
    assert errors_of == [1] * (10 - len(answered))
    assert len(answered) <= 8
    stats = batch["metadata"]["batchStats"]
    assert (stats["requestCount"], stats["successfulRequestCount"]) == ("10", str(len(answered)))


async def test_what_the_server_lacks_is_not_asked_of_it(
    server: FakeClient, ferry: Process, http: ClientSession
) -> None:
    client = BatchClient(f"{ferry.url}/genai", server.kind, http)
    for path in ("files", "batches", "files/file-abc", "batches/batch_abc"):
        answer = await client.call("GET", f"v1beta/{path}")
        assert answer.code == (200 if "/" not in path else 404), answer.content
    paths = {call["path"] for call in await server.requests()}
    assert paths <= {"/v1/models"}


# --- a proxy that dies -----------------------------------------------------------------------


class Stage:
    """Proxies one after the other, on one state directory."""

    def __init__(
        self, server: FakeClient, http: ClientSession, state: Path, *, ambient: bool
    ) -> None:
        self.server = server
        self._http = http
        self._state = state
        self._ambient = ambient

    async def proxy(self) -> Process:
        own = {"CREDENTIALS": "ambient", "API_KEY": OPENAI.key} if self._ambient else {}
        env = {"FERRY_CLIENT_TOKENS": TOKEN} if self._ambient else {}
        upstream = {**self.server.as_upstream, **SETTINGS, **own}
        return await start_proxy(self._state, {"my_vllm": upstream}, env, SHORT_LEASE)

    def client(self, process: Process) -> BatchClient:
        key = TOKEN if self._ambient else OPENAI.key
        return BatchClient(f"{process.url}/genai", replace(self.server.kind, key=key), self._http)

    async def killed(self) -> tuple[str, str]:
        """A batch whose proxy was killed with one call under way, and what the proxy wrote."""
        process = await self.proxy()
        client = self.client(process)
        held = await self.server.arm(CHAT, "delay", nth=COUNT)
        lines = [gemini_line(str(n), f"question {n}") for n in range(COUNT)]
        file = await client.upload_lines(lines)
        name = str((await client.create(from_file(file))).ok["name"])
        await self.server.struck(held)
        await client.until_answered(name, COUNT - 1)
        await process.kill()
        await self.server.release(held)
        return name, process.output

    async def check(self, process: Process, name: str) -> None:
        """Every result is there, and only the call under way was made again."""
        client = self.client(process)
        batch = await client.ended_by_itself(name)
        assert batch["metadata"]["state"] == "BATCH_STATE_SUCCEEDED"
        texts = [text_of(one) for one in await client.results(batch)]
        assert texts == [f"echo: question {n}" for n in range(COUNT)]
        assert len(await self.server.requests(**CHAT)) == COUNT + 1


async def test_with_its_own_key_the_next_proxy_continues_by_itself(
    server: FakeClient, http: ClientSession, tmp_path: Path
) -> None:
    stage = Stage(server, http, tmp_path, ambient=True)
    name, _ = await stage.killed()
    process = await stage.proxy()
    try:
        # No client asks for the batch.
        await server.ended(COUNT, outcome="answered", **CHAT)
        await stage.check(process, name)
    finally:
        await process.stop()


async def test_with_a_callers_key_the_next_proxy_continues_when_asked(
    server: FakeClient, http: ClientSession, tmp_path: Path
) -> None:
    stage = Stage(server, http, tmp_path, ambient=False)
    name, output = await stage.killed()
    secret = OPENAI.key.encode()
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert kept
    assert not any(secret in path.read_bytes() for path in kept)
    process = await stage.proxy()
    try:
        await stage.check(process, name)
    finally:
        await process.stop()
    assert OPENAI.key not in output + process.output
