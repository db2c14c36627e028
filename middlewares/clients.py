"""The clients that may use the proxy's own credentials, by the tokens that they send.

All tokens of one name are one client and one tenant, so a token can be replaced without losing
files and batches. A token without a name is a client by itself.
"""

import hmac
import math
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from providers.credential import Credential
from providers.errors import FerryError, unauthenticated
from providers.status import Status

_WINDOW_SECONDS: Final = 60.0

Clock = Callable[[], float]


class CallLimit:
    """At most `calls` in any 60 seconds, in this process. `clock` is in seconds."""

    def __init__(self, calls: int, clock: Clock = time.monotonic) -> None:
        self._times: deque[float] = deque(maxlen=calls)
        self.calls: Final = calls
        self._clock = clock

    def count(self) -> float:
        """Counts this call. If it is one too many, it is not counted, and must wait so long."""
        now = self._clock()
        wait = self._times[0] + _WINDOW_SECONDS - now if len(self._times) == self.calls else 0.0
        if wait > 0:
            return wait
        self._times.append(now)  # the oldest one is dropped
        return 0.0


@dataclass(frozen=True, slots=True)
class Client:
    """`principal` identifies the tenant. `name` is for the log, empty for a token without a name.

    `providers` are those whose own credential it may use; None for all.
    """

    principal: Credential
    name: str = ""
    providers: frozenset[str] | None = None
    limit: CallLimit | None = field(default=None, repr=False)

    def may_use(self, provider: str) -> bool:
        return self.providers is None or provider in self.providers

    def check_provider(self, provider: str) -> None:
        """Raises PERMISSION_DENIED if the client may not use it."""
        if not self.may_use(provider):
            raise FerryError(
                Status.PERMISSION_DENIED,
                f"the client {self.name} may not use {provider} ({self._setting('PROVIDERS')})",
            )

    def count_call(self) -> None:
        """Raises RESOURCE_EXHAUSTED, with the time to wait, if this call is one too many."""
        if self.limit is not None and (wait := self.limit.count()):
            raise FerryError(
                Status.RESOURCE_EXHAUSTED,
                f"the client {self.name} may make at most {self.limit.calls} calls in a minute "
                f"({self._setting('CALLS_PER_MINUTE')})",
                retry_after=str(math.ceil(wait)),
            )

    def _setting(self, name: str) -> str:
        """One of its settings, as it is called in the environment."""
        return f"FERRY_CLIENTS__{self.name.upper().replace('-', '_')}__{name}"


def bare_client(token: str) -> Client:
    """The client of a token without a name."""
    return Client(Credential(api_key=token))


def named_client(
    name: str, providers: frozenset[str] | None = None, limit: CallLimit | None = None
) -> Client:
    # No token has a space, so none has the tenant of a name.
    return Client(Credential(api_key=f"client {name}"), name, providers, limit)


_EVERYONE: Final = Client(Credential())


class Clients:
    """`tokens` are the tokens with their clients. Without any, all callers are one client."""

    def __init__(self, tokens: Mapping[str, Client]) -> None:
        self._tokens = [(token.encode(), client) for token, client in tokens.items()]

    def __bool__(self) -> bool:
        return bool(self._tokens)

    def of(self, given: Credential) -> Client:
        """Raises UNAUTHENTICATED if `given` is not a client token.

        It is compared with every token, even after a match, so that timing reveals nothing.
        """
        if not self._tokens:
            return _EVERYONE
        secret = given.secret.encode()
        matches = [c for token, c in self._tokens if hmac.compare_digest(secret, token)]
        if not matches:
            raise unauthenticated(
                "the SDK's api_key must be a client token of this proxy (FERRY_CLIENT_TOKENS)"
            )
        return matches[0]

    def all(self) -> Sequence[Client]:
        by_principal = {client.principal: client for _, client in self._tokens}
        return list(by_principal.values()) or [_EVERYONE]
