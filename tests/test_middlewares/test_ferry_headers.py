"""A misspelt header of ours is told, and no header of ours harms where it is not read."""

from dataclasses import replace

import pytest

from middlewares.ferry_headers import EXPIRES_AFTER, IDEMPOTENCY_KEY
from providers.provider import Provider
from providers.resources import Page
from tests.test_middlewares.chain_at_work import Scripted, chain_at_work, scripted_provider

PURPOSE = "x-ferry-openai-purpose"
REGION = "x-ferry-aws-region"


def providers(files: Scripted) -> list[Provider]:
    openai, bedrock = (scripted_provider(name, files=files) for name in ("openai", "bedrock"))
    return [
        replace(openai, passed_headers=frozenset({"openai-project", PURPOSE})),
        replace(bedrock, passed_headers=frozenset({REGION})),
    ]


@pytest.mark.parametrize(
    ("header", "hint"),
    [
        ("x-ferry-idempotency", f"did you mean {IDEMPOTENCY_KEY}?"),
        ("X-Ferry-OpenAI-Purposes", f"did you mean {PURPOSE}?"),
        ("x-ferry-region", f"did you mean {REGION}?"),
        ("x-ferry-", f"known: {REGION}, {EXPIRES_AFTER}, {IDEMPOTENCY_KEY}, {PURPOSE}"),
        (
            "x-ferry-" + "z" * 5000,
            f"known: {REGION}, {EXPIRES_AFTER}, {IDEMPOTENCY_KEY}, {PURPOSE}",
        ),
    ],
)
async def test_an_unknown_header_of_ours_is_told(header: str, hint: str) -> None:
    files = Scripted(lambda *_: Page([]))
    async with chain_at_work(*providers(files)) as client:
        headers = {"x-goog-api-key": "a", header: "value-of-it"}
        async with client.get("/genai/v1/files", headers=headers) as reply:
            error = (await reply.json())["error"]
    assert (reply.status, error["status"]) == (400, "INVALID_ARGUMENT")
    assert error["message"] == f"unknown request header {header.lower()[:80]}; {hint}"
    assert files.calls == []


@pytest.mark.parametrize(
    "header", [IDEMPOTENCY_KEY, EXPIRES_AFTER, PURPOSE, REGION, "X-Ferry-AWS-Region", "x-f"]
)
@pytest.mark.parametrize("asked", ["openai", "bedrock"])
async def test_a_known_one_may_come_with_any_call(header: str, asked: str) -> None:
    """An SDK sends the headers of its client with every call, whichever provider that is for."""
    files = Scripted(lambda *_: Page([]))
    async with chain_at_work(*providers(files)) as client:
        headers = {"x-goog-api-key": "a", "x-model-provider": asked, header: "x"}
        async with client.get("/genai/v1/files", headers=headers) as reply:
            assert reply.status == 200
