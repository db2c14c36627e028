"""Who owns a file, and what another key or another provider sees of it."""

import base64
import hashlib

import pytest
from aiohttp import ClientSession

from tests.end_to_end.batch_client import BatchClient, asking, inline
from tests.end_to_end.conftest import Ferry, Sdks
from tests.end_to_end.fake_client import GEMINI, KINDS, FakeClient
from tests.end_to_end.sdk_process import PYTHON_NEWEST, SdkError
from tests.end_to_end.test_files import ABSENT, uploaded

PROJECTS = [name for name, kind in KINDS.items() if kind.key_pairs is None]

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.parametrize("way", ["header", "query", "bearer"])
async def test_each_way_of_giving_a_key(
    sdks: Sdks, fake: FakeClient, ferry: Ferry, http: ClientSession, way: str
) -> None:
    file = await uploaded(await sdks.get(PYTHON_NEWEST, fake.kind))
    key = fake.kind.key
    ways = {
        "header": ({"x-goog-api-key": key}, {}),
        "query": ({}, {"key": key}),
        "bearer": ({"Authorization": f"Bearer {key}"}, {}),
    }
    headers, query = ways[way]
    url = f"{ferry.base_url}/v1beta/files"
    async with http.get(url, params=query, headers={**fake.kind.headers, **headers}) as reply:
        listed = (await reply.json())["files"]
    assert [one["name"] for one in listed] == [file["name"]]
    # The upload may have asked whether the key is valid, with a list too.
    *_, asked = await fake.requests(method="GET")
    shown = fake.kind.shown_key
    assert asked["credential_sha256"] == hashlib.sha256(shown.encode()).hexdigest()
    assert ferry.leaks() == []


@pytest.mark.parametrize("fake", PROJECTS, indirect=True)
async def test_another_key_does_not_see_the_file(
    sdks: Sdks, fake: FakeClient, ferry: Ferry
) -> None:
    file = await uploaded(await sdks.get(PYTHON_NEWEST, fake.kind))
    stranger = PYTHON_NEWEST.start(
        ferry.base_url, api_key=fake.kind.other_key, headers=dict(fake.kind.headers)
    )
    async with stranger as process:
        assert (await process.call("files.list"))["items"] == []
        for call in ("files.get", "files.delete"):
            with pytest.raises(SdkError) as raised:
                await process.call(call, name=file["name"])
            assert (raised.value.code, raised.value.status) == ABSENT[fake.kind.name]


@pytest.mark.parametrize("fake", ["bedrock"], indirect=True)
async def test_another_key_pair_of_the_account_sees_the_file(
    sdks: Sdks, fake: FakeClient, ferry: Ferry
) -> None:
    """S3 decides, and both belong to one account; the second pair is temporary."""
    file = await uploaded(await sdks.get(PYTHON_NEWEST, fake.kind))
    other = PYTHON_NEWEST.start(
        ferry.base_url, api_key=fake.kind.other_key, headers=dict(fake.kind.headers)
    )
    async with other as process:
        assert [one["name"] for one in (await process.call("files.list"))["items"]] == [
            file["name"]
        ]
        await process.call("files.delete", name=file["name"])
    assert (await fake.objects())["files"] == []


@pytest.mark.parametrize("fake", ["openai", "anthropic"], indirect=True)
async def test_the_error_for_another_providers_name_at_gemini_says_which_provider(
    sdks: Sdks, fake: FakeClient
) -> None:
    process = await sdks.get(PYTHON_NEWEST, fake.kind)
    file = await uploaded(process, mime_type="application/pdf")
    process = await sdks.get(PYTHON_NEWEST, GEMINI)
    with pytest.raises(SdkError, match=fake.kind.name) as raised:
        await process.call("files.get", name=file["name"])
    assert (raised.value.code, raised.value.status) == (404, "NOT_FOUND")


def made_by_the_proxy(letter: str, native: str) -> str:
    return f"files/{letter}{base64.b32encode(native.encode()).decode().rstrip('=').lower()}"


NAMES = {
    "openai": made_by_the_proxy("f", "file-AbCdEf"),
    "anthropic": made_by_the_proxy("s", "0123456789abcdef0123456789abcd"),
    "bedrock": made_by_the_proxy("o", "cat.png"),
}


async def test_a_request_that_names_another_providers_file_is_refused(
    translated: FakeClient, ferry: Ferry, http: ClientSession
) -> None:
    client = BatchClient(ferry.base_url, translated.kind, http)
    for owner, name in NAMES.items():
        if owner == translated.kind.name:
            continue
        part = {"fileData": {"fileUri": f"{ferry.base_url}/v1beta/{name}", "mimeType": "image/png"}}
        request = {"contents": [{"role": "user", "parts": [part]}]}
        refused = await client.create(inline({"request": asking("x")}, {"request": request}))
        assert refused.error == (404, "NOT_FOUND")
        assert f"{name} belongs to {owner}" in refused.message
        assert "requests[1]" in refused.message
    assert await translated.requests(method="POST") == []
