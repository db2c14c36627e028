"""The Anthropic provider and the fake Anthropic with a socket between them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import orjson
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer
from yarl import URL

from providers.anthropic.provider import AnthropicOptions, anthropic
from providers.credential import Caller, Credential
from providers.memory import Limits
from providers.own_batches.service import OwnBatches
from providers.prompt_cache import CacheLife
from providers.provider import Provider
from providers.resources import BatchKind, NewBatch
from providers.state import State
from proxy.outbound import OutboundClient
from tests.contract.provider_with_fake import KEY, LIMITS, ProviderWithFake, inline_batch
from tests.fakes.anthropic import anthropic_app
from tests.memory_state import MemoryState

SECRET = f"sk-ant-api03-{KEY}"
CALLER = Caller(Credential(api_key=SECRET), "tenant")
OTHER = Caller(Credential(api_key="sk-ant-api03-another"), "other")
MODEL = "claude-sonnet-4-6"
STATE_LIFE = timedelta(days=30)


def inline(*texts: str, **said: Any) -> NewBatch:
    return inline_batch(MODEL, texts, **said)


def from_file(file_id: str, **said: Any) -> NewBatch:
    return NewBatch(MODEL, BatchKind.GENERATE, file_id, **said)


class AnthropicWithFake(ProviderWithFake):
    def __init__(
        self, url: URL, upstream: OutboundClient, control: ClientSession, state: State
    ) -> None:
        super().__init__(CALLER, url, upstream, control, state)
        self.provider = self.replica()

    def replica(
        self,
        *,
        limits: Limits = LIMITS,
        api_version: str = "2026-10-21",
        own: OwnBatches | None = None,
        state: State | None = None,
        cache: CacheLife | None = None,
    ) -> Provider:
        """Another process with the same state, or with `state`."""
        options = AnthropicOptions(self.url, api_version, 4096, STATE_LIFE, limits, cache, own)
        return anthropic("anthropic", options, self.upstream, state or self.state, self.memory)

    async def native(self, path: str, method: str = "GET", **order: Any) -> Any:
        """Anthropic's own API, as another tool uses it."""
        headers = {"x-api-key": SECRET, "anthropic-version": "2026-10-21"}
        url = self.url / "v1" / path
        async with self._control.request(method, url, headers=headers, **order) as reply:
            data = await reply.read()
            assert reply.status == 200, data
            return orjson.loads(data) if reply.content_type == "application/json" else data

    async def kept(self, prefix: str = "") -> list[str]:
        """The names in the state store."""
        return [i.name async for i in self.state.list("") if i.name.startswith(prefix)]

    async def lose(self, prefix: str) -> None:
        """Deletes the objects that a crash would have left unwritten."""
        for name in await self.kept(prefix):
            await self.state.delete(name)


@asynccontextmanager
async def anthropic_with_fake(state: State | None = None) -> AsyncIterator[AnthropicWithFake]:
    upstream = OutboundClient()
    async with TestServer(anthropic_app()) as server, ClientSession() as control:
        try:
            url = server.make_url("/")
            yield AnthropicWithFake(url, upstream, control, state or MemoryState())
        finally:
            await upstream.close()
