"""Where the credential comes from, and which values are not credentials."""

import pytest

from providers.resources import Page
from tests.test_middlewares.running_chain import Scripted, running_chain, scripted_provider


@pytest.mark.parametrize(
    ("query", "headers", "api_key", "bearer"),
    [
        ("", {"x-goog-api-key": "a"}, "a", None),
        ("?key=b", {}, "b", None),
        ("?key=b", {"x-goog-api-key": "a"}, "a", None),
        ("", {"Authorization": "Bearer c"}, None, "c"),
        ("", {"Authorization": "bearer  c "}, None, "c"),
        ("?key=b", {"Authorization": "Bearer c"}, "b", "c"),
        ("?key=b", {"Authorization": "Basic c"}, "b", None),
    ],
)
async def test_the_key_is_taken_from_the_request(
    query: str, headers: dict[str, str], api_key: str | None, bearer: str | None
) -> None:
    files = Scripted(lambda *_: Page([]))
    async with running_chain(scripted_provider("openai", files=files)) as client:
        async with client.get(f"/genai/v1/files{query}", headers=headers) as reply:
            assert reply.status == 200
    credential = files.caller.credential
    assert (credential.api_key, credential.bearer) == (api_key, bearer)


@pytest.mark.parametrize("path", ["/genai/v1/files", "/team/genai/v1/files"])
async def test_paths_below_the_public_path_are_served_like_genai(path: str) -> None:
    files = Scripted(lambda *_: Page([]))
    openai = scripted_provider("openai", files=files)
    async with running_chain(openai, public_url="https://a.example/team") as client:
        async with client.get(path, headers={"x-goog-api-key": "a"}) as reply:
            assert (reply.status, await reply.json()) == (200, {})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-goog-api-key": ""},
        {"Authorization": "Basic dTpw"},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": "a"},
        {"x-goog-api-key": "a b"},
        {"Authorization": "Bearer a b"},
        {"Authorization": "Bearer \u00e9"},
    ],
)
async def test_an_invalid_key_is_refused_before_the_provider(headers: dict[str, str]) -> None:
    files = Scripted(lambda *_: Page([]))
    async with running_chain(scripted_provider("openai", files=files)) as client:
        async with client.get("/genai/v1/files", headers=headers) as reply:
            assert (reply.status, (await reply.json())["error"]["status"]) == (
                401,
                "UNAUTHENTICATED",
            )
    assert files.calls == []


async def test_tenants_differ_only_by_key_and_scope() -> None:
    files = Scripted(lambda *_: Page([]))
    tenants = []
    async with running_chain(scripted_provider("openai", files=files)) as client:
        for headers in (
            {"x-goog-api-key": "a"},
            {"x-goog-api-key": "a", "x-passed": "p"},
            {"x-goog-api-key": "b"},
            {"x-goog-api-key": "a", "x-scope": "s"},
            {"x-goog-api-key": "a", "x-unknown": "u"},
        ):
            await client.get("/genai/v1/files", headers=headers)
            tenants.append(files.caller.tenant)
    assert tenants[0] == tenants[1] == tenants[4]
    assert len(set(tenants)) == 3
    assert files.caller.headers == {}
