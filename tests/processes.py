"""The proxy and the fakes as real processes on real sockets, for end-to-end tests and the demo."""

import asyncio
import json
import os
import secrets
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Protocol, Self

SECRET_KEY = "a-secret-key-for-tests-of-good-length"
START_SECONDS = 30
STOP_SECONDS = 30


class Started(Protocol):
    """A fake that listens; `ready` is what it says about itself."""

    @property
    def ready(self) -> Mapping[str, Any]: ...


class Process:
    """A running program, which prints a line of JSON when it is ready."""

    def __init__(self, process: asyncio.subprocess.Process, ready: Mapping[str, Any]) -> None:
        self._process = process
        self.ready = ready
        self.lines: list[str] = []
        self._reading: list[asyncio.Task[None]] = []
        self._written = asyncio.Event()

    @property
    def url(self) -> str:
        return str(self.ready["url"])

    @property
    def pid(self) -> int:
        return self._process.pid

    @classmethod
    async def start(
        cls, *arguments: str, env: Mapping[str, str], ready: str, program: str = sys.executable
    ) -> Self:
        """Runs `program *arguments`; ready when a line of JSON has the member `ready`."""
        process = await asyncio.create_subprocess_exec(
            program,
            *arguments,
            env={**clean_environment(), **env},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        lines: list[str] = []
        try:
            async with asyncio.timeout(START_SECONDS):
                document = await _ready(process, ready, lines)
        except BaseException:
            if process.returncode is None:
                process.kill()
            await process.wait()
            raise
        started = cls(process, document)
        started.lines = lines
        started._reading = [asyncio.create_task(started._keep())]
        return started

    async def stop(self) -> int:
        """Sends SIGTERM, and returns the exit code."""
        self.send_signal(signal.SIGTERM)
        return await self.ended()

    async def ended(self) -> int:
        """Waits for its end, and returns the exit code."""
        async with asyncio.timeout(STOP_SECONDS):
            code = await self._process.wait()
            await asyncio.gather(*self._reading)
        return code

    def send_signal(self, number: signal.Signals) -> None:
        if self._process.returncode is None:
            self._process.send_signal(number)

    async def kill(self) -> None:
        """Sends SIGKILL: the process cannot clean up."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await asyncio.gather(*self._reading)

    @property
    def output(self) -> str:
        """Everything that the process has written so far."""
        return "\n".join(self.lines)

    async def line_with(self, text: str) -> str:
        """Waits for the first line that contains `text`."""
        async with asyncio.timeout(START_SECONDS):
            while True:
                self._written.clear()
                found = next((line for line in self.lines if text in line), None)
                if found is not None:
                    return found
                await self._written.wait()

    async def _keep(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.lines.append(line.decode(errors="replace").rstrip())
            self._written.set()


async def _ready(
    process: asyncio.subprocess.Process, member: str, lines: list[str]
) -> Mapping[str, Any]:
    assert process.stdout is not None
    async for line in process.stdout:
        lines.append(line.decode(errors="replace").rstrip())
        try:
            document = json.loads(line)
        except json.JSONDecodeError:
            continue
        if isinstance(document, dict) and document.get(member):
            return document
    raise RuntimeError("the process ended before it was ready:\n" + "\n".join(lines))


def clean_environment() -> dict[str, str]:
    """Without FERRY_ and OTEL_ variables: a developer's own settings must not change a test."""
    own = ("FERRY_", "OTEL_")
    return {name: value for name, value in os.environ.items() if not name.upper().startswith(own)}


def free_port() -> int:
    """A port on which no process listens at the moment.

    The system gives none of these to connections, which could take it before it is used.
    """
    while True:
        port = secrets.choice(range(20_000, 32_000))
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


@asynccontextmanager
async def fake(kind: str, *options: str) -> AsyncIterator[Process]:
    """The fake of that kind; `ready["control"]` is the address of its `/_fake/` endpoints.

    Bedrock's fake includes an S3, at `ready["s3_url"]`.
    """
    command = ("-m", "tests.fakes", kind, "--port", "0", *options)
    process = await Process.start(*command, env={}, ready="fake")
    try:
        yield process
    finally:
        await process.stop()  # not killed, since it removes its files when it stops


Upstreams = Mapping[str, Mapping[str, str]]
"""For each provider its settings, without the prefix that they have in common."""


def upstream_settings(fake: Started) -> dict[str, str]:
    """The settings with which a proxy uses this fake as an upstream."""
    told = fake.ready
    settings = {"BASE_URL": str(told["url"])}
    if told["fake"] == "bedrock":
        settings |= {
            "REGION": str(told["region"]),
            "ROLE_ARN": str(told["role_arn"]),
            "S3_URI": str(told["s3_uri"]),
            "S3_ENDPOINT_URL": str(told["s3_url"]),
        }
    return settings


@asynccontextmanager
async def proxy(
    state: Path, upstreams: Upstreams, env: Mapping[str, str] | None = None
) -> AsyncIterator[Process]:
    """A proxy on a free port; `env` takes precedence."""
    process = await start_proxy(state, upstreams, env)
    try:
        yield process
    finally:
        await process.stop()


async def start_proxy(
    state: Path,
    upstreams: Upstreams,
    env: Mapping[str, str] | None = None,
    program: str = "proxy",
) -> Process:
    """Like `proxy`, but the caller must stop it. `program` is the module that is run."""
    settings = proxy_settings(state, upstreams, env or {})
    return await Process.start("-m", program, env=settings, ready="url")


def proxy_settings(state: Path, upstreams: Upstreams, env: Mapping[str, str]) -> Mapping[str, str]:
    """The environment of a proxy on a free port; `env` takes precedence."""
    return {
        "FERRY_PORT": "0",
        "FERRY_SECRET_KEY": SECRET_KEY,
        "FERRY_STATE_URL": state.as_uri(),
        **{
            f"FERRY_PROVIDERS__{name.upper()}__{setting}": value
            for name, settings in upstreams.items()
            for setting, value in settings.items()
        },
        **env,
    }
