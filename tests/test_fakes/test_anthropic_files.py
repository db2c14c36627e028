"""Which headers and files the fake Anthropic refuses, each once, and what it keeps."""

import asyncio
import hashlib
import io
from typing import Any

import pytest
from aiohttp import FormData

from .conftest import Client

MIB = 1024 * 1024
OAUTH = {"x-api-key": None, "Authorization": "Bearer sk-ant-oat01-token"}
OAUTH_BETA = {"anthropic-beta": "files-api-2025-04-14, oauth-2025-04-20"}


def form(
    *fields: tuple[str, str],
    name: str = "a.pdf",
    data: bytes = b"%PDF",
    kind: str = "application/pdf",
) -> FormData:
    built = FormData(default_to_multipart=True, quote_fields=False)
    for field, value in fields:
        built.add_field(field, value)
    built.add_field("file", io.BytesIO(data), filename=name, content_type=kind)
    return built


async def store(client: Client, data: bytes = b"%PDF", **said: Any) -> str:
    response = await client.post("/v1/files", data=form(data=data, **said))
    assert response.status == 200, await response.text()
    native_id: str = (await response.json())["id"]
    return native_id


async def listed(client: Client, query: str = "") -> dict[str, Any]:
    response = await client.get(f"/v1/files?{query}")
    assert response.status == 200, await response.text()
    page: dict[str, Any] = await response.json()
    return page


async def call(client: Client, headers: dict[str, str | None]) -> tuple[int, dict[str, Any]]:
    """A list with the client's headers, some of them replaced or removed."""
    own: dict[str, str | None] = {
        "x-api-key": "sk-ant-api03-one",
        "anthropic-version": "2023-06-01",
    }
    sent = {name: value for name, value in (own | headers).items() if value is not None}
    url = client.make_url("/v1/files")
    async with client.session.get(url, headers=sent) as response:
        body: dict[str, Any] = await response.json()
        if response.status != 200:
            assert (body["type"], set(body)) == ("error", {"type", "error", "request_id"})
            assert body["request_id"] == response.headers["request-id"]
        assert response.headers["request-id"].startswith("req_")
        return response.status, body


@pytest.fixture
async def bare(anthropic: Client) -> Client:
    """A client whose session adds no headers."""
    anthropic.session.headers.clear()
    return anthropic


@pytest.mark.parametrize(
    ("headers", "status", "kind"),
    [
        ({"x-api-key": None}, 401, "authentication_error"),
        ({"x-api-key": "sk-one"}, 401, "authentication_error"),
        ({"x-api-key": "sk-ant-oat01-token"}, 401, "authentication_error"),
        ({"x-api-key": None, "Authorization": "Bearer AIza"}, 401, "authentication_error"),
        (OAUTH, 401, "authentication_error"),
        ({"Authorization": "Bearer sk-ant-api03-one"}, 400, "invalid_request_error"),
        ({"x-goog-api-key": "AIza"}, 400, "invalid_request_error"),
        ({"x-model-provider": "anthropic"}, 400, "invalid_request_error"),
        ({"x-ferry-anthropic-beta": "b"}, 400, "invalid_request_error"),
        ({"openai-project": "p"}, 400, "invalid_request_error"),
        ({"anthropic-version": None}, 400, "invalid_request_error"),
        ({"anthropic-version": "2024-01-01"}, 400, "invalid_request_error"),
        ({"anthropic-beta": "files"}, 400, "invalid_request_error"),
    ],
)
async def test_refused_headers(
    bare: Client, headers: dict[str, str | None], status: int, kind: str
) -> None:
    answered, body = await call(bare, headers)
    assert (answered, body["error"]["type"]) == (status, kind)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"anthropic-version": "2026-10-21"},
        {"x-api-key": None, "Authorization": "Bearer sk-ant-api03-one"},
        OAUTH | OAUTH_BETA,
    ],
)
async def test_accepted_headers(bare: Client, headers: dict[str, str | None]) -> None:
    assert (await call(bare, headers))[0] == 200


