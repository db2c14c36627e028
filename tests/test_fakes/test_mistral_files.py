"""Which files the fake Mistral refuses, each case once, and what it keeps."""

import hashlib
import io
import time
from typing import Any

import pytest
from aiohttp import FormData

from .conftest import Client

MIB = 1024 * 1024
NO_FILE = "/v1/files/00000000-0000-4000-8000-000000000000"
BATCH = ("purpose", "batch")


def form(*fields: tuple[str, str], name: str = "a.jsonl", data: bytes = b"{}\n") -> FormData:
    built = FormData(default_to_multipart=True)
    for field, value in fields:
        built.add_field(field, value)
    built.add_field("file", io.BytesIO(data), filename=name, content_type="application/jsonl")
    return built


async def upload(client: Client, *fields: tuple[str, str], **file: Any) -> dict[str, Any]:
    response = await client.post("/v1/files", data=form(*(fields or (BATCH,)), **file))
    assert response.status == 200, await response.text()
    uploaded: dict[str, Any] = await response.json()
    return uploaded


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": ""}, 401),
        ({"Authorization": "a" * 32}, 401),
        ({"Authorization": f"bearer {'a' * 32}"}, 401),
        ({"Authorization": "Bearer sk-one"}, 401),
        ({"Authorization": f"Bearer AIza{'a' * 35}"}, 401),
        ({"x-goog-api-key": "a" * 32}, 400),
        ({"x-model-provider": "mistral"}, 400),
        ({"x-ferry-mistral-purpose": "batch"}, 400),
        ({"openai-organization": "a"}, 400),
    ],
)
async def test_headers(mistral: Client, headers: dict[str, str], status: int) -> None:
    response = await mistral.get("/v1/files", headers=headers)
    assert response.status == status
    if status == 401:
        assert await response.json() == {"detail": "Unauthorized"}
    assert response.headers["mistral-correlation-id"]


@pytest.mark.parametrize(
    ("body", "kind", "where"),
    [
        (form(), "missing", "purpose"),
        (form(("purpose", "batch_output")), "value_error", "purpose"),
        (form(("purpose", "assistants")), "value_error", "purpose"),
        (form(BATCH, BATCH), "value_error", "purpose"),
        (form(BATCH, name="a.json"), "value_error", "file"),
        (form(BATCH, name=""), "value_error", "file"),
        (form(BATCH, ("display_name", "x")), "extra_forbidden", "display_name"),
        (form(BATCH, ("expires_after[seconds]", "1")), "extra_forbidden", "expires_after"),
        (form(BATCH, ("expiry", "0")), "type_error", "expiry"),
        (form(BATCH, ("expiry", "1.5")), "type_error", "expiry"),
        (form(BATCH, ("visibility", "public")), "value_error", "visibility"),
        (FormData({"purpose": "batch"}, default_to_multipart=True), "missing", "file"),
    ],
)
async def test_forms(mistral: Client, body: FormData, kind: str, where: str) -> None:
    response = await mistral.post("/v1/files", data=body)
    assert response.status == 422
    (problem,) = (await response.json())["detail"]
    assert (problem["type"], problem["loc"][:2]) == (kind, ["body", where])
    assert (await (await mistral.get("/_fake/objects")).json())["files"] == []


async def test_a_form_needs_its_exact_length(mistral: Client) -> None:
    body = b'--B\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--B--\r\nmore'
    headers = {"Content-Type": "multipart/form-data; boundary=B"}

    async def chunked() -> Any:
        yield body

    assert (await mistral.post("/v1/files", data=chunked(), headers=headers)).status == 411
    assert (await mistral.post("/v1/files", data=body, headers=headers)).status == 400


