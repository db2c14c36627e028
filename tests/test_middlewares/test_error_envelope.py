"""Every error becomes one envelope, without the text of unexpected exceptions."""

import asyncio
import logging
from typing import Any

import orjson
import pytest
from aiohttp.http_writer import _safe_header
from hypothesis import given
from hypothesis import strategies as st

from middlewares.error_envelope import render_error
from providers.body import TruncatedBody
from providers.errors import FerryError
from providers.status import Status
from providers.upstream import UpstreamError
from proxy.log_lines import json_lines
from tests.test_middlewares.running_chain import Client, Scripted, running_chain, scripted_provider

KEY = {"x-goog-api-key": "sk-secret-key"}


def raising(error: BaseException) -> Scripted:
    def act(*_: object) -> None:
        raise error

    return Scripted(act)


async def answer_to(error: BaseException, path: str = "/genai/v1/files") -> tuple[int, Any, Any]:
    async with running_chain(scripted_provider("openai", files=raising(error))) as client:
        async with client.get(path, headers=KEY) as reply:
            return reply.status, await reply.json(), reply.headers


@pytest.mark.parametrize("status", Status)
async def test_a_refusal_is_rendered_unchanged(status: Status) -> None:
    code, document, headers = await answer_to(FerryError(status, "why", path="a.b"))
    soon = {"details": [retry_info("1s")]} if status.http in (429, 503) else {}
    error = {"code": status.http, "message": "a.b: why", "status": status.name}
    assert (code, document) == (status.http, {"error": error | soon})
    assert headers.get("Retry-After") == ("1" if soon else None)


def retry_info(delay: str) -> dict[str, str]:
    return {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}


async def test_details_name_the_provider() -> None:
    error = FerryError(
        Status.UNAVAILABLE,
        "why",
        provider="openai",
        reason="server_error",
        request_id="req_1",
        upstream_status=502,
        retry_after="7",
    )
    _, document, headers = await answer_to(error)
    detail, retry = document["error"]["details"]
    assert (detail["domain"], detail["reason"]) == ("openai", "server_error")
    assert retry == retry_info("7s")
    assert detail["metadata"] == {"requestId": "req_1", "httpStatus": "502"}
    assert headers["Retry-After"] == "7"


async def test_an_upstream_that_gave_no_answer_is_named_too() -> None:
    code, document, _ = await answer_to(UpstreamError(Status.UNAVAILABLE, "cannot be reached"))
    detail, retry = document["error"]["details"]
    assert (code, detail["domain"], detail["reason"]) == (503, "openai", "UNAVAILABLE")
    assert retry == retry_info("1s")
    assert detail["metadata"] == {}


@pytest.mark.parametrize(
    "error",
    [
        ValueError("sk-secret-key"),
        KeyError("sk-secret-key"),
        UnicodeEncodeError("utf-8", "sk-secret-key", 0, 1, "sk-secret-key"),
        AssertionError("sk-secret-key"),
        RecursionError("sk-secret-key"),
        MemoryError("sk-secret-key"),
    ],
)
async def test_the_message_of_a_bug_reaches_neither_log_nor_client(
    caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    caplog.set_level(logging.DEBUG)
    status, document, headers = await answer_to(error)
    assert (status, document["error"]["status"]) == (500, "INTERNAL")
    assert "secret" not in str(document)
    lines = [json_lines().format(record) for record in caplog.records]
    assert not [line for line in lines if "secret" in line or "secret" in caplog.text]
    (logged,) = [line for line in lines if type(error).__name__ in line]
    assert headers["x-ferry-request-id"] in logged
    assert headers["x-ferry-request-id"] in document["error"]["message"]


async def test_a_cancelled_handler_is_not_answered(caplog: pytest.LogCaptureFixture) -> None:
    provider = scripted_provider("openai", files=raising(asyncio.CancelledError()))
    async with running_chain(provider) as client:
        with pytest.raises(Exception, match="Server disconnected"):
            await client.get("/genai/v1/files", headers=KEY)
    assert "a bug of ours" not in caplog.text


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (FerryError(Status.INVALID_ARGUMENT, "x"), "final"),
        (FerryError(Status.NOT_FOUND, "x"), "final"),
        (FerryError(Status.UNIMPLEMENTED, "x"), "final"),
        (FerryError(Status.RESOURCE_EXHAUSTED, "x"), None),
        (FerryError(Status.UNAVAILABLE, "x"), None),
        (FerryError(Status.DEADLINE_EXCEEDED, "x"), None),
        (FerryError(Status.INTERNAL, "x"), None),
        (FerryError(Status.FAILED_PRECONDITION, "x", upload_status="cancelled"), "cancelled"),
    ],
)
async def test_only_a_permanent_error_ends_an_upload(error: FerryError, status: str | None) -> None:
    async with running_chain(scripted_provider("openai", files=raising(error))) as client:
        headers = {**KEY, "X-Goog-Upload-Protocol": "raw"}
        async with client.post("/genai/upload/v1/files", headers=headers, data=b"x") as reply:
            assert reply.headers.get("X-Goog-Upload-Status") == status
        async with client.get("/genai/v1/files", headers=KEY) as reply:
            assert reply.headers.get("X-Goog-Upload-Status") == error.upload_status


