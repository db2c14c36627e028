"""The matrix: what clients do with files and batches, on every provider and store."""

import base64
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio

from tests.buckets import FakeS3
from tests.end_to_end.batch_client import (
    EMBEDDING_MODELS,
    LOOKS,
    MODELS,
    NATIVE_LINES,
    by_key,
    gemini_line,
    text_of,
)
from tests.end_to_end.conftest import Ferry, on_a_bucket
from tests.end_to_end.fake_client import KINDS
from tests.end_to_end.sdk_process import JAVA, PYTHON_NEWEST, SdkError, SdkProcess
from tests.processes import proxy

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

ENDED: Final = ("JOB_STATE_SUCCEEDED", "JOB_STATE_CANCELLED")
TEXTS: Final = {"first key": "question 1", "second key": "please fail", "third key": "question 3"}
REQUESTS: Final = [
    {"contents": [{"role": "user", "parts": [{"text": text}]}], "metadata": {"key": key}}
    for key, text in TEXTS.items()
]


@dataclass(frozen=True)
class Client:
    """The SDK with one provider, through a proxy with one kind of store."""

    sdk: SdkProcess
    provider: str
    folder: Path

    async def call(self, call: str, **args: Any) -> Any:
        return await self.sdk.call(call, **args)

    async def upload(self, native: bool = False) -> Any:
        line = NATIVE_LINES[self.provider] if native else gemini_line
        path = self.folder / "requests.jsonl"
        path.write_text(
            "".join(
                json.dumps(line(key.replace(" ", "-") if native else key, text)) + "\n"
                for key, text in TEXTS.items()
            )
        )
        return await self.call(
            "files.upload", path=str(path), mime_type="application/jsonl", display_name="requests"
        )

    async def create(self, source: Any, **config: Any) -> Any:
        model = MODELS[self.provider]
        return await self.call("batches.create", model=model, src=source, config=config)

    async def ended(self, job: Any) -> Any:
        for _ in range(LOOKS):
            if job["state"] in ENDED:
                return job
            job = await self.call("batches.get", name=job["name"])
        raise AssertionError(f"{job['name']} did not end")

    async def download(self, name: str) -> bytes:
        path = self.folder / "downloaded"
        await self.call("files.download", name=name, path=str(path))
        return path.read_bytes()


# --- its rows ------------------------------------------------------------------------------------


async def upload(client: Client) -> None:
    file = await client.upload()
    assert (file["state"], file["displayName"]) == ("ACTIVE", "requests")
    assert int(file["sizeBytes"]) == (client.folder / "requests.jsonl").stat().st_size


async def get(client: Client) -> None:
    file = await client.upload()
    got = await client.call("files.get", name=file["name"])
    same = ("name", "uri", "displayName", "mimeType", "sizeBytes", "createTime")
    assert [got.get(field) for field in same] == [file.get(field) for field in same]


async def list_files(client: Client) -> None:
    made = {(await client.upload())["name"] for _ in range(3)}
    listed = await client.call("files.list", page_size=2)
    names = [file["name"] for file in listed["items"]]
    assert made <= set(names)
    assert len(set(names)) == len(names)


async def download(client: Client) -> None:
    file = await client.upload()
    if client.provider == "gemini":
        with pytest.raises(SdkError) as refused:
            await client.download(file["name"])
        assert refused.value.code == 403, "Google gives back only what it made"
        return
    sent = (client.folder / "requests.jsonl").read_bytes()
    assert await client.download(file["name"]) == sent
    if client.provider == "anthropic":
        # The whole file was sent in one request.
        assert base64.b64decode(file["sha256Hash"]) == hashlib.sha256(sent).digest()


async def delete(client: Client) -> None:
    file = await client.upload()
    await client.call("files.delete", name=file["name"])
    with pytest.raises(SdkError) as gone:
        await client.call("files.get", name=file["name"])
    assert gone.value.code in (403, 404)
    listed = await client.call("files.list")
    assert file["name"] not in [one["name"] for one in listed["items"]]


async def batch_from_gemini_format(client: Client) -> None:
    job = await client.create((await client.upload())["name"])
    await check_file_results(client, await client.ended(job), TEXTS)


async def batch_from_native_format(client: Client) -> None:
    job = await client.create((await client.upload(native=True))["name"])
    texts = {key.replace(" ", "-"): text for key, text in TEXTS.items()}
    await check_file_results(client, await client.ended(job), texts)


async def inline_batch(client: Client) -> None:
    job = await client.ended(await client.create(REQUESTS, displayName="inline"))
    assert (job["displayName"], job["model"]) == ("inline", f"models/{MODELS[client.provider]}")
    answered = job["dest"]["inlinedResponses"]
    assert [one["metadata"]["key"] for one in answered] == list(TEXTS)
    check(dict(zip(TEXTS, answered, strict=True)), TEXTS)


