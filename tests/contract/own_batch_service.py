"""A provider whose batches the proxy runs itself, and its fake."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson

from providers.batches.immediate.jobs import ImmediateOptions, ImmediateUse
from providers.credential import Caller, Credential
from providers.own_batches.service import OwnBatches
from providers.provider import Batches, Files, Provider
from providers.resource_names import result_file_id
from providers.resources import (
    Batch,
    BatchKind,
    InlineResults,
    NewBatch,
    ResultForm,
)
from tests.contract import anthropic_with_fake as at_anthropic
from tests.contract import mistral_with_fake as at_mistral
from tests.contract import openai_with_fake as at_openai
from tests.contract.provider_with_fake import (
    ProviderWithFake,
)
from tests.fakes.openai import completions_app
from tests.memory_state import MemoryState
from tests.test_providers.test_batches.test_immediate.stage import TestBackground

FAIL = "please fail"
TEXTS = ("hello", FAIL, "goodbye")
LIFE = timedelta(days=30)
OTHER = "other"
SETTING = "MOST_REQUESTS"


@dataclass
class Service:
    """A provider, its fake, and how a line in the provider's own format looks."""

    fake: Any
    model: str
    posts: str
    background: TestBackground

    def replica(self, credential: Credential | None = None) -> Provider:
        options = ImmediateOptions(ImmediateUse.ALWAYS, requests=20, calls=8, setting=SETTING)
        provider: Provider = self.fake.replica(
            own=OwnBatches(options, credential, LIFE, self.background)
        )
        return provider

    @property
    def with_fake(self) -> ProviderWithFake:
        found: ProviderWithFake = self.fake
        return found

    @property
    def caller(self) -> Caller:
        return self.with_fake.caller

    @property
    def batches(self) -> Batches:
        return self.with_fake.batches

    @property
    def files(self) -> Files:
        return self.with_fake.files

    async def ended(self, batch_id: str) -> Batch:
        await self.background.ended()
        assert self.background.failures == []
        return await self.batches.get(self.caller, batch_id)

    async def lines(self, batch_id: str, form: ResultForm = ResultForm.GEMINI) -> list[Any]:
        opened = await self.files.download(self.caller, result_file_id(batch_id), form)
        try:
            data = b"".join([chunk async for chunk in opened.body.chunks])
        finally:
            await opened.close()
        return [orjson.loads(line) for line in data.splitlines()]

    def from_file(self, file_id: str, **said: Any) -> NewBatch:
        return NewBatch(self.model, BatchKind.GENERATE, file_id, **said)

    def native_line(self, custom_id: str, text: str) -> dict[str, Any]:
        messages = [{"role": "user", "content": text}]
        match self.with_fake.provider.kind:
            case "openai":
                body = {"model": self.model, "messages": messages}
                url = "/v1/chat/completions"
                return {"custom_id": custom_id, "method": "POST", "url": url, "body": body}
            case "mistral":
                return {"custom_id": custom_id, "body": {"messages": messages}}
            case _:
                params = {"model": self.model, "messages": messages, "max_tokens": 9}
                return {"custom_id": custom_id, "params": params}


async def items(batch: Batch) -> list[dict[str, Any]]:
    assert isinstance(batch.output, InlineResults)
    parsed = [orjson.loads(item) for item in batch.output.items]
    await batch.output.close()
    return parsed


def text_of(result: dict[str, Any]) -> str:
    return str(result["response"]["candidates"][0]["content"]["parts"][0]["text"])


async def has_ended(batches: Batches, caller: Caller, batch_id: str) -> Batch:
    """On the proxy's own key, whose looks for work never end."""
    async with asyncio.timeout(30):
        while True:
            batch = await batches.get(caller, batch_id)
            if batch.state.terminal:
                return batch
            await asyncio.sleep(0)


@asynccontextmanager
async def own_batch_service(kind: str) -> AsyncIterator[Service]:
    async with AsyncExitStack() as stack:
        fake: Any
        match kind:
            case "openai":
                opening = at_openai.openai_with_fake(completions_app)
                fake, model = await stack.enter_async_context(opening), at_openai.MODEL
            case "mistral":
                opening_mistral = at_mistral.mistral_with_fake()
                fake, model = await stack.enter_async_context(opening_mistral), at_mistral.MODEL
            case _:
                opening_anthropic = at_anthropic.anthropic_with_fake(MemoryState())
                fake = await stack.enter_async_context(opening_anthropic)
                model = at_anthropic.MODEL
        posts = "messages" if kind == "anthropic" else "chat/completions"
        made = Service(fake, model, posts, TestBackground())
        fake.provider = made.replica()
        yield made
        await made.background.stop()
        assert fake.no_memory_reserved
