"""`python -m tests.stored.record DIRECTORY`: record what this version stores.

It starts the fakes and a proxy, makes one of each stored object, stops the proxy in the middle of
its work, and writes everything down.
"""

import argparse
import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from aiohttp import ClientSession, ClientTimeout

from tests.end_to_end.batch_client import Document
from tests.end_to_end.fake_client import KINDS, FakeClient
from tests.processes import fake, start_proxy
from tests.stored.directory import HELD_BY, RecordedDirectory
from tests.stored.recorder import Recorder
from tests.stored.scene import ENVIRONMENT, STRANGERS, Scene, upstreams

# The longest allowed, so a record can be opened years later.
_FOR_YEARS: Final = {"FERRY_STATE_TTL": "36500d", "FERRY_UPLOAD_TTL": "36500d"}
_YEARS_SECONDS: Final = 36_500 * 24 * 3600


async def record(directory: RecordedDirectory) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        state = Path(temporary) / "state"
        async with _fakes() as fakes:
            await fakes["openai"].settings(upload_seconds=_YEARS_SECONDS)
            clients = await _used(state, fakes)
            await directory.write(state, fakes, clients)


async def _used(state: Path, fakes: Mapping[str, FakeClient]) -> Document:
    """Use a proxy and stop it during its work; returns what its clients have."""
    async with ClientSession(timeout=ClientTimeout(total=60)) as session:
        process = await start_proxy(state, upstreams(fakes), {**ENVIRONMENT, **_FOR_YEARS})
        try:
            recorder = Recorder(Scene(f"{process.url}/genai", fakes, session))
            clients: Document = {
                "files": await recorder.files(),
                "open_uploads": await recorder.open_uploads(),
                "cancelled_uploads": await recorder.cancelled_uploads(),
                "batches": await recorder.batches(),
                "deleted": await recorder.deleted(),
                "repeats": await recorder.repeats(),
                "strangers": dict(STRANGERS),
            }
            clients["batches"] += await recorder.interrupted()
        finally:
            await process.stop()
    return clients


@asynccontextmanager
async def _fakes() -> AsyncIterator[Mapping[str, FakeClient]]:
    """The running fakes by kind."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(ClientSession())
        started = {
            name: await stack.enter_async_context(fake(name, *KINDS[name].fake_options))
            for name in HELD_BY
        }
        yield {name: FakeClient(KINDS[name], started[name], session) for name in HELD_BY}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.stored.record", description=__doc__)
    parser.add_argument("directory", type=Path)
    asyncio.run(record(RecordedDirectory(parser.parse_args().directory)))


if __name__ == "__main__":
    main()
