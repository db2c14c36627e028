"""The service tier of a single request. The fakes know the tiers of each provider."""

from typing import Any

import orjson
import pytest

from providers.resources import Prompt
from providers.status import Status
from tests.contract.bedrock_with_fake import MODEL, BedrockWithFake
from tests.contract.every_operation import MODELS
from tests.contract.provider_with_fake import ProviderWithFake, asking, refused

TIER_HEADER = "X-Amzn-Bedrock-Service-Tier"


async def ask(work: ProviderWithFake, model: str, body: dict[str, Any]) -> str:
    """The warnings."""
    assert work.provider.prompts is not None
    generated = await work.provider.prompts.generate(work.caller, Prompt(model, orjson.dumps(body)))
    assert b"echo: hello" in generated.document
    return generated.warnings


@pytest.mark.parametrize(
    ("provider", "tier", "sent"),
    [
        ("openai", "standard", {"service_tier": "default"}),
        ("openai", "flex", {"service_tier": "flex"}),
        ("openai", "PRIORITY", {"service_tier": "priority"}),
        ("anthropic", "standard", {"service_tier": "standard_only"}),
        ("mistral", "standard", {"service_tier": "standard_only"}),
        ("bedrock", "standard", {"serviceTier": {"type": "default"}}),
        ("bedrock", "flex", {"serviceTier": {"type": "flex"}}),
        ("bedrock", "priority", {"serviceTier": {"type": "priority"}}),
        ("openai", "unspecified", {}),
    ],
)
async def test_a_tier_that_the_provider_has(
    translating: dict[str, ProviderWithFake],
    monkeypatch: pytest.MonkeyPatch,
    provider: str,
    tier: str,
    sent: dict[str, Any],
) -> None:
    work = translating[provider]
    requests = work.record(monkeypatch)
    warnings = await ask(work, MODELS[provider], asking("hello") | {"serviceTier": tier})
    assert "serviceTier" not in warnings
    assert isinstance(requests[-1].body, bytes)
    body = orjson.loads(requests[-1].body)
    assert {name: value for name, value in body.items() if "tier" in name.lower()} == sent


async def test_a_tier_beside_claudes_own_body(
    bedrock: BedrockWithFake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Converse cannot forbid functions that the history needs."""
    requests = bedrock.record(monkeypatch)
    config = {"functionCallingConfig": {"mode": "NONE"}}
    tools = [{"functionDeclarations": [{"name": "f"}]}]
    call = {"functionCall": {"name": "f"}}
    result = {"functionResponse": {"name": "f", "response": {"a": 1}}}
    contents = [
        {"role": "user", "parts": [{"text": "hello"}]},
        {"role": "model", "parts": [call]},
        {"role": "user", "parts": [result, {"text": "hello"}]},
    ]
    body = {"contents": contents, "tools": tools, "toolConfig": config, "serviceTier": "flex"}
    await ask(bedrock, MODEL, body)
    assert requests[-1].url.path.endswith("/invoke")
    assert requests[-1].headers[TIER_HEADER] == "flex"


@pytest.mark.parametrize(
    ("provider", "tier", "known"),
    [
        ("anthropic", "flex", "STANDARD"),
        ("anthropic", "priority", "STANDARD"),
        ("mistral", "flex", "STANDARD"),
        ("openai", "fast", "STANDARD, FLEX, PRIORITY"),
        ("bedrock", "reserved", "STANDARD, FLEX, PRIORITY"),
    ],
)
async def test_a_tier_that_the_provider_lacks(
    translating: dict[str, ProviderWithFake], provider: str, tier: str, known: str
) -> None:
    work = translating[provider]
    body = asking("hello") | {"serviceTier": tier}
    error = await refused(ask(work, MODELS[provider], body))
    assert (error.status, error.path) == (Status.INVALID_ARGUMENT, "serviceTier")
    assert error.message.endswith(f"takes {known}")


async def test_a_stream_has_the_tier_too(
    translating: dict[str, ProviderWithFake], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, work in translating.items():
        assert work.provider.prompts is not None
        requests = work.record(monkeypatch)
        body = orjson.dumps(asking("hello") | {"serviceTier": "standard"})
        answer = await work.provider.prompts.stream(work.caller, Prompt(MODELS[name], body))
        assert [chunk async for chunk in answer.chunks]
        await answer.close()
        assert isinstance(requests[-1].body, bytes)
        assert b"tier" in requests[-1].body.lower()
