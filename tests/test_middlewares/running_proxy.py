"""The whole application on a real socket: tests write raw bytes to it and read its log."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from aiohttp.typedefs import Middleware
from yarl import URL

from middlewares.request_keys import GATEWAY, Gateway, Handler
from proxy.composition import application
from proxy.kinds import KINDS
from proxy.log_lines import json_lines
from proxy.settings import load
from proxy.sites import application_runner
from proxy.state_probe import PROBE
from tests.fakes.gemini import gemini_app
from tests.fakes.openai import openai_app

OPENAI_KEY = "sk-hostile-secret-1234567890"
GEMINI_KEY = "AIza-hostile-secret-1234567890"
BATCHES = "/genai/v1beta/models/gpt-4o-mini:batchGenerateContent"
START = "/genai/upload/v1beta/files"

DEADLINE_SECONDS = 20

Headers = Mapping[str, str | bytes]


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` is 0 if the connection ended without a response."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return orjson.loads(self.body)

    @property
    def error(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.document["error"]
        return found

    def refused(self, code: int, status: str) -> str:
        """Checks code and status of the error envelope; returns its message."""
        assert (self.status, self.error["code"], self.error["status"]) == (code, code, status)
        return str(self.error["message"])


@dataclass
class RunningProxy:
    """`log` contains every logged line, as it is written to stderr."""

    port: int
    gateway: Gateway
    openai: TestServer
    gemini: TestServer
    state: Path
    log: list[str] = field(default_factory=list)
    logged: asyncio.Event = field(default_factory=asyncio.Event)
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    def kept(self) -> list[str]:
        """The objects in the state store, without the salt and the probe."""
        paths = [path for path in self.state.rglob("*") if path.is_file()]
        names = (str(path.relative_to(self.state)) for path in paths)
        return sorted(name for name in names if name not in ("salt=", "proof/probe="))

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        async with _connection(self.port) as connection:
            yield connection

    async def raw(self, data: bytes) -> Answer:
        """Writes `data`, and reads one response."""
        async with self.connection() as (reader, writer):
            writer.write(data)
            return await read_answer(reader, head=data.startswith(b"HEAD"))

    async def ask(
        self, method: str, target: str | bytes, headers: Headers | None = None, body: bytes = b""
    ) -> Answer:
        """One request to OpenAI, unless `headers` say otherwise."""
        return await self.raw(rendered(method, target, headers, body))

    async def upstream_requests(self, fake: TestServer) -> list[dict[str, Any]]:
        answer = await self._control(fake, "/_fake/requests")
        found: list[dict[str, Any]] = answer["requests"]
        return found

    async def posted(self, fake: TestServer) -> list[dict[str, Any]]:
        """The requests that could have made something."""
        seen = await self.upstream_requests(fake)
        return [request for request in seen if request["method"] == "POST"]

    async def wait_upstream(self, fake: TestServer, **query: str | int) -> None:
        await self._control(fake, str(URL("/_fake/events").with_query(query)))

    async def strike(self, fake: TestServer, match: Any, fault: Any) -> None:
        order = orjson.dumps({"match": match, "fault": fault})
        await self._control(fake, "/_fake/faults", order)

    async def until_logged(self, event: str) -> dict[str, Any]:
        """Waits for the first log line of that event."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while True:
                for document in map(orjson.loads, self.log):
                    if document["event"] == event:
                        found: dict[str, Any] = document
                        return found
                self.logged.clear()
                await self.logged.wait()

    async def _control(self, fake: TestServer, target: str, order: bytes = b"") -> Any:
        async with _connection(fake.port or 0) as (reader, writer):
            method = "POST" if order else "GET"
            writer.write(rendered(method, target, {"Content-Type": "application/json"}, order))
            answer = await read_answer(reader)
        assert answer.status == 200, answer
        return answer.document


