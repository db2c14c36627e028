"""`python -m tests.benchmarks.long_creation [--only WORD]`: the largest batches, behind nginx.

Each provider's largest input is created from Gemini lines through an nginx that ends a request
after 60 seconds without a byte of the answer, which is what many ingresses do. The answer comes
after the last line, so the whole creation must take less. `alike` are lines that differ only in
their texts; in `varied` each line has a setting of its own, which takes the general translation.
The exit code is 1 if a creation was not answered within the 60 seconds.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import aiohttp
import orjson

from providers.anthropic import batch_creation as anthropic
from providers.bedrock.jobs import job_input as bedrock
from providers.mistral import batches as mistral
from providers.mistral import files as mistral_files
from providers.openai import batches as openai
from providers.openai import upload_target as openai_upload
from tests.benchmarks.measurement import memory
from tests.benchmarks.scale import MIB
from tests.benchmarks.side_by_side.sides import FERRY, Side
from tests.benchmarks.uploads import CHUNK
from tests.end_to_end.batch_client import BatchClient, from_file
from tests.end_to_end.fake_client import KINDS, FakeClient
from tests.end_to_end.nginx import nginx
from tests.end_to_end.upload_client import UploadClient
from tests.processes import Process, fake, proxy

TIMEOUT: Final = 60.0
_SENTENCE: Final = 'Some words, and some "in quotes".\n'
SPARE: Final = 0.99
"""How much of the limit is used: the last line must fit."""
FORMS: Final = ("alike", "varied")


@dataclass(frozen=True)
class Largest:
    """A provider's limits of one batch; `added` is what the translation adds to a line, about."""

    kind: str
    size: int
    requests: int
    added: int


LARGEST: Final = (
    Largest("openai", openai_upload.BATCH_FILE_LIMIT, openai.REQUESTS_LIMIT, 60),
    Largest("anthropic", anthropic.SIZE_LIMIT, anthropic.REQUESTS_LIMIT, 60),
    Largest("mistral", mistral_files.SIZE_LIMIT, mistral.REQUESTS_LIMIT, 60),
    Largest("bedrock", bedrock.SIZE_LIMIT, bedrock.REQUESTS_LIMIT, 60),
)


@dataclass(frozen=True)
class Created:
    """`sent` is the size of Gemini's lines, `received` what the provider got."""

    status: int
    sent: int
    received: int
    seconds: float
    cpu: float
    peak: int


async def measure(largest: Largest, form: str, share: float) -> Created:
    kind = KINDS[largest.kind]
    async with _running(largest.kind) as (upstream, process, folder), _client() as http:
        fake_client = FakeClient(kind, upstream, http)
        async with nginx(folder, process.url, read_timeout=f"{TIMEOUT:.0f}s") as front:
            with tempfile.TemporaryFile() as file:
                file.writelines(_lines(largest, share, varied=form == "varied"))
                sent = file.tell()
                uploads = UploadClient(f"{process.url}/genai", kind, http)
                name = await _upload(uploads, file, sent)
            earlier = len(await fake_client.requests())
            side = Side(FERRY, process.pid, process.url, {})
            client = BatchClient(f"{front}/genai", kind, http)
            cpu, began = side.cpu_seconds(), time.perf_counter()
            answer = await client.create(from_file(name))
            seconds, cpu = time.perf_counter() - began, side.cpu_seconds() - cpu
        if answer.code not in (200, 504):
            raise RuntimeError(f"{largest.kind}: {answer.code} {answer.content[:500]!r}")
        requests = (await fake_client.requests())[earlier:]
        received = sum(request["received"] for request in requests)
        return Created(answer.code, sent, received, seconds, cpu, memory(process.pid, "VmHWM"))


@asynccontextmanager
async def _running(kind: str) -> AsyncIterator[tuple[Process, Process, Path]]:
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        async with fake(kind, *KINDS[kind].fake_options) as upstream, _client() as http:
            settings = FakeClient(KINDS[kind], upstream, http).as_upstream
            async with proxy(Path(folder) / "state", {kind: settings}) as process:
                yield upstream, process, Path(folder)


def _client() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None))


async def _upload(client: UploadClient, file: BinaryIO, size: int) -> str:
    file.seek(0)
    url = await client.begin(size, mime_type="application/jsonl", display_name="in.jsonl")
    while file.tell() + CHUNK < size:
        await client.send(url, file.tell(), file.read(CHUNK))
    answer = await client.send(url, file.tell(), file.read(), finalize=True)
    return str(answer.file["name"])


def _lines(largest: Largest, share: float, *, varied: bool) -> Iterator[bytes]:
    size = int(largest.size * SPARE) // largest.requests - largest.added
    count = (size - len(_line(0, "", varied=varied))) // len(orjson.dumps(_SENTENCE)[1:-1])
    for number in range(int(largest.requests * share)):
        yield _line(number, _SENTENCE * count, varied=varied)


def _line(number: int, text: str, *, varied: bool) -> bytes:
    request = {
        "systemInstruction": {"parts": [{"text": "Answer briefly."}]},
        "contents": [{"role": "user", "parts": [{"text": f"{number:06d}: {text}"}]}],
        "generationConfig": {"maxOutputTokens": 100_000 + (number if varied else 0)},
    }
    document = {"key": f"request-{number:06d}", "request": request}
    return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)


# --- the command ----------------------------------------------------------------------------------

_COLUMNS: Final = "{:<18}{:>10}{:>12}{:>9}{:>9}{:>10}{:>8}  {}"


async def run(only: str, share: float) -> int:
    print(_COLUMNS.format(*("creation", "lines", "received", "wall", "CPU", "peak", "status", "")))
    late = 0
    for largest in LARGEST:
        for form in FORMS:
            row = f"{largest.kind} {form}"
            if only in row:
                created = await measure(largest, form, share)
                late += created.status != 200
                print(_row(row, created), flush=True)
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    return min(late, 1)


def _row(name: str, created: Created) -> str:
    return _COLUMNS.format(
        name,
        f"{created.sent / MIB:.0f} MiB",
        f"{created.received / MIB:.0f} MiB",
        f"{created.seconds:.1f} s",
        f"{created.cpu:.1f} s",
        f"{created.peak / MIB:.0f} MiB",
        created.status,
        f"within {TIMEOUT:.0f} s" if created.status == 200 else "cut off by nginx",
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.long_creation")
    parser.add_argument("--only", default="", metavar="WORD", help="in the row's name")
    parser.add_argument("--share", type=float, default=1.0, help="of the lines of a largest batch")
    chosen = parser.parse_args()
    return asyncio.run(run(chosen.only, chosen.share))


if __name__ == "__main__":
    sys.exit(main())
