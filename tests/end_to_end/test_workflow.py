"""Every snippet of the documented workflow, against each provider.

They differ from the documentation by what the README lists under "Corrections to the documented
workflow", and by nothing else. At Bedrock the proxy carries their few requests out itself.
"""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from google import genai
from google.genai import errors, types

from tests.end_to_end.batch_client import MODELS, NATIVE_LINES, PAUSE_SECONDS, WORK_SECONDS
from tests.end_to_end.conftest import Ferry, new_s3_prefix
from tests.end_to_end.fake_client import BEDROCK, CONVERSE, FakeClient
from tests.processes import Process

pytestmark = pytest.mark.end_to_end

COMPLETED = [
    "JOB_STATE_SUCCEEDED",
    "JOB_STATE_FAILED",
    "JOB_STATE_CANCELLED",
    "JOB_STATE_EXPIRED",
]
STATE_AT_FIRST = {
    MODELS["gemini"]: "JOB_STATE_PENDING",
    MODELS["openai"]: "JOB_STATE_PENDING",
    MODELS["anthropic"]: "JOB_STATE_RUNNING",  # it knows none before that
    MODELS["mistral"]: "JOB_STATE_PENDING",
    MODELS["bedrock"]: "JOB_STATE_PENDING",
}
QUESTIONS = {"request-1": "What is 2+2?", "request-2": "What is the capital of France?"}
INLINE: list[Any] = [
    {
        "contents": [{"role": "user", "parts": [{"text": question}]}],
        "config": {"response_modalities": ["TEXT"]},
    }
    for question in QUESTIONS.values()
]


@pytest.fixture
def model(fake: FakeClient) -> str:
    return MODELS[fake.kind.name]


@pytest.fixture
def client(fake: FakeClient, ferry: Ferry, immediate_proxy: Process) -> Iterator[genai.Client]:
    base_url, headers = ferry.base_url, dict(fake.kind.headers)
    if fake.kind is BEDROCK:
        base_url, headers = f"{immediate_proxy.url}/genai", headers | new_s3_prefix()
    client = genai.Client(
        api_key=fake.kind.key,
        http_options=types.HttpOptions(base_url=base_url, headers=headers),
    )
    yield client
    client.close()


@pytest.fixture
def path(fake: FakeClient, tmp_path: Path) -> Path:
    """Lines in the format of the documented workflow for the provider."""
    path = tmp_path / "batch_requests.jsonl"
    line = NATIVE_LINES[fake.kind.name]
    lines = [line(key, question) for key, question in QUESTIONS.items()]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.fixture
def uploaded(client: genai.Client, path: Path) -> types.File:
    return _upload(client, path)


@pytest.fixture
def job(client: genai.Client, model: str, uploaded: types.File) -> types.BatchJob:
    return client.batches.create(model=model, src=_name(uploaded))


# --- files ---------------------------------------------------------------------------------------


def test_uploads_a_file(client: genai.Client, path: Path) -> None:
    uploaded = client.files.upload(
        file=str(path),
        config=types.UploadFileConfig(display_name="batch_input", mime_type="application/jsonl"),
    )

    assert uploaded.name is not None
    assert uploaded.name.startswith("files/")
    assert uploaded.display_name == "batch_input"
    assert uploaded.size_bytes == path.stat().st_size
    assert uploaded.state == types.FileState.ACTIVE


def test_lists_files(client: genai.Client, uploaded: types.File) -> None:
    names = [file.name for file in client.files.list(config={"page_size": 50})]

    assert names == [uploaded.name]


def test_gets_a_file(client: genai.Client, uploaded: types.File) -> None:
    file = client.files.get(name=_name(uploaded))

    assert (file.name, file.display_name) == (uploaded.name, uploaded.display_name)
    assert (file.size_bytes, file.create_time) == (uploaded.size_bytes, uploaded.create_time)


def test_deletes_a_file(client: genai.Client, uploaded: types.File) -> None:
    client.files.delete(name=_name(uploaded))

    assert list(client.files.list(config={"page_size": 50})) == []
    with pytest.raises(errors.ClientError):
        client.files.get(name=_name(uploaded))


# --- batches -------------------------------------------------------------------------------------


