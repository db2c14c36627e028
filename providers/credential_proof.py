"""What the provider's answers in one request say about its caller's credential.

The chain opens a `CredentialProof` around each operation, and `WitnessedUpstream` sees the answers.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from providers.credential import Caller
from providers.errors import CredentialRefused
from providers.known_credentials import KnownCredentials
from providers.upstream import OutboundRequest, Reply, Upstream

_UNAUTHENTICATED: Final = 401


class CredentialProof:
    """What the provider says in one request about the credential of `caller`.

    `public`: the provider may answer this request without looking at the credential.
    """

    def __init__(self, known: KnownCredentials, caller: Caller, *, public: bool = False) -> None:
        self._known = known
        self._caller = caller
        self._public = public

    @contextmanager
    def open(self) -> Iterator[None]:
        token = _CURRENT.set(self)
        try:
            yield
        except CredentialRefused:
            self._known.refuse(self._caller.tenant)
            raise
        finally:
            _CURRENT.reset(token)

    def answered(self, status: int) -> None:
        """The provider answered a call with this HTTP status."""
        if 200 <= status < 300 and not self._public:
            self._known.accept(self._caller.tenant)
        elif status == _UNAUTHENTICATED:
            self._known.refuse(self._caller.tenant)


_CURRENT: Final[ContextVar[CredentialProof | None]] = ContextVar("credential_proof", default=None)


class WitnessedUpstream:
    """Implements `providers.upstream.Upstream`: the open proof sees the status of each answer."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    async def send(self, request: OutboundRequest) -> Reply:
        reply = await self._upstream.send(request)
        proof = _CURRENT.get()
        if proof is not None:
            proof.answered(reply.status)
        return reply
