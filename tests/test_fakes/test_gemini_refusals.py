"""What the fake Gemini refuses outside the resumable protocol, each case once."""

from typing import Any

import pytest
from aiohttp import FormData, MultipartWriter

from .conftest import Client

BATCH = "/v1/models/gemini-2.5-flash:batchGenerateContent"
REQUEST = {"contents": [{"parts": [{"text": "hi"}]}]}


async def upload_raw(client: Client, body: bytes) -> dict[str, Any]:
    headers = {"X-Goog-Upload-Protocol": "raw", "Content-Type": "text/plain"}
    response = await client.post("/upload/v1/files", headers=headers, data=body)
    assert response.status == 200
    file: dict[str, Any] = (await response.json())["file"]
    return file


def inline(*requests: Any) -> dict[str, Any]:
    items = [{"request": request} for request in requests]
    return {"batch": {"inputConfig": {"requests": {"requests": items}}}}


@pytest.mark.parametrize(
    ("headers", "status", "text"),
    [
        ({"x-goog-api-key": ""}, 403, "unregistered callers"),
        ({"x-goog-api-key": "nonsense"}, 400, "API_KEY_INVALID"),
        ({"x-model-provider": "gemini"}, 400, "must not leave the proxy"),
        ({"X-Ferry-Idempotency-Key": "1"}, 400, "must not leave the proxy"),
    ],
)
async def test_headers(gemini: Client, headers: dict[str, str], status: int, text: str) -> None:
    response = await gemini.get("/v1/files", headers=headers)
    assert (response.status, text in await response.text()) == (status, True)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/files?page_size=1", 400),
        ("GET", "/v1/files?pageToken=made-up", 400),
        ("GET", "/v1/files/nothere", 403),
        ("DELETE", "/v1/files/nothere", 403),
        ("GET", "/v1/files/nothere:download?alt=media", 403),
        ("GET", "/v1/batches/nothere", 404),
        ("POST", "/v1/batches/nothere:cancel", 404),
        ("POST", "/upload/v1/files", 400),
        ("GET", "/v2/files", 404),
    ],
)
async def test_paths(gemini: Client, method: str, path: str, status: int) -> None:
    assert (await gemini.request(method, path)).status == status


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "batch"),
        ({"batch": {}}, "inputConfig"),
        ({"batch": {"inputConfig": {}}}, "exactly one"),
        ({"batch": {"inputConfig": {"fileName": "files/none"}}}, "permission"),
        (inline(), "0 items"),
        (inline({"contents": []}), "contents"),
        (inline(REQUEST | {"config": {}}), "batch.inputConfig.requests.requests[0].request.config"),
        (inline({"contents": [{"parts": [{"txt": "hi"}]}]}), "contents[0].parts[0].txt"),
        (inline(REQUEST | {"generation_config": {"temperature": 3}}), "temperature"),
    ],
)
async def test_create_bodies(gemini: Client, body: Any, text: str) -> None:
    response = await gemini.post(BATCH, json=body)
    assert response.status in (400, 403)
    assert text in (await response.json())["error"]["message"]


async def test_an_unknown_model(gemini: Client) -> None:
    path = BATCH.replace("gemini-2.5-flash", "gpt-4o")
    assert (await gemini.post(path, json=inline(REQUEST))).status == 404


async def test_uploaded_files_are_not_downloaded_nor_shared(gemini: Client) -> None:
    file = await upload_raw(gemini, b"hello")
    path = f"/v1/{file['name']}"
    assert (await gemini.get(f"{path}:download?alt=media")).status == 403
    assert (await gemini.get(path, headers={"x-goog-api-key": "AIzaTwo"})).status == 403
    token = {"x-goog-api-key": "", "Authorization": "Bearer ya29.x"}
    assert await (await gemini.get("/v1/files", headers=token)).json() == {}
    assert await (await gemini.get(path)).json() == file


async def test_a_multipart_upload_has_two_related_parts(gemini: Client) -> None:
    headers = {"X-Goog-Upload-Protocol": "multipart"}
    with MultipartWriter("related") as related:
        related.append_json({"file": {"displayName": "dn"}})
        related.append(b"hello", {"Content-Type": "text/x"})
    response = await gemini.post("/upload/v1/files", headers=headers, data=related)
    file = (await response.json())["file"]
    assert (file["displayName"], file["mimeType"], file["sizeBytes"]) == ("dn", "text/x", "5")
    form = FormData({"a": "b"}, default_to_multipart=True)
    assert (await gemini.post("/upload/v1/files", headers=headers, data=form)).status == 400


