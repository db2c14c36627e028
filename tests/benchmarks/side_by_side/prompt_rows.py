"""Rows of single requests to a model: the cost of an answer and of a stream's event, and lag."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from tests.benchmarks.batches import MODELS
from tests.benchmarks.ratios import FEWEST, NOISE
from tests.benchmarks.side_by_side.event_upstream import ANSWERS
from tests.benchmarks.side_by_side.figures import CPU, THROUGHPUT, Figure, Reach
from tests.benchmarks.side_by_side.plan import Plan
from tests.benchmarks.side_by_side.prompt_load import Prompt, answers, first_token, lags, streams
from tests.benchmarks.side_by_side.sides import FERRY, NATIVE, Origin, Side, ferry, relay
from tests.benchmarks.side_by_side.small_rows import CONNECTIONS, small_figure
from tests.benchmarks.side_by_side.turns import Compared, compare, spread
from tests.fakes.bedrock import REGION, ROLE_ARN
from tests.fakes.s3 import BUCKET
from tests.processes import Process

DIRECT: Final = "the provider itself"
EVENTS_A_SECOND: Final = 200
STREAMS: Final = 20
"""At once, each of which lasts for a second: so fast that a reading is short, and yet each event
comes by itself."""

OPEN_EVENTS_A_SECOND: Final = 20
_REPEATS: Final = 3
_CPU: Final = Reach("≤", 2.0)
_FIRST: Final = Reach("≤", 3.0)
_LAG: Final = Reach("≤", 50.0)

_OF_OPENAI: Final = {"messages": [{"role": "user", "content": "hi"}]}
_OF_CLAUDE: Final = {
    "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
    "max_tokens": 1000,
}
_OF_BEDROCK: Final = {"messages": [{"role": "user", "content": [{"text": "hi"}]}]}
_CONTENTS: Final = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
_IN_THE_BODY: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "openai": ("/chat/completions", _OF_OPENAI),
    "mistral": ("/chat/completions", _OF_OPENAI),
    "anthropic": ("/v1/messages", _OF_CLAUDE),
}
"""The paths and bodies of the providers that are asked for a stream in the body."""


async def prompt_rows(plan: Plan) -> AsyncIterator[Figure]:
    for kind in ANSWERS:
        if plan.wants(name := f"{kind} prompt, whole answer"):
            yield await _whole(plan, name, kind)
        if plan.wants(name := f"{kind} prompt, event of a stream"):
            yield await _event(plan, name, kind)
    for kind in ("openai", "anthropic"):
        if plan.wants(name := f"{kind} prompt, first token"):
            yield await _first_token(plan, name, kind)
        if plan.wants(name := f"{kind} prompt, one stream at full speed"):
            yield await _full_speed(plan, name, kind)
        count, rate = plan.size.streams, OPEN_EVENTS_A_SECOND
        if plan.wants(name := f"{kind} prompt, {count} streams of {rate} events a second"):
            yield await _open_streams(plan, name, kind)


async def _whole(plan: Plan, name: str, kind: str) -> Figure:
    calls = plan.size.calls
    async with _sides(plan, kind, 1) as (origin, side), _relay(plan, origin) as bare:

        def work(asked: Side) -> None:
            answers(asked, whole_prompt(kind, asked), calls, CONNECTIONS)

        compared = await asyncio.to_thread(compare, [bare, side], work, plan.size.turns)
    return small_figure(name, compared, calls, _CPU)


async def _event(plan: Plan, name: str, kind: str) -> Figure:
    rate = EVENTS_A_SECOND
    async with _sides(plan, kind, rate, rate) as (origin, side), _relay(plan, origin) as bare:

        def work(asked: Side) -> None:
            streams(asked, stream_prompt(kind, asked), STREAMS)

        compared = await asyncio.to_thread(compare, [bare, side], work, plan.size.turns)
    return event_figure(name, compared, rate * STREAMS, _CPU)


def event_figure(name: str, compared: Compared, events: int, reach: Reach) -> Figure:
    details = f"{compared.reference}: {compared.reference_cpu() / events * 1e6:.0f} µs/event"
    return compared.figure(name, CPU, FERRY, reach, details)


async def _full_speed(plan: Plan, name: str, kind: str) -> Figure:
    count = plan.size.events
    async with _sides(plan, kind, count) as (origin, side):

        def work(asked: Side) -> None:
            streams(asked, stream_prompt(kind, asked), 1)

        compared = await asyncio.to_thread(compare, [origin, side], work, plan.size.turns)
    walls = [turn.others[FERRY].wall for turn in compared.turns]
    details = f"{FERRY}: {count / spread(walls).median:.0f} events/s"
    return compared.figure(name, THROUGHPUT, FERRY, None, details)


async def _first_token(plan: Plan, name: str, kind: str) -> Figure:
    """Beside the same request to the upstream, before and after it in each turn."""
    count, direct, more = plan.size.calls // 10, [], []
    async with _sides(plan, kind, 1) as (origin, side):
        for _ in range(plan.size.turns):
            before, through, after = [
                await asyncio.to_thread(first_token, asked, stream_prompt(kind, asked), count)
                for asked in (origin, side, origin)
            ]
            if abs(before - after) <= NOISE * min(before, after):
                direct.append(before * 1000)
                more.append((through - before) * 1000)
    measure, void = "time over the provider's", plan.size.turns - len(more)
    found = spread(more) if len(more) >= min(FEWEST, plan.size.turns) else None
    details = f"{DIRECT}: {spread(direct).median:.2f} ms" if found else ""
    return Figure(
        name, measure, "", found, _FIRST, "ms", turns=plan.size.turns, void=void, details=details
    )


async def _open_streams(plan: Plan, name: str, kind: str) -> Figure:
    """The lag of nearly all events; the direct one is what the load itself takes."""
    rate, count = OPEN_EVENTS_A_SECOND, plan.size.streams
    found, direct, busy = [], [], []
    async with _sides(plan, kind, rate * plan.size.stream_seconds, rate) as (origin, side):
        for _ in range(_REPEATS):
            direct.append(await _late(origin, kind, count))
            cpu, loop = side.cpu_seconds(), asyncio.get_running_loop()
            began = loop.time()
            found.append(await _late(side, kind, count))
            busy.append((side.cpu_seconds() - cpu) / (loop.time() - began) * 100)
    details = f"{DIRECT}: {spread(direct).median:.1f} ms; {spread(busy).median:.0f} % of the core"
    measure = "lag, 99 % of events"
    return Figure(name, measure, "", spread(found), _LAG, "ms", turns=len(found), details=details)


async def _late(side: Side, kind: str, count: int) -> float:
    """In ms: the lag that 1 % of the events exceed."""
    found = await lags(side, stream_prompt(kind, side), count)
    return found[int(len(found) * 0.99)] * 1000


# --- what is asked --------------------------------------------------------------------------------


def whole_prompt(kind: str, side: Side) -> Prompt:
    if side.name == FERRY or kind == "gemini":
        return Prompt(f"/v1beta/models/{MODELS[kind]}:generateContent", _json(_CONTENTS))
    if kind == "bedrock":
        return Prompt(f"/model/{quote(MODELS[kind], safe='')}/converse", _json(_OF_BEDROCK))
    path, body = _IN_THE_BODY[kind]
    return Prompt(path, _json({"model": MODELS[kind], **body}))


def stream_prompt(kind: str, side: Side) -> Prompt:
    if side.name == FERRY or kind == "gemini":
        path = f"/v1beta/models/{MODELS[kind]}:streamGenerateContent?alt=sse"
        return Prompt(path, _json(_CONTENTS))
    if kind == "bedrock":
        return Prompt(f"/model/{quote(MODELS[kind], safe='')}/converse-stream", _json(_OF_BEDROCK))
    path, body = _IN_THE_BODY[kind]
    return Prompt(path, _json({"model": MODELS[kind], "stream": True, **body}))


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document).encode()


# --- the sides ------------------------------------------------------------------------------------


@asynccontextmanager
async def _sides(
    plan: Plan, kind: str, events: int, rate: float = 0
) -> AsyncIterator[tuple[Side, Side]]:
    """The upstream, which can be asked directly, and the proxy in front of it."""
    async with event_upstream(kind, events, rate) as process:
        origin = Side(DIRECT, process.pid, process.url, NATIVE[kind])
        with tempfile.TemporaryDirectory() as folder:
            settings = {"BASE_URL": process.url}
            if kind == "bedrock":
                settings |= {"REGION": REGION, "ROLE_ARN": ROLE_ARN, "S3_URI": f"s3://{BUCKET}"}
            async with ferry(Path(folder), plan.core, {kind: settings}) as side:
                yield origin, side


@asynccontextmanager
async def event_upstream(kind: str, events: int, rate: float = 0) -> AsyncIterator[Process]:
    command = ["-m", "tests.benchmarks.side_by_side.event_upstream", kind]
    command += ["--events", str(events), "--rate", str(rate)]
    process = await Process.start(*command, env={}, ready="url")
    try:
        yield process
    finally:
        await process.kill()


def _relay(plan: Plan, origin: Side) -> Any:
    return relay(plan.core, Origin(origin.url), origin.headers)
