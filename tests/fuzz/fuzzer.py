"""Sends random requests to one proxy in front of the fakes, and judges what it answers.

Nothing fails at the upstreams, so every 500, 502, 503 and 504 is a finding; so are a complete
request without an answer, an error that is no envelope, a logged bug, and growth.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final
from urllib.parse import urlsplit

from aiohttp import ClientSession

from tests.end_to_end.fake_client import IMMEDIATE, KINDS, FakeClient
from tests.fuzz.figures import Figures, figures, growth, settled
from tests.fuzz.mutations import Message, Mutator
from tests.fuzz.raw_client import Answer, exchange
from tests.fuzz.valid_requests import Names, Provider, ValidRequests
from tests.processes import Process, fake, start_proxy

SENDERS: Final = 16
REQUESTS_OF_ONE_ROUND: Final = 5_000
"""Before the fakes are reset, so that what they store stays small."""
WARM_UP: Final = 2_000
"""Requests before the first measurement: caches fill, and modules are imported at first use."""
MOST_FINDINGS: Final = 20
GROWTH: Final = Figures(64 << 20, 64, 16)
"""What may be added: such as connections to an upstream that are kept open, each with a task."""
FAULTS: Final = (500, 502, 503, 504)
IMMEDIATE_NAME: Final = "at-once"
SHARED_NAME: Final = "shared"
TOKEN: Final = "a-token-of-the-fuzzer"
OWN_KEY: Final = "sk-of-the-proxy-itself"


@dataclass
class Report:
    requests: int = 0
    answers: Counter[int] = field(default_factory=Counter)
    unanswered: int = 0
    findings: list[str] = field(default_factory=list)
    before: Figures | None = None
    after: Figures | None = None

    def find(self, what: str, message: Message) -> None:
        self.findings.append(f"{what}\n    {message.data[:3000]!r}")
        print("FOUND", self.findings[-1], flush=True)


@dataclass(frozen=True)
class Stage:
    proxy: Process
    fakes: Mapping[str, FakeClient]
    providers: list[Provider]


@asynccontextmanager
async def stage(state: Path) -> AsyncIterator[Stage]:
    """The fakes and a proxy that knows them under seven names."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(ClientSession())
        fakes = {
            name: FakeClient(
                kind, await stack.enter_async_context(fake(name, *kind.fake_options)), http
            )
            for name, kind in KINDS.items()
        }
        upstreams = {name: each.as_upstream for name, each in fakes.items()}
        upstreams["at_once"] = {**upstreams["bedrock"], **IMMEDIATE, "KIND": "bedrock"}
        upstreams[SHARED_NAME] = {
            **upstreams["openai"],
            "KIND": "openai",
            "CREDENTIALS": "ambient",
            "API_KEY": OWN_KEY,
        }
        settings = {"FERRY_CLIENT_TOKENS": TOKEN}
        proxy = await start_proxy(state, upstreams, settings, program="tests.fuzz.counted_proxy")
        stack.push_async_callback(proxy.stop)
        keys = {name: (name, kind.key) for name, kind in KINDS.items()}
        keys |= {IMMEDIATE_NAME: ("bedrock", KINDS["bedrock"].key), SHARED_NAME: ("openai", TOKEN)}
        providers = [Provider(name, kind, key) for name, (kind, key) in keys.items()]
        yield Stage(proxy, fakes, providers)


class Fuzzer:
    def __init__(self, at: Stage, seed: int) -> None:
        self._at = at
        self._random = Random(seed)
        self._valid = ValidRequests(self._random, at.providers)
        self._mutator = Mutator(self._random)
        address = urlsplit(at.proxy.url)
        self._host, self._port = str(address.hostname), int(address.port or 0)
        self.report = Report()

    async def run(self, budget: int) -> Report:
        report = self.report
        await self._send(min(WARM_UP, budget // 4))
        report.before = await figures(self._at.proxy)
        while report.requests < budget and len(report.findings) < MOST_FINDINGS:
            await self._send(min(REQUESTS_OF_ONE_ROUND, budget - report.requests))
            await self._forget()
            report.findings += self._logged()
            print(f"{report.requests} requests, {len(report.findings)} findings", flush=True)
        report.after = await settled(self._at.proxy, report.before, GROWTH.tasks)
        report.findings += growth(report.before, report.after, GROWTH)
        return report

    async def _send(self, count: int) -> None:
        """`count` requests, a few at a time."""
        left = iter(range(count))
        async with asyncio.TaskGroup() as group:
            for _ in range(SENDERS):
                group.create_task(self._send_each(left))

    async def _send_each(self, left: Iterator[int]) -> None:
        for _ in left:
            provider, request = self._valid.draw()
            await self._send_one(provider, self._mutator.message(request))

    async def _send_one(self, provider: Provider, message: Message) -> None:
        report = self.report
        report.requests += 1
        try:
            answer = await exchange(self._host, self._port, message)
        except TimeoutError:
            report.find("no answer", message)
            return
        except ValueError as error:
            report.find(f"a malformed answer: {error}", message)
            return
        if answer is None:
            report.unanswered += 1
            if message.framed:
                report.find("the connection ended without an answer", message)
            return
        report.answers[answer.status] += 1
        self._judge(provider, answer, message)
        provider.names.learn(answer.headers, answer.document)

    def _judge(self, provider: Provider, answer: Answer, message: Message) -> None:
        # Google's errors are relayed as they are, also where no header names a provider.
        names_another = f"\r\nx-model-provider: {provider.name}\r\n".encode() in message.data
        is_ours = message.method != "HEAD" and provider.kind != "gemini" and names_another
        if answer.status in FAULTS:
            self.report.find(f"{answer.status} {answer.body[:500]!r}", message)
        elif answer.status >= 400 and is_ours and not _is_envelope(answer):
            self.report.find(f"no envelope: {answer.status} {answer.body[:500]!r}", message)

    async def _forget(self) -> None:
        for each in self._at.fakes.values():
            await each.reset()
        for provider in self._at.providers:
            forgotten = Names()
            for name in ("files", "batches", "uploads", "tokens"):
                setattr(provider.names, name, getattr(forgotten, name))

    def _logged(self) -> list[str]:
        """What must not be logged, of the lines so far, which are forgotten."""
        output = self._at.proxy.output
        secrets = [OWN_KEY, *(kind_key for kind in KINDS.values() for kind_key in kind.secrets)]
        found = [f"a secret is logged: {one[:6]}..." for one in secrets if one in output]
        bugs = [line[:2000] for line in self._at.proxy.lines if "a bug of ours" in line]
        self._at.proxy.lines.clear()
        return found + bugs[:3]


def _is_envelope(answer: Answer) -> bool:
    document = answer.document
    error = document.get("error") if isinstance(document, dict) else None
    return isinstance(error, dict) and error.get("code") == answer.status
