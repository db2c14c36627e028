import asyncio
import logging
from collections.abc import AsyncIterator
from contextvars import ContextVar

import pytest
from aiohttp import web

from proxy.background import BackgroundTasks

REQUEST: ContextVar[str] = ContextVar("REQUEST", default="none")


class Work:
    """Runs until it may end or is cancelled."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.may_end = asyncio.Event()
        self.times = 0
        self.cancelled = False
        self.said_so = False

    async def __call__(self) -> None:
        self.times += 1
        self.begun.set()
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            await asyncio.sleep(0)  # like work that still has something to write
            self.said_so = True
            raise


@pytest.fixture
async def background() -> AsyncIterator[BackgroundTasks]:
    tasks = BackgroundTasks()
    running = tasks.running(web.Application())
    await anext(running)
    yield tasks
    await end(running)


async def end(running: AsyncIterator[None]) -> None:
    assert [_ async for _ in running] == []  # runs what follows the `yield`


async def test_only_one_work_of_a_name_runs_at_once(background: BackgroundTasks) -> None:
    first, second, other = Work(), Work(), Work()
    for name, work in (("a", first), ("a", second), ("b", other)):
        background.start(name, work)
    await first.begun.wait()
    await other.begun.wait()
    assert second.times == 0


async def test_a_name_is_free_again_when_its_work_has_ended(background: BackgroundTasks) -> None:
    work = Work()
    work.may_end.set()
    before = asyncio.all_tasks()
    background.start("a", work)
    [task] = asyncio.all_tasks() - before
    await task
    background.start("a", work)
    [task] = asyncio.all_tasks() - before
    await task
    assert work.times == 2


async def test_a_failure_ends_only_its_own_work_and_logs_no_secret(
    background: BackgroundTasks, caplog: pytest.LogCaptureFixture
) -> None:
    async def failing() -> None:
        raise ExceptionGroup("secret", [ValueError("secret"), OSError("secret"), OSError()])

    work = Work()
    background.start("a", work)
    before = asyncio.all_tasks()
    background.start("b", failing)
    [task] = asyncio.all_tasks() - before
    await task
    assert [r.getMessage() for r in caplog.records] == ["b failed: OSError, ValueError"]
    assert caplog.records[0].levelno == logging.WARNING
    assert "secret" not in caplog.text
    await work.begun.wait()
    assert not work.cancelled


async def test_work_ends_before_the_application_has_ended() -> None:
    background, works = BackgroundTasks(), [Work(), Work()]
    running = background.running(web.Application())
    await anext(running)
    for number, work in enumerate(works):
        background.start(str(number), work)
        await work.begun.wait()
    await end(running)
    assert all(work.said_so for work in works)
    late = Work()
    before = asyncio.all_tasks()
    background.start("late", late)
    assert asyncio.all_tasks() == before


async def test_work_that_does_not_end_is_abandoned(
    caplog: pytest.LogCaptureFixture,
) -> None:
    background = BackgroundTasks(stop_seconds=0)
    may_end, begun = asyncio.Event(), asyncio.Event()

    async def stubborn() -> None:
        begun.set()
        try:
            await may_end.wait()
        except asyncio.CancelledError:
            await may_end.wait()

    running = background.running(web.Application())
    await anext(running)
    before = asyncio.all_tasks()
    background.start("stubborn", stubborn)
    [task] = asyncio.all_tasks() - before
    await begun.wait()
    await end(running)
    assert "stubborn did not end in time" in caplog.text
    may_end.set()
    await task


async def test_work_started_before_the_application_starts_with_it() -> None:
    background, first, second = BackgroundTasks(), Work(), Work()
    before = asyncio.all_tasks()
    background.start("a", first)
    background.start("a", second)
    assert asyncio.all_tasks() == before
    running = background.running(web.Application())
    await anext(running)
    await first.begun.wait()
    assert second.times == 0
    await end(running)
    assert first.cancelled


async def test_an_application_that_never_had_work_ends() -> None:
    running = BackgroundTasks().running(web.Application())
    await anext(running)
    await end(running)


async def test_work_does_not_have_the_context_of_its_request(
    background: BackgroundTasks,
) -> None:
    seen: list[str] = []

    async def look() -> None:
        seen.append(REQUEST.get())

    REQUEST.set("a request")
    before = asyncio.all_tasks()
    background.start("a", look)
    [task] = asyncio.all_tasks() - before
    await task
    assert seen == ["none"]


# --- the drain ---------------------------------------------------------------------------------


async def test_before_the_end_every_preparation_runs() -> None:
    background, prepared = BackgroundTasks(), []
    both = asyncio.Barrier(2)

    async def prepare() -> None:
        await both.wait()
        prepared.append(1)

    background.before_end(prepare)
    background.before_end(prepare)
    await background.prepare_to_end(30)
    assert prepared == [1, 1]


async def test_a_preparation_is_limited() -> None:
    background, work = BackgroundTasks(), Work()
    background.before_end(work)
    await background.prepare_to_end(0)
    await background.prepare_to_end(0.01)
    assert work.said_so


async def test_a_preparation_that_fails_ends_no_other(caplog: pytest.LogCaptureFixture) -> None:
    background, done = BackgroundTasks(), asyncio.Event()

    async def fail() -> None:
        raise ValueError("secret")

    async def prepare() -> None:
        done.set()

    background.before_end(fail)
    background.before_end(prepare)
    await background.prepare_to_end(30)
    assert done.is_set()
    assert "ValueError" in caplog.text
    assert "secret" not in caplog.text
