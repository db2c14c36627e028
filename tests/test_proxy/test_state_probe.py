import asyncio
import errno
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from providers.body import Body
from proxy.state_directory import DirectoryState
from proxy.state_probe import StateProbe
from proxy.state_store import bounded
from tests.faulty_disk import faulty_disk
from tests.memory_state import MemoryState


@asynccontextmanager
async def running(probe: StateProbe) -> AsyncIterator[None]:
    app = web.Application()
    app.cleanup_ctx.append(probe.running)
    runner = web.AppRunner(app)
    await runner.setup()
    yield
    await runner.cleanup()


@pytest.fixture
async def said() -> AsyncIterator[asyncio.Queue[str]]:
    """What the probe logs."""
    messages: asyncio.Queue[str] = asyncio.Queue()

    class Recorder(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            messages.put_nowait(record.getMessage())

    handler, logger = Recorder(), logging.getLogger("proxy.state_probe")
    level = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    yield messages
    logger.removeHandler(handler)
    logger.setLevel(level)


class Counting(MemoryState):
    def __init__(self, error: Exception | None = None) -> None:
        super().__init__()
        self.error = error
        self.tried = 0
        self.answers = asyncio.Event()
        self.answers.set()

    async def create(self, name: str, body: Body) -> bool:
        self.tried += 1
        await self.answers.wait()
        if self.error is not None:
            raise self.error
        return await super().create(name, body)


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (errno.ENOSPC, "No space left on device"),
        (errno.EDQUOT, "Disk quota exceeded"),
        (
            errno.EROFS,
            "Read-only file system; the operator must fix the store that FERRY_STATE_URL",
        ),
    ],
)
async def test_a_full_or_read_only_disk_is_named(tmp_path: Path, error: int, found: str) -> None:
    """Also while what is there can be read."""
    with faulty_disk() as disk:
        await DirectoryState(tmp_path).create("salt", Body(_nothing(), 0))
        disk.fail(0, error, "write")
        probe = StateProbe(bounded(DirectoryState(tmp_path)))
        async with running(probe):
            said = await probe.found()
        disk.heal()
    assert said.startswith(f"degraded: the proxy's state store failed: {found}")


async def test_the_end_of_an_outage_is_seen(
    monkeypatch: pytest.MonkeyPatch, said: asyncio.Queue[str]
) -> None:
    monkeypatch.setattr("proxy.state_probe.RETRY_SECONDS", 0.0)
    state = Counting(OSError("/secret/path"))
    probe = StateProbe(state)
    async with running(probe):
        assert await said.get() == "the state store is degraded: OSError"
        assert await probe.found() == "degraded: OSError"
        state.error = None
        assert await said.get() == "the state store is ok"


async def test_a_store_that_hangs_is_named_and_tried_once(
    monkeypatch: pytest.MonkeyPatch, said: asyncio.Queue[str]
) -> None:
    monkeypatch.setattr("proxy.state_probe.PATIENCE_SECONDS", 0.01)
    state = Counting()
    state.answers.clear()
    probe = StateProbe(state)
    async with running(probe):
        assert await said.get() == "the state store is degraded: no answer within 0.01 s"
        assert state.tried == 1
        state.answers.set()
        assert await said.get() == "the state store is ok"


async def test_asking_costs_no_call_of_the_store() -> None:
    state = Counting()
    probe = StateProbe(state)
    async with running(probe):
        for _ in range(100):
            assert await probe.found() == "ok"
    assert state.tried == 1
    assert list(state.objects) == ["proof/probe"]


async def _nothing() -> AsyncIterator[bytes]:
    yield b""


async def test_the_end_waits_until_the_store_has_cleaned_up() -> None:
    """Otherwise the draft of the probe's object would stay open, and in the directory."""

    class Cleaning(MemoryState):
        def __init__(self) -> None:
            super().__init__()
            self.begun, self.cleaned = asyncio.Event(), False

        async def create(self, name: str, body: Body) -> bool:
            self.begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                for _ in range(10):
                    await asyncio.sleep(0)
                self.cleaned = True
            raise AssertionError("nothing ends the wait but a cancellation")

    state = Cleaning()
    async with running(StateProbe(state)):
        await state.begun.wait()
    assert state.cleaned