def test_creates_a_batch_from_a_file(
    client: genai.Client, model: str, uploaded: types.File
) -> None:
    job = client.batches.create(model=model, src=_name(uploaded))

    assert job.name is not None
    assert job.name.startswith("batches/")
    assert job.state == STATE_AT_FIRST[model]
    assert job.model == f"models/{model}"


def test_creates_a_batch_of_inline_requests(client: genai.Client, model: str) -> None:
    job = client.batches.create(model=model, src=INLINE)

    job = _polled(client, job)
    assert job.state == "JOB_STATE_SUCCEEDED"
    assert job.dest is not None
    answered = job.dest.inlined_responses or []
    texts = [one.response.text for one in answered if one.response]
    assert texts == [f"echo: {question}" for question in QUESTIONS.values()]


def test_lists_batches(client: genai.Client, job: types.BatchJob) -> None:
    listed = client.batches.list(config=types.ListBatchJobsConfig(page_size=10))

    assert [(one.name, one.dest) for one in listed] == [(job.name, None)]


def test_gets_a_batch(client: genai.Client, job: types.BatchJob) -> None:
    got = client.batches.get(name=_name(job))

    assert (got.name, got.model, got.create_time) == (job.name, job.model, job.create_time)


def test_polls_until_the_batch_succeeded(client: genai.Client, job: types.BatchJob) -> None:
    job = _polled(client, job)

    assert job.state == "JOB_STATE_SUCCEEDED"
    assert job.done
    assert job.end_time is not None


def test_downloads_the_results(client: genai.Client, job: types.BatchJob) -> None:
    job = _polled(client, job)

    assert job.dest is not None
    assert job.dest.file_name is not None
    content = client.files.download(file=job.dest.file_name)
    answers = {}
    for line in content.decode().splitlines():
        result = json.loads(line)
        response = types.GenerateContentResponse.model_validate(result["response"])
        answers[result["key"]] = response.text
    assert answers == {key: f"echo: {question}" for key, question in QUESTIONS.items()}


@pytest_asyncio.fixture(loop_scope="session")
async def unhurried(fake: FakeClient) -> str | None:
    """A delay, so that the batch does not end before it can be cancelled."""
    if fake.kind is not BEDROCK:
        return None
    return await fake.arm(CONVERSE, "delay", times=len(QUESTIONS))


@pytest.mark.asyncio(loop_scope="session")
async def test_cancels_a_batch(
    client: genai.Client, fake: FakeClient, unhurried: str | None, job: types.BatchJob
) -> None:
    await asyncio.to_thread(client.batches.cancel, name=_name(job))

    cancelled = await asyncio.to_thread(client.batches.get, name=_name(job))
    assert cancelled.state in ("JOB_STATE_CANCELLING", "JOB_STATE_CANCELLED")
    if unhurried is not None:
        await fake.release(unhurried)
    ended = await asyncio.to_thread(_polled, client, job)
    assert ended.state == "JOB_STATE_CANCELLED"


def test_deletes_a_batch(client: genai.Client, job: types.BatchJob) -> None:
    _polled(client, job)

    client.batches.delete(name=_name(job))

    with pytest.raises(errors.ClientError) as refused:
        client.batches.get(name=_name(job))
    assert (refused.value.code, refused.value.status) == (404, "NOT_FOUND")
    assert list(client.batches.list(config=types.ListBatchJobsConfig(page_size=10))) == []


# -------------------------------------------------------------------------------------------------


def _upload(client: genai.Client, path: Path) -> types.File:
    config = types.UploadFileConfig(display_name="batch_input", mime_type="application/jsonl")
    return client.files.upload(file=str(path), config=config)


def _polled(client: genai.Client, job: types.BatchJob) -> types.BatchJob:
    """Polls like the documentation, but more often."""
    until = time.monotonic() + WORK_SECONDS
    while job.state not in COMPLETED and time.monotonic() < until:
        time.sleep(PAUSE_SECONDS if _is_immediate(job) else 0)
        job = client.batches.get(name=_name(job))
    return job


def _is_immediate(job: types.BatchJob) -> bool:
    """Whether the proxy runs it, so that a get does not advance it."""
    return _name(job).startswith("batches/immediate-")


def _name(resource: types.File | types.BatchJob) -> str:
    assert resource.name is not None
    return resource.name
