"""The composition root: what the settings say, put together. One row a kind of provider."""

import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from yarl import URL

from middlewares.chain import CHAIN, mount
from middlewares.journey import Edge
from middlewares.public_address import PublicAddress
from middlewares.sealing import UploadUrls
from middlewares.tenants import Tenants
from providers.gemini import provider as gemini
from providers.memory import MemoryBudget
from providers.openai import provider as openai
from providers.openai.batches import Limits
from providers.provider import Provider
from providers.state import State
from proxy.health import STATE
from proxy.outbound import OutboundClient
from proxy.settings import ProviderSettings, Settings
from proxy.state_directory import DirectoryState
from proxy.sweep import sweeping


@dataclass(frozen=True, slots=True)
class World:
    """All that a provider may be handed."""

    settings: Settings
    upstream: OutboundClient
    state: State
    memory: MemoryBudget


def _gemini(name: str, settings: ProviderSettings, world: World) -> Provider:
    base_url = settings.base_url or URL(gemini.DEFAULT_BASE_URL)
    limit = world.settings.inline_max_bytes
    return gemini.gemini(name, base_url, world.upstream, world.state, world.memory, limit)


def _openai(name: str, settings: ProviderSettings, world: World) -> Provider:
    options = openai.OpenAIOptions(
        base_url=settings.base_url or URL(openai.DEFAULT_BASE_URL),
        staged_uploads=settings.uploads == "staged",
        limits=Limits(
            line=world.settings.max_line_bytes,
            inline_results=world.settings.inline_result_bytes,
        ),
    )
    return openai.openai(name, options, world.upstream, world.state, world.memory)


KINDS: Final[Mapping[str, Callable[[str, ProviderSettings, World], Provider]]] = {
    gemini.KIND: _gemini,
    openai.KIND: _openai,
}


def application(settings: Settings) -> web.Application:
    """The proxy as an aiohttp application. Made inside a running event loop."""
    app = web.Application(middlewares=CHAIN)
    world = World(
        settings, OutboundClient(), DirectoryState(settings.state_directory), MemoryBudget()
    )
    mount(app, _edge(world))
    app[STATE] = world.state
    app.cleanup_ctx.append(_outbound(world.upstream))
    app.cleanup_ctx.append(sweeping(world.state, settings.upload_ttl, settings.state_ttl))
    return app


def _edge(world: World) -> Edge:
    settings = world.settings
    return Edge(
        providers={
            name: KINDS[provider.kind or name](name, provider, world)
            for name, provider in settings.providers.items()
        },
        default_provider=settings.default_provider,
        upload_urls=UploadUrls(_secret_keys(settings)),
        upload_ttl=int(settings.upload_ttl.total_seconds()),
        tenants=Tenants(world.state),
        public_address=PublicAddress(
            str(settings.public_url) if settings.public_url else None, settings.trusted_proxies
        ),
        state=world.state,
        memory=world.memory,
        inline_max_bytes=settings.inline_max_bytes,
    )


def _secret_keys(settings: Settings) -> list[str]:
    """Without a configured key upload URLs live as long as this process does."""
    given = settings.secret_key or ()
    return [key.get_secret_value() for key in given] or [secrets.token_hex(32)]


def _outbound(client: OutboundClient) -> Callable[[web.Application], AsyncIterator[None]]:
    async def context(_: web.Application) -> AsyncIterator[None]:
        yield
        await client.close()

    return context