def test_the_envelope_is_json_for_every_sdk() -> None:
    response = render_error(FerryError(Status.NOT_FOUND, "x"))
    assert (response.status, response.content_type) == (404, "application/json")


async def test_every_answer_has_its_own_request_id() -> None:
    def lists(client: Client) -> Any:
        return client.get("/genai/v1/files", headers=KEY)

    provider = scripted_provider("openai", files=raising(FerryError(Status.NOT_FOUND, "x")))
    async with running_chain(provider) as client:
        async with lists(client) as first, lists(client) as second:
            ids = [reply.headers["x-ferry-request-id"] for reply in (first, second)]
    assert len(set(ids)) == 2


ODD = "\x00\r\n\t\x7f\x80\u2028\ud800\udc80\udcff\uffff"
ANY_TEXT = st.lists(st.sampled_from(ODD) | st.characters()).map("".join)
"""Often with lone surrogates, as Python reads bytes that are not UTF-8, and control characters."""


@given(
    st.sampled_from(Status),
    ANY_TEXT,
    st.fixed_dictionaries(
        {name: st.none() | ANY_TEXT for name in ("path", "provider", "reason", "request_id")}
    ),
    ANY_TEXT,
)
def test_every_error_is_rendered(
    status: Status, message: str, texts: dict[str, Any], more: str
) -> None:
    error = FerryError(status, message, **texts)
    for each in (error, error.adding(more), error.naming(more), error.restated(Status.NOT_FOUND)):
        response = render_error(each)
        assert isinstance(response.body, bytes)
        assert orjson.loads(response.body)["error"]["code"] == each.code
        for header in (text for pair in response.headers.items() for text in pair):
            assert _safe_header(header).isascii()


async def test_an_answer_of_the_operating_system_is_no_bug(
    caplog: pytest.LogCaptureFixture,
) -> None:
    code, document, _ = await answer_to(OSError(28, "No space left on device", "/secret/path"))
    assert (code, document["error"]["status"]) == (503, "UNAVAILABLE")
    assert document["error"]["message"] == "the proxy lacks a resource: No space left on device"
    assert "the operating system refused" in caplog.text
    assert "/secret/path" not in caplog.text


async def test_a_timeout_that_nobody_expected_is_a_bug(caplog: pytest.LogCaptureFixture) -> None:
    code, _, _ = await answer_to(TimeoutError())
    assert code == 500
    assert "a bug of ours: TimeoutError" in caplog.text


async def test_a_body_that_is_shorter_than_declared_is_no_bug() -> None:
    code, document, _ = await answer_to(TruncatedBody("the body ended before its declared length"))
    assert (code, document["error"]["status"]) == (400, "INVALID_ARGUMENT")


@pytest.mark.parametrize("said", ["0", "7", "3600"])
def test_retry_after_is_passed_on(said: str) -> None:
    response = render_error(FerryError(Status.UNAVAILABLE, "x", retry_after=said))
    assert response.headers["Retry-After"] == said


def test_what_an_upstream_refuses_without_a_time_has_none() -> None:
    error = FerryError(Status.UNAVAILABLE, "x", upstream_status=503)
    assert "Retry-After" not in render_error(error).headers


def test_what_a_provider_says_in_a_stream_gets_no_time_of_ours() -> None:
    error = UpstreamError(Status.RESOURCE_EXHAUSTED, "x", reason="rate_limit_error")
    assert "Retry-After" not in render_error(error).headers
