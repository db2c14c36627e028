"""The chain with scripted providers, and a client in front."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self, cast

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from multidict import CIMultiDict

from middlewares.admission import Admission
from middlewares.chain import CHAIN, mount
from middlewares.clients import Clients, bare_client
from middlewares.cors import Cors
from middlewares.origins import Origins
from middlewares.public_address import PublicAddress
from middlewares.request_keys import Gateway
from middlewares.sealing import UploadUrls
from middlewares.trusted_proxies import Network
from providers.body import Body, once
from providers.credential import Caller
from providers.deadlines import DEFAULT_LIMITS, TimeLimits
from providers.fair_shares import FairShares
from providers.known_credentials import KnownCredentials
from providers.memory import MemoryBudget
from providers.provider import (
    Batches,
    Embeddings,
    Files,
    KeyForm,
    Models,
    NameForms,
    Prompts,
    Provider,
    Relay,
    RelayedRequest,
    Tokens,
    Uploads,
)
from providers.state import State
from tests.memory_state import MemoryState

Client = TestClient[web.Request, web.Application]


@dataclass
class ScriptedReply:
    """An upstream's response; `failure` is raised after the body."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"{}"
    failure: Exception | None = None
    closed: bool = False

    async def chunks(self) -> AsyncIterator[bytes]:
        async for chunk in once(self.body):
            yield chunk
        if self.failure:
            raise self.failure

    async def read(self, limit: int) -> bytes:
        return self.body[:limit]

    async def aclose(self) -> None:
        self.closed = True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()


class Scripted:
    """Any capability: each method calls `act`, and `calls` records the arguments."""

    def __init__(self, act: Callable[..., Any]) -> None:
        self._act = act
        self.calls: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def method(*arguments: Any) -> Any:
            self.calls.append((name, *arguments))
            return self._act(*arguments)

        return method

    @property
    def caller(self) -> Caller:
        found: Caller = self.calls[-1][1]
        return found

    @property
    def relayed(self) -> RelayedRequest:
        found: RelayedRequest = self.calls[-1][2]
        return found


async def accepting(_: Caller) -> None:
    """A provider that accepts every credential."""


def scripted_provider(
    name: str, *, key_forms: Sequence[KeyForm] = (), **capabilities: Scripted
) -> Provider:
    forms = {
        "openai": NameForms(re.compile(r"file-\w+"), re.compile(r"batch_\w+"), distinctive=True),
        "anthropic": NameForms(
            re.compile(r"file_\w+"),
            re.compile(r"msgbatch_\w+"),
            distinctive=True,
            letters={"s": re.compile(r"[0-9a-f]{30}")},
        ),
        "bedrock": NameForms(
            re.compile(r"o[a-z2-7]+"),
            re.compile(r"[a-z0-9]{12}"),
            distinctive=False,
            letters={"o": re.compile(r"[\s\S]+")},
        ),
    }
    anything = re.compile(r"[a-z0-9-]{1,40}")
    return Provider(
        name=name,
        kind=name,
        names=forms.get(name, NameForms(anything, anything, distinctive=False)),
        passed_headers=frozenset({"x-scope", "x-passed"}),
        scoping_headers=frozenset({"x-scope"}),
        uploads=cast(Uploads, Scripted(lambda *_: None)),
        upload_check=accepting,
        batch_check=accepting,
        files=cast(Files | None, capabilities.get("files")),
        batches=cast(Batches | None, capabilities.get("batches")),
        prompts=cast(Prompts | None, capabilities.get("prompts")),
        models=cast(Models | None, capabilities.get("models")),
        tokens=cast(Tokens | None, capabilities.get("tokens")),
        embeddings=cast(Embeddings | None, capabilities.get("embeddings")),
        relay=cast(Relay | None, capabilities.get("relay")),
        key_forms=key_forms,
    )


@asynccontextmanager
async def running_chain(
    *providers: Provider,
    default: str | None = None,
    tokens: Sequence[str] = (),
    clients: Clients | None = None,
    trusted: Sequence[Network] = (),
    plaintext_keys_setting: str | None = "FERRY_ALLOW_PLAINTEXT",
    public_url: str | None = None,
    pages: Sequence[str] = (),
    time_limits: TimeLimits = DEFAULT_LIMITS,
    state: State | None = None,
) -> AsyncIterator[Client]:
    by_name = {provider.name: provider for provider in providers}
    address = PublicAddress(public_url, trusted)
    state = state or MemoryState()
    urls = UploadUrls(["a-secret-of-good-length"], state, ttl=60)
    gateway = Gateway(
        providers=by_name,
        default_provider=default or providers[0].name,
        admission=Admission(
            by_name,
            clients or Clients({token: bare_client(token) for token in tokens}),
            plaintext_keys_setting,
            address,
            urls,
            state,
        ),
        upload_urls=urls,
        public_address=address,
        origins=Origins(pages, address),
        memory=MemoryBudget(),
        known_credentials=KnownCredentials(),
        inline_max_bytes=1000,
        upload_slots=FairShares(2, "uploads at once"),
        reset=lambda transport: transport.abort(),
        time_limits=time_limits,
    )
    app = web.Application(middlewares=CHAIN)
    mount(app, gateway)
    if pages:
        Cors(gateway.origins, []).install(app)
    server = TestServer(app)
    await server.start_server(access_log=None, auto_decompress=False)
    async with TestClient(server, auto_decompress=False) as client:
        yield client


async def body_of(request: RelayedRequest) -> bytes:
    body: Body | None = request.body
    return b"" if body is None else b"".join([chunk async for chunk in body.chunks])


def multi(*pairs: tuple[str, str]) -> CIMultiDict[str]:
    return CIMultiDict(pairs)
