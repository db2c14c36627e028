"""What a fake stores, saved in one run and restored in the next."""

from typing import Any

import pytest
from aiohttp import FormData, web
from aiohttp.test_utils import TestClient
from pytest_aiohttp import AiohttpClient

from tests.fakes.anthropic import anthropic_app
from tests.fakes.gemini import gemini_app
from tests.fakes.mistral import mistral_app
from tests.fakes.openai import openai_app
from tests.fakes.s3 import FILES_BUCKET
from tests.fakes.snapshot import packed, unpacked
from tests.test_fakes.fake_bedrock_client import FakeBedrockClient

Client = TestClient[web.Request, web.Application]

LINE = (
    b'{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":'
    b'{"model":"gpt-4o-mini","messages":[{"role":"user","content":"hi"}]}}\n'
)
MESSAGE = {"model": "claude-haiku-4-5", "max_tokens": 8}
ITEM = {"custom_id": "a", "params": {**MESSAGE, "messages": [{"role": "user", "content": "hi"}]}}


def test_a_content_is_packed_and_unpacked() -> None:
    assert unpacked(packed(b"content" * 1000)) == b"content" * 1000


@pytest.mark.parametrize("text", ["no base64!", packed(b"content")[:-8]])
def test_invalid_packed_content_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"base64|cut off"):
        unpacked(text)


async def ok(client: Client, method: str, path: str, **body: Any) -> Any:
    async with client.request(method, path, **body) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def moved(first: Client, second: Client) -> None:
    """Everything that `first` stores, put into `second`, which then stores the same."""
    stored = await ok(first, "GET", "/_fake/snapshot")
    await ok(second, "POST", "/_fake/snapshot", json=stored)
    assert await ok(second, "GET", "/_fake/snapshot") == stored


async def test_openai(openai: Client, aiohttp_client: AiohttpClient) -> None:
    form = FormData({"purpose": "batch"})
    form.add_field("file", LINE, filename="a.jsonl")
    file = (await ok(openai, "POST", "/v1/files", data=form))["id"]
    asked = {
        "input_file_id": file,
        "endpoint": "/v1/chat/completions",
        "completion_window": "24h",
    }
    running, ended = [(await ok(openai, "POST", "/v1/batches", json=asked))["id"] for _ in "ab"]
    await ok(openai, "POST", f"/_fake/batches/{ended}", json={"status": "completed"})
    begun = {"bytes": 4, "filename": "a.png", "mime_type": "image/png", "purpose": "vision"}
    upload = (await ok(openai, "POST", "/v1/uploads", json=begun))["id"]
    part = FormData()
    part.add_field("data", b"part", filename="part")
    part_id = (await ok(openai, "POST", f"/v1/uploads/{upload}/parts", data=part))["id"]
    another = await aiohttp_client(openai_app(), headers={"Authorization": "Bearer sk-one"})

    await moved(openai, another)

    completed = await ok(
        another, "POST", f"/v1/uploads/{upload}/complete", json={"part_ids": [part_id]}
    )
    assert completed["file"]["id"] not in {file, running, ended, upload, part_id}
    output = (await ok(another, "GET", f"/v1/batches/{ended}"))["output_file_id"]
    async with another.get(f"/v1/files/{output}/content") as content:
        assert b"echo: hi" in await content.read()
    statuses = [(await ok(another, "GET", f"/v1/batches/{running}"))["status"] for _ in range(3)]
    assert statuses == ["in_progress", "finalizing", "completed"]


async def test_a_batch_of_openai_that_is_about_to_end_cannot_be_moved(openai: Client) -> None:
    form = FormData({"purpose": "batch"})
    form.add_field("file", LINE, filename="a.jsonl")
    asked = {
        "input_file_id": (await ok(openai, "POST", "/v1/files", data=form))["id"],
        "endpoint": "/v1/chat/completions",
        "completion_window": "24h",
    }
    batch = (await ok(openai, "POST", "/v1/batches", json=asked))["id"]
    await ok(openai, "POST", f"/_fake/batches/{batch}", json={"status": "finalizing"})

    async with openai.get("/_fake/snapshot") as answer:
        assert answer.status == 400


