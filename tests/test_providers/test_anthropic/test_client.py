from collections.abc import Mapping
from typing import Any

import pytest

from providers.anthropic.client import listed_page
from providers.body import in_memory
from providers.credential import Caller, Credential
from providers.errors import FerryError
from providers.status import Status
from tests.test_providers.answering import answer
from tests.test_providers.test_anthropic.answering import BASE, CALLER, client
from tests.test_providers.test_gemini.scripted_upstream import ScriptedUpstream

FILES = "files-api-2025-04-14"
OAUTH = "oauth-2025-04-20"


@pytest.mark.parametrize(
    ("page", "following"),
    [
        ({"next_page": "page_1"}, "page=page_1"),
        ({"next_page": None}, None),
        ({"next_page": ""}, None),
        ({"has_more": True, "last_id": "a", "first_id": "b"}, "after_id=a"),
        ({"has_more": False, "last_id": "a"}, None),
        ({"has_more": True, "last_id": None}, None),
        ({"next_page": 7, "has_more": "yes", "last_id": 7}, None),
    ],
)
async def test_both_shapes_have_a_cursor(page: dict[str, Any], following: str | None) -> None:
    upstream = ScriptedUpstream(answer({"data": [{"id": "a"}]} | page))
    listed, cursor = await listed_page(client(upstream), CALLER, "v1/files", 5, None)
    assert ([item.id for item in listed], cursor) == (["a"], following)
    assert dict(upstream.sent[0].request.url.query) == {"limit": "5"}


@pytest.mark.parametrize("cursor", ["page=a=b", "after_id=a"])
async def test_a_cursor_is_sent_back_unchanged(cursor: str) -> None:
    upstream = ScriptedUpstream(answer({"data": []}))
    assert await listed_page(client(upstream), CALLER, "v1/files", 5, cursor) == ([], None)
    name, _, value = cursor.partition("=")
    assert dict(upstream.sent[0].request.url.query) == {"limit": "5", name: value}


@pytest.mark.parametrize("cursor", ["before_id=a", "a", "limit=9"])
async def test_a_cursor_that_is_not_ours(cursor: str) -> None:
    with pytest.raises(FerryError) as caught:
        await listed_page(client(ScriptedUpstream()), CALLER, "v1/files", 5, cursor)
    assert (caught.value.status, caught.value.path) == (Status.INVALID_ARGUMENT, "pageToken")


@pytest.mark.parametrize(
    "page", [{"next_page": "page_1"}, {"has_more": True, "last_id": "page_1"}], ids=str
)
async def test_a_page_that_leads_to_itself_is_refused(page: dict[str, Any]) -> None:
    upstream = ScriptedUpstream(*[answer({"data": [{"id": "a"}]} | page)] * 2)
    _, cursor = await listed_page(client(upstream), CALLER, "v1/files", 5, None)
    with pytest.raises(FerryError, match="same page"):
        await listed_page(client(upstream), CALLER, "v1/files", 5, cursor)


async def headers_for(secret: str, passed: Mapping[str, str] | None = None) -> Mapping[str, str]:
    upstream = ScriptedUpstream(answer({"id": "a"}))
    await client(upstream).get(Caller(Credential(secret), "tenant", passed or {}), "v1/files")
    return upstream.sent[0].request.headers


async def test_only_listed_headers_are_sent() -> None:
    upstream = ScriptedUpstream(answer({"id": "a"}))
    assert await client(upstream).get(CALLER, "v1/files", limit=2) == {"id": "a"}
    request = upstream.sent[0].request
    assert str(request.url) == f"{BASE}/v1/files?limit=2"
    assert request.headers == {
        "anthropic-workspace-id": "w",
        "anthropic-version": "2026-10-21",
        "anthropic-beta": FILES,
        "x-api-key": "sk-ant-api03-secret",
        "Accept": "*/*",
        "Accept-Encoding": "identity",
    }
    assert "secret" not in repr(request)


@pytest.mark.parametrize(
    ("secret", "header", "value", "betas"),
    [
        ("sk-ant-api03-x", "x-api-key", "sk-ant-api03-x", FILES),
        ("sk-ant-oat01-x", "Authorization", "Bearer sk-ant-oat01-x", f"{FILES},{OAUTH}"),
        ("of-a-gateway", "Authorization", "Bearer of-a-gateway", FILES),
    ],
)
async def test_a_credential_has_one_header(
    secret: str, header: str, value: str, betas: str
) -> None:
    headers = await headers_for(secret)
    assert {k: v for k, v in headers.items() if k in ("x-api-key", "Authorization")} == {
        header: value
    }
    assert headers["anthropic-beta"] == betas


async def test_a_callers_betas_are_between_ours() -> None:
    headers = await headers_for("sk-ant-oat01-x", {"anthropic-beta": "a-2025-01-01"})
    assert headers["anthropic-beta"] == f"{FILES},a-2025-01-01,{OAUTH}"


async def test_a_call_may_have_its_own_version() -> None:
    upstream = ScriptedUpstream(answer({"id": "a"}))
    await client(upstream).post_body(
        CALLER, "v1/a", "text/plain", in_memory(b""), anthropic_version="2023-06-01"
    )
    headers = upstream.sent[0].request.headers
    assert (headers["anthropic-version"], headers["Content-Type"]) == ("2023-06-01", "text/plain")


async def test_a_refusal_in_anthropics_envelope() -> None:
    document = {
        "type": "error",
        "error": {"type": "overloaded_error", "message": "not now, sk-ant-api03-secret"},
    }
    refused = answer(document, 529, {"request-id": "req_1", "retry-after": "70"})
    upstream = ScriptedUpstream(refused)  # it is not asked again, since that would take too long
    with pytest.raises(FerryError) as caught:
        await client(upstream).get(CALLER, "v1/files/a")
    error = caught.value
    assert (error.status, error.message) == (Status.UNAVAILABLE, "anthropic: not now, ***")
    assert (error.provider, error.reason, error.request_id) == (
        "anthropic",
        "overloaded_error",
        "req_1",
    )
    assert (error.upstream_status, error.retry_after) == (529, "70")
