"""What a workload runs on: a new proxy, a new fake behind it, and a client of both."""

import tempfile
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp

from tests.benchmarks.scale import Scale
from tests.fakes.aws_keys import LONG_TERM
from tests.processes import Process, fake, proxy, upstream_settings

# Keys that the fakes accept; they are not real.
KEYS: Final = {
    "gemini": "AIza-benchmark",
    "openai": "sk-benchmark",
    "anthropic": "sk-ant-api-benchmark",
    "mistral": "ofTheBenchmarksWithThirtyTwoChar",
    "bedrock": LONG_TERM.api_key,
}


@dataclass(frozen=True)
class Stage:
    """`kind` is the provider's; its fake plays the upstream."""

    kind: str
    scale: Scale
    proxy: Process
    upstream: Process
    client: aiohttp.ClientSession

    @property
    def headers(self) -> dict[str, str]:
        return {"x-goog-api-key": KEYS[self.kind], "x-model-provider": self.kind}

    def url(self, path: str) -> str:
        return f"{self.proxy.url}/genai/{path}"

    async def get(self, path: str) -> Any:
        async with self.client.get(self.url(path), headers=self.headers) as answer:
            return await self._document(answer)

    async def post(self, path: str, document: Any) -> Any:
        url = self.url(path)
        async with self.client.post(url, headers=self.headers, json=document) as answer:
            return await self._document(answer)

    async def settings(self, **settings: float | bool | None) -> None:
        """Changes the fake's settings."""
        url = f"{self.upstream.ready['control']}/_fake/settings"
        async with self.client.post(url, json=settings) as answer:
            await self._document(answer)

    async def stored(self) -> list[str]:
        """The sha256 of every file at the upstream, sorted."""
        control = f"{self.upstream.ready['control']}/_fake"
        async with self.client.get(f"{control}/objects") as answer:
            names: Iterable[str] = (await self._document(answer))["files"]
        digests = []
        for name in names:
            async with self.client.get(f"{control}/files/{name}/sha256") as answer:
                digests.append((await self._document(answer))["sha256"])
        return sorted(digests)

    async def _document(self, answer: aiohttp.ClientResponse) -> Any:
        document = await answer.json(content_type=None)
        if answer.status != 200:
            raise RuntimeError(f"{answer.method} {answer.url.path}: {document}")
        return document


@asynccontextmanager
async def stage(kind: str, scale: Scale, env: Mapping[str, str]) -> AsyncIterator[Stage]:
    """`env` is the proxy's."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        async with fake(kind) as upstream, _client() as client:
            async with proxy(Path(folder), {kind: upstream_settings(upstream)}, env) as running:
                set_up = Stage(kind, scale, running, upstream, client)
                await set_up.settings(read_rate=scale.read_rate)
                yield set_up


def _client() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=None)
    )
