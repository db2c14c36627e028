"""Debian's nginx in front of the proxy, configured as deploy/docs/reverse-proxies.md shows."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.end_to_end.programs import require_program
from tests.processes import START_SECONDS, STOP_SECONDS, free_port
from tests.test_documentation import ROOT, fenced_blocks

PAGE = ROOT / "deploy" / "docs" / "reverse-proxies.md"

# What the page leaves out: run in the foreground, and write below one folder.
_MAIN = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr notice;
events {{}}
http {{
    client_body_temp_path {folder}/client_body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/ferry.conf;
}}
"""


READ_TIMEOUT = "15m"
"""The page's: how long nginx waits for the next byte of an answer."""


@asynccontextmanager
async def nginx(
    folder: Path, *ferry_urls: str, read_timeout: str = READ_TIMEOUT
) -> AsyncIterator[str]:
    """The address at which nginx serves the proxies at `ferry_urls`; it logs to `access.log`."""
    program = require_program("nginx", "nginx-light")
    port = free_port()
    (folder / "ferry.conf").write_text(_page_configuration(folder, ferry_urls, port, read_timeout))
    main = folder / "nginx.conf"
    main.write_text(_MAIN.format(folder=folder))
    process = await asyncio.create_subprocess_exec(
        program, "-p", str(folder), "-c", str(main), stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(START_SECONDS):
            await _started(process.stderr)
        reading = asyncio.create_task(process.stderr.read())
        yield f"http://127.0.0.1:{port}"
    finally:
        if process.returncode is None:
            process.terminate()
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    await reading


def _page_configuration(
    folder: Path, ferry_urls: Sequence[str], port: int, read_timeout: str
) -> str:
    """The page's configuration, with this test's addresses, log path and timeout."""
    (text,) = fenced_blocks(PAGE, "nginx")
    servers = [f"server {urlsplit(url).netloc};" for url in ferry_urls]
    for written, here in {
        "listen 80;": f"listen 127.0.0.1:{port};",
        "server 127.0.0.1:8080;": " ".join(servers),
        f"proxy_read_timeout {READ_TIMEOUT};": f"proxy_read_timeout {read_timeout};",
        "/var/log/nginx/ferry.log": str(folder / "access.log"),
    }.items():
        assert text.count(written) == 1, written
        text = text.replace(written, here)
    return text


async def _started(notices: asyncio.StreamReader) -> None:
    """Waits until nginx says that it has a worker, which it starts once it listens."""
    lines = []
    async for line in notices:
        lines.append(line.decode())
        if "start worker process " in lines[-1]:
            return
    raise RuntimeError("nginx ended: " + "".join(lines))
