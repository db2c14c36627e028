"""The composition root: builds the application from the settings, providers as `kinds` says."""

import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

from aiohttp import web

from middlewares.admission import Admission
from middlewares.chain import CHAIN, mount
from middlewares.cors import Cors
from middlewares.origins import Origins
from middlewares.public_address import PublicAddress
from middlewares.request_keys import Gateway
from middlewares.sealing import UploadUrls
from providers.credential_proof import GuardedState, WitnessedUpstream
from providers.fair_shares import FairShares
from providers.known_credentials import KnownCredentials
from providers.memory import MemoryBudget
from providers.provider import Provider
from providers.uploads.upload_target import provider_of_session_key
from proxy.allocator import giving_back
from proxy.background import BACKGROUND, BackgroundTasks
from proxy.batch_figures import BatchFigures
from proxy.client_connection import reset
from proxy.client_settings import clients_of
from proxy.kinds import KINDS, Dependencies
from proxy.metrics import NONE, Metrics
from proxy.metrics_page import METRICS, PAGE, MetricsPage
from proxy.observed_state import ObservedState
from proxy.observed_upstream import ObservedUpstream
from proxy.observers import ProviderObserver, RequestObserver, Telemetry
from proxy.outbound import OutboundClient
from proxy.outbound_settings import outbound_client, time_limits
from proxy.provider_settings import ProviderSettings
from proxy.quotas import LimitedState, Quotas, Usage
from proxy.sampling import Sampler
from proxy.settings import Settings
from proxy.settings_problems import variable
from proxy.state_probe import PROBE, StateProbe
from proxy.state_store import bounded, open_spool_of, opening, state_store
from proxy.sweep import sweeping
from proxy.threads import in_thread
from proxy.tracing import Tracer
from proxy.tracing_choice import tracer
from proxy.version import version


def application(settings: Settings) -> web.Application:
    """The proxy as an aiohttp application. Call it inside a running event loop."""
    app = web.Application(middlewares=CHAIN)
    deps = dependencies(settings)
    sampler = Sampler(deps.telemetry.metrics, deps.memory, deps.usage)
    gateway = _gateway(deps)
    mount(app, gateway)
    if settings.cors_origins:
        Cors(gateway.origins, gateway.passed_headers).install(app)
    app[PROBE] = StateProbe(deps.state)
    app[BACKGROUND] = deps.background
    app[METRICS] = deps.telemetry.metrics
    app[PAGE] = MetricsPage(deps.telemetry.metrics, sampler.sample)
    app.cleanup_ctx.append(_traces(deps.telemetry.tracer))
    app.cleanup_ctx.append(_outbound(deps.client))
    app.cleanup_ctx.append(opening(deps.store))
    app.cleanup_ctx.append(app[PROBE].running)
    app.cleanup_ctx.append(
        sweeping(deps.state, deps.usage, settings.upload_ttl, settings.state_ttl, _abandoned(deps))
    )
    app.cleanup_ctx.append(sampler.running)
    app.cleanup_ctx.append(giving_back)
    app.cleanup_ctx.append(deps.figures.running)
    app.cleanup_ctx.append(deps.background.running)
    return app


def dependencies(settings: Settings) -> Dependencies:
    """Call it inside a running event loop; nothing is opened or started yet."""
    client = outbound_client(settings)
    store = state_store(settings, client)
    telemetry = Telemetry(Metrics(version()), tracer())
    usage = Usage(
        Quotas(settings.state_bytes, settings.tenant_state_bytes, settings.tenant_uploads)
    )
    telemetry.metrics.state_limit.set(settings.state_bytes)
    state = GuardedState(LimitedState(ObservedState(bounded(store), telemetry), usage))
    known_credentials = KnownCredentials()
    return Dependencies(
        settings=settings,
        client=client,
        store=store,
        upstream=client,
        state=state,
        usage=usage,
        memory=MemoryBudget(accepted=known_credentials.accepted),
        known_credentials=known_credentials,
        background=BackgroundTasks(),
        telemetry=telemetry,
        figures=BatchFigures(telemetry.metrics, state),
        open_spool=open_spool_of(store),
    )


def _gateway(deps: Dependencies) -> Gateway:
    settings = deps.settings
    providers = {
        name: _provider(name, provider, deps) for name, provider in settings.providers.items()
    }
    for each in providers.values():
        deps.telemetry.metrics.provider.labels(each.name, each.kind).set(1)
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
            clients_of(settings.client_tokens, settings.clients),
            None if settings.allow_plaintext_aws_keys else plaintext_keys,
            public_address,
            upload_urls,
            deps.state,
        ),
        upload_urls=upload_urls,
        public_address=public_address,
        origins=Origins(settings.cors_origins, public_address),
        memory=deps.memory,
        known_credentials=deps.known_credentials,
        inline_max_bytes=settings.inline_max_bytes,
        upload_slots=_upload_slots(deps),
        reset=reset,
        observer=RequestObserver(
            deps.telemetry, {name: provider.kind for name, provider in providers.items()}
        ),
        time_limits=time_limits(settings),
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
        upstream=WitnessedUpstream(ObservedUpstream(deps.upstream, name, deps.telemetry)),
        observer=ProviderObserver(deps.telemetry, deps.figures, name),
    )
    provider = kind.build(name, settings, deps)
    key = settings.own_key if kind.takes_api_key else None
    return provider if key is None else replace(provider, own_credential=key)


def _upload_slots(deps: Dependencies) -> FairShares:
    """Each upload that moves bytes takes buffers and a connection."""
    limit = deps.settings.max_uploads
    what = f"the number of uploads at once ({variable('max_uploads')} is {limit})"
    return FairShares(limit, what, deps.known_credentials.accepted)


def _secret_keys(settings: Settings) -> list[str]:
    """Without a configured key, upload URLs are valid only while this process runs."""
    given = settings.secret_key or ()
    return [key.get_secret_value() for key in given] or [secrets.token_hex(32)]


def _abandoned(deps: Dependencies) -> Callable[[str], None]:
    """Counts expired upload sessions: a session that has ended has no key."""

    def deleted(name: str) -> None:
        provider = provider_of_session_key(name)
        if provider is not None:
            label = provider if provider in deps.settings.providers else NONE
            deps.telemetry.metrics.uploads_abandoned.labels(label).inc()

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
