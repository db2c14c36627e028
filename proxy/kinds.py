"""The table of the kinds of providers: how each is built, and which settings it has."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from yarl import URL

from providers.anthropic import provider as anthropic
from providers.aws.target import AwsTargetOptions
from providers.batches.immediate.jobs import ImmediateOptions, ImmediateUse
from providers.batches.json_lines import LineSplitter
from providers.bedrock import provider as bedrock
from providers.gemini import provider as gemini
from providers.gemini.isolation import isolate_tenants as isolate_gemini
from providers.known_credentials import KnownCredentials
from providers.memory import Limits, MemoryBudget
from providers.mistral import provider as mistral
from providers.observation import UNOBSERVED, Observer
from providers.openai import provider as openai
from providers.openai.dialect import dialect_of
from providers.openai.generate_api import GenerateApi
from providers.own_batches.service import OwnBatches
from providers.prompt_cache import CacheLife
from providers.provider import Provider
from providers.spool import OpenSpool, no_spool
from providers.state import State
from providers.tenancy.isolation import isolate_tenants
from providers.upstream import Upstream
from proxy.aws import OwnAwsKeys, aws_regions
from proxy.background import BackgroundTasks
from proxy.batch_figures import BatchFigures
from proxy.observers import Telemetry
from proxy.outbound import OutboundClient
from proxy.provider_settings import ProviderSettings
from proxy.quotas import Usage
from proxy.settings import Settings
from proxy.settings_problems import variable
from proxy.state_store import Store


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What a provider is built from. `state` is `store`, with limits for each call and with quotas.

    `upstream`, which makes its calls through `client`, and `observer` are the provider's own.
    """

    settings: Settings
    client: OutboundClient
    store: Store
    upstream: Upstream
    state: State
    usage: Usage
    memory: MemoryBudget
    known_credentials: KnownCredentials
    background: BackgroundTasks
    telemetry: Telemetry
    figures: BatchFigures
    open_spool: OpenSpool = no_spool
    observer: Observer = UNOBSERVED


def _gemini(name: str, settings: ProviderSettings, deps: Dependencies) -> Provider:
    base_url = settings.base_url or URL(gemini.DEFAULT_BASE_URL)
    limit = deps.settings.inline_max_bytes
    return gemini.gemini(
        name, base_url, deps.upstream, deps.state, deps.memory, limit, deps.observer
    )


def _openai(name: str, settings: ProviderSettings, deps: Dependencies) -> Provider:
    base_url = settings.base_url or URL(openai.DEFAULT_BASE_URL)
    options = openai.OpenAIOptions(
        base_url=base_url,
        staged_uploads=settings.uploads == "staged",
        limits=_limits(deps),
        dialect=dialect_of(name, openai.KIND, base_url),
        generate_api=_generate_api(name, settings),
        own_batches=_own_batches(name, settings, deps),
    )
    return openai.openai(name, options, deps.upstream, deps.state, deps.memory, deps.observer)


def _generate_api(name: str, settings: ProviderSettings) -> GenerateApi:
    """By itself the proxy asks only OpenAI for a response, as other servers may have none."""
    setting = GenerateApi(settings.generate_api)
    ours_to_choose = setting is GenerateApi.AUTO and name != openai.KIND
    return GenerateApi.CHAT if ours_to_choose else setting


def _anthropic(name: str, settings: ProviderSettings, deps: Dependencies) -> Provider:
    options = anthropic.AnthropicOptions(
        base_url=settings.base_url or URL(anthropic.DEFAULT_BASE_URL),
        api_version=settings.api_version,
        default_max_tokens=settings.default_max_tokens,
        state_life=deps.settings.state_ttl,
        limits=_limits(deps),
        cache=_cache(settings),
        own_batches=_own_batches(name, settings, deps),
    )
    return anthropic.anthropic(name, options, deps.upstream, deps.state, deps.memory, deps.observer)


def _mistral(name: str, settings: ProviderSettings, deps: Dependencies) -> Provider:
    options = mistral.MistralOptions(
        base_url=settings.base_url or URL(mistral.DEFAULT_BASE_URL),
        limits=_limits(deps),
        own_batches=_own_batches(name, settings, deps),
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
        immediate=_immediate(name, settings),
        upload_life=deps.settings.upload_ttl,
        limits=_limits(deps),
        cache=_cache(settings),
    )
    return bedrock.bedrock(
        options, deps.upstream, deps.state, deps.memory, deps.background, deps.observer
    )


def _cache(settings: ProviderSettings) -> CacheLife | None:
    return None if settings.prompt_cache == "off" else CacheLife(settings.prompt_cache)


def _immediate(name: str, settings: ProviderSettings) -> ImmediateOptions:
    return ImmediateOptions(
        ImmediateUse(settings.immediate_use),
        settings.immediate_requests,
        settings.immediate_calls,
        variable("providers", name, "immediate_requests"),
    )


def _own_batches(name: str, settings: ProviderSettings, deps: Dependencies) -> OwnBatches | None:
    """None unless the proxy runs all batches of the provider."""
    options = _immediate(name, settings)
    if options.use is not ImmediateUse.ALWAYS:
        return None
    return OwnBatches(options, settings.own_key, deps.settings.state_ttl, deps.background)


def _limits(deps: Dependencies) -> Limits:
    settings = deps.settings
    return Limits(settings.max_line_bytes, settings.inline_result_bytes, deps.open_spool)


def _isolated(provider: Provider, deps: Dependencies) -> Provider:
    splitter = LineSplitter(deps.settings.max_line_bytes, deps.memory)
    return isolate_tenants(provider, deps.state, splitter, deps.memory)


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


_IMMEDIATE: Final = frozenset({"immediate_batches", "immediate_requests", "immediate_calls"})
_BEDROCK_TARGET: Final = ("region", "role_arn", "s3_uri")
_BEDROCK_SETTINGS: Final = frozenset(
    {
        *_BEDROCK_TARGET,
        "prompt_cache",
        "runtime_url",
        "s3_endpoint_url",
        "min_records",
        *_IMMEDIATE,
        "small_batches",
        "allow_headers",
    }
)

KINDS: Final[Mapping[str, Kind]] = {
    gemini.KIND: Kind(_gemini, isolate=_isolated_gemini, public_url=gemini.DEFAULT_BASE_URL),
    openai.KIND: Kind(
        _openai, _IMMEDIATE | {"uploads", "generate_api"}, public_url=openai.DEFAULT_BASE_URL
    ),
    anthropic.KIND: Kind(
        _anthropic,
        _IMMEDIATE | {"default_max_tokens", "api_version", "prompt_cache"},
        public_url=anthropic.DEFAULT_BASE_URL,
    ),
    mistral.KIND: Kind(_mistral, _IMMEDIATE, public_url=mistral.DEFAULT_BASE_URL),
    bedrock.KIND: Kind(_bedrock, _BEDROCK_SETTINGS, _BEDROCK_TARGET, takes_api_key=False),
}
