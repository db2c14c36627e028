"""`python -m tests.benchmarks.side_by_side.peers`: small answers and streams beside LiteLLM and
Portkey.

The same calls to the same upstream, each gateway as it is installed: `make bench-peers` puts them
into an environment of their own. It writes `tests/benchmarks/report/peers.md`.
"""

import asyncio
import json
import secrets
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.benchmarks.side_by_side import load
from tests.benchmarks.side_by_side.figures import CPU, Figure, Reach, not_measured
from tests.benchmarks.side_by_side.machine import measured_on
from tests.benchmarks.side_by_side.plan import FULL
from tests.benchmarks.side_by_side.prompt_load import answers, streams
from tests.benchmarks.side_by_side.prompt_rows import (
    EVENTS_A_SECOND,
    event_figure,
    event_upstream,
    stream_prompt,
    whole_prompt,
)
from tests.benchmarks.side_by_side.sides import (
    FERRY,
    NATIVE,
    Side,
    ferry,
    on_cores,
    usable_cores,
)
from tests.benchmarks.side_by_side.small_rows import CONNECTIONS, Call, prepare, small_figure
from tests.benchmarks.side_by_side.table import REPORT, explanation, line, rows
from tests.benchmarks.side_by_side.turns import Compared, compare
from tests.benchmarks.stage import KEYS
from tests.processes import clean_environment, fake, free_port, upstream_settings

KIND: Final = "openai"
_ROOT: Final = Path(__file__).parents[3]
_FOLDER: Final = Path(__file__).parents[1] / "peers"
_LITELLM: Final = _ROOT / ".venv-peers"
_PORTKEY: Final = _FOLDER / "node_modules/@portkey-ai/gateway"
_KEY: Final = f"sk-{secrets.token_hex(32)}"
_START_SECONDS: Final = 120


@dataclass(frozen=True)
class Peer:
    """`version` is None if it is not installed; `run` starts it before an upstream, on a core.

    `calls` are those of one reading: more of a gateway that takes less time for each.
    """

    name: str
    reach: Reach
    calls: int
    version: Callable[[], str | None]
    run: Callable[[str, int], AbstractAsyncContextManager[Side]]


def _litellm_version() -> str | None:
    found = list(_LITELLM.glob("lib/python*/site-packages/litellm-*.dist-info"))
    return found[0].name.removesuffix(".dist-info").rpartition("-")[2] if found else None


def _portkey_version() -> str | None:
    described = _PORTKEY / "package.json"
    if shutil.which("node") is None or not described.exists():
        return None
    return str(json.loads(described.read_text())["version"])


@asynccontextmanager
async def _litellm(upstream: str, core: int) -> AsyncIterator[Side]:
    env = {
        "LITELLM_MASTER_KEY": _KEY,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "OPENAI_API_KEY": KEYS[KIND],
        "OPENAI_API_BASE": upstream,
        "OPENAI_BASE_URL": upstream,
    }
    port = free_port()
    command = [str(_LITELLM / "bin/litellm"), "--config", str(_FOLDER / "litellm.yaml")]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    headers = {"Authorization": f"Bearer {_KEY}", "custom-llm-provider": KIND}
    async with _running(command, env, core, b"Uvicorn running") as pid:
        yield Side(f"LiteLLM {_litellm_version()}", pid, f"http://127.0.0.1:{port}", headers, "/v1")


@asynccontextmanager
async def _portkey(upstream: str, core: int) -> AsyncIterator[Side]:
    port = free_port()
    command = ["node", str(_PORTKEY / "build/start-server.js"), f"--port={port}", "--headless"]
    headers = {**NATIVE[KIND], "x-portkey-provider": KIND, "x-portkey-custom-host": upstream}
    async with _running(command, {}, core, b"Ready for connections") as pid:
        yield Side(f"Portkey {_portkey_version()}", pid, f"http://127.0.0.1:{port}", headers, "/v1")


PEERS: Final = (
    Peer("LiteLLM", Reach("≤", 1 / 30), 40, _litellm_version, _litellm),
    Peer("Portkey", Reach("≤", 1 / 3), 500, _portkey_version, _portkey),
)


