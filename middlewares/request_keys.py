"""What the steps of the chain pass to each other, each value under a typed request key."""

from asyncio import Transport
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from middlewares.operations import Operation, Outcome
from middlewares.public_address import PublicAddress
from middlewares.routes import Route
from middlewares.sealing import UploadUrls
from middlewares.tenants import Tenants
from providers.credential import Caller, Credential
from providers.errors import FerryError
from providers.memory import MemoryBudget
from providers.provider import Provider
from providers.state import State
from providers.upload import UploadSession

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Middleware = Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Gateway:
    """What the steps of the chain work with. `default_provider` is for requests that name none.

    `upload_ttl` is in seconds; `inline_max_bytes` limits one inline body. `plaintext_keys_setting`
    is the setting that would let secret keys that only sign cross a network without encryption;
    None if it is on. `reset` ends a client's connection so that it does not look like the regular
    end of a body.
    """

    providers: Mapping[str, Provider]
    default_provider: str
    upload_urls: UploadUrls
    upload_ttl: int
    tenants: Tenants
    public_address: PublicAddress
    state: State
    memory: MemoryBudget
    inline_max_bytes: int
    reset: Callable[[Transport], None]
    plaintext_keys_setting: str | None

    def others(self, provider: Provider) -> Sequence[Provider]:
        """One configured provider of each other kind."""
        kinds = {p.kind: p for p in self.providers.values() if p.kind != provider.kind}
        return list(kinds.values())


@dataclass(frozen=True, slots=True)
class OpenedUpload:
    """The content of an upload URL; `provider` is the configured name."""

    provider: str
    session: UploadSession


GATEWAY: Final = web.AppKey("gateway", Gateway)

REQUEST_ID: Final = web.RequestKey("request_id", str)
CREDENTIAL: Final = web.RequestKey("credential", Credential)
UPLOAD: Final = web.RequestKey("upload", OpenedUpload)
ROUTE: Final = web.RequestKey("route", Route)
PROVIDER: Final = web.RequestKey("provider", Provider)
CALLER: Final = web.RequestKey("caller", Caller)
OPERATION: Final[web.RequestKey[Operation]] = web.RequestKey("operation")
REFUSAL: Final = web.RequestKey("refusal", FerryError)
OUTCOME: Final[web.RequestKey[Outcome]] = web.RequestKey("outcome")
