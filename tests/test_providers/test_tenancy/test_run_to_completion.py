"""A cancellation during work that runs to completion."""

import asyncio

import pytest

from providers.tenancy.run_to_completion import run_to_completion


class Work:
    def __init__(self) -> None:
        self.begun, self.go_on, self.ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def carry_out(self, failure: BaseException | None = None) -> str:
        self.begun.set()
        await self.go_on.wait()
        self.ended.set()
        if failure is not None:
            raise failure
        return "done"


@pytest.fixture
def work() -> Work:
    return Work()


async def test_results_and_errors_come_from_the_work(work: Work) -> None:
    work.go_on.set()
    assert await run_to_completion(work.carry_out()) == "done"
    with pytest.raises(KeyError, match="why"):
        await run_to_completion(work.carry_out(KeyError("why")))
    with pytest.raises(asyncio.CancelledError):
        await run_to_completion(work.carry_out(asyncio.CancelledError()))


async def test_the_cancelled_caller_waits_for_the_end(work: Work) -> None:
    waiting = asyncio.create_task(run_to_completion(work.carry_out()))
    await work.begun.wait()
    waiting.cancel()
    done, _ = await asyncio.wait([waiting], timeout=0)
    assert not done
    work.go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert work.ended.is_set()


async def test_a_second_cancellation_ends_the_wait(work: Work) -> None:
    waiting = asyncio.create_task(run_to_completion(work.carry_out()))
    await work.begun.wait()
    for _ in range(2):
        waiting.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not work.ended.is_set()
    work.go_on.set()
    await work.ended.wait()
