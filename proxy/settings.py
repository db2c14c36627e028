"""The settings: an optional TOML file, and the environment, which has the last word."""

import os
import tomllib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)
from yarl import URL

from proxy.provider_settings import (
    HttpUrl,
    Kinds,
    ProviderSettings,
    provider_problems,
    with_kinds,
)
from proxy.setting_values import (
    Network,
    canonical_name,
    default_state_url,
    is_loopback,
    parse_client_tokens,
    parse_duration,
    parse_networks,
    parse_origins,
    parse_secret_keys,
    parse_state_url,
)
from proxy.settings_problems import PREFIX, InvalidSettings, problems_of, unknown, variable

CONFIG_VARIABLE: Final = variable("config")
PROVIDERS_PREFIX: Final = variable("providers", "")
MIB: Final = 1 << 20
LOOPBACK: Final = parse_networks("127.0.0.0/8,::1/128")

Name = Annotated[str, BeforeValidator(canonical_name)]
Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Port = Annotated[int, Field(ge=0, le=65535)]
Bytes = Annotated[int, Field(gt=0)]


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
    cors_origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(parse_origins)] = ()
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
    client_tokens: Annotated[
        tuple[SecretStr, ...], NoDecode, BeforeValidator(parse_client_tokens)
    ] = ()
    allow_plaintext_aws_keys: bool = False
    workers: Annotated[int, Field(ge=1, le=256)] = 1
    drain_seconds: Annotated[float, Field(gt=0)] = 30.0
    # It is held twice while it is taken apart, and the budget for all of them is 256 MiB.
    inline_max_bytes: Annotated[int, Field(gt=0, le=128 * MIB)] = 20 * MIB
    inline_result_bytes: Bytes = 64 * MIB
    # While it is worked on a line takes several times its size of that budget.
    max_line_bytes: Annotated[int, Field(gt=0, le=36 * MIB)] = 32 * MIB
    providers: Mapping[str, ProviderSettings] = Field(default_factory=dict)

    @property
    def state_directory(self) -> Path:
        """Where `state_url` is a `file://`."""
        return Path(URL(self.state_url).path)

    @property
    def ambient(self) -> tuple[str, ...]:
        """The providers at which the proxy's own credential is spent."""
        return tuple(name for name, provider in self.providers.items() if provider.ambient)

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


def load(kinds: Kinds, config: Path | None = None) -> Settings:
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
    settings = settings.model_copy(update={"providers": with_kinds(settings.providers, kinds)})
    problems.extend(provider_problems(settings.providers, kinds))
    problems.extend(_contradictions(settings))
    if problems:
        raise InvalidSettings(problems)
    return settings


def _contradictions(settings: Settings) -> Iterator[str]:
    """What is wrong between settings each of which is right."""
    if settings.state_s3_endpoint_url and not settings.state_url.startswith("s3:"):
        yield f"{variable('state_s3_endpoint_url')}: only an s3:// state has an endpoint"
    if settings.default_provider not in settings.providers:
        known = ", ".join(sorted(settings.providers))
        yield f"{variable('default_provider')}: must be one of {known}"
    if settings.ambient and not settings.client_tokens and not is_loopback(settings.host):
        spent = ", ".join(variable("providers", name, "credentials") for name in settings.ambient)
        yield (
            f"{variable('client_tokens')}: must be set where {spent} is ambient and "
            f"{variable('host')} is not a loopback address: anyone could spend that credential"
        )
    if settings.ambient and not settings.client_tokens and "*" in settings.cors_origins:
        spent = ", ".join(variable("providers", name, "credentials") for name in settings.ambient)
        yield (
            f"{variable('cors_origins')}: cannot be * where {spent} is ambient and "
            f"{variable('client_tokens')} is not set: any web page could spend that credential"
        )


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
