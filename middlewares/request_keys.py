"""What the steps of the chain pass to each other, each value under a typed key."""

import re
from asyncio import Transport
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Final

from aiohttp import web

from middlewares.admission import Admission
from middlewares.clients import Client
from middlewares.observation import UNOBSERVED, Observation, RequestObserver
from middlewares.operations import Operation
from middlewares.origins import Origins
from middlewares.outcomes import Outcome
from middlewares.public_address import PublicAddress
from middlewares.sealing import SealedUpload, UploadUrls
from providers.credential import Caller, Credential
from providers.deadlines import DEFAULT_LIMITS, CallLimits, TimeLimits
from providers.errors import FerryError
from providers.fair_shares import FairShares
from providers.known_credentials import KnownCredentials
from providers.memory import MemoryBudget
from providers.provider import Provider
from providers.upload import UploadSession

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Parse = Callable[[web.Request], Awaitable[Operation]]


@dataclass(frozen=True)
class Gateway:
    """What the steps of the chain work with. `default_provider` is for requests that name none.

    `inline_max_bytes` limits one inline body. `reset` ends a client's connection so that it does
    not look like the regular end of a body.
    """

    providers: Mapping[str, Provider]
    default_provider: str
    admission: Admission
    upload_urls: UploadUrls
    public_address: PublicAddress
    origins: Origins
    memory: MemoryBudget
    known_credentials: KnownCredentials
    inline_max_bytes: int
    upload_slots: FairShares
    reset: Callable[[Transport], None]
    observer: RequestObserver = UNOBSERVED
    time_limits: TimeLimits = DEFAULT_LIMITS

    @cached_property
    def passed_headers(self) -> frozenset[str]:
        """The inbound headers that any provider reads, in lower case."""
        return frozenset(chain(*(each.passed_headers for each in self.providers.values())))

    @cached_property
    def key_forms(self) -> Sequence[re.Pattern[str]]:
        """How the keys of all providers look."""
        return [known.form for each in self.providers.values() for known in each.key_forms]

    def others(self, provider: Provider) -> Sequence[Provider]:
        """One configured provider of each other kind."""
        kinds = {p.kind: p for p in self.providers.values() if p.kind != provider.kind}
        return list(kinds.values())


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the SDK. `name` is for the log; `parse` reads a request into its operation.

    `alt` are the values of that parameter, the form of the answer, that the call accepts; if empty,
    it is not checked.
    """

    name: str
    parse: Parse
    alt: Sequence[str] = ("json",)


@dataclass(frozen=True, slots=True)
class Route:
    """The call that a request is. `target` is its raw path as Google spells it.

    `name` is the decoded id or model in `collection`. For an upload into something other than
    files, `collection` is empty and `name` is the raw path below `upload/{version}`.
    """

    call: Call
    target: str
    version: str = ""
    collection: str = ""
    name: str = ""

    @property
    def resource(self) -> str:
        """The name of the resource that the path names; empty if it names none."""
        return f"{self.collection}/{self.name}" if self.collection else ""


GATEWAY: Final = web.AppKey("gateway", Gateway)

# --- set by `observe`

REQUEST_ID: Final = web.RequestKey("request_id", str)
OBSERVATION: Final = web.RequestKey("observation", Observation)

# --- set by `auth_passthrough`; UPLOAD_URL only on upload URLs, where CREDENTIAL may be empty

ROUTE: Final = web.RequestKey("route", Route)
CREDENTIAL: Final = web.RequestKey("credential", Credential)
UPLOAD_URL: Final = web.RequestKey("upload_url", SealedUpload)

# --- set by `provider_resolution`; SESSION only on upload URLs

PROVIDER: Final = web.RequestKey("provider", Provider)
CLIENT: Final = web.RequestKey("client", Client)
CALLER: Final = web.RequestKey("caller", Caller)
SESSION: Final = web.RequestKey("session", UploadSession)

# --- set by `request_rewrite`. MEMORY, and an upload's slot with it, is released after the response
# is made; INPUT_FILE is the file that the creation of a batch names

MEMORY: Final = web.RequestKey("memory", ExitStack)
OPERATION: Final[web.RequestKey[Operation]] = web.RequestKey("operation")
INPUT_FILE: Final = web.RequestKey("input_file", str)

# --- set by `forward`; the OUTCOME on the response, where `response_rewrite` keeps it for the log

LIMITS: Final = web.RequestKey("limits", CallLimits)
OUTCOME: Final[web.ResponseKey[Outcome]] = web.ResponseKey("outcome")

# --- set by `error_envelope`

REFUSAL: Final = web.RequestKey("refusal", FerryError)