async def test_a_workspace_comes_from_the_credential_or_a_header(anthropic: Client) -> None:
    native_id = await store(anthropic)
    for headers in ({"x-api-key": "sk-ant-api03-two"}, {"anthropic-workspace-id": "wrkspc_2"}):
        for method in ("GET", "DELETE"):
            response = await anthropic.request(method, f"/v1/files/{native_id}", headers=headers)
            assert response.status == 404
    assert (await anthropic.get(f"/v1/files/{native_id}")).status == 200
    logged = await (await anthropic.get("/_fake/requests")).json()
    shas = {request["credential_sha256"] for request in logged["requests"]}
    keys = ("sk-ant-api03-one", "sk-ant-api03-two")
    assert shas == {hashlib.sha256(key.encode()).hexdigest() for key in keys}
    assert "sk-ant" not in str(logged)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (FormData({"expires_in_seconds": "3600"}, default_to_multipart=True), "file: Field"),
        (form(("purpose", "batch")), "purpose: Extra"),
        (form(("expires_in_seconds", "3599")), "expires_in_seconds"),
        (form(("expires_in_seconds", "7776001")), "expires_in_seconds"),
        (form(("expires_in_seconds", "3600"), ("expires_in_seconds", "3600")), "given twice"),
        (form(name="a?.pdf"), "forbidden"),
        (form(name="a" * 256), "forbidden"),
        (FormData({"file": "x"}), "multipart/form-data"),
    ],
)
async def test_refused_forms(anthropic: Client, body: FormData, message: str) -> None:
    response = await anthropic.post("/v1/files", data=body)
    assert response.status == 400
    assert message in (await response.json())["error"]["message"]
    assert (await (await anthropic.get("/_fake/objects")).json())["files"] == []


async def test_a_form_needs_its_exact_length(anthropic: Client) -> None:
    disposition = b'Content-Disposition: form-data; name="file"; filename="a"'
    body = b"--B\r\n" + disposition + b"\r\n\r\nx\r\n--B--\r\nmore"
    headers = {"Content-Type": "multipart/form-data; boundary=B"}

    async def chunked() -> Any:
        yield body

    assert (await anthropic.post("/v1/files", data=chunked(), headers=headers)).status == 411
    assert (await anthropic.post("/v1/files", data=body, headers=headers)).status == 400
    assert (await anthropic.post("/v1/files", data=body[:-4], headers=headers)).status == 200


@pytest.mark.parametrize(
    ("path", "kind", "limit"),
    [
        ("/v1/files", b"multipart/form-data; boundary=B", 500_000_000 + 64 * 1024),
        ("/v1/messages/batches", b"application/json", 256_000_000),
    ],
)
async def test_a_body_that_is_too_large_is_refused_at_once(
    anthropic: Client, path: str, kind: bytes, limit: int
) -> None:
    reader, writer = await asyncio.open_connection(anthropic.host, anthropic.port)
    writer.write(
        b"POST %s HTTP/1.1\r\nHost: x\r\nx-api-key: sk-ant-api03-one\r\n"
        b"anthropic-version: 2023-06-01\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
        % (path.encode(), kind, limit + 1)
    )
    assert (await reader.readline()).startswith(b"HTTP/1.1 413")
    assert b"request_too_large" in await reader.readuntil(b"request_too_large")
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/files?limit=0", 400),
        ("GET", "/v1/files?limit=1001", 400),
        ("GET", "/v1/files?limit=5&limit=5", 400),
        ("GET", "/v1/files?after_id=file_1", 400),
        ("GET", "/v1/files?page=page_x", 400),
        ("GET", "/v1/files?page=cGFnZQ", 400),
        ("GET", "/v1/files?ids[]=file_1&limit=2", 400),
        ("GET", "/v1/files?" + "&".join(f"ids[]=file_{n}" for n in range(101)), 400),
        ("GET", "/v1/files/file_none", 404),
        ("GET", "/v1/files/file_none/content", 404),
        ("DELETE", "/v1/files/file_none", 404),
        ("POST", "/v1/complete", 404),
        ("GET", "/v1/batches", 404),
    ],
)
async def test_paths(anthropic: Client, method: str, path: str, status: int) -> None:
    assert (await anthropic.request(method, path)).status == status


