"""Calls that the proxy does not translate work on gemini as at Google."""

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from google import genai
from google.genai import errors, types
from google.oauth2.credentials import Credentials

from tests.end_to_end.conftest import MIB, Ferry, Sdks
from tests.end_to_end.fake_client import FakeClient
from tests.end_to_end.pattern import pattern_bytes
from tests.end_to_end.sdk_process import (
    GO,
    JAVA,
    JAVA_1X,
    JAVASCRIPT,
    PYTHON_2X,
    PYTHON_NEWEST,
    PYTHON_NEWEST_ASYNC,
    Sdk,
)

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.parametrize("fake", ["gemini"], indirect=True),
]

START = {"X-Goog-Upload-Protocol": "resumable", "X-Goog-Upload-Command": "start"}
SIZE = 8 * MIB + 5


def sdk(ferry: Ferry, fake: FakeClient, provider: str = "gemini") -> genai.Client:
    options = types.HttpOptions(base_url=ferry.base_url, headers={"x-model-provider": provider})
    return genai.Client(api_key=fake.kind.key, http_options=options)


# --- uploads into a file search store ------------------------------------------------------------


@pytest.mark.parametrize(
    "sdk", [PYTHON_NEWEST, PYTHON_NEWEST_ASYNC, PYTHON_2X, JAVASCRIPT, GO, JAVA, JAVA_1X], ids=str
)
async def test_an_upload_into_a_file_search_store(
    fake: FakeClient, sdks: Sdks, sdk: Sdk, tmp_path: Path
) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(pattern_bytes(SIZE))
    client = await sdks.get(sdk, fake.kind)
    document = await client.call(
        "file_search_stores.upload",
        path=str(path),
        mime_type="text/plain",
        display_name="a document",
    )
    assert (int(document["sizeBytes"]), document["mimeType"]) == (SIZE, "text/plain")
    # The Java SDK ignores its config and starts such an upload with an empty object.
    shown = "" if sdk in (JAVA, JAVA_1X) else "a document"
    assert document["displayName"] == shown
    # Two chunks, each sent through the proxy to Google's own URL.
    chunks = await fake.requests(method="POST", path="^/upload/.*:uploadToFileSearchStore$")
    assert [one["received"] for one in chunks[1:]] == [8 * MIB, 5]


async def test_googles_own_upload_url_is_not_shown(
    ferry: Ferry, fake: FakeClient, http: ClientSession
) -> None:
    key = {"x-goog-api-key": fake.kind.key, "x-model-provider": "gemini"}
    stores = f"{ferry.base_url}/v1beta/fileSearchStores"
    async with http.post(stores, json={}, headers=key) as made:
        name = (await made.json())["name"]
    path = f"{ferry.base_url}/upload/v1beta/{name}:uploadToFileSearchStore"
    async with http.post(path, json={}, headers=key | START) as started:
        urls = [value for name, value in started.headers.items() if name.endswith("-URL")]
    assert started.status == 200
    ours = f"{ferry.base_url}/upload/v1beta/files?upload_id="
    assert len(urls) == 2
    assert all(url.startswith(ours) for url in urls), urls


async def test_an_unknown_store_gets_googles_refusal(
    ferry: Ferry, fake: FakeClient, tmp_path: Path
) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"a")
    client = sdk(ferry, fake)
    with pytest.raises(errors.ClientError) as caught:
        await asyncio.to_thread(
            client.file_search_stores.upload_to_file_search_store,
            file_search_store_name="fileSearchStores/none",
            file=path,
        )
    assert (caught.value.code, caught.value.status) == (403, "PERMISSION_DENIED")


# --- files.register ------------------------------------------------------------------------------


def register(client: genai.Client, credentials: Credentials, uris: list[str]) -> Any:
    return client.files.register_files(auth=credentials, uris=uris)


async def test_files_are_registered_with_the_users_token(ferry: Ferry, fake: FakeClient) -> None:
    credentials = Credentials(  # type: ignore[no-untyped-call]
        token="ya29.of-the-user", quota_project_id="a-project"
    )
    uris = ["gs://bucket/a.pdf", "gs://bucket/b.pdf"]
    registered = await asyncio.to_thread(register, sdk(ferry, fake), credentials, uris)
    assert [file.display_name for file in registered.files] == uris
    [seen] = [one for one in await fake.requests() if one["path"].endswith("files:register")]
    assert seen["headers"]["x-goog-user-project"] == "a-project"


async def test_google_refuses_a_registration_without_a_token(
    ferry: Ferry, fake: FakeClient, http: ClientSession
) -> None:
    key = {"x-goog-api-key": fake.kind.key, "x-model-provider": "gemini"}
    url = f"{ferry.base_url}/v1beta/files:register"
    async with http.post(url, json={"uris": ["gs://b/a"]}, headers=key) as refused:
        assert refused.status == 401


# --- a caller with a token and no key ------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("v1beta/files:register", {"uris": ["gs://bucket/a.pdf"]}),
        ("v1beta/fileSearchStores", {"displayName": "a store"}),
    ],
)
async def test_a_relayed_call_has_the_token(
    ferry: Ferry, fake: FakeClient, http: ClientSession, path: str, body: dict[str, Any]
) -> None:
    headers = {"Authorization": "Bearer ya29.of-the-user", "x-model-provider": "gemini"}
    async with http.post(f"{ferry.base_url}/{path}", json=body, headers=headers) as reply:
        assert reply.status == 200, await reply.text()
    [seen] = await fake.requests(path=f"/{path}$")
    assert seen["credential_sha256"] == hashlib.sha256(b"ya29.of-the-user").hexdigest()


# --- elsewhere -----------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
@pytest.mark.parametrize("path", ["v1beta/files:register"])
async def test_another_provider_says_what_works(
    ferry: Ferry, fake: FakeClient, http: ClientSession, provider: str, path: str
) -> None:
    headers = {"x-goog-api-key": "any", "x-model-provider": provider} | START
    async with http.post(f"{ferry.base_url}/{path}", json={}, headers=headers) as refused:
        error = (await refused.json())["error"]
    assert (error["code"], error["status"]) == (501, "UNIMPLEMENTED")
    assert f"POST {path} is not supported for {provider}" in error["message"]
