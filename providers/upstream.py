"""How a provider reaches its upstream: one method, a reply whose body is still on the wire."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol, Self

from yarl import URL

from providers.body import Body
from providers.errors import FerryError


@dataclass(frozen=True, slots=True)
class OutboundRequest:
    """A request that was built, never copied. `headers` may hold the credential: no `repr`.

    `silence`: seconds for which the upstream may say nothing, where that is not as for any other.
    """

    method: str
    url: URL = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Body | bytes | None = None
    silence: float | None = None


class UpstreamError(FerryError):
    """The upstream gave no usable answer. `unsent`: nothing of the request can have arrived."""

    def __init__(self, status: str, message: str, *, unsent: bool = False) -> None:
        super().__init__(status, message)
        self.unsent = unsent


class Reply(Protocol):
    """An answer whose headers are here and whose body is still on the wire."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Case-insensitive."""

    def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives. Raises UpstreamError where it breaks off."""

    async def read(self, limit: int) -> bytes:
        """The whole body; raises UpstreamError beyond `limit` bytes."""

    async def aclose(self) -> None: ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc: object) -> None: ...


class Upstream(Protocol):
    async def send(self, request: OutboundRequest) -> Reply:
        """Send `request`. Raises UpstreamError; an error of the request's own body passes as is.

        A streamed body is sent once and never again. The reply may come before the body has been
        sent to its end; closing the reply stops the rest.
        """
