"""`python -m tests.demo`: exits with 0 if everything worked, otherwise with 1.

With `--proxy URL NAME...` it uses a proxy that runs already, and these providers of it.
A name ends in its kind: `demo-openai`.
"""

import argparse
import asyncio
import sys
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import google.genai
from google import genai
from google.genai import types
from google.genai._common import ExperimentalWarning

from tests.demo.narration import heading, say, show, step
from tests.demo.questions import (
    Lines,
    anthropic_lines,
    bedrock_lines,
    mistral_lines,
    openai_lines,
)
from tests.demo.tour import DemoFailed, Tour
from tests.fakes.aws_keys import LONG_TERM
from tests.processes import fake, proxy, upstream_settings


@dataclass(frozen=True)
class Stop:
    """One provider of the demo. `key` has the form that its fake requires, like the real one.

    `settings` are the proxy's settings for this provider. `job_size` is the provider's minimum of
    requests in a batch, if the proxy runs smaller batches itself.
    """

    provider: str
    key: str
    model: str
    embedding_model: str | None
    native_lines: Lines | None
    settings: Mapping[str, str] = field(default_factory=dict)
    job_size: int | None = None


STOPS = (
    Stop("gemini", "AIza-demo", "gemini-2.5-flash", "gemini-embedding-001", None),
    Stop("openai", "sk-demo", "gpt-4o-mini", "text-embedding-3-small", openai_lines),
    Stop("anthropic", "sk-ant-api-demo", "claude-haiku-4-5", None, anthropic_lines),
    Stop(
        "mistral",
        "TheKeyOfAWorkspaceOfTheMakeDemo0",
        "mistral-small-latest",
        "mistral-embed",
        mistral_lines,
    ),
    Stop(
        "bedrock",
        LONG_TERM.api_key,
        "anthropic.claude-haiku-4-5-20251001-v1:0",
        "amazon.titan-embed-text-v2:0",
        bedrock_lines,
        {"IMMEDIATE_BATCHES": "small"},
        job_size=100,
    ),
)


async def demo(stops: Sequence[Stop]) -> int:
    """Run the demo; returns the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        async with AsyncExitStack() as stack:
            fakes = {
                stop.provider: await stack.enter_async_context(fake(stop.provider))
                for stop in stops
            }
            upstreams = {
                stop.provider: {**upstream_settings(fakes[stop.provider]), **stop.settings}
                for stop in stops
            }
            ferry = await stack.enter_async_context(proxy(Path(folder) / "state", upstreams))
            _introduce(ferry.url)
            say("Behind the proxy stand fakes:")
            for name, process in fakes.items():
                show(f"{name:<10}", process.url)
            try:
                for stop in stops:
                    await asyncio.to_thread(_show_provider, stop, ferry.url, Path(folder))
            except Exception as error:
                _show_failure(error)
                step("The proxy's log:")
                show(ferry.output.replace("\n", "\n    "))
                return 1
    _conclude(stops)
    return 0


def demo_at(proxy_url: str, stops: Sequence[Stop]) -> int:
    """Run the demo against a proxy that runs already; returns the exit code."""
    _introduce(proxy_url)
    with tempfile.TemporaryDirectory() as folder:
        try:
            for stop in stops:
                _show_provider(stop, proxy_url, Path(folder))
        except Exception as error:
            _show_failure(error)
            return 1
    _conclude(stops)
    return 0


def _introduce(proxy_url: str) -> None:
    heading("genai-ferry")
    say(f"\nA program written against google-genai {google.genai.__version__} points base_url at")
    show(f"{proxy_url}/genai")
    say("and names a provider in the header x-model-provider.")


def _conclude(stops: Sequence[Stop]) -> None:
    heading("done")
    say(f"\nOne program, {len(stops)} providers, and every result was checked.")


def _show_provider(stop: Stop, proxy_url: str, folder: Path) -> None:
    heading(f"x-model-provider: {stop.provider}")
    client = genai.Client(
        api_key=stop.key,
        http_options=types.HttpOptions(
            base_url=f"{proxy_url}/genai", headers={"x-model-provider": stop.provider}
        ),
    )
    try:
        Tour(
            client, stop.model, stop.embedding_model, stop.native_lines, stop.job_size, folder
        ).run()
    finally:
        client.close()


def _show_failure(error: Exception) -> None:
    heading("the demo failed")
    step(str(error) if isinstance(error, DemoFailed) else f"{type(error).__name__}: {error}")


def _stop_named(name: str) -> Stop:
    kinds = {stop.provider: stop for stop in STOPS}
    kind = name.rpartition("-")[2]
    if kind not in kinds:
        raise argparse.ArgumentTypeError(f"{name} does not end in one of {', '.join(kinds)}")
    return replace(kinds[kind], provider=name)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.demo",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--proxy", metavar="URL")
    parser.add_argument("stops", metavar="NAME", nargs="*", type=_stop_named)
    chosen = parser.parse_args()
    if bool(chosen.proxy) != bool(chosen.stops):
        parser.error("--proxy and the names of its providers are given together")
    # The SDK warns that its embeddings may change, which does not matter here.
    warnings.filterwarnings("ignore", category=ExperimentalWarning)
    return demo_at(chosen.proxy, chosen.stops) if chosen.proxy else asyncio.run(demo(STOPS))


if __name__ == "__main__":
    sys.exit(main())
