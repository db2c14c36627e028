"""Which files and uploads the fake OpenAI refuses, each case once, and what it keeps."""

import hashlib
import io
from typing import Any

import pytest
from aiohttp import FormData

from .conftest import Client

MIB = 1024 * 1024


def form(*fields: tuple[str, str], name: str = "a.jsonl", data: bytes = b"{}\n") -> FormData:
    built = FormData(default_to_multipart=True)
    for field, value in fields:
        built.add_field(field, value)
    built.add_field("file", io.BytesIO(data), filename=name)
    return built


async def store(client: Client, data: bytes, purpose: str = "batch") -> str:
    response = await client.post("/v1/files", data=form(("purpose", purpose), data=data))
    assert response.status == 200, await response.text()
    native_id: str = (await response.json())["id"]
    return native_id


async def start_upload(client: Client, **changes: Any) -> str:
    body = {"bytes": 6, "filename": "a.jsonl", "mime_type": "x", "purpose": "batch"} | changes
    response = await client.post("/v1/uploads", json=body)
    assert response.status == 200, await response.text()
    native_id: str = (await response.json())["id"]
    return native_id


async def add_part(client: Client, upload: str, data: bytes) -> str:
    body = FormData(default_to_multipart=True)
    body.add_field("data", data, filename="part")
    response = await client.post(f"/v1/uploads/{upload}/parts", data=body)
    assert response.status == 200, await response.text()
    native_id: str = (await response.json())["id"]
    return native_id


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": ""}, 401),
        ({"Authorization": "Bearer AIza"}, 401),
        ({"x-goog-api-key": "sk-one"}, 400),
        ({"x-model-provider": "openai"}, 400),
        ({"x-ferry-openai-purpose": "batch"}, 400),
    ],
)
async def test_headers(openai: Client, headers: dict[str, str], status: int) -> None:
    response = await openai.get("/v1/files", headers=headers)
    assert response.status == status
    assert set((await response.json())["error"]) == {"message", "type", "param", "code"}
    assert response.headers["x-request-id"].startswith("req_")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (form(), "purpose"),
        (form(("purpose", "batch_output")), "purpose"),
        (form(("purpose", "batch"), ("purpose", "batch")), "purpose"),
        (form(("purpose", "batch"), name="a.json"), "file"),
        (form(("purpose", "batch"), ("display_name", "x")), "display_name"),
        (form(("purpose", "batch"), ("expires_after[seconds]", "3600")), "expires_after"),
        (form(("purpose", "batch"), name=""), "file"),
        (FormData({"purpose": "batch"}, default_to_multipart=True), "file"),
        (FormData({"purpose": "batch"}), None),
    ],
)
async def test_forms(openai: Client, body: FormData, param: str | None) -> None:
    response = await openai.post("/v1/files", data=body)
    assert response.status == 400
    assert (await response.json())["error"]["param"] == param
    assert (await (await openai.get("/_fake/objects")).json())["files"] == []


async def test_a_form_needs_its_exact_length(openai: Client) -> None:
    body = b'--B\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--B--\r\nmore'
    headers = {"Content-Type": "multipart/form-data; boundary=B"}

    async def chunked() -> Any:
        yield body

    assert (await openai.post("/v1/files", data=chunked(), headers=headers)).status == 411
    assert (await openai.post("/v1/files", data=body, headers=headers)).status == 400


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/files?limit=0", 400),
        ("GET", "/v1/files?limit=10001", 400),
        ("GET", "/v1/files?order=up", 400),
        ("GET", "/v1/files?purpose=any", 400),
        ("GET", "/v1/files?pageSize=1", 400),
        ("GET", "/v1/files?after=file-none", 400),
        ("GET", "/v1/files/file-none", 404),
        ("GET", "/v1/files/file-none/content", 404),
        ("DELETE", "/v1/files/file-none", 404),
        ("GET", "/v1/uploads/upload_none", 404),
        ("PUT", "/v1/files", 405),
    ],
)
async def test_paths(openai: Client, method: str, path: str, status: int) -> None:
    assert (await openai.request(method, path)).status == status


