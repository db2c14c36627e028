"""Reasoning of Mistral and of compatible servers is shown to a client that asks for thoughts.

It is then not reported as dropped.
"""

from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from providers.openai.generate_api import GenerateApi
from providers.resources import Prompt
from tests.contract.mistral_with_fake import MODEL as MISTRAL_MODEL
from tests.contract.mistral_with_fake import MistralWithFake, mistral_with_fake
from tests.contract.openai_with_fake import MODEL, OpenAIWithFake, openai_with_fake
from tests.contract.provider_with_fake import asking

MESSAGE = {"role": "assistant", "content": "Hi", "reasoning_content": "Hm"}
CHOICES = [{"index": 0, "message": MESSAGE, "finish_reason": "stop", "logprobs": None}]


@pytest.fixture
async def openai() -> AsyncIterator[OpenAIWithFake]:
    async with openai_with_fake() as work:
        await work.post("/_fake/settings", {"answer": {"choices": CHOICES}})
        yield work


@pytest.fixture
async def mistral() -> AsyncIterator[MistralWithFake]:
    async with mistral_with_fake() as work:
        yield work


async def parts(openai: OpenAIWithFake, **thinking: Any) -> list[dict[str, Any]]:
    request = asking("hello") | {"generationConfig": {"thinkingConfig": thinking}}
    prompts = openai.replica(generate_api=GenerateApi.CHAT, chat_thoughts={}).prompts
    assert prompts is not None
    prompt = Prompt(MODEL, orjson.dumps(request))
    answer = await prompts.generate(openai.caller, prompt)
    assert answer.warnings == ""
    found: list[dict[str, Any]] = orjson.loads(answer.document)["candidates"][0]["content"]["parts"]
    return found


async def test_reasoning_is_a_thought(openai: OpenAIWithFake) -> None:
    assert await parts(openai, includeThoughts=True) == [
        {"text": "Hm", "thought": True},
        {"text": "Hi"},
    ]


@pytest.mark.parametrize("thinking", [{}, {"includeThoughts": False}])
async def test_reasoning_is_not_shown_unasked(
    openai: OpenAIWithFake, thinking: dict[str, bool]
) -> None:
    assert await parts(openai, **thinking) == [{"text": "Hi"}]


@pytest.mark.parametrize(("asked", "first"), [(True, True), (False, None)])
async def test_mistrals_thoughts(mistral: MistralWithFake, asked: bool, first: bool | None) -> None:
    thinking = {"thinkingConfig": {"thinkingLevel": "HIGH", "includeThoughts": asked}}
    request = asking("hello") | {"generationConfig": thinking}
    prompts = mistral.provider.prompts
    assert prompts is not None
    prompt = Prompt(MISTRAL_MODEL, orjson.dumps(request))
    answer = await prompts.generate(mistral.caller, prompt)
    shown = orjson.loads(answer.document)["candidates"][0]["content"]["parts"]
    stream = await prompts.stream(mistral.caller, prompt)
    chunks = [orjson.loads(chunk) async for chunk in stream.chunks]
    await stream.close()
    streamed = [part for one in chunks for part in one["candidates"][0]["content"]["parts"]]
    assert (shown[0].get("thought"), streamed[0].get("thought")) == (first, first)
    assert (answer.warnings, stream.warnings) == ("", "")
