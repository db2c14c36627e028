"""Every kind of fault, and waiting for it without sleeping."""

import asyncio
from typing import Any

import pytest
from aiohttp import ClientError, ClientPayloadError

from .conftest import Client
from .test_openai_files import form, store


async def arm(client: Client, fault: dict[str, Any], **match: Any) -> None:
    response = await client.post("/_fake/faults", json={"match": match, "fault": fault})
    assert response.status == 200, await response.text()


async def outcomes(client: Client, path: str) -> list[str]:
    logged = await (await client.get("/_fake/requests", params={"path": path})).json()
    return [request["outcome"] for request in logged["requests"]]


async def test_an_answer_is_lost_after_the_work(openai: Client) -> None:
    await arm(openai, {"kind": "lose_answer"}, method="POST", path="/files$")
    with pytest.raises(ClientError):
        await store(openai, b"x")
    objects = await (await openai.get("/_fake/objects")).json()
    assert len(objects["files"]) == 1
    assert await outcomes(openai, "/files$") == ["lose_answer"]


async def test_a_connection_is_reset_within_the_body(openai: Client) -> None:
    await arm(openai, {"kind": "reset", "after_bytes": 10}, path="/files$")
    with pytest.raises(ClientError):
        await store(openai, b"x" * 1000)
    assert (await (await openai.get("/_fake/objects")).json())["files"] == []
    logged = await (await openai.get("/_fake/requests")).json()
    assert (logged["requests"][0]["received"], logged["requests"][0]["outcome"]) == (10, "reset")


@pytest.mark.parametrize("read_body", [True, False])
async def test_a_status_on_the_second_request_only(openai: Client, read_body: bool) -> None:
    fault = {"kind": "status", "status": 429, "headers": {"Retry-After": "7"}, "body": "slow"}
    await arm(openai, fault | {"read_body": read_body}, path="/files$", nth=2)
    statuses = []
    for _ in range(3):
        response = await openai.post("/v1/files", data=form(("purpose", "batch")))
        statuses.append(response.status)
        if response.status == 429:
            assert (response.headers["Retry-After"], await response.text()) == ("7", "slow")
    assert statuses == [200, 429, 200]


@pytest.mark.parametrize("place", [{"at": "request"}, {"at": "answer"}, {"after_bytes": 20}])
async def test_a_delay_lasts_until_its_release(openai: Client, place: dict[str, Any]) -> None:
    await arm(openai, {"kind": "delay", "name": "slow"} | place, method="POST", path="/files$")
    upload = asyncio.create_task(store(openai, b"x"))
    assert (await openai.get("/_fake/events?wait=slow&timeout=20")).status == 200
    objects = await (await openai.get("/_fake/objects")).json()
    assert len(objects["files"]) == (place.get("at") == "answer")
    assert not upload.done()
    assert (await openai.post("/_fake/release", json={"name": "slow"})).status == 200
    assert (await upload).startswith("file-")


@pytest.mark.parametrize("path", ["/content$", "/files$"])
@pytest.mark.parametrize("kind", ["truncate", "cut_chunks"])
async def test_a_truncated_answer_breaks_off(openai: Client, path: str, kind: str) -> None:
    native_id = await store(openai, b"x" * 1000)
    await arm(openai, {"kind": kind, "after_bytes": 9}, method="GET", path=path)
    asked = f"/v1/files/{native_id}/content" if path == "/content$" else "/v1/files"
    response = await openai.get(asked)
    promised = response.content_length or 0
    assert promised > 9 if kind == "truncate" else response.headers["Transfer-Encoding"]
    with pytest.raises(ClientPayloadError):
        await response.read()


async def test_an_early_refusal_is_answered_while_the_body_arrives(openai: Client) -> None:
    fault = {"kind": "reject_after", "after_bytes": 5, "status": 400, "body": {"e": 1}}
    await arm(openai, fault, path="/files$")
    reader, writer = await asyncio.open_connection(openai.host, openai.port)
    writer.write(
        b"POST /v1/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sk-one\r\n"
        b"Content-Type: multipart/form-data; boundary=B\r\nContent-Length: 100000\r\n\r\n--B\r\nC"
    )
    answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 400")
    assert answer.endswith(b'{"e":1}')
    writer.close()
    await writer.wait_closed()


async def test_a_download_with_a_disconnected_client_is_logged(openai: Client) -> None:
    native_id = await store(openai, b"x" * 50_000_000)
    response = await openai.get(f"/v1/files/{native_id}/content")
    response.close()
    wait = "/_fake/events?wait=requests&path=content&outcome=client_gone&timeout=20"
    assert (await openai.get(wait)).status == 200


async def test_mistakes_of_a_test_are_answered_with_400(openai: Client) -> None:
    for path, body in [
        ("/_fake/faults", {"match": {}, "fault": {"kind": "explode"}}),
        ("/_fake/settings", {"uploads": False}),
        ("/_fake/release", {"name": "none"}),
        ("/_fake/batches/none", {"status": "failed"}),
    ]:
        assert (await openai.post(path, json=body)).status == 400


async def test_the_log_has_no_credentials_and_reset_forgets(openai: Client) -> None:
    await openai.get("/v1/files", headers={"OpenAI-Organization": "org-1"})
    text = await (await openai.get("/_fake/requests")).text()
    assert "sk-one" not in text
    assert "org-1" in text
    await store(openai, b"x")
    await openai.post("/_fake/settings", json={"uploads_api": False})
    await openai.post("/_fake/reset")
    assert (await (await openai.get("/_fake/requests")).json())["requests"] == []
    assert (await (await openai.get("/_fake/objects")).json())["files"] == []
    assert (await (await openai.get("/_fake/settings")).json())["uploads_api"] is True


async def test_a_trickling_answer_begins_and_does_not_end(openai: Client) -> None:
    await arm(openai, {"kind": "trickle"}, path="/files$")
    response = await openai.get("/v1/files")
    assert await response.content.readexactly(1) == b"{"
    assert not response.content.at_eof()
    response.close()


async def test_an_answer_may_be_longer_than_it_declares(openai: Client) -> None:
    await arm(openai, {"kind": "excess", "after_bytes": 3}, path="/files$")
    reader, writer = await asyncio.open_connection(openai.host, openai.port)
    writer.write(b"GET /v1/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sk-one\r\n\r\n")
    assert b"\r\nContent-Length: 3\r\n" in await reader.readuntil(b"\r\n\r\n")
    assert (await reader.readuntil(b"}")).endswith(b'"last_id": null}')
    writer.close()
    await writer.wait_closed()


async def test_an_answer_may_be_compressed_unasked(openai: Client) -> None:
    await arm(openai, {"kind": "compress"}, path="/files$")
    response = await openai.get("/v1/files", headers={"Accept-Encoding": "identity"})
    assert response.headers["Content-Encoding"] == "gzip"
    assert (await response.json())["data"] == []


async def test_every_fault_can_be_ended(openai: Client) -> None:
    await arm(openai, {"kind": "delay", "name": "slow"}, path="/files$")
    await arm(openai, {"kind": "status"}, path="/files$", times=100)
    delayed = asyncio.create_task(store(openai, b"x"))
    assert (await openai.get("/_fake/events?wait=slow&timeout=20")).status == 200
    assert (await openai.delete("/_fake/faults")).status == 200
    assert (await delayed).startswith("file-")
    assert (await openai.get("/v1/files")).status == 200
