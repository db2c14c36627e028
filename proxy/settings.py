"""The settings: an optional TOML file, and the environment, which takes precedence."""

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final, get_args

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)
from yarl import URL

from proxy.client_settings import (
    ClientSettings,
    ClientToken,
    client_problems,
    parse_client_tokens,
)
from proxy.environment import (
    CLIENTS_PREFIX,
    PROVIDERS_PREFIX,
    comparable,
    own_variables,
    repeated_variables,
)
from proxy.log_lines import LogFormat, LogLevel
from proxy.provider_settings import (
    Flag,
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
    is_every_address,
    is_loopback,
    one_of,
    parse_duration,
    parse_networks,
    parse_origins,
    parse_path,
    parse_secret_keys,
    parse_sse,
    parse_state_url,
    whole_number,
    with_message,
)
from proxy.settings_file import SettingsFile, by_name, merged
from proxy.settings_problems import (
    PREFIX,
    InvalidSettings,
    Problem,
    must_be_one_of,
    problems_of,
    unknown,
    variable,
)

CONFIG_VARIABLE: Final = variable("config")
MIB: Final = 1 << 20
LOOPBACK: Final = parse_networks("127.0.0.0/8,::1/128")

Name = Annotated[str, AfterValidator(canonical_name)]
Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
FilePath = Annotated[Path, BeforeValidator(parse_path)]
Port = Annotated[int, whole_number(0, 65535)]
Seconds = Annotated[
    float,
    Field(gt=0, allow_inf_nan=False),
    with_message("must be a number of seconds above 0, such as 30"),
]


class Settings(BaseSettings):
    """contract.md section 1. Use `load`; keyword arguments are the TOML file's content."""

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
    admin_host: str | None = None
    admin_port: Port | None = None
    tls_cert: FilePath | None = None
    tls_key: FilePath | None = None
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
    state_s3_sse: Annotated[str, BeforeValidator(parse_sse)] | None = None
    state_bytes: Annotated[int, whole_number(1, unit="bytes")] = 1 << 40
    tenant_state_bytes: Annotated[int, whole_number(1, unit="bytes")] = 128 << 30
    tenant_uploads: Annotated[int, whole_number(1)] = 1000
    state_ttl: Duration = timedelta(days=30)
    upload_ttl: Duration = timedelta(hours=24)
    upstream_ca_bundle: FilePath | None = None
    default_provider: Name = "gemini"
    client_tokens: Annotated[
        tuple[ClientToken, ...], NoDecode, BeforeValidator(parse_client_tokens)
    ] = ()
    clients: Mapping[str, ClientSettings] = Field(default_factory=dict)
    allow_plaintext_aws_keys: Flag = False
    workers: Annotated[int, whole_number(1, 256)] = 1
    log_level: Annotated[LogLevel, one_of(*get_args(LogLevel))] = "info"
    log_format: Annotated[LogFormat, one_of(*get_args(LogFormat))] = "auto"
    header_seconds: Seconds = 20.0
    idle_seconds: Seconds = 75.0
    stall_seconds: Seconds = 60.0
    call_seconds: Seconds = 60.0
    answer_seconds: Seconds = 600.0
    max_connections: Annotated[int, whole_number(1)] = 5_000
    max_connections_per_peer: Annotated[int, whole_number(1)] = 1_000
    # Each takes about 0.4 MiB of buffers.
    max_uploads: Annotated[int, whole_number(1)] = 1024
    drain_seconds: Seconds = 30.0
    drain_grace_seconds: Annotated[
        float,
        Field(ge=0, allow_inf_nan=False),
        with_message("must be a number of seconds of at least 0, such as 10"),
    ] = 0.0
    # A body is in memory twice while it is parsed, and the budget for all bodies is 256 MiB.
    inline_max_bytes: Annotated[int, whole_number(1, 128 * MIB, "bytes")] = 20 * MIB
    inline_result_bytes: Annotated[int, whole_number(1, unit="bytes")] = 64 * MIB
    # A line takes several times its size of that budget while it is processed.
    max_line_bytes: Annotated[int, whole_number(1, 36 * MIB, "bytes")] = 32 * MIB
    providers: Mapping[str, ProviderSettings] = Field(default_factory=dict)

    @property
    def state_directory(self) -> Path:
        """The directory of a `state_url` that is a `file://`."""
        return Path(URL(self.state_url).path)

    @property
    def admin_address(self) -> tuple[str, int] | None:
        """Where health is served; None if that is the main address."""
        return None if self.admin_port is None else (self.admin_host or self.host, self.admin_port)

    @property
    def tls_files(self) -> tuple[Path, Path] | None:
        """The files with the certificate and its key; None for a listener without TLS."""
        return (self.tls_cert, self.tls_key) if self.tls_cert and self.tls_key else None

    @property
    def ambient(self) -> tuple[str, ...]:
        """The providers that are used with the proxy's own credential."""
        return tuple(name for name, provider in self.providers.items() if provider.ambient)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[Any, ...]:
        variables = _variables_source(settings_cls)
        return (lambda: merged(by_name(init_settings()), by_name(variables())),)


