"""A web page that uses the JavaScript SDK's web build, and the browser that shows it."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.test_utils import TestServer
from aiohttp.typedefs import Handler

from tests.end_to_end.programs import require_program
from tests.end_to_end.sdk_process import HERE, JAVASCRIPT

_MODULES: Final = HERE / "javascript" / "node_modules"
_SDK: Final = _MODULES / "@google" / "genai" / "dist" / "web" / "index.mjs"

# The SDK's only dependency, which browsers cannot load: it is CommonJS.
_COMMON_JS: Final = {
    "./retry_operation": "retry/lib/retry_operation.js",
    "./lib/retry": "retry/lib/retry.js",
    "retry": "retry/index.js",
    "p-retry": "p-retry/index.js",
}

# The program and its package.
_CHROMIUM: Final = ("chromium", "chromium")
_SWITCHES: Final = (
    "--headless",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-sync",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--no-default-browser-check",
)

SEEN_SECONDS: Final = 60


class WebPage:
    """A page on one port, with different origins as `localhost` and as 127.0.0.1."""

    def __init__(self, port: int, seen: dict[str, asyncio.Future[Any]]) -> None:
        self.origin = f"http://127.0.0.1:{port}"
        self.other_origin = f"http://localhost:{port}"
        self._seen = seen

    async def seen(self, origin: str, folder: Path, asked: Mapping[str, str]) -> Any:
        """Runs the page of that origin in a browser; returns what the page posts."""
        seen = self._seen[origin] = asyncio.get_running_loop().create_future()
        async with _browser(f"{origin}/?{urlencode(asked)}", folder):
            async with asyncio.timeout(SEEN_SECONDS):
                return await seen


@asynccontextmanager
async def web_page() -> AsyncIterator[WebPage]:
    JAVASCRIPT.require()
    require_program(*_CHROMIUM)
    seen: dict[str, asyncio.Future[Any]] = {}

    async def take(request: web.Request) -> web.Response:
        seen[request.headers["Origin"]].set_result(await request.json())
        return web.Response()

    app = web.Application()
    app.router.add_get("/", _file(HERE / "browser" / "index.html"))
    app.router.add_get("/page.mjs", _file(HERE / "browser" / "page.mjs"))
    app.router.add_get("/sdk.mjs", _file(_SDK))
    app.router.add_get("/p-retry.mjs", _p_retry)
    app.router.add_post("/seen", take)
    async with TestServer(app, host="127.0.0.1") as server:
        yield WebPage(server.port or 0, seen)


def _file(path: Path) -> Handler:
    async def answer(_: web.Request) -> web.StreamResponse:
        kind = "text/html" if path.suffix == ".html" else "text/javascript"
        return web.FileResponse(path, headers={"Content-Type": f"{kind}; charset=utf-8"})

    return answer


async def _p_retry(_: web.Request) -> web.Response:
    """The packages unchanged, each in a function as in CommonJS."""
    parts = ["const made = {};", "const require = (name) => made[name];"]
    for name, path in _COMMON_JS.items():
        text = (_MODULES / path).read_text()
        parts.append(f"{{ const module = {{ exports: {{}} }};\n((exports) => {{ {text}\n}})")
        parts.append(f"(module.exports); made[{json.dumps(name)}] = module.exports; }}")
    parts.append('export default made["p-retry"];')
    return web.Response(text="\n".join(parts), content_type="text/javascript")


@asynccontextmanager
async def _browser(url: str, folder: Path) -> AsyncIterator[None]:
    """Debian's Chromium with an empty profile in `folder`, and a process group of its own."""
    program = require_program(*_CHROMIUM)
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    process = await asyncio.create_subprocess_exec(
        program,
        *_SWITCHES,
        *as_root,
        f"--user-data-dir={folder}",
        url,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
