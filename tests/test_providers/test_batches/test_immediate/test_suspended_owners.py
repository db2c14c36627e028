"""Two replicas, each with its own clock: one may sleep through its lease without noticing.

Leases then overlap, and only write-once objects keep the promises.
"""

import asyncio
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from providers.resources import BatchState
from providers.status import Status
from tests.memory_state import MemoryState
from tests.test_providers.test_batches.test_immediate.fake_clock import FakeClock
from tests.test_providers.test_batches.test_immediate.scripted_answers import ScriptedAnswers
from tests.test_providers.test_batches.test_immediate.stage import (
    TAKEN_OVER,
    Replica,
    recorded,
    refusal,
)

THROTTLED = refusal(Status.RESOURCE_EXHAUSTED, 429)
SILENT = refusal(Status.DEADLINE_EXCEEDED, 504)
STEPS = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.sampled_from(["look", "suspend", "resume", "short", "long"]),
    ),
    max_size=10,
)
FAILURES = st.dictionaries(
    st.integers(0, 39), st.lists(st.sampled_from([THROTTLED, SILENT]), max_size=2), max_size=6
)


Failures = dict[int, list[BaseException]]


class Sleeper:
    """A replica whose clock stops, and whose calls do not end, while it is suspended."""

    def __init__(self, state: MemoryState, failures: Failures) -> None:
        self.clock = FakeClock()
        self.replica = Replica(state, self.clock, ScriptedAnswers(dict(failures)))
        self.suspended = False

    def suspend(self) -> None:
        self.replica.call.open.clear()
        self.suspended = True

    def resume(self) -> None:
        self.replica.call.open.set()
        self.suspended = False


@settings(max_examples=50)
@given(st.integers(1, 40), FAILURES, FAILURES, STEPS)
def test_no_record_is_called_more_than_twice_or_after_its_result(
    count: int,
    first: Failures,
    second: Failures,
    story: list[tuple[int, str]],
) -> None:
    asyncio.run(_play(count, (first, second), story))


async def _play(
    count: int,
    failures: tuple[Failures, Failures],
    story: list[tuple[int, str]],
) -> None:
    state = MemoryState()
    sleepers = [Sleeper(state, each) for each in failures]
    kept: set[int] = set()
    sleepers[0].replica.call.open.clear()
    await sleepers[0].replica.create(count)
    ending = [(0, "resume"), (1, "resume"), *[(1, "look"), (0, "look"), (0, "long")] * 6]
    for which, step in [*story, *ending]:
        before = _made(sleepers)
        await _take_step(sleepers, which, step)
        after = _made(sleepers)
        for number in kept:
            assert after[number] == before[number]
        kept |= recorded(state)
        if any(name.startswith("immediate-ended/") for name in state.objects):
            kept = set(range(count))
    batch = await sleepers[1].replica.get()
    assert batch.state is BatchState.SUCCEEDED
    lines = await sleepers[1].replica.lines()
    assert [line["custom_id"] for line in lines] == [f"r{n:010d}" for n in range(count)]
    for sleeper in sleepers:
        await sleeper.replica.background.stop()


def _made(sleepers: list[Sleeper]) -> Counter[int]:
    return Counter(number for each in sleepers for number in each.replica.call.made)


async def _take_step(sleepers: list[Sleeper], which: int, step: str) -> None:
    sleeper = sleepers[which]
    match step:
        case "suspend":
            sleeper.suspend()
        case "resume":
            sleeper.resume()
        case "look" if not sleeper.suspended:
            await sleeper.replica.get()
        case "short" | "long":
            for each in sleepers:
                if not each.suspended:
                    await each.clock.pass_time(3 if step == "short" else TAKEN_OVER)
    await sleepers[0].clock.pass_time(0)
    begun = sum((each.replica.call.begun for each in sleepers), Counter[int]())
    assert all(count <= 2 for count in begun.values())
