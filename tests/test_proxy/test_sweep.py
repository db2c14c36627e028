import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web

from providers.body import Body, in_memory
from providers.errors import unavailable
from providers.multipart_uploads import UploadEnded
from providers.state import ObjectInfo, State, write
from proxy.quotas import Quotas, Usage
from proxy.state_directory import DirectoryState
from proxy.sweep import CLOCK_MARGIN, SOONEST_SECONDS, pause_after, sweep, sweeping
from tests.memory_state import MemoryState

UPLOAD_TTL = timedelta(hours=24)
STATE_TTL = timedelta(days=30)


async def kept(state: State) -> list[str]:
    return [info.name async for info in state.list("")]


@pytest.fixture
async def aged(tmp_path: Path) -> DirectoryState:
    """Objects whose names end with their age in days."""
    state = DirectoryState(tmp_path)
    young = ["uploads/s-0", "batches/b-2"]
    old = ["uploads/s-2", "uploads/s-40", "batches/b-40"]
    for name in ["salt", "tombstones/t-99", *young, *old]:
        await write(state, name, b"x")
        age = 99 if name == "salt" else int(name.rpartition("-")[2])
        then = time.time() - age * 86400
        os.utime(tmp_path / f"{name}=", (then, then))
    return state


async def test_all_objects_except_the_salt_and_deleted_markers_expire(aged: DirectoryState) -> None:
    assert await sweep(aged, datetime.now(UTC), UPLOAD_TTL, STATE_TTL) == 3
    assert await kept(aged) == ["batches/b-2", "salt", "tombstones/t-99", "uploads/s-0"]


async def test_a_missing_permission_stops_no_sweep(
    aged: DirectoryState, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def denied(_: datetime) -> None:
        raise unavailable("AccessDenied")

    monkeypatch.setattr(aged.multipart, "abort_before", denied)
    assert await sweep(aged, datetime.now(UTC), UPLOAD_TTL, STATE_TTL) == 3
    assert "AccessDenied" in caplog.text


async def test_content_outlives_its_record(tmp_path: Path) -> None:
    """In a bucket, an object that was uploaded in parts is as old as the start of its upload."""
    state = DirectoryState(tmp_path)
    begun = time.time() - (STATE_TTL + UPLOAD_TTL - timedelta(hours=1)).total_seconds()
    await write(state, "staged-content/a", b"x")
    os.utime(tmp_path / "staged-content/a=", (begun, begun))
    now = datetime.now(UTC)
    assert await sweep(state, now, UPLOAD_TTL, STATE_TTL) == 0
    assert await sweep(state, now + timedelta(hours=2), UPLOAD_TTL, STATE_TTL) == 1


@pytest.mark.parametrize("minutes", [-10, 10])
async def test_a_clock_step_of_ten_minutes_deletes_nothing_early(
    tmp_path: Path, minutes: int
) -> None:
    """Also where objects live shorter than the step."""
    state, life = DirectoryState(tmp_path), timedelta(minutes=5)
    for name in ("uploads/s", "batches/b", "staged-content/c"):
        await write(state, name, b"x")
    upload = await state.multipart.begin("files/x")
    stepped = datetime.now(UTC) + timedelta(minutes=minutes)
    assert await sweep(state, stepped, life, life) == 0
    await state.multipart.put(upload, 1, in_memory(b"x"))


async def test_two_replicas_may_sweep_at_once(aged: DirectoryState) -> None:
    now = datetime.now(UTC)
    await asyncio.gather(*[sweep(aged, now, UPLOAD_TTL, STATE_TTL) for _ in range(2)])
    assert await kept(aged) == ["batches/b-2", "salt", "tombstones/t-99", "uploads/s-0"]


async def test_an_upload_in_parts_is_kept_as_long_as_its_url(aged: DirectoryState) -> None:
    upload = await aged.multipart.begin("files/x")
    await aged.multipart.put(upload, 1, in_memory(b"x"))
    now = datetime.now(UTC)
    await sweep(aged, now, UPLOAD_TTL, STATE_TTL)
    assert [part.number async for part in aged.multipart.parts(upload)] == [1]
    await sweep(aged, now + UPLOAD_TTL + CLOCK_MARGIN + timedelta(minutes=1), UPLOAD_TTL, STATE_TTL)
    with pytest.raises(UploadEnded):
        await anext(aged.multipart.parts(upload))
    assert not [name for name in await kept(aged) if name.startswith("parted/")]


class Watched:
    """A store whose listing fails a given number of times, and that records listings."""

    def __init__(self, failures: int) -> None:
        self._failures = failures
        self.listed = asyncio.Event()
        self.multipart = MemoryState().multipart

    async def list(self, prefix: str, after: str = "") -> AsyncIterator[ObjectInfo]:
        self.listed.set()
        if self._failures:
            self._failures -= 1
            raise OSError("away")
        return
        yield

    async def create(self, name: str, body: Body) -> bool:
        raise NotImplementedError

    async def get(self, name: str) -> Body | None:
        raise NotImplementedError

    async def head(self, name: str) -> ObjectInfo | None:
        raise NotImplementedError

    async def delete(self, name: str) -> None:
        raise NotImplementedError


async def test_the_application_sweeps_from_its_start_to_its_end() -> None:
    state = Watched(failures=0)
    before = asyncio.all_tasks()
    running = sweeping(state, Usage(Quotas(1, 1, 1)), UPLOAD_TTL, STATE_TTL)(web.Application())
    await anext(running)
    await state.listed.wait()
    assert asyncio.all_tasks() != before
    assert [_ async for _ in running] == []  # runs what follows the `yield`
    assert asyncio.all_tasks() == before


async def test_a_store_that_fails_is_swept_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("proxy.sweep.INTERVAL_SECONDS", 0)
    monkeypatch.setattr("proxy.sweep.SOONEST_SECONDS", 0)
    state = Watched(failures=1)
    running = sweeping(state, Usage(Quotas(1, 1, 1)), UPLOAD_TTL, STATE_TTL)(web.Application())
    await anext(running)
    await state.listed.wait()
    state.listed.clear()
    await state.listed.wait()
    assert [_ async for _ in running] == []  # runs what follows the `yield`
    assert [r.levelno for r in caplog.records if "OSError" in r.getMessage()] == [logging.WARNING]


def list_calls_an_hour(pages: int) -> float:
    """Of one replica, from a store whose pages take 50 ms each."""
    seconds = pages * 0.05
    return pages * 3600 / (seconds + SOONEST_SECONDS + pause_after(seconds))


def test_ten_times_the_objects_are_no_more_calls_of_a_replica_than_its_limit() -> None:
    """A replica listed ten times as much in each hour, and there are ten times the replicas."""
    assert list_calls_an_hour(1_000) == pytest.approx(1_000, rel=0.05)
    large, larger = list_calls_an_hour(100_000), list_calls_an_hour(1_000_000)
    assert larger == pytest.approx(large, rel=0.02)
    assert larger <= 7_200
