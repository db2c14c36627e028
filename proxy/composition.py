"""The composition root: builds the application from the settings, one row a kind of provider."""

import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from aiohttp import web
from yarl import URL

from middlewares.admission import Admission
from middlewares.chain import CHAIN, mount
from middlewares.cors import Cors
from middlewares.public_address import PublicAddress
from middlewares.request_keys import Gateway
from middlewares.sealing import UploadUrls
from providers.anthropic import provider as anthropic
from providers.aws.target import AwsTargetOptions
from providers.batches.immediate.jobs import ImmediateOptions, ImmediateUse
from providers.batches.json_lines import LineSplitter
from providers.bedrock import provider as bedrock
from providers.credential import Credential
from providers.gemini import provider as gemini
from providers.gemini.isolation import isolate_tenants as isolate_gemini
from providers.memory import Limits, MemoryBudget
from providers.mistral import provider as mistral
from providers.observation import UNOBSERVED, Observer
from providers.openai import provider as openai
from providers.openai_content.schema_rules import OPENAI_SCHEMAS, any_schema
from providers.provider import Provider
from providers.state import State
from providers.tenancy.isolation import isolate_tenants
from providers.uploads.upload_target import is_session_key
from providers.upstream import Upstream
from proxy.aws import OwnAwsKeys, aws_regions
from proxy.background import BACKGROUND, BackgroundTasks
from proxy.batch_figures import BatchFigures
from proxy.client_connection import reset
from proxy.health import STATE
from proxy.metrics import Metrics
from proxy.metrics_page import PAGE, MetricsPage
from proxy.observed_state import ObservedState
from proxy.observed_upstream import ObservedUpstream
from proxy.observers import ProviderObserver, RequestObserver, Telemetry
from proxy.outbound import OutboundClient
from proxy.outbound_settings import outbound_client
from proxy.provider_settings import ProviderSettings
from proxy.sampling import Sampler
from proxy.settings import Settings
from proxy.settings_problems import variable
from proxy.state_store import Store, bounded, opening, state_store
from proxy.sweep import sweeping
from proxy.threads import in_thread
from proxy.tracing import Tracer
from proxy.tracing_choice import tracer
from proxy.version import version


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What a provider is built from. `state` is `store`, with limits for each call.

    `upstream`, which makes its calls through `client`, and `observer` are the provider's own.
    """

    settings: Settings
    client: OutboundClient
    store: Store
    upstream: Upstream
    state: State
    memory: MemoryBudget
    background: BackgroundTasks
    telemetry: Telemetry
    figures: BatchFigures
    observer: Observer = UNOBSERVED


def _gemini(name: str, settings: ProviderSettings, deps: Dependencies) -> Provider:
    base_url = settings.base_url or URL(gemini.DEFAULT_BASE_URL)
    limit = deps.settings.inline_max_bytes
    return gemini.gemini(name, base_url, deps.upstream, deps.state, deps.memory, limit)


def _openai(name: str, settings: ProviderSettings, deps: Dependencies) -> Provider:
    options = openai.OpenAIOptions(
        base_url=settings.base_url or URL(openai.DEFAULT_BASE_URL),
        staged_uploads=settings.uploads == "staged",
        limits=_limits(deps.settings),
        # A provider with another name is another server, with its own rules for schemas.
        schema_rule=OPENAI_SCHEMAS if name == openai.KIND else any_schema,
    )
    return openai.openai(name, options, deps.upstream, deps.state, deps.memory, deps.observer)


def _anthropic(name: str, settings: ProviderSettings, deps: Dependencies) -> Provider:
    options = anthropic.AnthropicOptions(
        base_url=settings.base_url or URL(anthropic.DEFAULT_BASE_URL),
        api_version=settings.api_version,
        default_max_tokens=settings.default_max_tokens,
        state_life=deps.settings.state_ttl,
        limits=_limits(deps.settings),
    )
    return anthropic.anthropic(name, options, deps.upstream, deps.state, deps.memory, deps.observer)


def _mistral(name: str, settings: ProviderSettings, deps: Dependencies) -> Provider:
    options = mistral.MistralOptions(
        base_url=settings.base_url or URL(mistral.DEFAULT_BASE_URL),
        limits=_limits(deps.settings),
    )
    return mistral.mistral(name, options, deps.upstream, deps.state, deps.memory, deps.observer)


def _bedrock(name: str, settings: ProviderSettings, deps: Dependencies) -> Provider:
    target = AwsTargetOptions(
        name=name,
        base_url=settings.base_url,
        runtime_url=settings.runtime_url,
        s3_endpoint_url=settings.s3_endpoint_url,
        region=settings.region,
        role_arn=settings.role_arn,
        s3_uri=settings.s3_uri,
        headers=settings.allow_headers,
        dns_suffixes=aws_regions(),
        own_keys=OwnAwsKeys() if settings.ambient else None,
        isolated=settings.ambient and bool(deps.settings.client_tokens),
    )
    options = bedrock.BedrockOptions(
        target=target,
        minimum=settings.min_records,
        immediate=ImmediateOptions(
            ImmediateUse(settings.immediate_use),
            settings.immediate_requests,
            settings.immediate_calls,
            variable("providers", name, "immediate_requests"),
        ),
        upload_life=deps.settings.upload_ttl,
        limits=_limits(deps.settings),
    )
    return bedrock.bedrock(
        options, deps.upstream, deps.state, deps.memory, deps.background, deps.observer
    )


def _limits(settings: Settings) -> Limits:
    return Limits(line=settings.max_line_bytes, inline_results=settings.inline_result_bytes)


def _isolated(provider: Provider, deps: Dependencies) -> Provider:
    splitter = LineSplitter(deps.settings.max_line_bytes, deps.memory)
    return isolate_tenants(provider, deps.state, splitter)


def _isolated_gemini(provider: Provider, deps: Dependencies) -> Provider:
    limit = deps.settings.inline_max_bytes
    return isolate_gemini(provider, deps.state, deps.memory, limit)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of provider: how it is built, and which settings it has.

    `header_settings` are those that a request's headers can give instead.
    `takes_api_key`: the proxy's own credential is an API key from the settings, not the result of a
    credential chain. `isolate` keeps files and batches apart where tenants share that key; a kind
    with a chain is built with isolated tenants.
    """

    build: Callable[[str, ProviderSettings, Dependencies], Provider]
    settings: frozenset[str] = frozenset()
    header_settings: tuple[str, ...] = ()
    takes_api_key: bool = True
    public_url: str | None = None
    isolate: Callable[[Provider, Dependencies], Provider] = _isolated


