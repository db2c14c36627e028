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
from providers.anthropic import provider as anthropic
from providers.gemini import provider as gemini
from providers.limits import Limits
from providers.memory import MemoryBudget
from providers.openai import provider as openai
from providers.provider import Provider
from providers.state import State
from proxy.health import STATE
from proxy.outbound import OutboundClient
from proxy.settings import ProviderSettings, Settings
from proxy.state_store import opening, state_store
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
        limits=_limits(world.settings),
    )
    return openai.openai(name, options, world.upstream, world.state, world.memory)


def _anthropic(name: str, settings: ProviderSettings, world: World) -> Provider:
    options = anthropic.AnthropicOptions(
        base_url=settings.base_url or URL(anthropic.DEFAULT_BASE_URL),
        api_version=settings.api_version,
        default_max_tokens=settings.default_max_tokens,
        state_life=world.settings.state_ttl,
        limits=_limits(world.settings),
    )
    return anthropic.anthropic(name, options, world.upstream, world.state, world.memory)


def _limits(settings: Settings) -> Limits:
    return Limits(line=settings.max_line_bytes, inline_results=settings.inline_result_bytes)


KINDS: Final[Mapping[str, Callable[[str, ProviderSettings, World], Provider]]] = {
    gemini.KIND: _gemini,
    openai.KIND: _openai,
    anthropic.KIND: _anthropic,
}


def application(settings: Settings) -> web.Application:
    """The proxy as an aiohttp application. Made inside a running event loop."""
    app = web.Application(middlewares=CHAIN)
    upstream = OutboundClient()
    world = World(settings, upstream, state_store(settings, upstream), MemoryBudget())
    mount(app, _edge(world))
    app[STATE] = world.state
    app.cleanup_ctx.append(_outbound(upstream))
    app.cleanup_ctx.append(opening(world.state))
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
