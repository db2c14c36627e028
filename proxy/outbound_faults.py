"""The errors of the HTTP client: who failed, and how, in our own words."""

import socket
import ssl
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from providers.deadlines import Wait
from providers.status import Status
from providers.upstream import UpstreamError
from proxy.outbound_body import OutboundBody

UPSTREAM_FAULTS: Final = (aiohttp.ClientError, OSError, HttpProcessingError)
"""What aiohttp raises for errors of an upstream."""

# The name does not exist; other codes mean that the name server could not be reached.
_NO_SUCH_NAME: Final = (socket.EAI_NONAME, socket.EAI_NODATA)

_TEMPORARY: Final = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its answer, for the message of an error.

    `wait` is that for the answer. `sent` is the body if sending it may take time.
    """

    host: str
    wait: Wait
    sent: OutboundBody | None

    def blame(self, error: Exception) -> BaseException:
        """The error of the request's own body if there is one, otherwise the upstream's."""
        if self.sent is not None and self.sent.failure is not None:
            return self.sent.failure
        return _upstream_error(error, self)

    def silence(self, error: TimeoutError) -> str:
        if self.sent is None or isinstance(error, aiohttp.SocketTimeoutError):
            return f"{self.host} sent nothing for {self.wait}"
        return f"{self.host} read nothing for {self.sent.stalled}"


def _upstream_error(error: Exception, exchange: Exchange) -> UpstreamError:
    """Has our own message: aiohttp's may quote a URL whose query is secret."""
    host = exchange.host
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return refused_by_proxy(error.status, host)
    if isinstance(error, aiohttp.ClientConnectorError) and error.host != host:
        host = f"the forward proxy {error.host}"
    if mistake := _mistake(error, host):
        message = f"{mistake}: the operator of the proxy must change its settings"
        return UpstreamError(Status.FAILED_PRECONDITION, message, unsent=True)
    match error:
        case aiohttp.ConnectionTimeoutError():
            return UpstreamError(
                Status.DEADLINE_EXCEEDED,
                f"{host} did not accept the connection in time",
                unsent=True,
            )
        case TimeoutError():
            return UpstreamError(Status.DEADLINE_EXCEEDED, exchange.silence(error))
        case aiohttp.ClientSSLError():
            return UpstreamError(
                Status.UNAVAILABLE, f"{host} failed the TLS handshake", unsent=True
            )
        case aiohttp.ClientConnectorError():
            return UpstreamError(Status.UNAVAILABLE, f"{host} cannot be reached", unsent=True)
        case aiohttp.ClientResponseError() | HttpProcessingError():
            return UpstreamError(
                Status.UNAVAILABLE, f"{host} sent a response that is not valid HTTP"
            )
        case _:
            return UpstreamError(Status.UNAVAILABLE, f"{host} closed the connection")


def refused_by_proxy(status: int, host: str) -> UpstreamError:
    """A forward proxy did not connect to `host`, or asks for a password."""
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        what = "the forward proxy asks for a user name and a password, which HTTPS_PROXY lacks"
    else:
        what = f"the forward proxy refuses to connect to {host} (status {status})"
    if status in _TEMPORARY or status >= 500:
        return UpstreamError(Status.UNAVAILABLE, what, unsent=True)
    message = f"{what}: the operator of the proxy must change its settings"
    return UpstreamError(Status.FAILED_PRECONDITION, message, unsent=True)


def _mistake(error: Exception, host: str) -> str | None:
    """What the operator must correct; None for an error that may be temporary."""
    match error:
        case ssl.SSLCertVerificationError():
            return f"the certificate of {host} is not trusted, or not for {host}"
        case aiohttp.ClientConnectorSSLError(os_error=ssl.SSLError(reason="WRONG_VERSION_NUMBER")):
            return f"{host} does not speak TLS on this port"
        case aiohttp.ClientConnectorDNSError() if error.os_error.errno in _NO_SUCH_NAME:
            return f"the host {host} does not exist"
        case _:
            return None
