"""What a page of a list costs grows neither with the list nor with the pages before it.

Each list is read in a process that has nothing in memory: once when it has 10 pages, and again
when it has 40. Where tenants share a credential, the first page may read all that the tenant owns.
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any, Final

import orjson
import pytest
from yarl import URL

from providers.batches.immediate.jobs import ImmediateUse
from providers.batches.json_lines import LineSplitter
from providers.body import in_memory
from providers.credential import Caller
from providers.gemini.isolation import isolate_tenants as isolate_gemini
from providers.memory import MemoryBudget
from providers.provider import Provider, RelayedRequest
from providers.resources import NewBatch
from providers.state import State
from providers.tenancy.isolation import isolate_tenants
from providers.upload import Chunk, UploadSession, UploadStart
from tests.contract.anthropic_with_fake import anthropic_with_fake
from tests.contract.anthropic_with_fake import inline as anthropic_inline
from tests.contract.bedrock_immediate import has_ended
from tests.contract.bedrock_with_fake import BedrockWithFake
from tests.contract.bedrock_with_fake import inline as bedrock_inline
from tests.contract.counted_state import CountedState
from tests.contract.gemini_with_fake import CALLER, GeminiWithFake, gemini_with_fake
from tests.contract.mistral_with_fake import inline as mistral_inline
from tests.contract.mistral_with_fake import mistral_with_fake
from tests.contract.openai_with_fake import inline as openai_inline
from tests.contract.openai_with_fake import openai_with_fake
from tests.contract.provider_with_fake import ProviderWithFake, asking

PAGES: Final = (10, 40)
# The items of all tenants on a page: 10 such pages fill more than one of the provider's.
SIZE: Final = 12


@dataclass(frozen=True, slots=True)
class Cost:
    """Requests to the provider, calls to the state store, and names that these listed."""

    upstream: int
    store: int
    names: int


Listed = Callable[[str | None], Awaitable[str | None]]
"""Reads the page of a token, and returns the next token."""


async def costs(
    page: Listed, state: CountedState, requests: Callable[[], Awaitable[int]]
) -> list[Cost]:
    """Of each page of a list."""
    found: list[Cost] = []
    token: str | None = None
    while token or not found:
        upstream, store, names = await requests(), len(state.calls), state.names
        token = await page(token)
        found.append(
            Cost(await requests() - upstream, len(state.calls) - store, state.names - names)
        )
    return found


def check_constant(short: list[Cost], long: list[Cost]) -> None:
    assert (len(short), len(long)) == PAGES
    # Some pages cost more, because they need two of the provider's.
    assert fmean(page.upstream for page in long) <= max(page.upstream for page in short)
    assert fmean(page.store for page in long) <= max(page.store for page in short)
    # Only the first page may list what grows with the tenant.
    assert fmean(page.names for page in long[1:]) <= max(page.names for page in short[1:])


# --- providers with files and batches ---------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Subject:
    """`over` is one more process, on another state store; `tenants` use the provider in turn.

    `size` is the number of items on a page.
    """

    work: ProviderWithFake
    over: Callable[[State], Provider]
    inline: Callable[..., NewBatch]
    tenants: list[Caller]
    size: int

    async def grow(self, kind: str, begin: int, end: int) -> None:
        """Until each tenant has `end` pages, of which `begin` are there."""
        for number in range(begin * self.size, end * self.size):
            for tenant in self.tenants:
                self.work.caller = tenant
                if kind == "files":
                    await self.work.upload(b"x", "a.png", f"s{number}-{tenant.tenant}")
                else:
                    await self.work.batches.create(tenant, self.inline("a", "b", "c"))

    async def costs(self, kind: str) -> list[Cost]:
        state = CountedState(self.work.state)
        provider, caller = self.over(state), self.tenants[0]
        listed = provider.files if kind == "files" else provider.batches
        assert listed is not None

        async def page(token: str | None) -> str | None:
            found = await listed.list(caller, self.size, token)
            assert len(found.items) == self.size
            return found.next_page_token

        return await costs(page, state, self._requests)

    async def _requests(self) -> int:
        return len((await self.work.get("/_fake/requests"))["requests"])


async def check(subject: Subject, kind: str) -> None:
    await subject.work.post("/_fake/settings", {"auto_advance": False})
    subject.work.provider = subject.over(subject.work.state)
    await subject.grow(kind, 0, PAGES[0])
    short = await subject.costs(kind)
    await subject.grow(kind, *PAGES)
    check_constant(short, await subject.costs(kind))


def sharing(caller: Caller) -> list[Caller]:
    return [replace(caller, tenant=tenant) for tenant in ("a" * 32, "b" * 32)]


def isolated(provider: Provider, state: State, work: ProviderWithFake) -> Provider:
    return isolate_tenants(provider, state, LineSplitter(1 << 20, work.memory), work.memory)


WORLDS: Final[dict[str, tuple[Callable[[], AbstractAsyncContextManager[Any]], Any, int]]] = {
    "openai": (openai_with_fake, openai_inline, SIZE),
    "anthropic": (anthropic_with_fake, anthropic_inline, SIZE),
    # Its pages are numbered, so one of 99 items that begins within a page takes two or more.
    "mistral": (mistral_with_fake, mistral_inline, 2 * SIZE),
}


@pytest.mark.parametrize("kind", ["files", "batches"])
@pytest.mark.parametrize("shared", [False, True], ids=["alone", "shared"])
@pytest.mark.parametrize("name", WORLDS)
async def test_a_page_costs_the_same(name: str, shared: bool, kind: str) -> None:
    world, inline, size = WORLDS[name]
    async with world() as work:

        def over(state: State) -> Provider:
            provider: Provider = work.replica(state=state)
            return isolated(provider, state, work) if shared else provider

        tenants = sharing(work.caller) if shared else [work.caller]
        await check(Subject(work, over, inline, tenants, size // len(tenants)), kind)


@pytest.mark.parametrize(("kind", "size"), [("files", 2), ("batches", SIZE)])
async def test_a_page_costs_the_same_at_bedrock(
    bedrock: BedrockWithFake, kind: str, size: int
) -> None:
    """There each tenant has a folder, and names of jobs, of its own, so nothing is filtered."""

    def over(state: State) -> Provider:
        return bedrock.replica(state=state)

    await check(Subject(bedrock, over, bedrock_inline, [bedrock.caller], size), kind)


async def test_a_page_of_batches_that_the_proxy_runs_costs_the_same(
    bedrock: BedrockWithFake,
) -> None:
    def over(state: State) -> Provider:
        return bedrock.replica(state=state, immediate=ImmediateUse.SMALL)

    bedrock.provider = over(bedrock.state)

    async def grow(count: int) -> None:
        for _ in range(count):
            made = await bedrock.batches.create(bedrock.caller, bedrock_inline("a"))
            await has_ended(bedrock, made.id)

    subject = Subject(bedrock, over, bedrock_inline, [bedrock.caller], size=1)
    await grow(PAGES[0])
    short = await subject.costs("batches")
    await grow(PAGES[1] - PAGES[0])
    check_constant(short, await subject.costs("batches"))


# --- Gemini, whose lists are the proxy's own only where tenants share a key -------------------


@dataclass(frozen=True, slots=True)
class GoogleSubject:
    """`path` is that of a kind of resource."""

    google: GeminiWithFake
    path: str

    def over(self, state: State) -> Provider:
        provider = self.google.replica(state)
        return isolate_gemini(provider, state, MemoryBudget(), 1 << 20)

    async def grow(self, begin: int, end: int) -> None:
        provider = self.over(self.google.state)
        for number in range(begin * SIZE // 2, end * SIZE // 2):
            for tenant in sharing(CALLER):
                if self.path == "files":
                    await self._upload(provider, tenant, f"s{number}-{tenant.tenant}")
                else:
                    await self._create(provider, tenant)

    async def costs(self) -> list[Cost]:
        state = CountedState(self.google.state)
        provider, tenant = self.over(state), sharing(CALLER)[0]

        async def page(token: str | None) -> str | None:
            query = {"pageSize": str(SIZE // 2)} | ({"pageToken": token} if token else {})
            target = URL(f"/v1beta/{self.path}").with_query(query)
            document = await _answer(provider, tenant, RelayedRequest("GET", target, {}, None))
            assert len(document.get("files") or document["operations"]) == SIZE // 2
            following: str | None = document.get("nextPageToken")
            return following

        return await costs(page, state, self._requests)

    async def _upload(self, provider: Provider, tenant: Caller, session: str) -> None:
        start = UploadStart(size=1, version="v1beta", resource="files")
        started = await provider.uploads.start(tenant, start)
        opened = UploadSession(session, started.details, tenant, tenant=tenant.tenant)
        await provider.uploads.send(opened, Chunk(0, in_memory(b"x"), True))

    async def _create(self, provider: Provider, tenant: Caller) -> None:
        requests = {"requests": [{"request": asking("hello")}]}
        body = in_memory(orjson.dumps({"batch": {"inputConfig": {"requests": requests}}}))
        target = URL("/v1beta/models/gemini-2.5-flash:batchGenerateContent", encoded=True)
        headers = {"content-type": "application/json"}
        await _answer(provider, tenant, RelayedRequest("POST", target, headers, body))

    async def _requests(self) -> int:
        return len(await self.google.requests())


async def _answer(provider: Provider, tenant: Caller, request: RelayedRequest) -> Any:
    assert provider.relay is not None
    async with await provider.relay.relay(tenant, request) as reply:
        assert reply.status == 200
        return orjson.loads(await reply.read(1 << 20))


@pytest.mark.parametrize("path", ["files", "batches"])
async def test_a_page_costs_the_same_at_gemini(path: str) -> None:
    async with gemini_with_fake() as google:
        subject = GoogleSubject(google, path)
        await subject.grow(0, PAGES[0])
        short = await subject.costs()
        await subject.grow(*PAGES)
        check_constant(short, await subject.costs())
