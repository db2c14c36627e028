"""Which `fileUri` names a file of the request's provider."""

import re
from dataclasses import replace
from typing import Any

import pytest

from providers.errors import FerryError
from providers.provider import FileUris, Provider
from providers.resource_names import native_file_id, object_file_id
from providers.resources import Generated, Prompt
from providers.status import Status
from tests.test_middlewares.running_chain import Scripted, running_chain, scripted_provider

PATH = "contents[0].parts[0].fileData.fileUri"
FILE = native_file_id("file-abc")
PUBLIC = "https://ferry.example/team/genai"


def provider() -> tuple[Provider, list[Prompt]]:
    prompts: list[Prompt] = []

    def generate(_: Any, prompt: Prompt) -> Generated:
        prompts.append(prompt)
        return Generated(b"{}")

    return scripted_provider("openai", prompts=Scripted(generate)), prompts


def google() -> Provider:
    """Another provider, with hosts of its own."""
    made = scripted_provider("gemini")
    host = re.compile(r"google\.example")
    uris = FileUris(host, re.compile(r"https://google\.example/files/(\w+)"))
    return replace(made, names=replace(made.names, file_uris=uris))


async def read(uri: str, public_url: str | None = None, **headers: str) -> str | None:
    """The id of the file."""
    made, prompts = provider()
    providers = (made, scripted_provider("bedrock"), google())
    async with running_chain(*providers, public_url=public_url) as client:
        given = {"x-goog-api-key": "k", "x-model-provider": "openai", **headers}
        path = "/genai/v1beta/models/m:generateContent"
        async with client.post(path, headers=given, data=b"{}") as reply:
            assert reply.status == 200, await reply.text()
        return prompts[0].file_of_uri(uri, PATH)


async def refusal(uri: str, public_url: str | None = None, **headers: str) -> FerryError:
    with pytest.raises(FerryError) as refused:
        await read(uri, public_url, **headers)
    assert refused.value.path == PATH
    return refused.value


@pytest.mark.parametrize(
    ("uri", "file_id"),
    [
        (f"files/{FILE}", FILE),
        ("files/file-abc", "file-abc"),
        (f"{PUBLIC}/v1beta/files/{FILE}", FILE),
        (f"{PUBLIC}/v1/files/{FILE}:download?alt=media", FILE),
        (f"HTTP://Ferry.Example/team/genai/v1beta/files/{FILE}", FILE),
        (f"{PUBLIC}/v1beta/files/nothing", "nothing"),
        ("https://example.com/cat.png", None),
        ("https://example.com/files/file-abc", None),
        (f"https://example.com/v1beta/files/{FILE}", None),
        ("https://ferry.example.com/team/genai", None),
        (f"https://ferry.example@example.com/v1beta/files/{FILE}", None),
        ("gs://bucket/cat.png", None),
        ("data:image/png;base64,AAAA", None),
        ("", None),
    ],
)
async def test_the_file_of_a_uri(uri: str, file_id: str | None) -> None:
    assert await read(uri, "https://ferry.example/team") == file_id


@pytest.mark.parametrize(
    "uri",
    [
        f"{PUBLIC}/v1beta/batches/batch_a",
        f"{PUBLIC}/cat.png",
        f"{PUBLIC}/v1beta/files/",
        f"{PUBLIC}/v1beta/files/{'a' * 10_000}",
        "files/",
        "files/a/b",
    ],
)
async def test_an_address_of_this_proxy_that_is_no_files(uri: str) -> None:
    error = await refusal(uri, "https://ferry.example/team")
    assert error.status == Status.INVALID_ARGUMENT


async def test_a_file_at_another_proxy() -> None:
    """A provider could not fetch it: it needs a key."""
    uri = f"https://other.example/genai/v1beta/files/{FILE}"
    error = await refusal(uri, "https://ferry.example/team")
    assert error.status == Status.INVALID_ARGUMENT
    assert f"the address of this one is {PUBLIC}" in error.message


async def test_without_a_configured_address_this_proxy_may_have_several() -> None:
    other = f"http://other.example/genai/v1beta/files/{FILE}"
    assert await read(other, Host="ferry.example:8080") == FILE
    own = "http://ferry.example:8080/genai/v1beta/files/file-abc"
    assert await read(own, Host="ferry.example:8080") == "file-abc"
    error = await refusal("http://ferry.example:8080/genai/a.png", Host="ferry.example:8080")
    assert error.status == Status.INVALID_ARGUMENT
    assert await read("http://other.example/a.png", Host="ferry.example:8080") is None


@pytest.mark.parametrize(
    ("uri", "owner"),
    [
        (f"files/{object_file_id('cat.png')}", "bedrock"),
        (f"{PUBLIC}/v1beta/files/{object_file_id('cat.png')}", "bedrock"),
        ("https://google.example/v1beta/files/abc", "gemini"),
        ("https://Google.Example/files/abc", "gemini"),
    ],
)
async def test_a_file_of_another_provider(uri: str, owner: str) -> None:
    error = await refusal(uri, "https://ferry.example/team")
    assert error.status == Status.NOT_FOUND
    assert f"belongs to {owner}" in error.message
