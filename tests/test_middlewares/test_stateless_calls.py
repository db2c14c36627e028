"""What needs no state never asks the state store: it works while the store fails."""

from dataclasses import replace
from typing import cast

import pytest

from providers.credential import Credential
from providers.provider import Provider, Uploads
from providers.resources import Page
from providers.upload import StartedUpload, UploadProgress, UploadStatus
from tests.broken_state import BrokenState
from tests.test_middlewares.running_chain import (
    Client,
    Scripted,
    ScriptedReply,
    running_chain,
    scripted_provider,
)

KEY = {"x-goog-api-key": "KEY-of-a-caller"}


def gemini() -> Provider:
    """A provider that relays, and whose uploads need no session key."""
    relay = Scripted(lambda *_: ScriptedReply(body=b'{"models": []}'))
    uploads = Scripted(
        lambda *given: (
            StartedUpload({"url": "https://upstream/"}, needs_caller=False)
            if len(given) == 2 and hasattr(given[1], "document")
            else UploadProgress(UploadStatus.ACTIVE, received=0)
        )
    )
    made = scripted_provider("gemini", relay=relay)
    return replace(made, uploads=cast(Uploads, uploads), keeps_state=False)


async def status(client: Client, method: str, path: str, **headers: str) -> int:
    async with client.request(method, path, headers={**KEY, **headers}) as reply:
        await reply.read()
        return reply.status


async def start(client: Client) -> str:
    """Returns the path and query of the upload URL."""
    path, headers = "/genai/upload/v1beta/files", {"X-Goog-Upload-Command": "start"}
    async with client.post(path, headers={**KEY, **headers}, data=b"") as reply:
        assert reply.status == 200, await reply.text()
        return reply.headers["X-Goog-Upload-URL"].partition("/genai")[2]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/genai/v1beta/models"),
        ("POST", "/genai/v1beta/models/m:generateContent"),
        ("GET", "/genai/v1beta/caches"),
    ],
)
async def test_a_relayed_call_works_while_the_store_fails(method: str, path: str) -> None:
    async with running_chain(gemini(), state=BrokenState()) as client:
        assert await status(client, method, path) == 200


async def test_a_relayed_upload_works_while_the_store_fails() -> None:
    async with running_chain(gemini(), state=BrokenState()) as client:
        url = await start(client)
        query = {"X-Goog-Upload-Command": "query"}
        assert await status(client, "POST", f"/genai{url}", **query) == 200
        async with client.post(f"/genai{url}", headers=query) as reply:  # without a key
            assert reply.status == 200
        stranger = {"x-goog-api-key": "KEY-of-another", **query}
        assert await status(client, "POST", f"/genai{url}", **stranger) == 503


async def test_another_callers_key_opens_no_relayed_upload() -> None:
    async with running_chain(gemini()) as client:
        url = await start(client)
        stranger = {"x-goog-api-key": "KEY-of-another", "X-Goog-Upload-Command": "query"}
        assert await status(client, "POST", f"/genai{url}", **stranger) == 404


@pytest.mark.parametrize("own", [None, Credential(api_key="sk-own")])
async def test_an_unknown_path_is_answered_while_the_store_fails(own: Credential | None) -> None:
    files = Scripted(lambda *_: Page([]))
    provider = replace(scripted_provider("openai", files=files), own_credential=own)
    async with running_chain(provider, state=BrokenState()) as client:
        assert await status(client, "GET", "/genai/v1beta/caches") == 501
        assert await status(client, "GET", "/genai/v1beta/files?pageSize=x") == 400
        assert await status(client, "GET", "/genai/v1beta/files") == 503
    assert files.calls == []


async def test_an_idempotent_creation_has_a_tenant() -> None:
    """Its record in the store is the tenant's."""
    provider = gemini()
    path, key = "/genai/v1beta/models/m:batchGenerateContent", {"x-ferry-idempotency-key": "k"}
    async with running_chain(provider) as client:
        assert await status(client, "POST", path, **key) == 200
        assert provider.relay.caller.tenant  # type: ignore[union-attr]
        assert await status(client, "POST", path) == 200
        assert not provider.relay.caller.tenant  # type: ignore[union-attr]
    async with running_chain(provider, state=BrokenState()) as client:
        assert await status(client, "POST", path, **key) == 503