@asynccontextmanager
async def _connection(
    port: int,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            yield reader, writer
    finally:
        writer.close()


def rendered(
    method: str, target: str | bytes, headers: Headers | None = None, body: bytes = b""
) -> bytes:
    """A request as bytes, by default to OpenAI with a key; Content-Length is added."""
    given: dict[str, str | bytes] = {
        "Host": "ferry.test",
        "x-model-provider": "openai",
        "x-goog-api-key": OPENAI_KEY,
        **(headers or {}),
    }
    names = {name.lower() for name in given}
    if body and not names & {"content-length", "transfer-encoding"}:
        given["Content-Length"] = str(len(body))
    lines = [_bytes(method) + b" " + _bytes(target) + b" HTTP/1.1"]
    lines += [_bytes(name) + b": " + _bytes(value) for name, value in given.items()]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


async def read_answer(reader: asyncio.StreamReader, *, head: bool = False) -> Answer:
    try:
        block = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return Answer(0, {}, b"")
    first, *rest = block.decode().rstrip("\r\n").split("\r\n")
    pairs = [line.partition(":") for line in rest]
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    status = int(first.split()[1])
    if status == 100:
        return await read_answer(reader, head=head)
    if head or status in (101, 204, 304):
        return Answer(status, headers, b"")
    if headers.get("transfer-encoding") == "chunked":
        return Answer(status, headers, await _read_chunked(reader))
    if "content-length" in headers:
        return Answer(status, headers, await reader.readexactly(int(headers["content-length"])))
    return Answer(status, headers, await reader.read())


async def _read_chunked(reader: asyncio.StreamReader) -> bytes:
    parts = []
    while size := int(await reader.readline(), 16):
        parts.append(await reader.readexactly(size))
        await reader.readline()
    await reader.readline()
    return b"".join(parts)


class _LogRecorder(logging.Handler):
    def __init__(self, proxy: RunningProxy) -> None:
        super().__init__(logging.INFO)
        self.setFormatter(json_lines())
        self._proxy = proxy

    def emit(self, record: logging.LogRecord) -> None:
        self._proxy.log.append(self.format(record))
        self._proxy.logged.set()


@asynccontextmanager
async def running_proxy(
    directory: Path, monkeypatch: pytest.MonkeyPatch, **settings: Any
) -> AsyncIterator[RunningProxy]:
    """Both fakes and the application. At its end it checks that no secret and no bug was logged."""
    async with _fake(openai_app()) as openai, _fake(gemini_app()) as gemini:
        monkeypatch.setenv("FERRY_STATE_URL", directory.as_uri())
        monkeypatch.setenv("FERRY_SECRET_KEY", "a-secret-key-for-hostile-tests")
        monkeypatch.setenv("FERRY_PROVIDERS__OPENAI__BASE_URL", str(openai.make_url("/v1")))
        monkeypatch.setenv("FERRY_PROVIDERS__GEMINI__BASE_URL", str(gemini.make_url("")))
        for name, value in settings.items():
            monkeypatch.setenv(f"FERRY_{name.upper()}", str(value))
        loaded = load(KINDS)
        app = application(loaded)
        begun = asyncio.Event()
        app.middlewares.insert(0, _signal_start(begun))
        runner = application_runner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        assert await app[PROBE].found() == "ok"
        proxy = RunningProxy(
            runner.addresses[0][1], app[GATEWAY], openai, gemini, directory, begun=begun
        )
        listening = _LogRecorder(proxy)
        root = logging.getLogger()
        level = root.level
        root.addHandler(listening)
        root.setLevel(logging.INFO)
        try:
            yield proxy
        finally:
            await runner.cleanup()
            root.removeHandler(listening)
            root.setLevel(level)
        check_log(proxy.log)


def _signal_start(begun: asyncio.Event) -> Middleware:
    """Sets `begun` when a request has reached our code."""

    @web.middleware
    async def signal_start(request: web.Request, handler: Handler) -> web.StreamResponse:
        begun.set()
        return await handler(request)

    return signal_start


@asynccontextmanager
async def _fake(app: web.Application) -> AsyncIterator[TestServer]:
    """Without its own access log, which would look like the proxy's."""
    server = TestServer(app)
    await server.start_server(access_log=None)
    try:
        yield server
    finally:
        await server.close()


def check_log(lines: list[str]) -> None:
    """No secret, and no errors: nothing that a client sends is one."""
    for line in lines:
        assert "secret" not in line, line
        assert orjson.loads(line)["level"] != "error", line