async def test_files_are_kept_listed_and_deleted(openai: Client) -> None:
    data = b"x" * 3 * MIB
    first, second, third = [await store(openai, data[:size]) for size in (0, 5, len(data))]
    answer = await (await openai.get("/v1/files?limit=2")).json()
    assert [file["id"] for file in answer["data"]] == [third, second]
    assert (answer["has_more"], answer["last_id"]) == (True, second)
    answer = await (await openai.get(f"/v1/files?limit=2&after={second}")).json()
    assert ([file["id"] for file in answer["data"]], answer["has_more"]) == ([first], False)
    assert await (await openai.get(f"/v1/files/{third}/content")).read() == data
    seen = await (await openai.get(f"/_fake/files/{third}/sha256")).json()
    assert seen["sha256"] == hashlib.sha256(data).hexdigest()
    other = {"Authorization": "Bearer sk-two"}
    assert (await openai.get(f"/v1/files/{third}", headers=other)).status == 404
    deleted = await (await openai.delete(f"/v1/files/{third}")).json()
    assert deleted == {"id": third, "object": "file", "deleted": True}
    assert (await openai.get(f"/v1/files/{third}")).status == 404


async def test_content_of_some_purposes_cannot_be_downloaded(openai: Client) -> None:
    native_id = await store(openai, b"x", purpose="user_data")
    response = await openai.get(f"/v1/files/{native_id}/content")
    assert response.status == 400
    assert "user_data" in await response.text()


@pytest.mark.parametrize(
    "changes",
    [
        {"bytes": "6"},
        {"bytes": 201 * MIB},
        {"filename": "a.json"},
        {"purpose": "batch_output"},
        {"purpose": "user_data"},
        {"purpose": "evals"},
        {"mimetype": "x"},
        {"expires_after": {"anchor": "created_at", "seconds": 1}},
    ],
)
async def test_upload_bodies(openai: Client, changes: dict[str, Any]) -> None:
    body = {"bytes": 6, "filename": "a.jsonl", "mime_type": "x", "purpose": "batch"} | changes
    assert (await openai.post("/v1/uploads", json=body)).status == 400


async def test_parts_are_joined_in_the_order_of_completion(openai: Client) -> None:
    upload = await start_upload(openai)
    second = await add_part(openai, upload, b"def")
    first = await add_part(openai, upload, b"abc")
    path = f"/v1/uploads/{upload}/complete"
    for wrong in ([first], [first, first], [first, "part_none"]):
        assert (await openai.post(path, json={"part_ids": wrong})).status == 400
    body = {"part_ids": [first, second]}
    assert (await openai.post(path, json=body | {"md5": "0" * 32})).status == 400
    answer = await (await openai.post(path, json=body)).json()
    assert (answer["status"], answer["file"]["bytes"]) == ("completed", 6)
    content = await openai.get(f"/v1/files/{answer['file']['id']}/content")
    assert await content.read() == b"abcdef"
    assert (await openai.post(path, json=body)).status == 400
    assert (await openai.post(f"/v1/uploads/{upload}/cancel")).status == 400


async def test_an_ended_upload_refuses_parts(openai: Client) -> None:
    cancelled, expired = await start_upload(openai), await start_upload(openai)
    assert (await openai.post(f"/v1/uploads/{cancelled}/cancel")).status == 200
    await openai.post(f"/_fake/uploads/{expired}", json={"status": "expired"})
    for upload in (cancelled, expired):
        body = FormData({"data": "x"}, default_to_multipart=True)
        assert (await openai.post(f"/v1/uploads/{upload}/parts", data=body)).status == 400


async def test_a_server_without_the_uploads_api(openai: Client) -> None:
    await openai.post("/_fake/settings", json={"uploads_api": False})
    assert (await openai.post("/v1/uploads", json={})).status == 404