_BEDROCK_TARGET: Final = ("region", "role_arn", "s3_uri")
_BEDROCK_SETTINGS: Final = frozenset(
    {
        *_BEDROCK_TARGET,
        "runtime_url",
        "s3_endpoint_url",
        "min_records",
        "immediate_batches",
        "immediate_requests",
        "immediate_calls",
        "small_batches",
        "allow_headers",
    }
)

KINDS: Final[Mapping[str, Kind]] = {
    gemini.KIND: Kind(_gemini, isolate=_isolated_gemini, public_url=gemini.DEFAULT_BASE_URL),
    openai.KIND: Kind(_openai, frozenset({"uploads"}), public_url=openai.DEFAULT_BASE_URL),
    anthropic.KIND: Kind(
        _anthropic,
        frozenset({"default_max_tokens", "api_version"}),
        public_url=anthropic.DEFAULT_BASE_URL,
    ),
    mistral.KIND: Kind(_mistral, public_url=mistral.DEFAULT_BASE_URL),
    bedrock.KIND: Kind(_bedrock, _BEDROCK_SETTINGS, _BEDROCK_TARGET, takes_api_key=False),
}


def application(settings: Settings) -> web.Application:
    """The proxy as an aiohttp application. Call it inside a running event loop."""
    app = web.Application(middlewares=CHAIN)
    deps = dependencies(settings)
    sampler = Sampler(deps.telemetry.metrics, deps.memory)
    gateway = _gateway(deps)
    mount(app, gateway)
    if settings.cors_origins:
        passed = {header for each in gateway.providers.values() for header in each.passed_headers}
        Cors(settings.cors_origins, passed).install(app)
    app[STATE] = deps.state
    app[BACKGROUND] = deps.background
    app[PAGE] = MetricsPage(deps.telemetry.metrics, sampler.sample)
    app.cleanup_ctx.append(_traces(deps.telemetry.tracer))
    app.cleanup_ctx.append(_outbound(deps.client))
    app.cleanup_ctx.append(opening(deps.store))
    app.cleanup_ctx.append(
        sweeping(deps.state, settings.upload_ttl, settings.state_ttl, _abandoned(deps.telemetry))
    )
    app.cleanup_ctx.append(sampler.running)
    app.cleanup_ctx.append(deps.figures.running)
    app.cleanup_ctx.append(deps.background.running)
    return app


