"""Which provider a request is for, and names that belong to another provider."""

from dataclasses import replace
from typing import Any, cast

import pytest

from middlewares.provider_resolution import normalised
from providers.provider import Batches, Provider
from providers.resource_names import FileId, FileKind, object_file_id
from providers.resources import File, Page
from proxy.setting_values import canonical_name
from tests.test_middlewares.running_chain import (
    Scripted,
    ScriptedReply,
    running_chain,
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
    async with running_chain(other, provider) as client:
        headers = {**KEY, "x-model-provider": name}
        async with client.get("/genai/v1/files", headers=headers) as reply:
            assert reply.status == 200
    assert len(files.calls) == 1


@pytest.mark.parametrize("name", ["a_b", "A-b", "a-B_c"])
def test_the_header_is_spelled_as_the_settings_are(name: str) -> None:
    assert normalised(name) == canonical_name(name)


@pytest.mark.parametrize("headers", [{}, {"x-model-provider": ""}])
async def test_without_a_name_the_default_is_used(headers: dict[str, str]) -> None:
    files = Scripted(lambda *_: Page([]))
    gemini = scripted_provider("gemini", relay=Scripted(lambda *_: ScriptedReply()))
    openai = scripted_provider("openai", files=files)
    async with running_chain(gemini, openai, default="openai") as client:
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
async def test_a_name_of_another_provider_differs_from_an_unknown_one(path: str) -> None:
    relay = Scripted(lambda *_: ScriptedReply())
    gemini = scripted_provider("gemini", relay=relay)
    openai = scripted_provider("openai", files=Scripted(lambda *_: File(id="a")))
    async with running_chain(gemini, openai) as client:
        async with client.get(f"/genai/v1/{path}", headers=KEY) as reply:
            message = (await reply.json())["error"]["message"]
            assert (reply.status, "openai" in message) == (404, True)
        async with client.get("/genai/v1/files/abc-123", headers=KEY) as reply:
            assert reply.status == 200
    assert len(relay.calls) == 1


STAGED = str(FileId(FileKind.STAGED, "0123456789abcdef0123456789abcd"))
OBJECT = object_file_id("abcdefghijklmnopqrstuvwx.jsonl")
RESULTS = str(FileId(FileKind.RESULTS, "msgbatch_01AbC"))
NATIVE = str(FileId(FileKind.NATIVE, "file_011CNha8iCJcU1wXNR6q4V8w"))


def three(files: Scripted, relay: Scripted) -> list[Provider]:
    kinds = [scripted_provider(name, files=files) for name in ("openai", "anthropic", "bedrock")]
    batching = [replace(kind, batches=cast(Batches, files)) for kind in kinds]
    return [*batching, scripted_provider("gemini", relay=relay)]


@pytest.mark.parametrize("how", ["get", "delete", "download", "input"])
@pytest.mark.parametrize(
    ("file_id", "owner", "others"),
    [
        (STAGED, "anthropic", ["openai", "bedrock", "gemini"]),
        (RESULTS, "anthropic", ["openai", "bedrock", "gemini"]),
        (NATIVE, "anthropic", ["openai", "bedrock", "gemini"]),
        ("file_011CNha8iCJcU1wXNR6q4V8w", "anthropic", ["openai", "bedrock"]),
        (OBJECT, "bedrock", ["openai", "anthropic", "gemini"]),
        (str(FileId(FileKind.NATIVE, "file-AbC")), "openai", ["anthropic", "bedrock", "gemini"]),
    ],
)
async def test_a_file_of_another_provider_is_recognised_by_its_name(
    how: str, file_id: str, owner: str, others: list[str]
) -> None:
    files, relay = Scripted(lambda *_: File(id="a")), Scripted(lambda *_: ScriptedReply())
    async with running_chain(*three(files, relay)) as client:
        for asked in others:
            headers = {**KEY, "x-model-provider": asked}
            async with client.request(**naming(how, file_id), headers=headers) as reply:
                error = (await reply.json())["error"]
            assert (reply.status, error["status"]) == (404, "NOT_FOUND"), asked
            assert f"files/{file_id} belongs to {owner}, " in error["message"]
        assert (files.calls, relay.calls) == ([], [])


@pytest.mark.parametrize("how", ["get", "input"])
async def test_a_name_that_is_too_long_is_not_sent(how: str) -> None:
    files, relay = Scripted(lambda *_: File(id="a")), Scripted(lambda *_: ScriptedReply())
    name = "a" * 7000
    async with running_chain(*three(files, relay)) as client:
        for asked in ("gemini", "openai", "anthropic"):
            headers = {**KEY, "x-model-provider": asked}
            async with client.request(**naming(how, name), headers=headers) as reply:
                error = (await reply.json())["error"]
            assert (reply.status, error["status"]) == (400, "INVALID_ARGUMENT"), asked
        assert (files.calls, relay.calls) == ([], [])


def naming(how: str, file_id: str) -> dict[str, Any]:
    path = f"/genai/v1beta/files/{file_id}"
    match how:
        case "get" | "delete":
            return {"method": how, "path": path}
        case "download":
            return {"method": "get", "path": f"{path}:download"}
        case _:
            return {
                "method": "post",
                "path": "/genai/v1beta/models/m:batchGenerateContent",
                "json": {"batch": {"inputConfig": {"fileName": f"files/{file_id}"}}},
            }


@pytest.mark.parametrize(
    ("file_id", "asked"),
    [
        (STAGED, "anthropic"),
        (OBJECT, "bedrock"),
        ("oceans", "gemini"),
        ("abc-123", "gemini"),
        ("sunset", "bedrock"),
        ("sunset", "openai"),
    ],
)
async def test_a_providers_own_file_is_sent_to_it(file_id: str, asked: str) -> None:
    files, relay = Scripted(lambda *_: File(id="a")), Scripted(lambda *_: ScriptedReply())
    async with running_chain(*three(files, relay)) as client:
        headers = {**KEY, "x-model-provider": asked}
        async with client.get(f"/genai/v1beta/files/{file_id}", headers=headers) as reply:
            assert reply.status == 200
    assert len(files.calls) + len(relay.calls) == 1


@pytest.mark.parametrize(
    ("method", "path", "named"),
    [
        ("POST", "/v1/models/m:generateContent", "v1/models/m:generateContent"),
        ("POST", "/v1/models/m:batchGenerateContent", "v1/models/m:batchGenerateContent"),
        ("GET", "/v1/batches", "v1/batches"),
        ("GET", "/v1/models", "v1/models"),
        ("POST", "/v1/files:register", "v1/files:register"),
        ("GET", "/", "without a path"),
        ("GET", "", "without a path"),
    ],
)
async def test_a_missing_capability_is_unimplemented(method: str, path: str, named: str) -> None:
    openai = scripted_provider("openai", files=Scripted(lambda *_: Page([])))
    async with running_chain(openai) as client:
        async with client.request(method, f"/genai{path}", headers=KEY) as reply:
            error = (await reply.json())["error"]
            assert (reply.status, error["status"]) == (501, "UNIMPLEMENTED")
            assert error["message"] == (
                f"{method} {named} is not supported for openai: only client.files works with openai"
            )


@pytest.mark.parametrize(
    ("method", "path", "missing"),
    [
        ("POST", "models/m:generateContent", "client.models.generate_content"),
        ("POST", "models/m:streamGenerateContent", "client.models.generate_content"),
        ("POST", "models/m:countTokens", "client.models.count_tokens"),
        ("POST", "models/m:embedContent", "client.models.embed_content"),
        ("POST", "models/m:batchGenerateContent", "client.batches"),
        ("GET", "batches", "client.batches"),
        ("GET", "batches/a", "client.batches"),
        ("GET", "models/m", "client.models.list"),
    ],
)
async def test_who_has_a_missing_capability(method: str, path: str, missing: str) -> None:
    openai = scripted_provider("openai", files=Scripted(lambda *_: Page([])))
    gemini = scripted_provider("gemini", relay=Scripted(lambda *_: ScriptedReply()))
    async with running_chain(openai, gemini) as client:
        headers = {**KEY, "x-model-provider": "openai"}
        async with client.request(method, f"/genai/v1/{path}", headers=headers) as reply:
            message = (await reply.json())["error"]["message"]
    assert message.endswith(f"works with openai; {missing} works with gemini")
