"""Long work leaves the event loop free: it runs in a thread, or it pauses."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from typing import Any
from unittest.mock import patch

import orjson
import pytest

from providers.batches.batch_input import BatchInput, FileInput, InlineInput
from providers.batches.json_lines import LineSplitter
from providers.batches.request_table import indexed_id
from providers.errors import FerryError
from providers.limits import JSON_NODES, LINE_NODES
from providers.long_work import Pauses, off_loop_if_long, run_in
from providers.memory import MemoryBudget
from providers.resources import InlineRequest
from tests.test_providers.requests_in_lines import Numbered, formats
from tests.test_providers.streams import cut
from tests.test_providers.test_batches.batch_inputs import StoredFile
from tests.test_providers.test_batches.scripted_results import ScriptedLines, read, table


def dense(nodes: int) -> dict[str, Any]:
    """A request that is small as text."""
    return {"contents": [{"parts": [{"text": "a"}] * (nodes // 3)}]}


class Watched(Numbered):
    """Remembers which thread translates, and what is reserved meanwhile."""

    def __init__(self, memory: MemoryBudget) -> None:
        super().__init__()
        self._memory = memory
        self.threads: list[int] = []
        self.reserved: list[int] = []

    def line(self, index: int, request: object, path: str) -> bytes:
        self.threads.append(threading.get_ident())
        self.reserved.append(self._memory.used)
        return super().line(index, request, path)


def inline(memory: MemoryBudget, *requests: object) -> BatchInput:
    items = [InlineRequest(orjson.dumps(each), b"null", "requests[0]") for each in requests]
    return InlineInput(items, memory)


def in_file(memory: MemoryBudget, *requests: object) -> BatchInput:
    lines = [orjson.dumps({"key": str(n), "request": r}) for n, r in enumerate(requests)]
    file = StoredFile(*cut(b"\n".join(lines), [64 << 10] * 1000))
    return FileInput(file.opened, LineSplitter(8 << 20, memory), formats())


SOURCES = {"inline": inline, "in a file": in_file}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
async def test_a_dense_request_is_translated_in_a_thread_and_its_objects_are_counted(
    source: Any,
) -> None:
    memory = MemoryBudget()
    watched = Watched(memory)
    requests = source(memory, dense(120), dense(90_000))
    async with aclosing(requests.lines(watched)) as lines:
        assert len([line async for line in lines]) == 2
    loop = threading.get_ident()
    assert [thread == loop for thread in watched.threads] == [True, False]
    # Measured: 24 MB.
    assert watched.reserved[0] == 0
    assert 24_000_000 < watched.reserved[1] < 48_000_000
    assert memory.used == 0


@pytest.mark.parametrize(
    ("source", "path"),
    [(inline, "requests[0]"), (in_file, "line 1")],
    ids=SOURCES,
)
async def test_a_request_with_too_many_nodes_is_refused(source: Any, path: str) -> None:
    watched = Watched(MemoryBudget())
    requests = source(MemoryBudget(), dense(LINE_NODES + 3))
    async with aclosing(requests.lines(watched)) as lines:
        with pytest.raises(FerryError, match=f"more than {LINE_NODES} objects") as refused:
            await anext(lines)
    assert refused.value.path == path
    assert watched.threads == []


async def test_a_dense_result_is_translated_in_a_thread() -> None:
    threads: list[int] = []

    class WatchedLines(ScriptedLines):
        def translate(self, line: dict[str, Any], /) -> dict[str, Any]:
            threads.append(threading.get_ident())
            return super().translate(line)

    texts = [orjson.dumps({"custom_id": indexed_id(n), "said": dense(n * 90_000)}) for n in (0, 1)]
    found = await read(WatchedLines(texts), table())
    assert [each["key"] for each in found[:2]] == ["a", "b"]
    assert [thread == threading.get_ident() for thread in threads] == [True, False]


async def test_a_result_with_too_many_nodes_is_an_error_of_its_request() -> None:
    texts = [orjson.dumps({"custom_id": indexed_id(0), "said": dense(JSON_NODES + 3)})]
    found = {each["key"]: each for each in await read(ScriptedLines(texts), table())}
    assert "cannot be read" in found["a"]["error"]["message"]


async def test_many_small_requests_let_other_tasks_run() -> None:
    memory = MemoryBudget()
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    with patch("providers.long_work._PAUSE_SECONDS", 0):
        async with aclosing(inline(memory, *[dense(3)] * 100).lines(Watched(memory))) as lines:
            async for _ in lines:
                pass
    task.cancel()
    assert turns > 90


async def test_a_pause_is_taken_only_after_some_time() -> None:
    pauses = Pauses()
    with patch("asyncio.sleep", side_effect=AssertionError):
        with patch("providers.long_work._PAUSE_SECONDS", 3600):
            await pauses.pause()
        with patch("providers.long_work._PAUSE_SECONDS", -1), pytest.raises(AssertionError):
            await pauses.pause()


@pytest.mark.parametrize(("size", "off"), [(100, False), (1 << 20, True)])
async def test_only_long_texts_are_parsed_in_a_thread(size: int, off: bool) -> None:
    thread = await off_loop_if_long(b"a" * size, threading.get_ident)
    assert (thread != threading.get_ident()) == off


async def test_a_cancelled_call_waits_for_its_thread() -> None:
    started, end = threading.Event(), threading.Event()

    def work() -> None:
        started.set()
        end.wait()

    with ThreadPoolExecutor(1) as threads:
        task = asyncio.create_task(run_in(threads, work))
        await asyncio.to_thread(started.wait)
        task.cancel()
        await asyncio.sleep(0)
        assert not task.done()
        end.set()
        with pytest.raises(asyncio.CancelledError):
            await task
