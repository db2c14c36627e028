"""How a provider calls its upstream: one method, and a reply whose body is not yet read."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol, Self

from yarl import URL

from providers.body import Body
from providers.errors import FerryError
from providers.status import Status


@dataclass(frozen=True, slots=True)
class OutboundRequest:
    """A request to an upstream. `headers` may hold the credential, so it is not in the `repr`.

    `silence`: for how many seconds the upstream may send nothing; None for the usual limit.
    """

    method: str
    url: URL = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Body | bytes | None = None
    silence: float | None = None


class UpstreamError(FerryError):
    """The upstream gave no usable answer. `unsent`: it received nothing of the request.

    With a `reason`, the message is the upstream's own: it is shown to the client, but not logged.
    """

    def __init__(
        self,
        status: Status,
        message: str,
        *,
        unsent: bool = False,
        reason: str | None = None,
        upstream_status: int | None = None,
        retry_after: str | None = None,
    ) -> None:
        super().__init__(
            status,
            message,
            reason=reason,
            upstream_status=upstream_status,
            retry_after=retry_after,
        )
        self.unsent: Final = unsent


def invalid_answer(message: str) -> UpstreamError:
    """For an answer that the upstream's API does not have."""
    return UpstreamError(Status.UNAVAILABLE, message)


class Reply(Protocol):
    """An answer whose headers have arrived and whose body is not yet read."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Case-insensitive."""

    def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives. Raises UpstreamError if it breaks off."""

    async def read(self, limit: int) -> bytes:
        """The whole body; raises UpstreamError beyond `limit` bytes."""

    async def aclose(self) -> None: ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc: object) -> None: ...


class Upstream(Protocol):
    async def send(self, request: OutboundRequest) -> Reply:
        """Send `request`. Raises UpstreamError; an error of the request's body passes unchanged.

        A streamed body is sent only once. The reply may come before all of the body is sent;
        closing the reply stops the rest.
        """