async def test_a_file_of_more_than_512_mb_is_refused_by_its_length(mistral: Client) -> None:
    headers = {
        "Content-Type": "multipart/form-data; boundary=B",
        "Content-Length": str(513 * MIB),
        "Expect": "100-continue",
    }
    async with mistral.post("/v1/files", data=b"--B", headers=headers) as response:
        assert response.status == 413


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/files?page=-1", 422),
        ("GET", "/v1/files?page_size=0", 422),
        ("GET", "/v1/files?page_size=101", 422),
        ("GET", "/v1/files?limit=1", 422),
        ("GET", "/v1/files?after=a", 422),
        ("GET", "/v1/files?purpose=any", 422),
        ("GET", "/v1/files?source=any", 422),
        ("GET", "/v1/files?include_total=1", 422),
        ("GET", "/v1/files?page=1&page=2", 422),
        ("GET", "/v1/files/file-none", 422),
        ("GET", NO_FILE, 404),
        ("GET", f"{NO_FILE}/content", 404),
        ("DELETE", NO_FILE, 404),
        ("POST", "/v1/uploads", 404),
        ("PUT", "/v1/files", 405),
    ],
)
async def test_paths(mistral: Client, method: str, path: str, status: int) -> None:
    response = await mistral.request(method, path)
    assert response.status == status
    body = await response.json()
    if status == 422:
        assert body["detail"][0]["loc"][0] in ("query", "path")
    else:
        assert set(body) == {"object", "message", "type", "param", "code"}


async def test_the_fields_of_a_file(mistral: Client) -> None:
    file = await upload(mistral, BATCH, ("expiry", "2"), ("visibility", "user"), data=b"1\n2\n")
    assert 7100 < file["expires_at"] - time.time() <= 7200
    known = {
        "object": "file",
        "bytes": 4,
        "filename": "a.jsonl",
        "purpose": "batch",
        "sample_type": "batch_request",
        "source": "upload",
        "num_lines": 2,
        "mimetype": "application/jsonl",
        "visibility": "user",
    }
    assert {name: file[name] for name in known} == known
    assert await (await mistral.get(f"/v1/files/{file['id']}")).json() == file
    assert (await upload(mistral, ("purpose", "ocr"), name="a.pdf"))["num_lines"] is None


async def test_files_are_kept_and_deleted_and_belong_to_a_key(mistral: Client) -> None:
    data = b"x" * 3 * MIB
    path = f"/v1/files/{(file := await upload(mistral, data=data))['id']}"
    content = await mistral.get(f"{path}/content")
    assert (content.content_type, await content.read()) == ("application/octet-stream", data)
    seen = await (await mistral.get(f"/_fake/files/{file['id']}/sha256")).json()
    assert seen["sha256"] == hashlib.sha256(data).hexdigest()
    other = {"Authorization": f"Bearer {'b' * 32}"}
    for method, suffix in (("GET", ""), ("GET", "/content"), ("DELETE", "")):
        assert (await mistral.request(method, path + suffix, headers=other)).status == 404
    assert (await (await mistral.get("/v1/files", headers=other)).json())["total"] == 0
    deleted = await (await mistral.delete(path)).json()
    assert deleted == {"id": file["id"], "object": "file", "deleted": True}
    assert (await mistral.get(path)).status == 404


async def test_an_expired_file_is_gone(mistral: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    file = await upload(mistral, BATCH, ("expiry", "1"))
    later = time.time() + 3601
    monkeypatch.setattr(time, "time", lambda: later)
    assert (await mistral.get(f"/v1/files/{file['id']}")).status == 404
    assert (await (await mistral.get("/v1/files")).json())["data"] == []


async def test_pages_are_numbered(mistral: Client) -> None:
    ids = [(await upload(mistral, name=f"{n}.jsonl"))["id"] for n in range(3)]
    await upload(mistral, ("purpose", "ocr"), name="0.pdf")

    async def page(query: str) -> tuple[list[str], int | None]:
        answer = await (await mistral.get(f"/v1/files?{query}")).json()
        assert answer["object"] == "list"
        return [file["id"] for file in answer["data"]], answer.get("total")

    assert await page("purpose=batch&page_size=2") == (ids[:0:-1], 3)
    assert await page("purpose=batch&page_size=2&page=1") == (ids[:1], 3)
    assert await page("purpose=batch&page_size=2&page=2") == ([], 3)
    assert await page("search=1.js&include_total=false") == ([ids[1]], None)
    assert await page("sample_type=batch_request&sample_type=batch_result&source=upload") == (
        ids[::-1],
        3,
    )
    assert await page("source=mistral") == ([], 0)
    await mistral.post("/_fake/settings", json={"page_limit": 1})
    assert await page("purpose=batch&page_size=2&page=1") == ([ids[1]], 3)
