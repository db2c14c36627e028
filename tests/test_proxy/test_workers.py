"""Several processes on one port, with real signals."""

import asyncio
import os
import resource
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession, TCPConnector

from providers.memory import BUDGET_BYTES
from proxy.workers import RESTARTS, reserved_port
from tests.scraping import scrape
from tests.test_proxy.ferry_process import FerryProcess, ferry_process


@asynccontextmanager
async def two_workers(directory: Path, **more: str) -> AsyncIterator[FerryProcess]:
    settings = {
        "FERRY_PORT": "0",
        "FERRY_WORKERS": "2",
        "FERRY_STATE_URL": (directory / "state").as_uri(),
        **more,
    }
    async with ferry_process("-m", "proxy", environment=settings) as process:
        yield process


async def test_workers_share_a_port_and_end_together(tmp_path: Path) -> None:
    async with two_workers(tmp_path) as process:
        first, second = [await process.event("listening") for _ in range(2)]
        assert first["url"] == second["url"]
        assert first["pid"] != second["pid"]
        for pid in (first["pid"], second["pid"]):
            assert os.getpgid(pid) == pid  # a terminal's Ctrl-C reaches only the parent
        process.signal(signal.SIGTERM)
        for _ in range(2):
            await process.event("stopped")
        assert await process.exit_code() == 0


async def test_workers_share_the_admin_address(tmp_path: Path) -> None:
    async with two_workers(tmp_path, FERRY_ADMIN_PORT="0") as process, ClientSession() as session:
        first, second = [await process.event("listening") for _ in range(2)]
        assert first["admin_url"] == second["admin_url"] != first["url"]
        os.kill(first["pid"], signal.SIGKILL)
        await process.event("a worker died and is replaced")
        async with session.get(f"{first['admin_url']}/readyz") as ready:
            assert ready.status == 200
        process.signal(signal.SIGINT)
        assert await process.exit_code() == 0


async def test_a_dead_worker_is_replaced(tmp_path: Path) -> None:
    async with two_workers(tmp_path) as process:
        url, pid = [(await process.event("listening"))[key] for key in ("url", "pid")]
        os.kill(pid, signal.SIGKILL)
        assert (await process.event("a worker died and is replaced"))["pid"] == pid
        assert (await process.event("listening"))["url"] == url
        process.signal(signal.SIGINT)
        assert await process.exit_code() == 0


async def test_any_worker_shows_the_metrics_of_all(tmp_path: Path) -> None:
    async with two_workers(tmp_path) as process:
        first = await process.event("listening")
        await process.event("listening")
        async with ClientSession(connector=TCPConnector(force_close=True)) as session:
            for _ in range(20):
                async with session.get(f"{first['url']}/genai/v1beta/files") as refused:
                    assert refused.status == 401
            shown = [await scrape(session, first["url"]) for _ in range(4)]
        refusals = [each.of("ferry_requests_total", code="401") for each in shown]
        assert refusals == [20] * 4
        assert {each.of("ferry_build_info") for each in shown} == {1}
        assert {each.of("ferry_memory_budget_bytes") for each in shown} == {2 * BUDGET_BYTES}
        process.signal(signal.SIGTERM)
        assert await process.exit_code() == 0


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
async def test_memory_is_that_of_all_workers_and_descriptors_are_those_of_one(
    tmp_path: Path,
) -> None:
    async with two_workers(tmp_path) as process, ClientSession() as session:
        listening = [await process.event("listening") for _ in range(2)]
        # Each samples itself before it listens.
        first, second = [resident_bytes(each["pid"]) for each in listening]
        shown = await scrape(session, listening[0]["url"])
        assert shown.of("ferry_resident_memory_bytes") > 1.2 * max(first, second)
        limit, _ = resource.prlimit(listening[0]["pid"], resource.RLIMIT_NOFILE)
        assert shown.of("ferry_descriptor_limit") == limit
        assert 5 < shown.of("ferry_open_descriptors") < 100
        process.signal(signal.SIGTERM)
        assert await process.exit_code() == 0


def resident_bytes(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize()


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_directory_for_the_metrics_of_other_programs_is_not_used(
    tmp_path: Path, workers: str
) -> None:
    settings = {"FERRY_WORKERS": workers, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "absent")}
    async with two_workers(tmp_path, **settings) as process, ClientSession() as session:
        listening = await process.event("listening")
        assert (await scrape(session, listening["url"])).of("ferry_build_info") == 1
        process.signal(signal.SIGTERM)
        assert await process.exit_code() == 0


