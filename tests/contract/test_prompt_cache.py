"""Prompts and batches that are marked for a prompt cache, against fakes that have one."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import orjson
import pytest

from providers.prompt_cache import CACHE_HEADER, CacheLife
from providers.provider import Prompts, Provider
from providers.resources import Batch, BatchKind, InlineRequest, InlineResults, NewBatch, Prompt
from tests.contract.anthropic_with_fake import MODEL as ANTHROPIC
from tests.contract.anthropic_with_fake import anthropic_with_fake
from tests.contract.bedrock_with_fake import MODEL as BEDROCK
from tests.contract.bedrock_with_fake import NOVA, BedrockWithFake
from tests.contract.provider_with_fake import ProviderWithFake, asking, refused

MODELS = {"anthropic": ANTHROPIC, "bedrock": BEDROCK}
LONG = "Answer like this. " * 400
FIRST: dict[str, str] = {"name": "f", "description": LONG}
BRIEF: dict[str, str] = {"text": "Be brief."}
TOOLS = [{"functionDeclarations": [FIRST, {"name": "g"}]}]
SYSTEM = {"parts": [BRIEF, {"text": LONG}]}
COUNTS = ("cachedContentTokenCount", "ferryCacheWriteTokenCount")


@pytest.fixture(autouse=True)
def _prefix_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """All tests have one fake Bedrock."""
    monkeypatch.setitem(BRIEF, "text", f"Be brief. {secrets.token_hex(8)}")
    monkeypatch.setitem(FIRST, "description", f"{secrets.token_hex(8)} {LONG}")


@pytest.fixture(params=["anthropic", "bedrock"])
async def work(
    request: pytest.FixtureRequest, bedrock: BedrockWithFake
) -> AsyncIterator[ProviderWithFake]:
    if request.param == "bedrock":
        yield bedrock
        return
    async with anthropic_with_fake() as anthropic:
        yield anthropic


def body_of(text: str, **members: Any) -> dict[str, Any]:
    return asking(text) | {"systemInstruction": SYSTEM} | members


def prompt_of(work: ProviderWithFake, body: dict[str, Any]) -> Prompt:
    return Prompt(MODELS[work.provider.kind], orjson.dumps(body))


def prompts_of(provider: Provider) -> Prompts:
    assert provider.prompts is not None
    return provider.prompts


def asks_for(work: ProviderWithFake, life: str) -> None:
    work.caller = replace(work.caller, headers={CACHE_HEADER: life})


async def usage(work: ProviderWithFake, body: dict[str, Any]) -> dict[str, int]:
    generated = await prompts_of(work.provider).generate(work.caller, prompt_of(work, body))
    counts: dict[str, int] = orjson.loads(generated.document)["usageMetadata"]
    return counts


@pytest.mark.parametrize("life", ["5m", "1h"])
@pytest.mark.parametrize("tools", [{}, {"tools": TOOLS}])
async def test_a_prefix_is_written_once_and_then_read(
    work: ProviderWithFake, life: str, tools: dict[str, Any]
) -> None:
    asks_for(work, life)
    first = await usage(work, body_of("hello", **tools))
    again = await usage(work, body_of("other", **tools))
    assert first["ferryCacheWriteTokenCount"] > 1000
    assert first.get("cachedContentTokenCount", 0) == 0
    assert again["cachedContentTokenCount"] == first["ferryCacheWriteTokenCount"]
    assert "ferryCacheWriteTokenCount" not in again
    # Both are counts of the same tokens.
    assert first["promptTokenCount"] == again["promptTokenCount"]
    for counts in (first, again):
        sum_of_both = counts["promptTokenCount"] + counts["candidatesTokenCount"]
        assert counts["totalTokenCount"] == sum_of_both


async def test_a_stream_is_marked_and_counted_too(work: ProviderWithFake) -> None:
    asks_for(work, "5m")
    written = (await usage(work, body_of("hello")))["ferryCacheWriteTokenCount"]
    answer = await prompts_of(work.provider).stream(work.caller, prompt_of(work, body_of("hello")))
    *_, last = [orjson.loads(chunk) async for chunk in answer.chunks]
    await answer.close()
    assert last["usageMetadata"]["cachedContentTokenCount"] == written


async def test_nothing_is_cached_unasked(
    work: ProviderWithFake, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = work.record(monkeypatch)
    for _ in range(2):
        counts = await usage(work, body_of("hello", tools=TOOLS))
        assert [counts.get(name, 0) for name in COUNTS] == [0, 0]
    assert isinstance(sent[-1].body, bytes)
    assert b"cache" not in sent[-1].body


async def test_the_setting_is_for_prompts_whose_client_says_nothing(
    work: ProviderWithFake, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = work.record(monkeypatch)
    work.provider = work.replica(cache=CacheLife.ONE_HOUR)  # type: ignore[attr-defined]
    assert (await usage(work, body_of("hello")))["ferryCacheWriteTokenCount"]
    asks_for(work, "5m")
    await usage(work, body_of("hello"))
    hour, minutes = (bytes(each.body) for each in sent if isinstance(each.body, bytes))
    assert b'"ttl":"1h"' in hour
    assert b"ttl" not in minutes
    assert minutes.count(b"cache") == 1


async def test_only_the_instruction_and_the_tools_are_marked(
    work: ProviderWithFake, monkeypatch: pytest.MonkeyPatch
) -> None:
    asks_for(work, "5m")
    sent = work.record(monkeypatch)
    await usage(work, body_of("hello", tools=TOOLS))
    body = orjson.loads(sent[-1].body)  # type: ignore[arg-type]
    marked = [name for name, value in body.items() if b"cache" in orjson.dumps(value)]
    assert sorted(marked) in (["system", "tools"], ["system", "toolConfig"])


async def test_another_value_is_refused(work: ProviderWithFake) -> None:
    asks_for(work, "2h")
    error = await refused(usage(work, body_of("hello")))
    assert (error.code, error.message) == (400, f"{CACHE_HEADER} must be 5m or 1h")


# --- batches -------------------------------------------------------------------------------------


def batch_of(work: ProviderWithFake, texts: list[str]) -> NewBatch:
    requests = [
        InlineRequest(orjson.dumps(body_of(text)), b"null", f"requests[{n}]")
        for n, text in enumerate(texts)
    ]
    return NewBatch(MODELS[work.provider.kind], BatchKind.GENERATE, requests)


async def ended(work: ProviderWithFake, batch: Batch) -> list[dict[str, Any]]:
    while not batch.state.terminal:
        batch = await work.batches.get(work.caller, batch.id)
    assert isinstance(batch.output, InlineResults)
    found = [orjson.loads(item)["response"] for item in batch.output.items]
    await batch.output.close()
    return found


async def test_the_requests_of_a_batch_share_a_prefix(work: ProviderWithFake) -> None:
    asks_for(work, "1h")
    texts = [f"text {n}" for n in range(100)]  # as many as a job at Bedrock needs
    answers = await ended(work, await work.batches.create(work.caller, batch_of(work, texts)))
    counts = [answer["usageMetadata"] for answer in answers]
    assert [bool(each.get(COUNTS[1])) for each in counts].count(True) == 1
    assert [bool(each.get(COUNTS[0])) for each in counts].count(True) == len(texts) - 1


async def test_the_embeddings_of_a_batch_have_no_prefix(bedrock: BedrockWithFake) -> None:
    bedrock.provider = bedrock.replica(minimum=1)
    asks_for(bedrock, "1h")
    request = orjson.dumps({"content": {"parts": [{"text": "a"}]}})
    inline = [InlineRequest(request, b"null", "requests[0]")]
    titan = "amazon.titan-embed-text-v2:0"
    batch = await bedrock.batches.create(bedrock.caller, NewBatch(titan, BatchKind.EMBED, inline))
    assert batch.kind is BatchKind.EMBED


# --- Bedrock's models ----------------------------------------------------------------------------


async def test_nova_caches_the_instruction_for_five_minutes(bedrock: BedrockWithFake) -> None:
    asks_for(bedrock, "5m")
    prompts, body = prompts_of(bedrock.provider), orjson.dumps(body_of("hello", tools=TOOLS))
    await prompts.generate(bedrock.caller, Prompt(NOVA, body))
    generated = await prompts.generate(bedrock.caller, Prompt(NOVA, body))
    assert orjson.loads(generated.document)["usageMetadata"]["cachedContentTokenCount"]
    asks_for(bedrock, "1h")
    error = await refused(prompts.generate(bedrock.caller, Prompt(NOVA, body)))
    assert CACHE_HEADER in error.message


async def test_claudes_own_body_is_marked_too(
    bedrock: BedrockWithFake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Converse cannot forbid functions that the history needs."""
    asks_for(bedrock, "5m")
    sent = bedrock.record(monkeypatch)
    contents = [
        {"role": "user", "parts": [{"text": "hello"}]},
        {"role": "model", "parts": [{"functionCall": {"name": "f"}}]},
        {"parts": [{"functionResponse": {"name": "f", "response": {"a": 1}}}, {"text": "hello"}]},
    ]
    config = {"functionCallingConfig": {"mode": "NONE"}}
    counts = await usage(bedrock, body_of("", contents=contents, tools=TOOLS, toolConfig=config))
    assert sent[-1].url.path.endswith("/invoke")
    assert counts["ferryCacheWriteTokenCount"]
