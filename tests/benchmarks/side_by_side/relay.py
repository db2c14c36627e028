"""The least that aiohttp can do as a relay: the floor for a proxy that is written with it.

`python -m tests.benchmarks.side_by_side.relay UPSTREAM [CERTIFICATE]` prints a line of JSON with
its URL. CERTIFICATE is a file with the one that the upstream shows.
"""

import asyncio
import json
import ssl
import sys

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector, web
from yarl import URL

from proxy.allocator import keep_freed_memory

_NOT_RELAYED = ("Host", "Connection", "Content-Length", "Transfer-Encoding", "Server", "Date")
BUFFER = 64 << 10


async def serve(upstream: str, certificate: str | None = None) -> None:
    session = ClientSession(
        connector=TCPConnector(limit=0, ssl=ssl.create_default_context(cafile=certificate)),
        timeout=ClientTimeout(total=None),
        auto_decompress=False,
        cookie_jar=DummyCookieJar(),
        read_bufsize=BUFFER,
    )

    async def relay(request: web.BaseRequest) -> web.StreamResponse:
        headers = {n: v for n, v in request.headers.items() if n not in _NOT_RELAYED}
        if request.content_length is not None:
            headers["Content-Length"] = str(request.content_length)
        body = request.content if request.body_exists else None
        url = URL(upstream + request.path_qs, encoded=True)
        async with session.request(request.method, url, headers=headers, data=body) as answer:
            kept = {n: v for n, v in answer.headers.items() if n not in _NOT_RELAYED}
            response = web.StreamResponse(status=answer.status, headers=kept)
            response.content_length = answer.content_length
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
            await response.write_eof()
        return response

    runner = web.ServerRunner(web.Server(relay, access_log=None, read_bufsize=BUFFER))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(json.dumps({"url": f"http://127.0.0.1:{runner.addresses[0][1]}"}), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    keep_freed_memory()
    asyncio.run(serve(*sys.argv[1:]))
