"""The OpenAI provider and the fake OpenAI with a socket between them."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer
from aiohttp.web import Application
from yarl import URL

from providers.credential import Caller, Credential
from providers.memory import Limits
from providers.openai.dialect import OPENAI_DIALECT
from providers.openai.generate_api import GenerateApi
from providers.openai.provider import OpenAIOptions, openai
from providers.openai_content.dialect import Dialect
from providers.own_batches.service import OwnBatches
from providers.provider import Provider
from providers.resources import BatchKind, NewBatch
from providers.state import State
from providers.upload import UploadSession
from proxy.outbound import OutboundClient
from tests.contract.provider_with_fake import KEY, LIMITS, ProviderWithFake, inline_batch
from tests.fakes.openai import openai_app
from tests.memory_state import MemoryState

SECRET = f"sk-{KEY}"
CALLER = Caller(Credential(api_key=SECRET), "tenant")
MODEL = "gpt-4o-mini"


def inline(*texts: str, **said: Any) -> NewBatch:
    return inline_batch(MODEL, texts, **said)


def from_file(file_id: str, **said: Any) -> NewBatch:
    return NewBatch(MODEL, BatchKind.GENERATE, file_id, **said)


class OpenAIWithFake(ProviderWithFake):
    state: MemoryState

    def __init__(self, url: URL, upstream: OutboundClient, control: ClientSession) -> None:
        super().__init__(CALLER, url, upstream, control, MemoryState())
        self.provider = self.replica()

    async def start(
        self, size: int | None, name: str = "a.png", session: str = "s1", **said: Any
    ) -> UploadSession:
        """Images are among the files that the Uploads API accepts."""
        return await super().start(size, name, session, **said)

    def replica(
        self,
        *,
        staged: bool = False,
        limits: Limits = LIMITS,
        dialect: Dialect = OPENAI_DIALECT,
        own: OwnBatches | None = None,
        state: State | None = None,
        generate_api: GenerateApi = GenerateApi.AUTO,
    ) -> Provider:
        """Another process with the same state, or with `state`."""
        options = OpenAIOptions(self.url / "v1", staged, limits, dialect, generate_api, own)
        return openai("openai", options, self.upstream, state or self.state, self.memory)

    async def native(self, path: str, method: str = "GET", **order: Any) -> Any:
        """OpenAI's own API, as another tool uses it."""
        headers = {"Authorization": f"Bearer {SECRET}"}
        url = self.url / "v1" / path
        async with self._control.request(method, url, headers=headers, **order) as reply:
            data = await reply.read()
            assert reply.status == 200, data
            return orjson.loads(data) if "json" in reply.content_type else data


@asynccontextmanager
async def openai_with_fake(
    make_app: Callable[[], Application] = openai_app,
) -> AsyncIterator[OpenAIWithFake]:
    upstream = OutboundClient()
    async with TestServer(make_app()) as server, ClientSession() as control:
        try:
            yield OpenAIWithFake(server.make_url("/"), upstream, control)
        finally:
            await upstream.close()
