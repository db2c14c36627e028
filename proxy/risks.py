"""Risks and probable mistakes in a valid configuration, one sentence each."""

import re
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from yarl import URL

from proxy.descriptors import connections_possible
from proxy.environment import injected_variables
from proxy.listener_tls import UnusableCertificate, expiry
from proxy.provider_settings import Kinds, ProviderSettings
from proxy.setting_values import is_loopback
from proxy.settings import Settings
from proxy.settings_problems import variable

CLIENT_TOKEN_CHARACTERS: Final = 16
# The certificates of public authorities are usually renewed before this.
CERTIFICATE_LIFE: Final = timedelta(days=7)

# Within this, providers usually answer a creation.
_USUAL_ANSWER_SECONDS: Final = 60

_VERSION: Final = re.compile(r"v[0-9][a-z0-9]*")

_OTHERS: int = stat.S_IRWXG | stat.S_IRWXO


def probable_mistakes(settings: Settings, kinds: Kinds) -> Iterator[str]:
    """Mistakes that are also logged as warnings at each start."""
    if injected := injected_variables():
        yield (
            f"{', '.join(injected)}: ignored, as Kubernetes injects such variables for Services "
            "whose names begin with ferry."
        )
    if settings.admin_host is not None and settings.admin_port is None:
        yield (
            f"{variable('admin_host')} has no effect: {variable('admin_port')} is not set, so "
            "health is served on the main address."
        )
    for name, provider in settings.providers.items():
        yield from _address_mistakes(name, provider, kinds)
        if provider.small_batches is not None:
            setting = variable("providers", name, "immediate_batches")
            yield (
                f"{variable('providers', name, 'small_batches')} is the earlier name of {setting}: "
                f"set {setting}={provider.immediate_use}."
            )


def _address_mistakes(name: str, provider: ProviderSettings, kinds: Kinds) -> Iterator[str]:
    public = kinds[provider.kind or name].public_url
    if public is None:
        return
    setting = variable("providers", name, "base_url")
    if provider.base_url is None:
        if name not in kinds:
            yield f"{setting} is not set: requests for {name} go to {public}."
        return
    expected = URL(public).path.strip("/")
    ends_in_version = _VERSION.fullmatch(provider.base_url.name) is not None
    if expected and not ends_in_version:
        yield (
            f"{setting} does not end in /{expected}, as it does for most servers of its kind: did "
            f"you mean {provider.base_url.origin()}{provider.base_url.path.rstrip('/')}/{expected}?"
        )
    if not expected and ends_in_version:
        yield f"{setting} ends in /{provider.base_url.name}, which the proxy adds itself."


def risks_of(settings: Settings, kinds: Kinds) -> Iterator[str]:
    yield from probable_mistakes(settings, kinds)
    yield from _secret_risks(settings)
    yield from _own_credential_risks(settings)
    yield from _listening_risks(settings)
    yield from _upstream_risks(settings)
    yield from _missing_settings(settings, kinds)
    yield from _deadline_risks(settings)
    yield from _state_risks(settings)


def _secret_risks(settings: Settings) -> Iterator[str]:
    if settings.secret_key is None:
        yield (
            f"{variable('secret_key')} is not set: each start creates a random key, so upload "
            "URLs do not survive a restart and do not work at other replicas."
        )


def _own_credential_risks(settings: Settings) -> Iterator[str]:
    tokens = variable("client_tokens")
    if settings.client_tokens and not settings.ambient:
        yield f"{tokens} has no effect: no provider's credentials are ambient."
    if settings.ambient and not settings.client_tokens:
        yield (
            f"{tokens} is not set: anyone on this machine may use the proxy's own credential "
            f"for {', '.join(settings.ambient)}, and all share its files and batches."
        )
    if any(len(token.secret) < CLIENT_TOKEN_CHARACTERS for token in settings.client_tokens):
        yield (
            f"{tokens} has a token of less than {CLIENT_TOKEN_CHARACTERS} characters, which is "
            "easy to guess."
        )
    if settings.workers > 1 and any(c.calls_per_minute for c in settings.clients.values()):
        yield (
            f"{variable('clients', '<name>', 'calls_per_minute')} limits the calls to each of the "
            f"{settings.workers} workers, so a client can make up to {settings.workers} times as "
            "many."
        )