async def embeddings(client: Client) -> None:
    model = EMBEDDING_MODELS.get(client.provider, "embedding-model")
    source = {"inlinedRequests": {"contents": [{"parts": [{"text": "a"}]}]}}
    creating = client.call("batches.create_embeddings", model=model, src=source)
    if client.provider == "anthropic":
        with pytest.raises(SdkError, match="Anthropic has no embeddings") as refused:
            await creating
        assert (refused.value.code, refused.value.status) == (501, "UNIMPLEMENTED")
        return
    job = await client.ended(await creating)
    (answered,) = job["dest"]["inlinedEmbedContentResponses"]
    assert answered["response"]["embedding"]["values"]


async def get_batch(client: Client) -> None:
    job = await client.create(REQUESTS, displayName="got")
    got = await client.call("batches.get", name=job["name"])
    same = ("name", "displayName", "model", "createTime")
    assert [got.get(field) for field in same] == [job.get(field) for field in same]


async def list_batches(client: Client) -> None:
    made = [(await client.create(REQUESTS, displayName=f"job {n}"))["name"] for n in range(3)]
    listed = (await client.call("batches.list", page_size=2))["items"]
    mine = {job["name"]: job for job in listed if job["name"] in made}
    assert list(mine) == made[::-1]
    assert [job["displayName"] for job in mine.values()] == ["job 2", "job 1", "job 0"]
    assert [job.get("dest") for job in mine.values()] == [None] * 3


async def cancel(client: Client) -> None:
    job = await client.create(REQUESTS)
    assert await client.call("batches.cancel", name=job["name"]) is None
    assert (await client.ended(job))["state"] == "JOB_STATE_CANCELLED"


async def delete_batch(client: Client) -> None:
    job = await client.ended(await client.create(REQUESTS))
    await client.call("batches.delete", name=job["name"])
    with pytest.raises(SdkError) as gone:
        await client.call("batches.get", name=job["name"])
    assert (gone.value.code, gone.value.status) == (404, "NOT_FOUND")
    listed = await client.call("batches.list", page_size=100)
    assert job["name"] not in [one["name"] for one in listed["items"]]


async def results(client: Client) -> None:
    """A results file is like any other file."""
    source = await client.upload()
    job = await client.ended(await client.create(source["name"], displayName="results"))
    await client.call("files.delete", name=source["name"])
    file = await client.call("files.get", name=job["dest"]["fileName"])
    assert (file["name"], file["source"]) == (job["dest"]["fileName"], "GENERATED")
    await check_file_results(client, job, TEXTS)


async def check_file_results(client: Client, job: Any, texts: Mapping[str, str]) -> None:
    content = await client.download(job["dest"]["fileName"])
    check(by_key([json.loads(line) for line in content.splitlines()]), texts)


def check(answers: Mapping[str, Any], texts: Mapping[str, str]) -> None:
    assert answers.keys() == texts.keys()
    for key, text in texts.items():
        if text == "please fail":
            assert answers[key]["error"]["code"] == 3
        else:
            assert text_of(answers[key]) == f"echo: {text}"


ROWS: Final[Mapping[str, Callable[[Client], Awaitable[None]]]] = {
    "upload": upload,
    "get": get,
    "list": list_files,
    "download": download,
    "delete": delete,
    "batch from a Gemini-format file": batch_from_gemini_format,
    "batch from a native file": batch_from_native_format,
    "inline batch": inline_batch,
    "embeddings": embeddings,
    "batch get": get_batch,
    "batch list": list_batches,
    "batch cancel": cancel,
    "batch delete": delete_batch,
    "batch results": results,
}


# --- its columns ---------------------------------------------------------------------------------

COLUMNS: Final = {
    "directory-python": ("directory", PYTHON_NEWEST),
    "bucket-python": ("bucket", PYTHON_NEWEST),
    "directory-java": ("directory", JAVA),
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def addresses(
    ferry: Ferry, s3_process: FakeS3, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Mapping[str, str]]:
    """The proxy's address for each kind of store."""
    unused, settings = tmp_path_factory.mktemp("unused"), on_a_bucket(s3_process)
    async with proxy(unused, ferry.upstreams, settings) as on_bucket:
        yield {"directory": ferry.base_url, "bucket": f"{on_bucket.url}/genai"}
    secrets = [secret for kind in KINDS.values() for secret in kind.secrets]
    for secret in ("X-Amz-Signature", *secrets):
        assert secret not in on_bucket.output


@pytest_asyncio.fixture(
    scope="module", loop_scope="session", params=COLUMNS.values(), ids=list(COLUMNS)
)
async def processes(
    addresses: Mapping[str, str], request: pytest.FixtureRequest
) -> AsyncIterator[Mapping[str, SdkProcess]]:
    """The column's SDK, for each provider."""
    store, sdk = request.param
    async with AsyncExitStack() as stack:
        yield {
            name: await stack.enter_async_context(
                sdk.start(addresses[store], api_key=kind.key, headers=dict(kind.headers))
            )
            for name, kind in KINDS.items()
        }


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
@pytest.mark.parametrize("provider", KINDS)
async def test_the_matrix(
    processes: Mapping[str, SdkProcess],
    tmp_path: Path,
    row: Callable[[Client], Awaitable[None]],
    provider: str,
) -> None:
    await row(Client(processes[provider], provider, tmp_path))
