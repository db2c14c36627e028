"""The processes that are compared, each on the core of the measured process."""

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from tests.benchmarks.measurement import memory
from tests.benchmarks.stage import KEYS
from tests.processes import Process, Upstreams, free_port, start_proxy

NGINX, RELAY, FERRY = "nginx", "bare relay", "genai-ferry"

# What an upstream needs of a client that speaks to it directly.
_NATIVE: Final[Mapping[str, Mapping[str, str]]] = {
    "gemini": {"x-goog-api-key": KEYS["gemini"]},
    "openai": {"Authorization": f"Bearer {KEYS['openai']}"},
    "anthropic": {
        "x-api-key": KEYS["anthropic"],
        "anthropic-version": "2023-06-01",
        "anthropic-beta": "files-api-2025-04-14",
    },
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
        server {upstream};
        keepalive 64;
        keepalive_requests 1000000;
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://origin;
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


def installed_nginx() -> str | None:
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def cores() -> tuple[int, int]:
    """The measured process's and the load's: one core is both if there is no other."""
    usable = sorted(os.sched_getaffinity(os.getpid()))
    return usable[0], usable[-1]


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """This thread, and the threads and processes that it starts in the block, run on that core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@asynccontextmanager
async def upstream() -> AsyncIterator[str]:
    process = await Process.start(
        "-m", "tests.benchmarks.side_by_side.upstream", env={}, ready="url"
    )
    try:
        yield process.url
    finally:
        await process.kill()


@asynccontextmanager
async def sides(
    folder: Path, core: int, origin: str, upstreams: Upstreams, *, with_nginx: bool
) -> AsyncIterator[list[Side]]:
    """nginx if asked for and installed, the relay, and the proxy, all in front of `origin`.

    `upstreams` are the settings of the one provider that the proxy has.
    """
    (kind,) = upstreams
    async with AsyncExitStack() as running:
        found = []
        if with_nginx and (program := installed_nginx()) is not None:
            nginx = _nginx(program, folder, core, origin, kind)
            found.append(await running.enter_async_context(nginx))
        found.append(await running.enter_async_context(_relay(core, origin, kind)))
        found.append(await running.enter_async_context(_ferry(folder, core, upstreams, kind)))
        yield found


@asynccontextmanager
async def _nginx(
    program: str, folder: Path, core: int, origin: str, kind: str
) -> AsyncIterator[Side]:
    port = free_port()
    configuration = folder / "nginx.conf"
    text = _NGINX.format(folder=folder, port=port, upstream=urlsplit(origin).netloc)
    configuration.write_text(text)
    with on_core(core):
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
        yield Side(NGINX, process.pid, f"http://127.0.0.1:{port}", _NATIVE[kind])
    finally:
        process.kill()
        await process.wait()


@asynccontextmanager
async def _relay(core: int, origin: str, kind: str) -> AsyncIterator[Side]:
    with on_core(core):
        process = await Process.start(
            "-m", "tests.benchmarks.side_by_side.relay", origin, env={}, ready="url"
        )
    try:
        yield Side(RELAY, process.pid, process.url, _NATIVE[kind])
    finally:
        await process.kill()


@asynccontextmanager
async def _ferry(folder: Path, core: int, upstreams: Upstreams, kind: str) -> AsyncIterator[Side]:
    with on_core(core):
        process = await start_proxy(folder / "state", upstreams)
    headers = {"x-goog-api-key": KEYS[kind], "x-model-provider": kind}
    try:
        yield Side(FERRY, process.pid, process.url, headers, "/genai")
    finally:
        await process.stop()
