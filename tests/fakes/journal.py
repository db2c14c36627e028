"""What the fake received: one `Exchange` for each request, and a way to wait for an event."""

import asyncio
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from .faults import Fault

MIB = 1024 * 1024
CREDENTIAL_HEADERS = frozenset(
    {
        "authorization",
        "x-goog-api-key",
        "x-api-key",
        "x-amz-security-token",
        "cookie",
        "proxy-authorization",
    }
)
CREDENTIAL_QUERY = frozenset(
    {"key", "access_token", "X-Amz-Signature", "X-Amz-Credential", "X-Amz-Security-Token"}
)
# A signature does not contain the secret, so the public half of the key pair identifies it.
SIGNED_BY = re.compile(r"Credential=([^/]+)/")


@dataclass
class Settings:
    """What `POST /_fake/settings` changes. Rates are bytes per second of one request.

    `answer` replaces members of every answer of a model; `answer_delay` is in seconds, before the
    answer to every request.
    Only OpenAI: `body_as_text` writes an answer's body as a string of JSON, as OGX does;
    `upload_seconds` is the lifetime of an upload; a new file is `pending_reads` times pending when
    it is read, as at Azure.
    Only Anthropic: `results_url` is that of an ended batch, with `{id}` for its id;
    `beta_file_list` lists files as the Files API's beta did.
    Only Bedrock: `min_records` is the smallest number of records of a job (bedrock.md section 3).
    """

    uploads_api: bool = True
    keeps_metadata: bool = True
    read_rate: int | None = None
    write_rate: int | None = None
    auto_advance: bool = True
    granularity: int = 8 * MIB
    page_limit: int | None = None
    answer_bytes: int = 0
    answer: dict[str, Any] = field(default_factory=dict)
    answer_delay: float = 0
    body_as_text: bool = False
    upload_seconds: int = 3600
    pending_reads: int = 0
    results_url: str | None = None
    beta_file_list: bool = False
    min_records: int = 100


class Changes:
    """Waits until a condition holds, without polling and without timers."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            await self._changed.wait()


@dataclass
class Exchange:
    """One request and how it ended.

    `outcome`: `open`, `answered`, `client_gone` (the client left before it had the whole answer),
    `body_broken` (its body was cut off), or the kind of the fault that ended it.
    """

    number: int
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    credential_sha256: str | None
    declared_length: int | None
    chunked: bool
    settings: Settings = field(repr=False)
    changes: Changes = field(repr=False)
    fired: set[str] = field(repr=False)
    in_flight: set[int] = field(repr=False)
    alongside: int = 0
    asked: str | None = None
    fault: Fault | None = None
    received: int = 0
    sent: int = 0
    status: int | None = None
    outcome: str = "open"

    def render(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "headers": self.headers,
            "credential_sha256": self.credential_sha256,
            "declared_length": self.declared_length,
            "chunked": self.chunked,
            "alongside": self.alongside,
            "asked": self.asked,
            "received": self.received,
            "sent": self.sent,
            "status": self.status,
            "outcome": self.outcome,
        }

    def fire(self, event: str) -> None:
        self.fired.add(event)
        self.changes.notify()

    def took(self, count: int) -> None:
        self.received += count
        self.changes.notify()

    def gave(self, count: int) -> None:
        self.sent += count
        self.changes.notify()

    def asks(self, text: str) -> None:
        self.asked = text
        self.changes.notify()

    def end(self, outcome: str, status: int | None = None) -> None:
        self.outcome, self.status = outcome, status
        self.in_flight.discard(self.number)
        self.changes.notify()


EXCHANGE = web.RequestKey("exchange", Exchange)


def credential_of(request: web.Request) -> str | None:
    """The secret that came with the request, from whichever header or parameter."""
    authorization = request.headers.get("Authorization", "")
    scheme, _, token = authorization.partition(" ")
    bearer = token if scheme.lower() == "bearer" else None
    given = request.headers.get("X-Goog-Api-Key") or request.headers.get("X-Api-Key")
    signed = SIGNED_BY.search(authorization)
    signer = signed[1] if signed else request.query.get("X-Amz-Credential", "").partition("/")[0]
    return given or bearer or request.query.get("key") or signer or None


def fingerprint(credential: str) -> str:
    return hashlib.sha256(credential.encode()).hexdigest()


@dataclass
class Journal:
    settings: Settings
    changes: Changes = field(default_factory=Changes)
    exchanges: list[Exchange] = field(default_factory=list)
    fired: set[str] = field(default_factory=set)
    in_flight: set[int] = field(default_factory=set)

    def open(self, request: web.Request) -> Exchange:
        credential = credential_of(request)
        exchange = Exchange(
            number=len(self.exchanges) + 1,
            method=request.method,
            path=request.path,
            query={k: v for k, v in request.query.items() if k not in CREDENTIAL_QUERY},
            headers={
                name.lower(): ", ".join(request.headers.getall(name))
                for name in request.headers
                if name.lower() not in CREDENTIAL_HEADERS
            },
            credential_sha256=fingerprint(credential) if credential else None,
            declared_length=request.content_length,
            chunked="chunked" in request.headers.get("Transfer-Encoding", "").lower(),
            settings=self.settings,
            changes=self.changes,
            fired=self.fired,
            in_flight=self.in_flight,
            alongside=len(self.in_flight),
        )
        self.exchanges.append(exchange)
        self.in_flight.add(exchange.number)
        self.changes.notify()
        return exchange

    def clear(self) -> None:
        self.exchanges.clear()
        self.fired.clear()
        self.in_flight = set()  # numbers restart; requests still open keep the old set
