"""The outbound client that the settings and the environment ask for."""

import ssl
from pathlib import Path

from providers.deadlines import TimeLimits
from proxy.forward_proxies import UnusableForwardProxy, forward_proxies
from proxy.outbound import OutboundClient, Timeouts
from proxy.settings import Settings
from proxy.settings_problems import variable
from proxy.system_trust import system_trust


class UnusableBundle(Exception):
    """Says in one sentence, without a full stop, why the file cannot be used."""


def outbound_client(settings: Settings) -> OutboundClient:
    """Call it inside a running event loop, after `outbound_problem` found none."""
    trust = _trust(settings.upstream_ca_bundle)
    return OutboundClient(Timeouts(limits=time_limits(settings)), trust, forward_proxies())


def time_limits(settings: Settings) -> TimeLimits:
    return TimeLimits(settings.stall_seconds, settings.call_seconds, settings.answer_seconds)


def outbound_problem(settings: Settings) -> str | None:
    """Why no client can be made, in one sentence without a full stop."""
    try:
        _trust(settings.upstream_ca_bundle)
        forward_proxies()
    except (UnusableBundle, UnusableForwardProxy) as error:
        return str(error)
    return None


def _trust(bundle: Path | None) -> ssl.SSLContext | None:
    """The system's certificates and those in `bundle`; without one, the client's default.

    Raises UnusableBundle.
    """
    if bundle is None:
        return None
    context = system_trust()
    setting = variable("upstream_ca_bundle")
    try:
        context.load_verify_locations(bundle)
    except ssl.SSLError:
        raise UnusableBundle(f"{setting}: there is no certificate in PEM in {bundle}") from None
    except OSError as error:
        raise UnusableBundle(f"{setting}: cannot read {bundle}: {error.strerror}") from None
    return context
