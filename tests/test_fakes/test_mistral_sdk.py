"""Mistral's own client and its models, against the fake: every member is a published one."""

import json
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any

import pytest
from mistralai.client import Mistral, errors, models
from pydantic import BaseModel

from .conftest import Client
from .test_mistral_jobs import CHAT, EMBEDDINGS, line, rows, steer
from .test_mistral_requests import ANSWERED, CALL, TOOL, USER, chat, schema

SMALL = "mistral-small-latest"
REQUESTS = [models.BatchRequest(custom_id="a", body=chat())]
# With the members that the model adds.
CALLED = {"role": "assistant", "tool_calls": [CALL | {"index": 0}], "prefix": False}


@pytest.fixture
async def sdk(mistral: Client) -> AsyncIterator[Mistral]:
    address = str(mistral.make_url("")).rstrip("/")
    async with Mistral(api_key="a" * 32, server_url=address) as sdk:
        yield sdk


def require_published(model: type[BaseModel], served: dict[str, Any]) -> None:
    """Fails if a member is missing, has another type, or is not published."""
    read = model.model_validate_json(json.dumps(served))
    assert read.model_dump(mode="json", by_alias=True) == served


async def show(mistral: Client, path: str) -> Any:
    return await (await mistral.get(path)).json()


async def uploaded(sdk: Mistral, data: bytes, **members: Any) -> models.CreateFileResponse:
    file = models.File(file_name="a.jsonl", content=BytesIO(data))
    return await sdk.files.upload_async(file=file, purpose="batch", **members)


async def test_the_clients_workflow(mistral: Client, sdk: Mistral) -> None:
    file = await uploaded(sdk, rows(line("a"), line("b", "please fail")), expiry=3)
    listed = await sdk.files.list_async(purpose="batch", sample_type=["batch_request"])
    assert (listed.data[0].id, listed.total) == (file.id, 1)
    job = await sdk.batch.jobs.create_async(
        endpoint=CHAT, model=SMALL, input_files=[file.id], metadata={"a": "b"}
    )
    while job.status != "SUCCESS":
        job = await sdk.batch.jobs.get_async(job_id=job.id)
    assert isinstance(job.output_file, str)
    answers = await (await sdk.files.download_async(file_id=job.output_file)).aread()
    (answer,) = map(json.loads, answers.splitlines())
    read = models.ChatCompletionResponse.model_validate(answer["response"]["body"])
    assert read.choices[0].message is not None
    assert read.choices[0].message.content == "echo: hi"
    jobs = await sdk.batch.jobs.list_async(status=["SUCCESS"], created_by_me=True)
    assert [each.id for each in jobs.data or ()] == [job.id]
    assert (await sdk.batch.jobs.delete_async(job_id=job.id)).deleted
    assert (await sdk.files.delete_async(file_id=file.id)).deleted


async def test_inline_requests_and_cancelling(mistral: Client, sdk: Mistral) -> None:
    job = await sdk.batch.jobs.create_async(endpoint=CHAT, model=SMALL, requests=REQUESTS)
    await steer(mistral, {"id": job.id}, status="SUCCESS")
    job = await sdk.batch.jobs.get_async(job_id=job.id, inline=True)
    assert job.outputs
    assert job.outputs[0]["custom_id"] == "a"
    again = await sdk.batch.jobs.create_async(endpoint=CHAT, model=SMALL, requests=REQUESTS)
    assert (await sdk.batch.jobs.cancel_async(job_id=again.id)).status == "CANCELLATION_REQUESTED"


async def test_refusals_are_errors_of_the_client(mistral: Client, sdk: Mistral) -> None:
    with pytest.raises(errors.SDKError) as raised:
        await sdk.batch.jobs.create_async(endpoint=CHAT, model="gpt-4o", requests=REQUESTS)
    assert raised.value.status_code == 400
    answer = await mistral.post("/v1/batch/jobs", json={})
    problems = errors.HTTPValidationErrorData.model_validate(await answer.json())
    assert problems.detail
    assert (problems.detail[0].loc, problems.detail[0].type) == (["body", "endpoint"], "missing")


async def test_the_members_of_files_and_jobs(mistral: Client, sdk: Mistral) -> None:
    file = await uploaded(sdk, rows(line("a"), line("b", "please fail")))
    job = await sdk.batch.jobs.create_async(endpoint=CHAT, model=SMALL, input_files=[file.id])
    queued = await show(mistral, "/v1/batch/jobs")
    require_published(models.ListBatchJobsResponse, queued)
    await steer(mistral, {"id": job.id}, status="SUCCESS")
    require_published(models.BatchJob, await show(mistral, f"/v1/batch/jobs/{job.id}?inline=true"))
    require_published(models.ListFilesResponse, await show(mistral, "/v1/files"))
    require_published(models.FileSchema, await show(mistral, f"/v1/files/{file.id}"))
    removed = await (await mistral.delete(f"/v1/files/{file.id}")).json()
    require_published(models.DeleteFileResponse, removed)
    removed = await (await mistral.delete(f"/v1/batch/jobs/{job.id}")).json()
    require_published(models.DeleteBatchJobResponse, removed)


@pytest.mark.parametrize(
    "body",
    [
        chat(),
        chat(n=2, max_tokens=1),
        chat(reasoning_effort="high"),
        chat(logprobs=True, top_logprobs=1),
        chat(tools=[TOOL], tool_choice="any"),
        chat(response_format=schema()),
        chat(USER, CALLED, ANSWERED),
        chat(
            {"role": "system", "content": [{"type": "text", "text": "a"}]},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "a"},
                    {"type": "image_url", "image_url": {"url": "https://a/b", "detail": "low"}},
                    {"type": "document_url", "document_url": "https://a/b", "document_name": "b"},
                ],
            },
        ),
        chat(
            temperature=0.5,
            top_p=1,
            top_k=1,
            min_tokens=0,
            stop=["a"],
            random_seed=1,
            presence_penalty=1,
            frequency_penalty=1,
            repetition_penalty=1,
            prediction={"type": "content", "content": "a"},
            prompt_mode="reasoning",
            service_tier="auto",
            safe_prompt=True,
            prompt_cache_key="a",
            metadata={},
        ),
    ],
)
async def test_requests_and_answers_of_chats(mistral: Client, body: dict[str, Any]) -> None:
    """The fake takes only published members, and answers with published ones."""
    request = models.ChatCompletionRequest.model_validate({"model": SMALL, **body})
    assert request.model_dump(mode="json", by_alias=True).items() >= body.items()
    require_published(models.ChatCompletionResponse, await answered(mistral, body, CHAT, SMALL))


async def test_requests_and_answers_of_embeddings(mistral: Client) -> None:
    body = {"input": ["a"], "output_dimension": 3, "output_dtype": "float", "metadata": {}}
    request = models.EmbeddingRequest.model_validate({"model": "codestral-embed", **body})
    assert request.model_dump(mode="json", by_alias=True).items() >= body.items()
    answer = await answered(mistral, body, EMBEDDINGS, "codestral-embed")
    require_published(models.EmbeddingResponse, answer)


async def answered(
    mistral: Client, body: dict[str, Any], endpoint: str, model: str
) -> dict[str, Any]:
    asked = {"endpoint": endpoint, "model": model, "requests": [line(body=body)]}
    job = await (await mistral.post("/v1/batch/jobs", json=asked)).json()
    await steer(mistral, job, status="SUCCESS")
    shown = await show(mistral, f"/v1/batch/jobs/{job['id']}?inline=true")
    response = shown["outputs"][0]["response"]
    assert response["status_code"] == 200, response
    answer: dict[str, Any] = response["body"]
    return answer
