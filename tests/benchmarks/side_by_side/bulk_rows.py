"""Rows in which bytes flow: beside nginx, and beside the proxy's own plain relay."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from tests.benchmarks.scale import MIB
from tests.benchmarks.side_by_side import load
from tests.benchmarks.side_by_side.figures import CPU, THROUGHPUT, Figure, Reach
from tests.benchmarks.side_by_side.plan import Plan
from tests.benchmarks.side_by_side.sides import (
    FERRY,
    Origin,
    Side,
    beside_nginx,
    ferry,
    headers_for,
    upstream,
)
from tests.benchmarks.side_by_side.turns import Compared, Work, compare
from tests.benchmarks.side_by_side.upload_protocols import BUCKET, OPENAI
from tests.processes import Upstreams
from tests.test_proxy.certificates import certificate

GIB: Final = 1 << 30
CONNECTIONS: Final = 16
GEMINI_CHUNKS: Final = "its own relay to Gemini"

_ONE: Final = (Reach("≤", 1.35), Reach("≥", 0.85))
_CHUNKS: Final = (Reach("≤", 1.5), Reach("≥", 0.75))
_MANY: Final = (Reach("≤", 1.45), Reach("≥", 0.75))
_STORED: Final = Reach("≤", 1.15)
_TLS: Final = (Reach("≤", 1.3), None)


async def beside_nginx_rows(plan: Plan) -> AsyncIterator[Figure]:
    bulk, chunk = plan.size.bulk, load.CHUNK
    one = partial(load.upload, size=bulk, chunk=bulk)
    chunks = partial(load.upload, size=bulk, chunk=chunk)
    many = partial(load.uploads, connections=CONNECTIONS, size=bulk, chunk=chunk)
    rows: dict[str, tuple[Work, tuple[Reach | None, Reach | None]]] = {
        f"gemini, upload of {bulk // MIB} MiB in one request": (one, _ONE),
        f"gemini, the same in chunks of {chunk // MIB} MiB": (chunks, _CHUNKS),
        f"gemini, the same on {CONNECTIONS} connections": (many, _MANY),
        f"gemini, download of {bulk // MIB} MiB": (partial(load.download, size=bulk), _ONE),
    }
    for name, (work, reaches) in rows.items():
        if plan.wants(name):
            compared = await _compared(plan, work)
            for figure in _figures(name, compared, bulk, reaches):
                yield figure


async def tls_rows(plan: Plan) -> AsyncIterator[Figure]:
    """The upstream speaks TLS; the client does not."""
    size = plan.size.tls
    rows: dict[str, Work] = {
        f"gemini, upload of {size // MIB} MiB to an upstream with TLS": partial(
            load.upload, size=size, chunk=size
        ),
        f"gemini, download of {size // MIB} MiB from an upstream with TLS": partial(
            load.download, size=size
        ),
    }
    for name, work in rows.items():
        if plan.wants(name):
            with tempfile.TemporaryDirectory() as folder:
                compared = await _compared(plan, work, certificate(Path(folder)))
            for figure in _figures(name, compared, size, _TLS):
                yield figure


async def _compared(plan: Plan, work: Work, shown: Path | None = None) -> Compared:
    """With new processes for each row, so that the peak of their memory is the row's."""
    with tempfile.TemporaryDirectory() as folder:
        async with (
            upstream(shown) as origin,
            beside_nginx(Path(folder), plan.core, origin) as found,
        ):
            return await asyncio.to_thread(compare, found, work, plan.size.turns)


def _figures(
    name: str, compared: Compared, size: int, reaches: tuple[Reach | None, Reach | None]
) -> list[Figure]:
    peaks = ", ".join(f"{side} {peak / MIB:.0f}" for side, peak in compared.peaks.items())
    details = f"{_seconds(compared, size)}. Peaks in MiB: {peaks}"
    return [
        compared.figure(name, CPU, FERRY, reaches[0], details),
        compared.figure(name, THROUGHPUT, FERRY, reaches[1]),
    ]


def _seconds(compared: Compared, size: int) -> str:
    return f"{compared.reference}: {compared.reference_cpu() / size * GIB:.3g} s/GiB"


# --- our own relay --------------------------------------------------------------------------------


def storing(origin: Origin) -> Upstreams:
    """Settings for all three providers whose upload protocols the upstream speaks."""
    return {
        "gemini": {"BASE_URL": origin.url},
        "openai": {"BASE_URL": origin.url + OPENAI},
        "bedrock": {
            "REGION": "us-east-1",
            "S3_URI": f"s3://{BUCKET}/files",
            "S3_ENDPOINT_URL": origin.url,
        },
    }


async def stored_chunks_rows(plan: Plan) -> AsyncIterator[Figure]:
    """One proxy: a chunk to OpenAI or to S3 against the same chunk to Gemini, which is relayed."""
    size, mib = plan.size.chunks, load.CHUNK // MIB
    all_names = {
        "openai": f"openai, chunks of {mib} MiB to the Uploads API",
        "bedrock": f"bedrock, chunks of {mib} MiB as parts in S3",
    }
    names = {kind: name for kind, name in all_names.items() if plan.wants(name)}
    if not names:
        return
    with tempfile.TemporaryDirectory() as folder:
        async with (
            upstream() as origin,
            ferry(Path(folder), plan.core, storing(origin)) as gemini,
        ):
            sides = [
                replace(gemini, name=GEMINI_CHUNKS),
                *(towards(gemini, kind) for kind in names),
            ]
            work = partial(load.upload, size=size, chunk=load.CHUNK)
            compared = await asyncio.to_thread(compare, sides, work, plan.size.turns)
    for kind, name in names.items():
        yield compared.figure(name, CPU, kind, _STORED, _seconds(compared, size))


def towards(side: Side, kind: str) -> Side:
    headers = headers_for(kind)
    if kind == "openai":
        headers["x-ferry-openai-purpose"] = "assistants"  # the Uploads API does not take all
    return replace(side, name=kind, headers=headers)