async def test_a_file_batch_answers_in_order_and_bad_lines_fail_alone(gemini: Client) -> None:
    lines = (
        b'{"key":"a","request":{"contents":[{"parts":[{"text":"one"}]}]}}\n'
        b'{"key":"b","request":{"contents":[{"parts":[{"text":"please fail"}]}]}}\n'
        b"not json\n"
        b'{"request":{"contents":[{"parts":[{"text":"four"}]}],"bogus":1}}\n'
    )
    file = await upload_raw(gemini, lines)
    body = {"batch": {"display_name": "dn", "input_config": {"file_name": file["name"]}}}
    batch = await (await gemini.post(BATCH, json=body)).json()
    assert batch["metadata"]["state"] == "BATCH_STATE_PENDING"
    path = f"/v1/{batch['name']}"
    states = [(await (await gemini.get(path)).json())["metadata"]["state"] for _ in range(2)]
    assert states == ["BATCH_STATE_RUNNING", "BATCH_STATE_SUCCEEDED"]
    ended = await (await gemini.get(path)).json()
    stats = ended["metadata"]["batchStats"]
    assert (stats["successfulRequestCount"], stats["failedRequestCount"]) == ("1", "3")
    results = ended["response"]["responsesFile"]
    text = await (await gemini.get(f"/download/v1/{results}:download?alt=media")).text()
    first, second, third, fourth = text.splitlines()
    assert '"key":"a"' in first
    assert "echo: one" in first
    assert '"error"' in second
    assert '"error"' in third
    assert "bogus" in fourth
    assert (await gemini.post(f"{path}:cancel")).status == 400
    assert (await gemini.delete(path)).status == 200
    assert (await gemini.get(path)).status == 404


async def test_a_test_can_steer_a_batch(gemini: Client) -> None:
    batch = await (await gemini.post(BATCH, json=inline(REQUEST))).json()
    path, steer = f"/v1/{batch['name']}", f"/_fake/{batch['name']}"
    await gemini.post(steer, json={"hold": "PENDING"})
    assert (await (await gemini.get(path)).json())["metadata"]["state"] == "BATCH_STATE_PENDING"
    await gemini.post(steer, json={"state": "FAILED"})
    failed = await (await gemini.get(path)).json()
    assert (failed["metadata"]["state"], failed["error"]["code"]) == ("BATCH_STATE_FAILED", 13)


@pytest.mark.parametrize(
    ("config", "status"),
    [
        ({"responseFormat": {"text": {"mimeType": "APPLICATION_JSON", "schema": {}}}}, 200),
        ({"response_format": {"text": {"mime_type": "TEXT_PLAIN"}}}, 200),
        ({"responseFormat": {"text": {"type": "TEXT_PLAIN"}}}, 400),
        ({"responseFormat": {"video": {}}}, 400),
        ({"_responseJsonSchema": {"type": "object"}}, 200),
        ({"translationConfig": {"targetLanguageCode": "de"}}, 200),
    ],
)
async def test_the_newer_settings(gemini: Client, config: dict[str, Any], status: int) -> None:
    body = inline(REQUEST | {"generationConfig": config})
    assert (await gemini.post(BATCH, json=body)).status == status


@pytest.mark.parametrize(
    ("config", "status"),
    [
        ({"responseSchema": 0.5}, 400),
        ({"responseSchema": {"type": "object", "properties": {"a": 1}}}, 200),
        ({"responseJsonSchema": 0.5}, 200),
        ({"responseJsonSchema": {"$ref": "#"}}, 200),
        ({"responseJsonSchema": {"$ref": "#/nowhere"}}, 200),
        ({"responseJsonSchema": {"type": []}}, 200),
        ({"responseJsonSchema": {"enum": 1}}, 200),
    ],
)
async def test_any_schema_has_an_answer(
    gemini: Client, config: dict[str, Any], status: int
) -> None:
    path = "/v1/models/gemini-2.5-flash:generateContent"
    response = await gemini.post(path, json={**REQUEST, "generationConfig": config})
    assert response.status == status


@pytest.mark.parametrize(
    "body",
    [
        '{"contents": {"parts": {"text": "hi"}}}',
        """{'contents': [{'parts': [{'text': 'it\\'s "so"\nand so',}],}],}""",
        """{"contents": [{"parts": [{"text": "hi"}]}],
        "toolConfig": {"functionCallingConfig": {"mode": "auto"}}}""",
    ],
)
async def test_forms_that_google_takes(gemini: Client, body: str) -> None:
    path = BATCH.replace("batchGenerate", "generate")
    response = await gemini.post(path, data=body.encode())
    assert response.status == 200, await response.text()
