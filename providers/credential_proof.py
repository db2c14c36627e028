"""Nothing is stored for a caller whose credential the provider refuses.

The chain opens a `CredentialProof` around each operation. The provider's answers in it are
remembered: `WitnessedUpstream` sees them. Before the first object is stored, `GuardedState` asks
the provider, unless it accepted the credential lately. So a caller with a made-up key cannot fill
the store, and no operation can forget to ask.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, Protocol

from providers.body import Body
from providers.credential import Caller
from providers.errors import CredentialRefused, FerryError
from providers.known_credentials import KnownCredentials
from providers.multipart_uploads import MultipartUpload
from providers.state import State
from providers.status import Status
from providers.upstream import OutboundRequest, Reply, Upstream
from providers.wrapped_state import WrappedParts, WrappedState

_TEMPORARY: Final = (408, 429)
_NOT_IMPLEMENTED: Final = 501


class CredentialCheck(Protocol):
    async def __call__(self, caller: Caller, /) -> None:
        """Makes a cheap call with the caller's credential.

        Raises CredentialRefused for an invalid credential, and other errors of the call as usual.
        """


class CredentialProof:
    """What the provider says in one request about the credential of `caller`.

    `public`: the provider may answer this request without looking at the credential.
    `proven`: the credential was accepted before this request, for example at the start of the
    upload.
    """

    def __init__(
        self,
        known: KnownCredentials,
        caller: Caller,
        check: CredentialCheck,
        *,
        public: bool = False,
        proven: bool = False,
    ) -> None:
        self._known = known
        self._caller = caller
        self._check = check
        self._public = public
        self._proven = proven

    @contextmanager
    def open(self) -> Iterator[None]:
        """Only CredentialRefused is a refusal: a relayed 401 may be for a call without keys."""
        token = _CURRENT.set(self)
        try:
            yield
        except CredentialRefused:
            self._known.refuse(self._caller.known_as)
            raise
        finally:
            _CURRENT.reset(token)

    def answered(self, status: int) -> None:
        """The provider answered a call with this HTTP status."""
        if 200 <= status < 300 and not self._public:
            self._known.accept(self._caller.known_as)

    async def require(self) -> None:
        """Raises an error unless something may be stored for this caller.

        UNAUTHENTICATED if the provider refuses the credential. If the provider cannot be asked now,
        its error: nothing is stored then either.
        """
        if self._proven or self._known.accepted(self._caller.known_as):
            self._proven = True
            return
        if self._known.refused(self._caller.known_as):
            raise FerryError(
                Status.UNAUTHENTICATED,
                "the provider refused this key a moment ago; nothing is stored for it",
            )
        try:
            await self._check(self._caller)
        except CredentialRefused:
            raise
        except FerryError as error:
            if not _says_nothing(error):
                raise
        self._proven = True


_CURRENT: Final[ContextVar[CredentialProof | None]] = ContextVar("credential_proof", default=None)


def _says_nothing(error: FerryError) -> bool:
    """Whether the refusal of the check leaves open if the credential is valid.

    The key may lack the permission for this call, and compatible servers may not have the call.
    """
    status = error.upstream_status or 0
    return status == _NOT_IMPLEMENTED or (400 <= status < 500 and status not in _TEMPORARY)


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


class GuardedState(WrappedState):
    """In an open proof, the first object is not stored before the proof is there.

    Work without a caller, such as a sweep, has no proof open.
    """

    def __init__(self, state: State) -> None:
        super().__init__(state, _GuardedParts(state.multipart))

    async def create(self, name: str, body: Body) -> bool:
        await _require()
        return await super().create(name, body)


class _GuardedParts(WrappedParts):
    async def begin(self, name: str, size: int | None = None) -> MultipartUpload:
        await _require()
        return await super().begin(name, size)

    async def put(self, upload: MultipartUpload, number: int, body: Body) -> None:
        await _require()
        await super().put(upload, number, body)


async def _require() -> None:
    proof = _CURRENT.get()
    if proof is not None:
        await proof.require()
