"""What a valid configuration still puts at risk, one sentence each."""

import ipaddress
import stat
from collections.abc import Iterator

from yarl import URL

from proxy.settings import Settings
from proxy.settings_problems import variable

_OTHERS: int = stat.S_IRWXG | stat.S_IRWXO


def risks_of(settings: Settings) -> Iterator[str]:
    yield from _secret_risks(settings)
    yield from _listening_risks(settings)
    yield from _upstream_risks(settings)
    yield from _state_risks(settings)


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _secret_risks(settings: Settings) -> Iterator[str]:
    if settings.secret_key is None:
        yield (
            f"{variable('secret_key')} is not set: a random key is made at each start, so upload "
            "URLs survive no restart and cross no replicas."
        )


def _listening_risks(settings: Settings) -> Iterator[str]:
    if is_loopback(settings.host):
        return
    yield (
        f"{variable('host')} is not a loopback address: callers' keys cross the network in the "
        "clear unless something in front of the proxy speaks TLS."
    )
    if settings.public_url is None:
        yield (
            f"{variable('public_url')} is not set: addresses given to clients are made from what "
            "their own requests say about the host."
        )
    if any(network.prefixlen == 0 for network in settings.trusted_proxies):
        yield (
            f"{variable('trusted_proxies')} trusts every address: anyone may say under which "
            "address the proxy is reached."
        )


def _upstream_risks(settings: Settings) -> Iterator[str]:
    for name, provider in settings.providers.items():
        if provider.base_url is not None and _in_the_clear(provider.base_url):
            yield (
                f"{variable('providers', name, 'base_url')} is http and not a loopback address: "
                "callers' keys are sent to it in the clear."
            )


def _in_the_clear(url: URL) -> bool:
    return url.scheme == "http" and not is_loopback(url.host or "")


def _state_risks(settings: Settings) -> Iterator[str]:
    endpoint = settings.state_s3_endpoint_url
    if endpoint is not None and _in_the_clear(endpoint):
        yield (
            f"{variable('state_s3_endpoint_url')} is http and not a loopback address: what the "
            "state store keeps crosses the network in the clear."
        )
    if not settings.state_url.startswith("file:"):
        return
    try:
        mode = settings.state_directory.stat().st_mode
    except OSError:
        return  # made at the start, for this user only
    if mode & _OTHERS:
        yield f"{variable('state_url')}: other users of this machine may enter the directory."