async def test_a_dead_worker_leaves_its_counters_and_no_gauges(tmp_path: Path) -> None:
    async with two_workers(tmp_path) as process:
        listening = [await process.event("listening") for _ in range(2)]
        url = listening[0]["url"]
        async with ClientSession(connector=TCPConnector(force_close=True)) as session:
            for _ in range(20):
                async with session.get(f"{url}/genai/v1beta/files"):
                    pass
            os.kill(listening[0]["pid"], signal.SIGKILL)
            await process.event("a worker died and is replaced")
            await process.event("listening")
            shown = await scrape(session, url)
        assert shown.of("ferry_requests_total", code="401") == 20
        assert shown.of("ferry_memory_budget_bytes") == 2 * BUDGET_BYTES
        process.signal(signal.SIGTERM)
        assert await process.exit_code() == 0


async def test_workers_do_not_outlive_their_parent(tmp_path: Path) -> None:
    """They do not wait for the time of grace either: nothing sends them clients any more."""
    async with two_workers(tmp_path, FERRY_DRAIN_GRACE_SECONDS="3600") as process:
        for _ in range(2):
            await process.event("listening")
        process.signal(signal.SIGKILL)
        for _ in range(2):
            await process.event("stopped")


async def test_the_parent_stops_if_workers_die_too_often() -> None:
    script = (
        "import sys; from proxy.workers import Workers; from proxy.log_lines import log_to_stderr;"
        "log_to_stderr(); sys.exit(Workers(2, lambda lifeline: 1).run())"
    )
    async with ferry_process("-c", script, environment={}) as process:
        for _ in range(RESTARTS - 1):
            await process.event("a worker died and is replaced")
        await process.event("workers die too often")
        assert await process.exit_code() == 1


async def test_a_worker_with_a_bug_says_so() -> None:
    script = (
        "import sys; from proxy.workers import Workers; from proxy.log_lines import log_to_stderr;"
        "log_to_stderr(); sys.exit(Workers(1, lambda lifeline: 1 // 0).run())"
    )
    async with ferry_process("-c", script, environment={}) as process:
        assert (await process.event("a worker failed"))["error"] == "ZeroDivisionError"
        assert await process.exit_code() == 1


# Its workers wait until they are ended.
WAITING_WORKERS = """
import os, signal, sys
from proxy.workers import Workers

died = []

def wait(lifeline):
    os.read(lifeline, 1)
    return 0

def run(count, work=wait):
    code = Workers(count, work, died.append).run()
    sys.exit(code or len(died))
"""


def ended_workers(script: str) -> int:
    """How many workers have ended when `script` ends."""
    command = [sys.executable, "-c", WAITING_WORKERS + script]
    return subprocess.run(command, timeout=30, check=False).returncode


def test_an_orphan_that_process_1_gets_is_not_a_worker() -> None:
    """Otherwise each one would add a worker, and five within a minute would stop the proxy."""
    script = """
orphan = os.fork()
if not orphan:
    os._exit(0)

def work(lifeline):
    try:
        while True:
            os.kill(orphan, 0)
            os.sched_yield()
    except ProcessLookupError:  # the parent has seen its end
        os.kill(os.getppid(), signal.SIGTERM)
    return wait(lifeline)

run(1, work)
"""
    assert ended_workers(script) == 1


def test_a_signal_while_workers_are_started_ends_all() -> None:
    script = """
forks = []

def before():
    forks.append(None)
    if len(forks) == 2:
        os.kill(os.getpid(), signal.SIGTERM)

os.register_at_fork(before=before)
run(3)
"""
    assert ended_workers(script) == 2


async def test_a_reserved_port_can_be_listened_on() -> None:
    with reserved_port("127.0.0.1", 0) as port:
        assert port
        servers = [
            await asyncio.start_server(lambda *_: None, "127.0.0.1", port, reuse_port=True)
            for _ in range(2)
        ]
        for server in servers:
            server.close()


async def test_a_port_in_use_cannot_be_reserved() -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    with pytest.raises(OSError, match="in use"), reserved_port(*server.sockets[0].getsockname()):
        pass
    server.close()