def _listening_risks(settings: Settings) -> Iterator[str]:
    if "*" in settings.cors_origins:
        yield f"{variable('cors_origins')} is *: any web page may call the proxy from a browser."
    if settings.tls_cert is not None:
        yield from _certificate_risks(settings.tls_cert)
    possible = connections_possible()
    if possible < settings.max_connections:
        yield (
            f"{variable('max_connections')} is {settings.max_connections}, but the limit of open "
            f"files (ulimit -n) of this process allows only {possible} connections."
        )
    if settings.public_url is not None and _is_plaintext(settings.public_url):
        yield (
            f"{variable('public_url')} is http and not a loopback address: callers' keys cross the "
            "network without encryption."
        )
    if is_loopback(settings.host):
        return
    if settings.tls_cert is None:
        yield (
            f"{variable('host')} is not a loopback address and {variable('tls_cert')} is not set: "
            "callers' keys cross the network without encryption unless a TLS proxy is in front."
        )
    if settings.admin_port is None:
        yield (
            f"{variable('admin_port')} is not set: anyone who reaches the main port can read "
            "/metrics, which shows providers, models and how much they are used."
        )
    if settings.public_url is None:
        yield (
            f"{variable('public_url')} is not set: the addresses that clients get depend on the "
            "Host header of their own requests."
        )
    if settings.allow_plaintext_aws_keys:
        yield (
            f"{variable('allow_plaintext_aws_keys')} is true: secret keys of AWS may cross the "
            "network without encryption."
        )
    if any(network.prefixlen == 0 for network in settings.trusted_proxies):
        yield (
            f"{variable('trusted_proxies')} trusts every address: any client can choose the public "
            "address that the proxy uses in its responses to it."
        )


def _certificate_risks(cert: Path) -> Iterator[str]:
    try:
        expires = expiry(cert)
    except UnusableCertificate:
        return  # the proxy does not start with it
    left = expires - datetime.now(UTC)
    if left < CERTIFICATE_LIFE:
        verb = "expires" if left > timedelta() else "expired"
        yield f"{variable('tls_cert')}: the certificate {verb} on {expires:%Y-%m-%d}."


def _upstream_risks(settings: Settings) -> Iterator[str]:
    for name, provider in settings.providers.items():
        for field, url in provider:
            if isinstance(url, URL) and _is_plaintext(url):
                yield (
                    f"{variable('providers', name, field)} is http and not a loopback address: "
                    "requests to it, with their keys, cross the network without encryption."
                )


def _missing_settings(settings: Settings, kinds: Kinds) -> Iterator[str]:
    """With a credential from a chain, or without `allow_headers`, headers cannot replace them."""
    for name, provider in settings.providers.items():
        kind = kinds[provider.kind or name]
        if provider.allow_headers and not (provider.ambient and not kind.takes_api_key):
            continue
        for field in kind.header_settings:
            if getattr(provider, field) is None:
                yield (
                    f"{variable('providers', name, field)} is not set, and requests may not "
                    "set it: calls that need it are refused."
                )


def _deadline_risks(settings: Settings) -> Iterator[str]:
    if settings.answer_seconds < _USUAL_ANSWER_SECONDS:
        yield (
            f"{variable('answer_seconds')} is below {_USUAL_ANSWER_SECONDS}: a provider may take "
            "longer to create a batch, which then exists although its creation failed."
        )


def _is_plaintext(url: URL) -> bool:
    return url.scheme == "http" and not is_loopback(url.host or "")


def _state_risks(settings: Settings) -> Iterator[str]:
    if settings.tenant_state_bytes >= settings.state_bytes:
        yield (
            f"{variable('tenant_state_bytes')} is not below {variable('state_bytes')}: one tenant "
            "can fill the store for all."
        )
    endpoint = settings.state_s3_endpoint_url
    if endpoint is not None and _is_plaintext(endpoint):
        yield (
            f"{variable('state_s3_endpoint_url')} is http and not a loopback address: the stored "
            "objects cross the network without encryption."
        )
    if not settings.state_url.startswith("file:"):
        return
    try:
        mode = settings.state_directory.stat().st_mode
    except OSError:
        return  # it will be created at the start, for this user only
    if mode & _OTHERS:
        yield f"{variable('state_url')}: other users of this machine can access the directory."
