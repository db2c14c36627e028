"""`python -m tests.fakes FAKE [--host H] [--port N]`: serve one fake until it is told to end."""

import argparse
import asyncio
import json
import signal
from collections.abc import Callable

from aiohttp import web

from .anthropic import anthropic_app
from .gemini import gemini_app
from .openai import openai_app
from .s3 import s3_app

FAKES: dict[str, tuple[Callable[[], web.Application], str]] = {
    "gemini": (gemini_app, ""),
    "openai": (openai_app, "/v1"),
    "s3": (s3_app, ""),
    "anthropic": (anthropic_app, ""),
}


async def serve(name: str, host: str, port: int) -> None:
    """Print `{"fake", "url", "control"}` once the port listens; end on SIGINT or SIGTERM."""
    make_app, base = FAKES[name]
    runner = web.AppRunner(
        make_app(), access_log=None, handler_cancellation=True, shutdown_timeout=1
    )
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    await site.start()
    bound = runner.addresses[0][1]
    origin = f"http://{host}:{bound}"
    print(json.dumps({"fake": name, "url": origin + base, "control": origin}), flush=True)
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await ended.wait()
    await runner.cleanup()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fakes", description=__doc__)
    parser.add_argument("fake", choices=FAKES)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    chosen = parser.parse_args()
    asyncio.run(serve(chosen.fake, chosen.host, chosen.port))


if __name__ == "__main__":
    main()
