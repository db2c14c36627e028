"""The settings: an optional TOML file, and the environment, which has the last word."""

import os
import tomllib
from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)
from yarl import URL

from proxy.setting_values import (
    Network,
    canonical_name,
    check_provider_name,
    default_state_url,
    parse_duration,
    parse_http_url,
    parse_networks,
    parse_secret_keys,
    parse_state_url,
)
from proxy.settings_problems import PREFIX, InvalidSettings, problems_of, unknown, variable

CONFIG_VARIABLE: Final = variable("config")
PROVIDERS_PREFIX: Final = variable("providers", "")
MIB: Final = 1 << 20
LOOPBACK: Final = parse_networks("127.0.0.0/8,::1/128")

Name = Annotated[str, BeforeValidator(canonical_name)]
HttpUrl = Annotated[URL, BeforeValidator(parse_http_url)]
Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Port = Annotated[int, Field(ge=0, le=65535)]
Bytes = Annotated[int, Field(gt=0)]


class ProviderSettings(BaseModel):
    """`base_url` None is the provider's public address. `kind` is always there once loaded."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    kind: str | None = None
    base_url: HttpUrl | None = None
    uploads: Literal["auto", "staged"] = "auto"
    default_max_tokens: Annotated[int, Field(ge=1)] = 4096
    api_version: Literal["2023-06-01", "2026-10-21"] = "2023-06-01"


class Settings(BaseSettings):
    """design.md section 1, Start. Made by `load`; keyword arguments are the TOML file's content."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        env_ignore_empty=True,
        arbitrary_types_allowed=True,
        validate_default=False,
    )

    host: str = "127.0.0.1"
    port: Port = 8080
    admin_port: Port | None = None
    public_url: HttpUrl | None = None
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode, BeforeValidator(parse_networks)] = (
        LOOPBACK
    )
    secret_key: Annotated[
        tuple[SecretStr, ...] | None, NoDecode, BeforeValidator(parse_secret_keys)
    ] = None
    state_url: Annotated[str, BeforeValidator(parse_state_url)] = Field(
        default_factory=default_state_url, validate_default=True
    )
    state_s3_endpoint_url: HttpUrl | None = None
    state_ttl: Duration = timedelta(days=30)
    upload_ttl: Duration = timedelta(hours=24)
    default_provider: Name = "gemini"
    workers: Annotated[int, Field(ge=1, le=256)] = 1
    drain_seconds: Annotated[float, Field(gt=0)] = 30.0
    # It is held twice while it is taken apart, and the budget for all of them is 256 MiB.
    inline_max_bytes: Annotated[int, Field(gt=0, le=128 * MIB)] = 20 * MIB
    inline_result_bytes: Bytes = 64 * MIB
    max_line_bytes: Bytes = 32 * MIB
    providers: Mapping[str, ProviderSettings] = Field(default_factory=dict)

    @property
    def state_directory(self) -> Path:
        """Where `state_url` is a `file://`."""
        return Path(URL(self.state_url).path)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[Any, ...]:
        return (lambda: _merge(_by_name(init_settings()), _by_name(env_settings())),)


def load(kinds: Collection[str], config: Path | None = None) -> Settings:
    """The settings, with a provider for each of `kinds`, the kinds of provider there are.

    `config` is a TOML file; without it FERRY_CONFIG may name one. Raises InvalidSettings.
    """
    path = config or os.environ.get(CONFIG_VARIABLE)
    content = _read_toml(Path(path)) if path else {}
    problems = list(_unknown_variables())
    try:
        settings = Settings(**content)
    except ValidationError as error:
        raise InvalidSettings([*problems, *problems_of(error, _variables())]) from None
    except SettingsError:  # FERRY_PROVIDERS whole, which is among the unknown variables
        raise InvalidSettings(problems) from None
    providers = _with_kinds(settings.providers, kinds)
    if settings.state_s3_endpoint_url and not settings.state_url.startswith("s3:"):
        problems.append(f"{variable('state_s3_endpoint_url')}: only an s3:// state has an endpoint")
    problems.extend(_provider_problems(providers, kinds, settings.default_provider))
    if problems:
        raise InvalidSettings(problems)
    return settings.model_copy(update={"providers": providers})


# --- sources ---------------------------------------------------------------------------------


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise InvalidSettings([f"cannot read {path}: {error.strerror}"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise InvalidSettings([f"{path} is not TOML"]) from None


def _by_name(content: Mapping[str, Any]) -> dict[str, Any]:
    """With provider names in their one spelling, so that both sources mean the same provider."""
    providers = content.get("providers")
    if not isinstance(providers, dict):
        return dict(content)
    return {**content, "providers": {canonical_name(n): v for n, v in providers.items()}}


def _merge(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Tables are merged, and all else in `above` wins."""
    merged = {**below, **above}
    for key in below.keys() & above.keys():
        if isinstance(below[key], dict) and isinstance(above[key], dict):
            merged[key] = _merge(below[key], above[key])
    return merged


def _unknown_variables() -> Iterator[str]:
    """pydantic-settings passes over what it does not know; a misspelt variable must not be lost."""
    known = {*_variables(), CONFIG_VARIABLE}
    for name in sorted(map(str.upper, os.environ)):
        if name.startswith(PREFIX) and name not in known and not name.startswith(PROVIDERS_PREFIX):
            yield unknown(name, known)


def _variables() -> list[str]:
    return [variable(field) for field in Settings.model_fields if field != "providers"]


# --- providers -------------------------------------------------------------------------------


def _with_kinds(
    given: Mapping[str, ProviderSettings], kinds: Collection[str]
) -> dict[str, ProviderSettings]:
    """Each kind is a provider of that name, whether or not it has settings."""
    providers = {kind: ProviderSettings() for kind in kinds} | dict(given)
    for name, provider in providers.items():
        if provider.kind is None and name in kinds:
            providers[name] = provider.model_copy(update={"kind": name})
    return providers


def _provider_problems(
    providers: Mapping[str, ProviderSettings], kinds: Collection[str], default: str
) -> Iterator[str]:
    for name, provider in providers.items():
        setting = variable("providers", name, "kind")
        try:
            check_provider_name(name)
        except ValueError as error:
            yield f"{variable('providers', name)}: {error}"
        if provider.kind not in kinds:
            yield f"{setting}: must be one of {', '.join(sorted(kinds))}"
        elif name in kinds and provider.kind != name:
            yield f"{setting}: {name} is always of its own kind; give the provider another name"
    if default not in providers:
        yield f"{variable('default_provider')}: must be one of {', '.join(sorted(providers))}"
