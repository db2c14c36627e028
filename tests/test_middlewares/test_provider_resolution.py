"""Which provider a request is for, and names that are another's."""

import pytest

from middlewares.provider_resolution import normalised
from providers.resource_names import FileId, FileKind
from providers.resources import File, Page
from proxy.setting_values import canonical_name
from tests.test_middlewares.chain_at_work import (
    Scripted,
    ScriptedReply,
    chain_at_work,
    scripted_provider,
)

KEY = {"x-goog-api-key": "a"}


@pytest.mark.parametrize(
    "name", ["my-openai", "my_openai", "MY-OpenAI", "My_OpenAI", " my_openai "]
)
async def test_a_name_matches_without_case_and_dash(name: str) -> None:
    files = Scripted(lambda *_: Page([]))
    provider = scripted_provider(canonical_name("MY_OPENAI"), files=files)
    other = scripted_provider("gemini", relay=Scripted(lambda *_: ScriptedReply()))
    async with chain_at_work(other, provider) as client:
        headers = {**KEY, "x-model-provider": name}
        async with client.get("/genai/v1/files", headers=headers) as reply:
            assert reply.status == 200
    assert len(files.calls) == 1


@pytest.mark.parametrize("name", ["a_b", "A-b", "a-B_c"])
def test_the_header_is_spelled_as_the_settings_are(name: str) -> None:
    assert normalised(name) == canonical_name(name)


@pytest.mark.parametrize("headers", [{}, {"x-model-provider": ""}])
async def test_without_a_name_it_is_the_default(headers: dict[str, str]) -> None:
    files = Scripted(lambda *_: Page([]))
    gemini = scripted_provider("gemini", relay=Scripted(lambda *_: ScriptedReply()))
    openai = scripted_provider("openai", files=files)
    async with chain_at_work(gemini, openai, default="openai") as client:
        await client.get("/genai/v1/files", headers={**KEY, **headers})
    assert len(files.calls) == 1


@pytest.mark.parametrize(
    "path",
    [
        "files/file-aBc",
        f"files/{FileId(FileKind.NATIVE, 'file-abc')}",
        f"files/{FileId(FileKind.RESULTS, 'batch_abc')}",
        "batches/batch_abc",
    ],
)
async def test_a_name_of_another_provider_is_told_from_an_unknown_one(path: str) -> None:
    relay = Scripted(lambda *_: ScriptedReply())
    gemini = scripted_provider("gemini", relay=relay)
    openai = scripted_provider("openai", files=Scripted(lambda *_: File(id="a")))
    async with chain_at_work(gemini, openai) as client:
        async with client.get(f"/genai/v1/{path}", headers=KEY) as reply:
            message = (await reply.json())["error"]["message"]
            assert (reply.status, "openai" in message) == (404, True)
        async with client.get("/genai/v1/files/abc-123", headers=KEY) as reply:
            assert reply.status == 200
    assert len(relay.calls) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "v1/models/m:generateContent"),
        ("POST", "v1/models/m:batchGenerateContent"),
        ("GET", "v1/batches"),
        ("GET", "v1/models"),
        ("POST", "v1/files:register"),
    ],
)
async def test_what_a_provider_lacks_is_unimplemented(method: str, path: str) -> None:
    openai = scripted_provider("openai", files=Scripted(lambda *_: Page([])))
    async with chain_at_work(openai) as client:
        async with client.request(method, f"/genai/{path}", headers=KEY) as reply:
            assert (reply.status, (await reply.json())["error"]["status"]) == (501, "UNIMPLEMENTED")
