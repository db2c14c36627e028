"""An uploaded file in a prompt: through Google's SDK, as it puts a File into the contents."""

import asyncio
import io
from typing import Any

import pytest
from google.genai import errors, types

from tests.end_to_end.batch_client import MODELS
from tests.end_to_end.conftest import Ferry
from tests.end_to_end.fake_client import FakeClient
from tests.end_to_end.google_client import TRANSLATED, ask, sdk

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

FILES = {
    "application/pdf": b"%PDF-1.4 one page",
    "image/png": b"\x89PNG\r\n\x1a\n",
    "text/plain": b"some notes\n",
}
READ = [
    ("openai", "application/pdf"),
    ("openai", "image/png"),
    *[("anthropic", mime_type) for mime_type in FILES],
    *[("bedrock", mime_type) for mime_type in FILES],
]
UNREAD = [
    ("openai", "text/plain"),
    *[("mistral", mime_type) for mime_type in FILES],
]
INLINE = "FERRY_INLINE_MAX_BYTES, by default 20 MiB"


async def uploaded(ferry: Ferry, fake: FakeClient, mime_type: str) -> types.File:
    def upload() -> types.File:
        config = types.UploadFileConfig(mime_type=mime_type, display_name="mine")
        with sdk(ferry, fake) as client:
            return client.files.upload(file=io.BytesIO(FILES[mime_type]), config=config)

    return await asyncio.to_thread(upload)


async def refused(ferry: Ferry, fake: FakeClient, contents: Any) -> errors.ClientError:
    with pytest.raises(errors.ClientError) as caught:
        await ask(ferry, fake, contents)
    return caught.value


def by_uri(uri: str, mime_type: str = "application/pdf") -> list[Any]:
    return ["what is it?", types.Part.from_uri(file_uri=uri, mime_type=mime_type)]


@pytest.mark.parametrize(("fake", "mime_type"), READ, indirect=["fake"])
async def test_an_uploaded_file(ferry: Ferry, fake: FakeClient, mime_type: str) -> None:
    file = await uploaded(ferry, fake, mime_type)
    answer = await ask(ferry, fake, ["what is it?", file])
    assert (answer.text or "").startswith("echo: what is it?")
    assert file.name is not None
    answer = await ask(ferry, fake, by_uri(file.name, mime_type))
    assert (answer.text or "").startswith("echo: what is it?")


@pytest.mark.parametrize("fake", ["openai", "anthropic", "bedrock"], indirect=True)
async def test_an_uploaded_file_in_a_stream(ferry: Ferry, fake: FakeClient) -> None:
    file = await uploaded(ferry, fake, "application/pdf")

    def read() -> str:
        with sdk(ferry, fake) as client:
            chunks = client.models.generate_content_stream(
                model=MODELS[fake.kind.name], contents=["what is it?", file]
            )
            return "".join(chunk.text or "" for chunk in chunks)

    assert (await asyncio.to_thread(read)).startswith("echo: what is it?")


@pytest.mark.parametrize(("fake", "mime_type"), UNREAD, indirect=["fake"])
async def test_a_file_that_cannot_be_read_by_its_name(
    ferry: Ferry, fake: FakeClient, mime_type: str
) -> None:
    error = await refused(ferry, fake, ["what?", await uploaded(ferry, fake, mime_type)])
    assert error.code == 400
    assert str(error.message).startswith("contents[0].parts[1].fileData.")
    assert INLINE in str(error.message)


@pytest.mark.parametrize("fake", ["openai", "anthropic", "bedrock"], indirect=True)
async def test_a_file_that_is_not_there_any_more(ferry: Ferry, fake: FakeClient) -> None:
    file = await uploaded(ferry, fake, "application/pdf")
    with sdk(ferry, fake) as client:
        assert file.name is not None
        await asyncio.to_thread(client.files.delete, name=file.name)
    error = await refused(ferry, fake, ["what?", file])
    assert error.code == 400
    assert str(error.message).startswith("contents[0].parts[1].fileData.fileUri: names a file")


@pytest.mark.parametrize("fake", ["openai", "anthropic", "bedrock"], indirect=True)
async def test_an_address_of_the_proxy_goes_to_no_provider(ferry: Ferry, fake: FakeClient) -> None:
    wrong = [
        f"{ferry.base_url}/v1beta/files/nothing",
        f"{ferry.base_url}/v1beta/batches/a",
        f"{ferry.base_url}/cat.png",
        "files/a/b",
    ]
    for uri in wrong:
        error = await refused(ferry, fake, by_uri(uri))
        assert error.code == 400, uri
        assert str(error.message).startswith("contents[0].parts[1].fileData.fileUri: "), uri


@TRANSLATED
async def test_a_file_of_another_provider(ferry: Ferry, fake: FakeClient) -> None:
    googles = "https://generativelanguage.googleapis.com/v1beta/files/abc123"
    error = await refused(ferry, fake, by_uri(googles))
    assert (error.code, error.status) == (404, "NOT_FOUND")
    assert "belongs to gemini" in str(error.message)
    assert await fake.requests(method="POST") == []


@pytest.mark.parametrize("fake", ["anthropic"], indirect=True)
async def test_an_address_on_the_web_is_the_providers_to_fetch(
    ferry: Ferry, fake: FakeClient
) -> None:
    """Also if it ends like the name of a file."""
    answer = await ask(ferry, fake, by_uri("https://example.com/files/file_abc"))
    assert (answer.text or "").startswith("echo: what is it?")
