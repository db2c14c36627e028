"""Two replicas of the proxy in front of the fake of every provider; a test may kill either."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from shutil import rmtree

from aiohttp import ClientSession, ClientTimeout

from providers.stored_objects import STAGED
from tests.end_to_end.fake_client import KINDS, FakeClient
from tests.processes import Process, fake, free_port, start_proxy


class Replicas:
    """Both have one state store; `base_urls` are theirs, in order.

    Implements `ReplicasForMachines`.
    """

    granule = 8 << 20

    def __init__(
        self,
        fakes: Mapping[str, FakeClient],
        http: ClientSession,
        state: Path,
        settings: Mapping[str, str],
        program: str,
    ) -> None:
        self.fakes = fakes
        self.http = http
        self._state = state
        self._settings = settings
        self._program = program
        self._ports = [free_port(), free_port()]
        self._running: list[Process] = []
        self._dying: dict[int, asyncio.Future[None]] = {}
        self.base_urls = [f"http://127.0.0.1:{port}/genai" for port in self._ports]

    async def start(self) -> None:
        self._running = list(await asyncio.gather(*map(self._started, self._ports)))

    async def kill(self, number: int) -> None:
        """The replica ends immediately, and starts again."""
        await self._running[number].kill()
        self._running[number] = await self._started(self._ports[number])

    def doom(self, number: int, _: int) -> None:
        """The replica is killed while its next call runs, at any step."""
        self._dying[number] = asyncio.ensure_future(self._running[number].kill())

    async def revive(self, number: int) -> None:
        await self._dying.pop(number)
        self._running[number] = await self._started(self._ports[number])

    async def reset(self, kind: str) -> None:
        await self.fakes[kind].reset()
        # Without a record, a staged file is in no list.
        await asyncio.to_thread(rmtree, self._state / STAGED.prefix, ignore_errors=True)

    async def stop(self) -> None:
        await asyncio.gather(*(each.stop() for each in self._running))

    @property
    def processes(self) -> list[Process]:
        """Those that run now."""
        return self._running

    async def _started(self, port: int) -> Process:
        upstreams = {name: each.as_upstream for name, each in self.fakes.items()}
        settings = {**self._settings, "FERRY_PORT": str(port)}
        return await start_proxy(self._state, upstreams, settings, self._program)


@asynccontextmanager
async def replicas(
    state: Path, settings: Mapping[str, str] | None = None, program: str = "proxy"
) -> AsyncIterator[Replicas]:
    """`program` is the module that each replica runs."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(ClientSession(timeout=ClientTimeout(total=60)))
        processes = {
            name: await stack.enter_async_context(fake(name, *kind.fake_options))
            for name, kind in KINDS.items()
        }
        fakes = {name: FakeClient(kind, processes[name], http) for name, kind in KINDS.items()}
        both = Replicas(fakes, http, state, settings or {}, program)
        stack.push_async_callback(both.stop)
        await both.start()
        yield both
