"""The settings of a provider, and which kind of provider has which settings."""

from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any, Final, Literal, Protocol, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, SecretStr
from yarl import URL

from providers.credential import Credential
from proxy.setting_values import (
    check_name,
    one_of,
    parse_bedrock_s3_uri,
    parse_http_url,
    parse_key,
    parse_region,
    parse_role_arn,
    whole_number,
    with_message,
)
from proxy.settings_problems import Problem, must_be_one_of, nearest, variable

HttpUrl = Annotated[URL, BeforeValidator(parse_http_url)]
Flag = Annotated[bool, with_message("must be true or false")]
Credentials = Literal["caller", "ambient"]
Uploads = Literal["auto", "staged"]
GenerateApi = Literal["auto", "chat", "responses"]
ApiVersion = Literal["2023-06-01", "2026-10-21"]
ImmediateBatches = Literal["never", "small", "always"]
PromptCache = Literal["off", "5m", "1h"]
SmallBatches = Literal["refuse", "immediate"]

# Every kind has these settings. The others belong to the kinds that list them.
_COMMON_SETTINGS: Final = ("kind", "base_url", "credentials", "api_key")


class ProviderSettings(BaseModel):
    """`base_url` None means the provider's public address. `kind` is always set after loading.

    The table in `proxy.kinds` says which kind has which settings.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    kind: str | None = None
    base_url: HttpUrl | None = None
    credentials: Annotated[Credentials, one_of(*get_args(Credentials))] = "caller"
    api_key: Annotated[SecretStr, BeforeValidator(parse_key)] | None = None
    uploads: Annotated[Uploads, one_of(*get_args(Uploads))] = "auto"
    generate_api: Annotated[GenerateApi, one_of(*get_args(GenerateApi))] = "auto"
    default_max_tokens: Annotated[int, whole_number(1)] = 4096
    api_version: Annotated[ApiVersion, one_of(*get_args(ApiVersion))] = "2023-06-01"
    prompt_cache: Annotated[PromptCache, one_of(*get_args(PromptCache))] = "off"
    runtime_url: HttpUrl | None = None
    region: Annotated[str, BeforeValidator(parse_region)] | None = None
    role_arn: Annotated[str, BeforeValidator(parse_role_arn)] | None = None
    s3_uri: Annotated[str, BeforeValidator(parse_bedrock_s3_uri)] | None = None
    s3_endpoint_url: HttpUrl | None = None
    min_records: Annotated[int, whole_number(1)] = 100
    immediate_batches: Annotated[ImmediateBatches, one_of(*get_args(ImmediateBatches))] = "never"
    immediate_requests: Annotated[int, whole_number(1, 100_000)] = 10_000
    immediate_calls: Annotated[int, whole_number(1, 1000)] = 32
    # The earlier name of `immediate_batches`.
    small_batches: Annotated[SmallBatches, one_of(*get_args(SmallBatches))] | None = None
    allow_headers: Flag = True

    @property
    def ambient(self) -> bool:
        """Whether this provider is used with the proxy's own credential."""
        return self.credentials == "ambient"

    @property
    def own_key(self) -> Credential | None:
        """The proxy's own API key, if it is used in place of the callers'."""
        if not self.ambient or self.api_key is None:
            return None
        return Credential(api_key=self.api_key.get_secret_value())

    @property
    def immediate_use(self) -> ImmediateBatches:
        """Which batches the proxy runs itself, by the new or by the earlier setting."""
        if self.small_batches is None:
            return self.immediate_batches
        return "small" if self.small_batches == "immediate" else "never"


class KindOfProvider(Protocol):
    """What the settings need to know about a kind; `proxy.kinds` has a row for each."""

    @property
    def settings(self) -> frozenset[str]:
        """The settings of this kind, in addition to the common ones."""

    @property
    def header_settings(self) -> tuple[str, ...]:
        """Those of `settings` that a request's headers can give instead."""

    @property
    def takes_api_key(self) -> bool:
        """Whether the proxy's own credential is an `api_key`, not found by a credential chain."""

    @property
    def public_url(self) -> str | None:
        """The default base URL; None if providers of this kind do not share one."""


