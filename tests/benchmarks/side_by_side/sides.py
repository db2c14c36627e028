"""The processes that are compared, each on the core of the measured process."""

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from tests.benchmarks.measurement import memory
from tests.benchmarks.stage import KEYS
from tests.processes import Process, Upstreams, free_port, start_proxy

NGINX, RELAY, FERRY = "nginx", "bare relay", "genai-ferry"

# What an upstream needs of a client that speaks to it directly. Requests to Bedrock are signed.
NATIVE: Final[Mapping[str, Mapping[str, str]]] = {
    "gemini": {"x-goog-api-key": KEYS["gemini"]},
    "openai": {"Authorization": f"Bearer {KEYS['openai']}"},
    "anthropic": {
        "x-api-key": KEYS["anthropic"],
        "anthropic-version": "2023-06-01",
        "anthropic-beta": "files-api-2025-04-14",
    },
    "mistral": {"Authorization": f"Bearer {KEYS['mistral']}"},
    "bedrock": {},
}

_NGINX: Final = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr notice;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/client_body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    client_max_body_size 0;
    client_body_buffer_size 256k;
    keepalive_requests 1000000;
    upstream origin {{
        server {upstream.netloc};
        keepalive 64;
        keepalive_requests 1000000;
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass {upstream.scheme}://origin;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_request_buffering off;
            proxy_buffering off;
            proxy_buffer_size 256k;
            proxy_buffers 8 256k;
            proxy_busy_buffers_size 512k;
        }}
    }}
}}
"""


@dataclass(frozen=True)
class Side:
    """A process that relays. It needs `headers` in every request, and `prefix` before the path."""

    name: str
    pid: int
    url: str
    headers: Mapping[str, str]
    prefix: str = ""

    @property
    def address(self) -> str:
        return urlsplit(self.url).netloc

    def cpu_seconds(self) -> float:
        """The kernel's clock of a process's CPU time (clock_getcpuclockid(3)), to the nanosecond;
        /proc/PID/stat counts the same in steps of 10 ms."""
        return time.clock_gettime((~self.pid << 3) | 2)

    def peak(self) -> int:
        return memory(self.pid, "VmHWM")


@dataclass(frozen=True)
class Origin:
    """An upstream; `certificate` is its own, as a file, if its URL begins with https."""

    url: str
    certificate: Path | None = None


def installed_nginx() -> str | None:
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def usable_cores() -> Sequence[int]:
    return sorted(os.sched_getaffinity(os.getpid()))


@contextmanager
def on_cores(cores: Sequence[int]) -> Iterator[None]:
    """This thread, and the threads and processes that it starts in the block, run on these."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@asynccontextmanager
async def upstream(
    certificate: Path | None = None, rate: float | None = None
) -> AsyncIterator[Origin]:
    """The benchmark's own upstream, with TLS if there is a certificate.

    It reads at most `rate` bytes a second of each connection.
    """
    command = ["-m", "tests.benchmarks.side_by_side.upstream"]
    command += ["--certificate", str(certificate)] if certificate else []
    command += ["--rate", str(rate)] if rate else []
    process = await Process.start(*command, env={}, ready="url")
    try:
        yield Origin(process.url, certificate)
    finally:
        await process.kill()


@asynccontextmanager
async def beside_nginx(folder: Path, core: int, origin: Origin) -> AsyncIterator[list[Side]]:
    """nginx if it is installed, the relay, and the proxy, all in front of a Gemini."""
    async with AsyncExitStack() as running:
        found = []
        if (program := installed_nginx()) is not None:
            nginx = _nginx(program, folder, core, origin)
            found.append(await running.enter_async_context(nginx))
        found.append(await running.enter_async_context(relay(core, origin, NATIVE["gemini"])))
        settings = {"gemini": {"BASE_URL": origin.url}}
        env = {"FERRY_UPSTREAM_CA_BUNDLE": str(origin.certificate)} if origin.certificate else {}
        found.append(await running.enter_async_context(ferry(folder, core, settings, env)))
        yield found


@asynccontextmanager
async def _nginx(program: str, folder: Path, core: int, origin: Origin) -> AsyncIterator[Side]:
    port = free_port()
    configuration = folder / "nginx.conf"
    configuration.write_text(_NGINX.format(folder=folder, port=port, upstream=urlsplit(origin.url)))
    with on_cores([core]):
        process = await asyncio.create_subprocess_exec(
            program, "-p", str(folder), "-c", str(configuration), stderr=asyncio.subprocess.PIPE
        )
    try:
        assert process.stderr is not None
        async for line in process.stderr:
            if b"event method" in line:  # it listens by then
                break
        else:
            raise RuntimeError("nginx ended before it was ready")
        yield Side(NGINX, process.pid, f"http://127.0.0.1:{port}", NATIVE["gemini"])
    finally:
        process.kill()
        await process.wait()


@asynccontextmanager
async def relay(core: int, origin: Origin, headers: Mapping[str, str]) -> AsyncIterator[Side]:
    trusted = [str(origin.certificate)] if origin.certificate else []
    with on_cores([core]):
        process = await Process.start(
            "-m", "tests.benchmarks.side_by_side.relay", origin.url, *trusted, env={}, ready="url"
        )
    try:
        yield Side(RELAY, process.pid, process.url, headers)
    finally:
        await process.kill()


@asynccontextmanager
async def ferry(
    folder: Path, core: int, upstreams: Upstreams, env: Mapping[str, str] | None = None
) -> AsyncIterator[Side]:
    """The proxy, for requests to the first provider of `upstreams`."""
    async with ferry_process(folder, [core], upstreams, env) as process:
        yield ferry_side(process, next(iter(upstreams)))


@asynccontextmanager
async def ferry_process(
    folder: Path,
    cores: Sequence[int],
    upstreams: Upstreams,
    env: Mapping[str, str] | None = None,
    program: str = "proxy",
) -> AsyncIterator[Process]:
    with on_cores(cores):
        process = await start_proxy(folder / "state", upstreams, env, program)
    try:
        yield process
    finally:
        await process.stop()


def ferry_side(process: Process, kind: str, name: str = FERRY) -> Side:
    return Side(name, process.pid, process.url, headers_for(kind), "/genai")


def headers_for(kind: str) -> dict[str, str]:
    """What the proxy needs in a request to that provider."""
    return {"x-goog-api-key": KEYS[kind], "x-model-provider": kind}