@asynccontextmanager
async def _running(
    command: list[str], env: Mapping[str, str], core: int, ready: bytes
) -> AsyncIterator[int]:
    """The process's id, once it has written `ready`."""
    with on_cores([core]):
        process = await asyncio.create_subprocess_exec(
            *command,
            env={**clean_environment(), **env},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd="/",  # LiteLLM also imports what is two folders above
        )
    output, written = process.stdout, b""
    assert output is not None
    try:
        async with asyncio.timeout(_START_SECONDS):
            while ready not in written:
                if not (text := await output.readline()):
                    raise RuntimeError(f"{command[0]} ended:\n{written[-2000:].decode()}")
                written += text
        discarding = asyncio.create_task(_discard(output))
        yield process.pid
        discarding.cancel()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _discard(output: asyncio.StreamReader) -> None:
    while await output.read(1 << 16):
        pass


async def figures(turns: int) -> AsyncIterator[Figure]:
    cores = usable_cores()
    for peer in PEERS:
        if peer.version() is None:
            yield not_measured("small answers", CPU, f"{peer.name} is not installed", peer.reach)
            continue
        with on_cores([cores[-1]]), tempfile.TemporaryDirectory() as folder:
            async with (
                fake(KIND) as origin,
                ferry(Path(folder), cores[0], {KIND: upstream_settings(origin)}) as side,
            ):
                made = await asyncio.to_thread(prepare, KIND, origin, side)
                async with peer.run(origin.url, cores[0]) as other:
                    for call in made:
                        compared = await _compared(other, side, call, peer.calls, turns)
                        yield small_figure(f"{KIND} {call.name}", compared, peer.calls, peer.reach)
            try:
                async for figure in _prompts(peer, Path(folder) / "prompts", cores[0], turns):
                    yield figure
            except RuntimeError as error:
                yield not_measured("the rest of the prompts", CPU, str(error), peer.reach)


async def _prompts(peer: Peer, folder: Path, core: int, turns: int) -> AsyncIterator[Figure]:
    """A whole answer, and an event of a stream."""
    rate = EVENTS_A_SECOND
    async with (
        event_upstream(KIND, rate, rate) as origin,
        ferry(folder, core, {KIND: {"BASE_URL": origin.url}}) as side,
        peer.run(origin.url, core) as other,
    ):

        def ask(asked: Side) -> None:
            answers(asked, whole_prompt(KIND, asked), peer.calls, CONNECTIONS)

        def read(asked: Side) -> None:
            streams(asked, stream_prompt(KIND, asked), CONNECTIONS)

        whole = await asyncio.to_thread(compare, [other, side], ask, turns)
        yield small_figure(f"{KIND} prompt, whole answer", whole, peer.calls, peer.reach)
        event = await asyncio.to_thread(compare, [other, side], read, turns)
        name = f"{KIND} prompt, event of a stream"
        yield event_figure(name, event, rate * CONNECTIONS, peer.reach)


async def _compared(peer: Side, side: Side, call: Call, calls: int, turns: int) -> Compared:
    def work(asked: Side) -> None:
        path = call.path if asked is side else call.native.path
        load.asks(asked, "GET", path, calls, CONNECTIONS)

    return await asyncio.to_thread(compare, [peer, side], work, turns)


def markdown(found: list[Figure], measured: str) -> str:
    return "\n".join(
        (
            f"# {FERRY} beside LiteLLM and Portkey",
            "",
            measured,
            "Repeat it with `make bench-peers`, which installs both. They get the same calls, with",
            "their own settings as they are installed, and the same upstream.",
            "",
            *explanation(),
            "",
            *rows(found),
            "",
        )
    )


async def run() -> None:
    found = []
    async for figure in figures(FULL.turns):
        print(line(figure), flush=True)
        found.append(figure)
    REPORT.mkdir(exist_ok=True)
    (REPORT / "peers.md").write_text(markdown(found, measured_on()))


if __name__ == "__main__":
    sys.exit(asyncio.run(run()))