Kinds = Mapping[str, KindOfProvider]


def settings_of(kind: KindOfProvider) -> Iterator[str]:
    """The fields of ProviderSettings that providers of this kind use."""
    for field in ProviderSettings.model_fields:
        if field in kind.settings or (field in _COMMON_SETTINGS and _has(kind, field)):
            yield field


def _has(kind: KindOfProvider, field: str) -> bool:
    return kind.takes_api_key or field != "api_key"


def with_kinds(
    given: Mapping[str, ProviderSettings], kinds: Collection[str]
) -> dict[str, ProviderSettings]:
    """Adds a provider for each kind, with the kind's name, even without settings."""
    providers = {kind: ProviderSettings() for kind in kinds} | dict(given)
    for name, provider in providers.items():
        if provider.kind is None and name in kinds:
            providers[name] = provider.model_copy(update={"kind": name})
    return providers


def provider_problems(providers: Mapping[str, ProviderSettings], kinds: Kinds) -> Iterator[Problem]:
    for name, provider in providers.items():
        setting = ("providers", name, "kind")
        try:
            check_name(name, "provider")
        except ValueError as error:
            yield Problem(("providers", name), f": {error}")
        kind = kinds.get(provider.kind or "")
        if kind is None:
            named = () if provider.kind else nearest(setting[:2], [("providers", k) for k in kinds])
            yield Problem(setting, f": {must_be_one_of(sorted(kinds), provider.kind or '')}", named)
            continue
        if name in kinds and provider.kind != name:
            text = f": {name} always has the kind {name}; choose another name for the provider"
            yield Problem(setting, text)
        yield from _misplaced(name, provider, kinds)
        yield from _immediate_problems(name, provider, kind)
        if kind.takes_api_key:
            yield from _key_problems(name, provider)


def _misplaced(name: str, provider: ProviderSettings, kinds: Kinds) -> Iterator[Problem]:
    """Settings that this kind would ignore, although the operator set them."""
    own = set(settings_of(kinds[provider.kind or name]))
    for field in ProviderSettings.model_fields:
        if field in provider.model_fields_set and field not in own:
            owners = [kind for kind in sorted(kinds) if field in settings_of(kinds[kind])]
            have = "have" if owners[1:] else "has"
            yield Problem(("providers", name, field), f": only {' and '.join(owners)} {have} it")


def _immediate_problems(
    name: str, provider: ProviderSettings, kind: KindOfProvider
) -> Iterator[Problem]:
    setting = ("providers", name, "immediate_batches")
    if {"small_batches", "immediate_batches"} <= provider.model_fields_set:
        earlier = variable("providers", name, "small_batches")
        yield Problem(setting, f": cannot be set together with {earlier}, its earlier name")
    has_setting, has_minimum = (each in kind.settings for each in (setting[-1], "min_records"))
    if provider.immediate_batches == "small" and has_setting and not has_minimum:
        yield Problem(setting, ": cannot be small, as this kind takes batches of any size")


def _key_problems(name: str, provider: ProviderSettings) -> Iterator[Problem]:
    key = ("providers", name, "api_key")
    credentials = variable("providers", name, "credentials")
    if provider.ambient and provider.api_key is None:
        yield Problem(key, f": must be set if {credentials} is ambient")
    if not provider.ambient and provider.api_key is not None:
        yield Problem(key, f": is used only if {credentials} is ambient")


def shown_settings(provider: ProviderSettings, kinds: Kinds) -> Iterator[tuple[str, Any]]:
    """The settings of `provider` for printing, with the base URL that is in use."""
    kind = kinds[provider.kind or ""]
    in_use = {
        "base_url": provider.base_url or kind.public_url,
        "immediate_batches": provider.immediate_use,
    }
    for field in settings_of(kind):
        if field != "small_batches":
            yield field, in_use.get(field) or getattr(provider, field)