async def test_mistral(mistral: Client, aiohttp_client: AiohttpClient) -> None:
    form = FormData({"purpose": "batch"})
    form.add_field("file", b'{"custom_id":"a","body":{"messages":[]}}\n', filename="a.jsonl")
    file = (await ok(mistral, "POST", "/v1/files", data=form))["id"]
    asked = {"endpoint": "/v1/chat/completions", "model": "mistral-small-latest"}
    hello = {"messages": [{"role": "user", "content": "hi"}]}
    inputs: list[dict[str, Any]] = [
        {"input_files": [file]},
        {"requests": [{"custom_id": "a", "body": hello}]},
    ]
    running, ended = [
        (await ok(mistral, "POST", "/v1/batch/jobs", json=asked | each))["id"] for each in inputs
    ]
    await ok(mistral, "POST", f"/_fake/batches/{ended}", json={"status": "SUCCESS"})
    another = await aiohttp_client(mistral_app(), headers=dict(mistral.session.headers))

    await moved(mistral, another)

    (result,) = (await ok(another, "GET", f"/v1/batch/jobs/{ended}?inline=true"))["outputs"]
    assert result["response"]["body"]["choices"][0]["message"]["content"] == "echo: hi"
    jobs = [await ok(another, "GET", f"/v1/batch/jobs/{running}") for _ in "ab"]
    assert [job["status"] for job in jobs] == ["RUNNING", "SUCCESS"]
    assert jobs[-1]["error_file"] not in {file, running, ended, None}


async def test_anthropic(anthropic: Client, aiohttp_client: AiohttpClient) -> None:
    create = {"json": {"requests": [ITEM]}}
    running, ended = [
        (await ok(anthropic, "POST", "/v1/messages/batches", **create))["id"] for _ in "ab"
    ]
    await ok(anthropic, "POST", f"/_fake/batches/{ended}", json={"status": "ended"})
    another = await aiohttp_client(anthropic_app(), headers=dict(anthropic.session.headers))

    await moved(anthropic, another)

    async with another.get(f"/v1/messages/batches/{ended}/results") as results:
        assert b"echo: hi" in await results.read()
    looks = [
        (await ok(another, "GET", f"/v1/messages/batches/{running}"))["processing_status"]
        for _ in range(2)
    ]
    assert looks == ["in_progress", "ended"]
    assert (await ok(another, "POST", "/v1/messages/batches", **create))["id"] not in {
        running,
        ended,
    }


def test_bedrock_and_its_s3(bedrock: FakeBedrockClient, job: str) -> None:
    """The session has one fake, which is reset in between."""
    s3, place = bedrock.s3, {"Bucket": FILES_BUCKET, "Key": "in/parts"}
    upload = s3.create_multipart_upload(**place, Metadata={"name": "kept"})["UploadId"]
    part = s3.upload_part(**place, UploadId=upload, PartNumber=1, Body=b"part")
    stored = bedrock.control("snapshot")
    bedrock.control("reset", {})
    assert bedrock.control("objects")["batches"] == []

    bedrock.control("snapshot", stored)

    assert bedrock.control("snapshot") == stored
    assert bedrock.ended(job)["status"] == "Completed"
    assert bedrock.create() != job
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    s3.complete_multipart_upload(**place, UploadId=upload, MultipartUpload=parts)
    assert s3.head_object(**place)["Metadata"] == {"name": "kept"}
    assert bedrock.read("in/parts") == b"part"


async def test_gemini(gemini: Client, aiohttp_client: AiohttpClient) -> None:
    """URLs in its answers have the address of the fake that answers."""
    command = {"X-Goog-Upload-Command": "start", "X-Goog-Upload-Protocol": "resumable"}
    about = {"X-Goog-Upload-Header-Content-Type": "application/jsonl"}
    line = b'{"key":"a","request":{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}}\n'
    length = {"X-Goog-Upload-Header-Content-Length": str(len(line))}
    async with gemini.post(
        "/upload/v1beta/files", json={"file": {}}, headers={**command, **about, **length}
    ) as started:
        url = started.headers["X-Goog-Upload-URL"]
    finish = {"X-Goog-Upload-Command": "upload, finalize", "X-Goog-Upload-Offset": "0"}
    async with gemini.session.post(url, data=line, headers=finish) as finished:
        file = (await finished.json())["file"]["name"]
    body = {"batch": {"displayName": "mine", "inputConfig": {"fileName": file}}}
    create = "/v1beta/models/gemini-2.5-flash:batchGenerateContent"
    name = (await ok(gemini, "POST", create, json=body))["name"]
    another = await aiohttp_client(gemini_app(), headers={"x-goog-api-key": "AIzaOne"})

    await moved(gemini, another)

    shown = await ok(another, "GET", f"/v1beta/{file}")
    assert shown["uri"] == str(another.make_url(f"/v1beta/{file}"))
    states = [(await ok(another, "GET", f"/v1beta/{name}"))["metadata"]["state"] for _ in "ab"]
    assert states[-1] == "BATCH_STATE_SUCCEEDED"
    assert (await ok(another, "POST", create, json=body))["name"] != name