async def test_a_file_is_stored_and_deleted_but_not_downloadable(anthropic: Client) -> None:
    data = b"x" * 3 * MIB
    native_id = await store(anthropic, data, name="folder/ü.pdf")
    file = await (await anthropic.get(f"/v1/files/{native_id}")).json()
    assert file.pop("created_at").endswith("Z")
    assert file == {
        "id": native_id,
        "type": "file",
        "filename": "ü.pdf",
        "mime_type": "application/pdf",
        "size_bytes": len(data),
        "downloadable": False,
        "expires_at": None,
    }
    seen = await (await anthropic.get(f"/_fake/files/{native_id}/sha256")).json()
    assert seen["sha256"] == hashlib.sha256(data).hexdigest()
    refused = await anthropic.get(f"/v1/files/{native_id}/content")
    error = (await refused.json())["error"]
    assert (refused.status, error["type"]) == (400, "invalid_request_error")
    assert error["details"] == {"error_code": "file_not_downloadable"}
    await anthropic.post(f"/_fake/uploads/{native_id}", json={"downloadable": True})
    assert await (await anthropic.get(f"/v1/files/{native_id}/content")).read() == data
    deleted = await (await anthropic.delete(f"/v1/files/{native_id}")).json()
    assert deleted == {"id": native_id, "type": "file_deleted"}
    assert (await anthropic.get(f"/v1/files/{native_id}")).status == 404


async def test_a_file_without_a_name_gets_one(anthropic: Client) -> None:
    native_id = await store(anthropic, name="")
    file = await (await anthropic.get(f"/v1/files/{native_id}")).json()
    assert file["filename"] == "unnamed.pdf"


async def test_an_expired_file_is_gone(anthropic: Client) -> None:
    response = await anthropic.post("/v1/files", data=form(("expires_in_seconds", "3600")))
    file = await response.json()
    assert file["expires_at"] > file["created_at"]
    await anthropic.post(f"/_fake/uploads/{file['id']}", json={"status": "expired"})
    response = await anthropic.get(f"/v1/files/{file['id']}")
    error = (await response.json())["error"]
    assert (response.status, error["details"]["error_code"]) == (404, "file_expired")
    assert (await listed(anthropic))["data"] == []


async def test_pages_by_token(anthropic: Client) -> None:
    ids = [await store(anthropic) for _ in range(5)]
    first = await listed(anthropic, "limit=2")
    assert [file["id"] for file in first["data"]] == [ids[4], ids[3]]
    assert first["next_page"].startswith("page_")
    await anthropic.delete(f"/v1/files/{ids[3]}")
    second = await listed(anthropic, f"limit=2&page={first['next_page']}")
    assert [file["id"] for file in second["data"]] == [ids[2], ids[1]]
    third = await listed(anthropic, f"page={second['next_page']}")
    assert ([file["id"] for file in third["data"]], third["next_page"]) == ([ids[0]], None)
    assert (await listed(anthropic, "limit=4"))["next_page"] is None
    named = await listed(anthropic, f"ids[]={ids[0]}&ids[]={ids[3]}&ids[]={ids[4]}")
    assert [file["id"] for file in named["data"]] == [ids[4], ids[0]]
    assert set(named) == {"data", "next_page"}


async def test_pages_as_in_the_beta(anthropic: Client) -> None:
    ids = [await store(anthropic) for _ in range(3)]
    await anthropic.post("/_fake/settings", json={"beta_file_list": True})
    first = await listed(anthropic, "limit=2")
    assert [file["id"] for file in first["data"]] == [ids[2], ids[1]]
    assert (first["has_more"], first["first_id"], first["last_id"]) == (True, ids[2], ids[1])
    second = await listed(anthropic, f"after_id={ids[1]}")
    assert ([file["id"] for file in second["data"]], second["has_more"]) == ([ids[0]], False)
    assert (await anthropic.get("/v1/files?page=page_x")).status == 400
