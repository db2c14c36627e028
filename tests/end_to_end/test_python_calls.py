"""How many Python calls the most frequent requests take, from the socket to the socket.

The number is the same on every machine, unlike time, apart from wakeups of the event loop, and from
the work after an answer, which may be counted with the next request. So it is the median of many
requests. It may only grow by a tenth.
"""

import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any, Final

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from tests.counted_proxy import CALLS_FILE, SIZE
from tests.end_to_end.batch_client import Answer, BatchClient, asking, inline
from tests.end_to_end.fake_client import KINDS, FakeClient
from tests.end_to_end.upload_client import UploadClient
from tests.processes import start_proxy
from tests.recorded_counts import check_python_calls

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

FILES: Final = 10
REQUESTS: Final = 25
SMALL: Final = 10_000
"""Bytes that arrive in one piece, so that the number does not depend on the network."""


@dataclass(frozen=True)
class Counted:
    """A proxy that counts its calls in a file, and a client of it for one kind of upstream."""

    calls: Path
    batches: BatchClient
    uploads: UploadClient

    async def per_request(self, request: Callable[[], Awaitable[Any]]) -> float:
        """The median, after the first requests have filled caches."""
        counts = []
        for _ in range(REQUESTS):
            await request()
            counts.append(self._count())
        found = [after - before for before, after in pairwise(counts)]
        return median(found[len(found) // 5 :])

    def _count(self) -> int:
        (count,) = struct.unpack("=Q", self.calls.read_bytes())
        return int(count)


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def proxy(
    fakes: Mapping[str, FakeClient], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[str, Path]]:
    """Its address, and the file with its count."""
    folder = tmp_path_factory.mktemp("counted")
    calls = folder / "calls"
    calls.write_bytes(bytes(SIZE))
    upstreams = {name: fake.as_upstream for name, fake in fakes.items()}
    env = {CALLS_FILE: str(calls)}
    process = await start_proxy(folder / "state", upstreams, env, "tests.counted_proxy")
    yield f"{process.url}/genai", calls
    await process.stop()


@pytest_asyncio.fixture(loop_scope="session", params=list(KINDS))
async def counted(
    request: pytest.FixtureRequest,
    fakes: Mapping[str, FakeClient],
    proxy: tuple[str, Path],
    http: ClientSession,
) -> Counted:
    (url, calls), fake = proxy, fakes[request.param]
    await fake.reset()
    await fake.settings(auto_advance=False)
    clients = BatchClient(url, fake.kind, http), UploadClient(url, fake.kind, http)
    return Counted(calls, *clients)


def check(counted: Counted, request: str, found: float) -> None:
    kind = counted.batches.kind.name
    check_python_calls("python_calls_per_request", f"{kind}: {request}", found)


async def test_batches_get(counted: Counted) -> None:
    name = (await create(counted)).ok["name"]

    async def get() -> None:
        assert not (await counted.batches.get(name)).ok.get("done")

    check(counted, "batches.get", await counted.per_request(get))


async def test_files_get(counted: Counted) -> None:
    name = await counted.batches.upload(bytes(100), "a.png")

    async def get() -> None:
        assert (await counted.batches.get(name)).ok["name"] == name

    check(counted, "files.get", await counted.per_request(get))


async def test_files_list(counted: Counted) -> None:
    # One more than a page, since earlier tests may have left one that the proxy keeps.
    for number in range(FILES + 1):
        await counted.batches.upload(bytes(100), f"{number}.png")

    async def list_files() -> None:
        answer = await counted.batches.call("GET", f"v1beta/files?pageSize={FILES}")
        assert len(answer.ok["files"]) == FILES

    check(counted, f"files.list of {FILES}", await counted.per_request(list_files))


async def test_batches_create(counted: Counted) -> None:
    async def create_one() -> None:
        (await create(counted)).ok  # noqa: B018 - raises unless it was created

    check(counted, "batches.create", await counted.per_request(create_one))


async def test_a_small_chunk(counted: Counted) -> None:
    """The start of an upload and its only chunk."""

    async def upload() -> None:
        url = await counted.uploads.begin(SMALL)
        await counted.uploads.insist(url, 0, bytes(SMALL), finalize=True)

    check(counted, "an upload of one chunk", await counted.per_request(upload))


async def create(counted: Counted) -> Answer:
    return await counted.batches.create(inline({"request": asking("What is 2+2?")}))