def dependencies(settings: Settings) -> Dependencies:
    """Call it inside a running event loop; nothing is opened or started yet."""
    client = outbound_client(settings)
    store = state_store(settings, client)
    telemetry = Telemetry(Metrics(version()), tracer())
    state = ObservedState(bounded(store), telemetry)
    return Dependencies(
        settings=settings,
        client=client,
        store=store,
        upstream=client,
        state=state,
        memory=MemoryBudget(),
        background=BackgroundTasks(),
        telemetry=telemetry,
        figures=BatchFigures(telemetry.metrics, state),
    )


def _gateway(deps: Dependencies) -> Gateway:
    settings = deps.settings
    providers = {
        name: _provider(name, provider, deps) for name, provider in settings.providers.items()
    }
    public_url = str(settings.public_url) if settings.public_url else None
    public_address = PublicAddress(public_url, settings.trusted_proxies)
    upload_ttl = int(settings.upload_ttl.total_seconds())
    upload_urls = UploadUrls(_secret_keys(settings), deps.state, upload_ttl)
    plaintext_keys = variable("allow_plaintext_aws_keys")
    return Gateway(
        providers=providers,
        default_provider=settings.default_provider,
        admission=Admission(
            providers,
            [token.get_secret_value() for token in settings.client_tokens],
            None if settings.allow_plaintext_aws_keys else plaintext_keys,
            public_address,
            upload_urls,
            deps.state,
        ),
        upload_urls=upload_urls,
        public_address=public_address,
        memory=deps.memory,
        inline_max_bytes=settings.inline_max_bytes,
        reset=reset,
        observer=RequestObserver(
            deps.telemetry, {name: provider.kind for name, provider in providers.items()}
        ),
    )


def _provider(name: str, settings: ProviderSettings, deps: Dependencies) -> Provider:
    kind = KINDS[settings.kind or name]
    provider = lending_provider(name, settings, deps)
    if not settings.ambient or not kind.takes_api_key or not deps.settings.client_tokens:
        return provider
    return kind.isolate(provider, deps)


def lending_provider(name: str, settings: ProviderSettings, deps: Dependencies) -> Provider:
    """With the proxy's own credential if the settings say so; tenants that share it see all."""
    kind = KINDS[settings.kind or name]
    deps = replace(
        deps,
        upstream=ObservedUpstream(deps.upstream, name, deps.telemetry),
        observer=ProviderObserver(deps.telemetry, deps.figures, name),
    )
    provider = kind.build(name, settings, deps)
    if not settings.ambient or not kind.takes_api_key:
        return provider
    key = settings.api_key.get_secret_value() if settings.api_key else None
    return replace(provider, own_credential=Credential(api_key=key))


def _secret_keys(settings: Settings) -> list[str]:
    """Without a configured key, upload URLs are valid only while this process runs."""
    given = settings.secret_key or ()
    return [key.get_secret_value() for key in given] or [secrets.token_hex(32)]


def _abandoned(telemetry: Telemetry) -> Callable[[str], None]:
    """Counts expired upload sessions: a session that has ended has no key."""

    def deleted(name: str) -> None:
        if is_session_key(name):
            telemetry.metrics.uploads_abandoned.inc()

    return deleted


def _traces(tracer: Tracer) -> Callable[[web.Application], AsyncIterator[None]]:
    async def context(_: web.Application) -> AsyncIterator[None]:
        yield
        await in_thread(tracer.close)

    return context


def _outbound(client: OutboundClient) -> Callable[[web.Application], AsyncIterator[None]]:
    async def context(_: web.Application) -> AsyncIterator[None]:
        yield
        await client.close()

    return context