def load(kinds: Kinds, config: Path | None = None) -> Settings:
    """Loads the settings, with a provider for each of `kinds`.

    `config` is a TOML file; without it FERRY_CONFIG may name one. Raises InvalidSettings.
    """
    path = config or os.environ.get(CONFIG_VARIABLE)
    file = SettingsFile(Path(path)) if path else None
    content = file.content if file else {}
    problems = [*(file.problems if file else ()), *repeated_variables(own_variables())]
    problems.extend(_unknown_variables(kinds))
    # pydantic-settings would accept capitals in the file too, next to the right spelling.
    capitals = [name for name in content if name != name.lower()]
    problems.extend(unknown((name,), _known(kinds)) for name in capitals)
    try:
        settings = Settings(**{n: v for n, v in content.items() if n not in capitals})
    except ValidationError as error:
        names = {*kinds, *_named_in(error, "providers")}
        known = _known(names, _named_in(error, "clients"))
        problems.extend(problems_of(error, known))
        raise InvalidSettings(_sentences(problems, file)) from None
    except SettingsError:  # FERRY_PROVIDERS itself, which is already among the unknown variables
        raise InvalidSettings(_sentences(problems, file)) from None
    settings = settings.model_copy(update={"providers": with_kinds(settings.providers, kinds)})
    problems.extend(provider_problems(settings.providers, kinds))
    problems.extend(client_problems(settings.client_tokens, settings.clients, settings.ambient))
    problems.extend(_contradictions(settings))
    if problems:
        raise InvalidSettings(_sentences(problems, file))
    return settings


def _named_in(error: ValidationError, table: str) -> set[str]:
    """The names in a table, `providers` or `clients`, whose settings have errors."""
    places = (details["loc"] for details in error.errors(include_input=False))
    return {str(place[1]) for place in places if place[:1] == (table,) and place[1:]}


def _contradictions(settings: Settings) -> Iterator[Problem]:
    """Settings that are valid one by one, but not together."""
    for field in ("state_s3_endpoint_url", "state_s3_sse"):
        if getattr(settings, field) and not settings.state_url.startswith("s3:"):
            yield Problem((field,), f": is used only if {variable('state_url')} is s3://")
    if settings.default_provider not in settings.providers:
        known = must_be_one_of(sorted(settings.providers), settings.default_provider)
        yield Problem(("default_provider",), f": {known}")
    if (settings.tls_cert is None) != (settings.tls_key is None):
        given, other = ("tls_cert", "tls_key") if settings.tls_cert else ("tls_key", "tls_cert")
        yield Problem((given,), f": must be set together with {variable(other)}")
    if _share_a_port(settings):
        # With several workers both could listen, and connections would reach either of them.
        yield Problem(("admin_port",), f": must differ from {variable('port')}")
    if not settings.ambient or settings.client_tokens:
        return
    spent = ", ".join(variable("providers", name, "credentials") for name in settings.ambient)
    if not is_loopback(settings.host):
        yield Problem(
            ("client_tokens",),
            f": must be set if {spent} is ambient and {variable('host')} is not a loopback "
            "address: anyone could use that credential",
        )
    if "*" in settings.cors_origins:
        yield Problem(
            ("cors_origins",),
            f": cannot be * if {spent} is ambient and {variable('client_tokens')} is not set: "
            "any web page could use that credential",
        )


def _share_a_port(settings: Settings) -> bool:
    if settings.admin_address is None or settings.port != settings.admin_port or not settings.port:
        return False
    hosts = {settings.host, settings.admin_address[0]}
    return len(hosts) == 1 or any(map(is_every_address, hosts))


# --- sources ---------------------------------------------------------------------------------


def _variables_source(settings_cls: type[BaseSettings]) -> EnvSettingsSource:
    source = EnvSettingsSource(settings_cls)
    source.env_vars = {name.lower(): value for name, value in own_variables().items() if value}
    return source


def _sentences(problems: Iterable[Problem], file: SettingsFile | None) -> list[str]:
    """The messages; each names its setting as its source does: the environment or the file."""
    given = {comparable(name) for name in own_variables()}

    def sentence(problem: Problem) -> str:
        in_file = file is not None and file.has(problem.path)
        if file is None or not in_file or variable(*problem.path) in given:
            return problem.sentence(variable)
        return file.sentence(problem)

    return [sentence(problem) for problem in problems]


def _unknown_variables(kinds: Kinds) -> Iterator[Problem]:
    """pydantic-settings ignores unknown variables, but misspelt ones must be reported."""
    tables = {variable("providers"), variable("clients")}
    top = {variable(*path) for path in _known(()) if len(path) == 1} - tables
    for name in sorted(map(comparable, own_variables())):
        nested = name.startswith((PROVIDERS_PREFIX, CLIENTS_PREFIX))
        if name not in {*top, CONFIG_VARIABLE} and not nested:
            yield unknown((name.removeprefix(PREFIX).lower(),), _known(kinds))


def _known(providers: Iterable[str], clients: Iterable[str] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of all settings, including those of each of `providers` and `clients`."""
    for field in (*Settings.model_fields, "config"):
        yield (field,)
    for provider in providers:
        for field in ProviderSettings.model_fields:
            yield ("providers", provider, field)
    for client in clients:
        for field in ClientSettings.model_fields:
            yield ("clients", client, field)
