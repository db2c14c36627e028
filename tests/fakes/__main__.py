"""`python -m tests.fakes FAKE [--host H] [--port N]`: serve one fake until a signal ends it.

Bedrock's starts an S3 of its own too (`--s3-port N`); `--min-records N` is the service's quota.
"""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from aiohttp import web

from .anthropic import anthropic_app
from .bedrock import LONG_TERM, REGION, ROLE_ARN, serving_bedrock
from .gemini import gemini_app
from .listening import listening
from .mistral import mistral_app
from .openai import completions_app, openai_app
from .s3 import FILES_BUCKET, s3_app

FAKES: dict[str, tuple[Callable[[], web.Application], str]] = {
    "gemini": (gemini_app, ""),
    "openai": (openai_app, "/v1"),
    "completions": (completions_app, "/v1"),
    "mistral": (mistral_app, "/v1"),
    "s3": (s3_app, ""),
    "anthropic": (anthropic_app, ""),
}
BEDROCK = "bedrock"


@asynccontextmanager
async def serving(chosen: argparse.Namespace) -> AsyncIterator[Mapping[str, str]]:
    """What to print about the fake that listens."""
    make_app, base = FAKES[chosen.fake]
    async with listening(make_app(), chosen.host, chosen.port) as origin:
        yield {"url": origin + base, "control": origin}


@asynccontextmanager
async def serving_both(chosen: argparse.Namespace) -> AsyncIterator[Mapping[str, str]]:
    """What to print about Bedrock and its S3, with everything that a proxy's settings need."""
    async with serving_bedrock(
        chosen.host, chosen.port, chosen.s3_port, min_records=chosen.min_records
    ) as both:
        yield {
            "url": both.url,
            "control": both.url,
            "s3_url": both.s3_url,
            "s3_uri": f"s3://{FILES_BUCKET}",
            "region": REGION,
            "role_arn": ROLE_ARN,
            "api_key": LONG_TERM.api_key,
        }


@asynccontextmanager
async def serving_chosen(arguments: Sequence[str]) -> AsyncIterator[Mapping[str, str]]:
    """The fake that the command line asks for; yields what the command prints about it."""
    chosen = _parser().parse_args(arguments)
    start = serving_both if chosen.fake == BEDROCK else serving
    async with start(chosen) as told:
        yield {"fake": chosen.fake, **told}


async def serve(arguments: Sequence[str]) -> None:
    """Print `{"fake", "url", "control", ...}` once it listens; end on SIGINT or SIGTERM."""
    async with serving_chosen(arguments) as told:
        print(json.dumps(told), flush=True)
        ended = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, ended.set)
        await ended.wait()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fakes", description=__doc__)
    parser.add_argument("fake", choices=[*FAKES, BEDROCK])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--s3-port", type=int, default=0)
    parser.add_argument("--min-records", type=int, default=100)
    return parser


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1:]))
