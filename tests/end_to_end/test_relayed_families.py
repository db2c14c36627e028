"""Families of calls that only Gemini has: refused elsewhere, with what works instead."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import pytest
from aiohttp import ClientSession, WSServerHandshakeError
from google import genai
from google.genai import errors

from middlewares.relayed_families import FAMILIES
from tests.end_to_end.conftest import Ferry
from tests.end_to_end.fake_client import FakeClient
from tests.end_to_end.google_client import TRANSLATED, sdk

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

LIVE: Final = "ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"
# The calls of the newest SDKs, by family.
CALLS: Final = {
    "cachedContents": [
        ("GET", "v1beta/cachedContents?pageSize=5"),
        ("POST", "v1beta/cachedContents"),
        ("GET", "v1beta/cachedContents/a"),
        ("PATCH", "v1beta/cachedContents/a?updateMask=ttl"),
        ("DELETE", "v1beta/cachedContents/a"),
    ],
    "tunedModels": [
        ("GET", "v1beta/tunedModels?filter=a=b"),
        ("POST", "v1beta/tunedModels"),
        ("GET", "v1beta/tunedModels/a"),
        ("PATCH", "v1beta/tunedModels/a"),
        ("DELETE", "v1beta/tunedModels/a"),
        ("POST", "v1beta/tunedModels/a:cancel"),
        ("POST", "v1beta/tunedModels/a:generateContent"),
    ],
    "predict": [("POST", "v1beta/models/imagen-4:predict")],
    "predictLongRunning": [
        ("POST", "v1beta/models/publisher/veo-3:predictLongRunning"),
        ("GET", "v1beta/models/veo-3/operations/a1"),
    ],
    "fileSearchStores": [
        ("GET", "v1beta/fileSearchStores"),
        ("POST", "v1beta/fileSearchStores"),
        ("GET", "v1beta/fileSearchStores/a/documents"),
        ("DELETE", "v1beta/fileSearchStores/a?force=true"),
        ("POST", "v1beta/fileSearchStores/a:importFile"),
        ("GET", "v1beta/fileSearchStores/a/upload/operations/o"),
        ("POST", "upload/v1beta/fileSearchStores/a:uploadToFileSearchStore"),
    ],
    "auth_tokens": [("POST", "v1alpha/auth_tokens")],
    "interactions": [
        ("POST", "v1beta/interactions"),
        ("GET", "v1beta/interactions/a?stream=true"),
        ("POST", "v1beta/interactions/a/cancel"),
        ("DELETE", "v1beta/interactions/a"),
    ],
    "agents": [("POST", "v1beta/agents"), ("GET", "v1beta/agents/a")],
    "triggers": [("GET", "v1beta/triggers"), ("POST", "v1beta/triggers/a/executions")],
    "environments": [
        ("POST", "v1beta/environments"),
        ("GET", "v1beta/environments/a/files/b/c"),
        ("POST", "upload/v1beta/environments/a/files/b/c"),
    ],
    "decisions": [("POST", "v1beta/decisions")],
    "credentials": [("GET", "v1beta/credentials/a")],
    "voices": [("GET", "v1beta/voices")],
    "webhooks": [("POST", "v1beta/webhooks"), ("POST", "v1beta/webhooks/a:ping")],
    "live": [("GET", LIVE)],
}


@TRANSLATED
async def test_every_family_is_refused_before_a_provider_is_called(
    ferry: Ferry, fake: FakeClient, http: ClientSession
) -> None:
    name = fake.kind.name
    assert list(CALLS) == [family.name for family in FAMILIES]
    for family in FAMILIES:
        for method, path in CALLS[family.name]:
            headers = {"x-goog-api-key": fake.kind.key, **fake.kind.headers}
            url = f"{ferry.base_url}/{path}"
            async with http.request(method, url, json={"stream": True}, headers=headers) as reply:
                error = (await reply.json())["error"]
            assert (reply.status, error["code"], error["status"]) == (501, 501, "UNIMPLEMENTED")
            assert error["message"] == (
                f"{family.name} is not served on {name}; only gemini has it: {family.reason}. "
                f"On {name}: {family.instead}"
            ), (method, path)
    assert await fake.requests() == []


def caches(client: genai.Client) -> object:
    return list(client.caches.list())


def tunings(client: genai.Client) -> object:
    return client.tunings.get(name="tunedModels/a")


def stores(client: genai.Client) -> object:
    return list(client.file_search_stores.list())


def tuned_models(client: genai.Client) -> object:
    return list(client.models.list(config={"query_base": False}))


@TRANSLATED
@pytest.mark.parametrize(
    ("call", "family"),
    [
        (caches, "cachedContents"),
        (tunings, "tunedModels"),
        (tuned_models, "tunedModels"),
        (stores, "fileSearchStores"),
    ],
)
async def test_the_sdk_raises_what_the_refusal_says(
    ferry: Ferry, fake: FakeClient, call: Callable[[genai.Client], object], family: str
) -> None:
    with sdk(ferry, fake) as client, pytest.raises(errors.ServerError) as refused:
        await asyncio.to_thread(call, client)
    assert refused.value.code == 501
    expected = f"{family} is not served on {fake.kind.name}; only gemini has it"
    assert expected in str(refused.value.message)


@pytest.mark.parametrize("fake", ["openai"], indirect=True)
async def test_interactions(ferry: Ferry, fake: FakeClient) -> None:
    """Its client repeats a 501 four times."""

    def interact() -> Any:
        with sdk(ferry, fake) as client:
            return client.interactions.create(model="m", input="hello", timeout=60)

    with pytest.raises(Exception, match="interactions is not served on") as refused:
        await asyncio.to_thread(interact)
    assert "only gemini has it" in str(refused.value)


@TRANSLATED
async def test_a_live_session_is_refused_and_its_key_is_not_logged(
    ferry: Ferry, fake: FakeClient, http: ClientSession
) -> None:
    url = f"{ferry.base_url}/{LIVE}?key={fake.kind.key}"
    with pytest.raises(WSServerHandshakeError) as refused:
        await http.ws_connect(url, headers=fake.kind.headers)
    assert refused.value.status == 501
    assert refused.value.headers is not None
    line = await ferry.proxy.line_with(refused.value.headers["x-ferry-request-id"])
    assert "live is not served on" in line
    assert ferry.leaks() == []
