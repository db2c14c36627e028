"""The Mistral provider and the fake Mistral with a socket between them."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import orjson
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer
from yarl import URL

from providers.credential import Caller, Credential
from providers.memory import Limits
from providers.mistral.provider import MistralOptions, mistral
from providers.own_batches.service import OwnBatches
from providers.provider import Provider
from providers.resource_names import result_file_id
from providers.resources import BatchKind, InlineResults, NewBatch
from providers.state import State
from proxy.outbound import OutboundClient
from tests.contract.provider_with_fake import LIMITS, ProviderWithFake, inline_batch
from tests.fakes.mistral import mistral_app
from tests.memory_state import MemoryState

SECRET = "theCallersOwnKeyWithThirtyTwo000"
CALLER = Caller(Credential(api_key=SECRET), "tenant")
MODEL = "mistral-small-latest"
CHAT = "/v1/chat/completions"


def inline(*texts: str, **said: Any) -> NewBatch:
    return inline_batch(MODEL, texts, **said)


def from_file(file_id: str, **said: Any) -> NewBatch:
    return NewBatch(MODEL, BatchKind.GENERATE, file_id, **said)


def native_line(custom_id: str, text: str = "hi") -> dict[str, Any]:
    return {"custom_id": custom_id, "body": {"messages": [{"role": "user", "content": text}]}}


def text_of(result: Mapping[str, Any]) -> str:
    return str(result["response"]["candidates"][0]["content"]["parts"][0]["text"])


class MistralWithFake(ProviderWithFake):
    state: MemoryState

    def __init__(self, url: URL, upstream: OutboundClient, control: ClientSession) -> None:
        super().__init__(CALLER, url, upstream, control, MemoryState())
        self.provider = self.replica()

    def replica(
        self,
        *,
        limits: Limits = LIMITS,
        own: OwnBatches | None = None,
        state: State | None = None,
    ) -> Provider:
        """Another process with the same state, or with `state`."""
        options = MistralOptions(self.url / "v1", limits, own)
        return mistral("mistral", options, self.upstream, state or self.state, self.memory)

    async def native(self, path: str, method: str = "GET", **order: Any) -> Any:
        """Mistral's own API, as another tool uses it."""
        headers = {"Authorization": f"Bearer {SECRET}"}
        url = self.url.join(URL(f"/v1/{path}"))
        async with self._control.request(method, url, headers=headers, **order) as reply:
            data = await reply.read()
            assert reply.status == 200, data
            return orjson.loads(data) if "json" in reply.content_type else data

    async def ended(self, batch: NewBatch, *statuses: str) -> str:
        batch_id = (await self.batches.create(CALLER, batch)).id
        for status in statuses or ("SUCCESS",):
            await self.move(batch_id, status)
        return batch_id

    async def items(self, batch_id: str) -> list[dict[str, Any]]:
        """The inline results; their memory is given back."""
        output = (await self.batches.get(CALLER, batch_id)).output
        assert isinstance(output, InlineResults)
        parsed = [orjson.loads(item) for item in output.items]
        await output.close()
        return parsed

    async def lines(self, batch_id: str) -> dict[str, dict[str, Any]]:
        """The lines of the results file by key."""
        opened = await self.files.download(CALLER, result_file_id(batch_id))
        try:
            data = b"".join([chunk async for chunk in opened.body.chunks])
        finally:
            await opened.close()
        found = [orjson.loads(line) for line in data.splitlines()]
        keyed = {line["key"]: line for line in found}
        assert len(keyed) == len(found)
        return keyed

    async def listed(self) -> list[str]:
        return [batch.id for batch in (await self.batches.list(CALLER, 100, None)).items]


@asynccontextmanager
async def mistral_with_fake() -> AsyncIterator[MistralWithFake]:
    upstream = OutboundClient()
    async with TestServer(mistral_app()) as server, ClientSession() as control:
        try:
            yield MistralWithFake(server.make_url("/"), upstream, control)
        finally:
            await upstream.close()
