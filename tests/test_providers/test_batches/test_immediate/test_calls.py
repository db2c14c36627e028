"""The outcome of a record whose call fails, and the number of its calls."""

import pytest

from providers.batches.immediate.calls import RETRY_SECONDS
from providers.body import Body
from providers.errors import FerryError
from providers.resources import BatchState, Counts
from providers.status import Status
from providers.upstream import UpstreamError
from tests.memory_state import MemoryState
from tests.test_providers.test_batches.test_immediate.fake_clock import FakeClock, settle, until
from tests.test_providers.test_batches.test_immediate.scripted_answers import (
    Answer,
    ScriptedAnswers,
)
from tests.test_providers.test_batches.test_immediate.stage import (
    CALLER,
    JOB_ID,
    TAKEN_OVER,
    Replica,
    objects,
    refusal,
)

THROTTLED = refusal(Status.RESOURCE_EXHAUSTED, 429, "ThrottlingException")
SILENT = UpstreamError(Status.DEADLINE_EXCEEDED, "the host went silent")
UNKNOWN = [
    SILENT,
    UpstreamError(Status.UNAVAILABLE, "the host broke off the connection"),
    refusal(Status.UNAVAILABLE, 500, "InternalServerException"),
]


async def carried_out(state: MemoryState, clock: FakeClock, *answers: Answer) -> Replica:
    replica = Replica(state, clock, ScriptedAnswers({0: answers}))
    await replica.create(1)
    await clock.pass_time(120)
    return replica


async def error_of(replica: Replica) -> dict[str, object]:
    [line] = await replica.lines()
    error = line["error"]
    assert isinstance(error, dict)
    return error


async def test_a_refusal_is_the_records_error(state: MemoryState, clock: FakeClock) -> None:
    replica = await carried_out(state, clock, refusal(Status.NOT_FOUND, 404))
    assert await error_of(replica) == {"code": 404, "message": "no"}
    assert replica.call.made == [0]
    # An owner that slept through all of this must find it started.
    assert list(objects(state, "calls")) == ["0000000000-1-1"]


# --- outcomes that are not known -------------------------------------------------------------


@pytest.mark.parametrize("error", UNKNOWN, ids=str)
async def test_a_call_with_an_unknown_outcome_is_repeated_once(
    state: MemoryState, clock: FakeClock, error: FerryError
) -> None:
    replica = await carried_out(state, clock, error)
    assert replica.call.made == [0, 0]
    assert (await replica.get()).counts == Counts(1, 1, 0)


@pytest.mark.parametrize("error", UNKNOWN, ids=str)
async def test_a_second_unknown_outcome_is_the_records_error(
    state: MemoryState, clock: FakeClock, error: FerryError
) -> None:
    replica = await carried_out(state, clock, *[error] * 9)
    assert replica.call.made == [0, 0]
    assert str((await error_of(replica))["message"]) in error.message
    assert list(objects(state, "calls")) == ["0000000000-1-1", "0000000000-1-2"]


async def test_no_call_is_repeated_by_the_next_owner(state: MemoryState, clock: FakeClock) -> None:
    owner = Replica(state, clock, ScriptedAnswers({0: [SILENT]}))
    await owner.create(1)
    await until(lambda: owner.call.made == [0])
    await settle()
    owner.call.open.clear()
    await clock.pass_time(5)
    assert owner.call.made == [0, 0]
    await owner.background.stop()
    heir = Replica(state, clock)
    await heir.get()
    await heir.background.idle()
    assert heir.call.made == []
    assert "outcome of this request is unknown" in str(await error_of(heir))


async def test_a_cancel_before_the_repeat_ends_it(state: MemoryState, clock: FakeClock) -> None:
    replica = Replica(state, clock, ScriptedAnswers({0: [SILENT]}))
    await replica.create(1)
    await until(lambda: replica.call.made == [0])
    await settle()
    await replica.cancel(CALLER, JOB_ID)
    await replica.background.idle()
    assert replica.call.made == [0]
    assert (await replica.get()).state is BatchState.CANCELLED


# --- throttling ------------------------------------------------------------------------------


async def test_many_throttled_attempts_cost_a_record_nothing(
    state: MemoryState, clock: FakeClock
) -> None:
    replica = Replica(state, clock, ScriptedAnswers({0: [THROTTLED] * 9}))
    await replica.create(1)
    await clock.pass_time(RETRY_SECONDS)
    assert (await replica.get()).counts == Counts(1, 1, 0)
    assert replica.call.made == [0] * 10
    assert list(objects(state, "calls")) == ["0000000000-1-1"]


async def test_a_quota_of_a_few_requests_a_minute_fails_none_of_many(
    state: MemoryState, clock: FakeClock
) -> None:
    replica = Replica(state, clock)
    replica.call.allow_a_minute(5, clock, THROTTLED)
    await replica.create(100)
    await clock.pass_time(60 * 60)
    assert (await replica.get()).counts == Counts(100, 100, 0)


async def test_endless_throttling_is_the_records_error(
    state: MemoryState, clock: FakeClock
) -> None:
    replica = Replica(state, clock, ScriptedAnswers({n: [THROTTLED] * 999 for n in range(20)}))
    await replica.create(20)
    await clock.pass_time(RETRY_SECONDS - 1)
    assert (await replica.get()).counts == Counts(20, 0, 0)
    # No record waits that long again.
    await clock.pass_time(120)
    assert (await replica.get()).counts == Counts(20, 0, 20)
    for line in await replica.lines():
        assert line["error"] == {"code": 429, "message": "no"}


class UntilLater(ScriptedAnswers):
    """Throttles each record until its time."""

    def __init__(self, clock: FakeClock, seconds: dict[int, float]) -> None:
        super().__init__()
        self._clock = clock
        self._until = {n: clock.monotonic() + wait for n, wait in seconds.items()}

    async def wait_for(self, number: int) -> None:
        if self._clock.monotonic() < self._until[number]:
            raise THROTTLED


async def test_any_answer_gives_throttled_records_the_whole_time_again(
    state: MemoryState, clock: FakeClock
) -> None:
    answers = UntilLater(clock, {0: 0.9 * RETRY_SECONDS, 1: 1.8 * RETRY_SECONDS})
    replica = Replica(state, clock, answers)
    await replica.create(2)
    await clock.pass_time(2 * RETRY_SECONDS)
    assert (await replica.get()).counts == Counts(2, 2, 0)


async def test_a_throttled_record_is_left_to_the_next_owner(
    state: MemoryState, clock: FakeClock
) -> None:
    owner = Replica(state, clock, ScriptedAnswers({0: [THROTTLED] * 99}))
    await owner.create(1)
    await clock.pass_time(100)
    await owner.background.stop()
    heir = Replica(state, clock)
    await heir.get()
    await heir.background.idle()
    assert heir.call.made == [0]
    assert (await heir.get()).counts == Counts(1, 1, 0)


async def test_an_owner_that_slept_withdraws_no_call_of_the_next_owner(
    state: MemoryState, clock: FakeClock
) -> None:
    """Its clock stood still, so it does not know that its lease is over."""
    owner = Replica(state, FakeClock(), ScriptedAnswers({0: [THROTTLED]}))
    owner.call.open.clear()
    await owner.create(1)
    await until(lambda: owner.call.at_once == 1)
    heir = Replica(state, clock)
    heir.call.open.clear()
    await heir.get()
    await clock.pass_time(TAKEN_OVER)
    markers = objects(state, "calls")
    assert list(markers) == ["0000000000-1-1", "0000000000-1-2"]
    owner.call.open.set()
    await settle()
    await owner.background.drain()
    assert objects(state, "calls") == markers
    heir.call.open.set()
    await heir.background.idle()
    assert (owner.call.made, heir.call.made) == ([0], [0])
    assert (await heir.get()).counts == Counts(1, 1, 0)


# --- the state store ------------------------------------------------------------------------


@pytest.mark.parametrize("unsent", [True, False])
async def test_a_failure_of_the_store_is_not_an_answer(
    state: MemoryState, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, unsent: bool
) -> None:
    """What a bucket's failure is called is also what the provider's is."""
    failures = 0
    create = MemoryState.create

    async def failing(self: MemoryState, name: str, body: Body) -> bool:
        nonlocal failures
        if "/calls/" in name and failures < 40:
            failures += 1
            raise UpstreamError(
                Status.UNAVAILABLE, "the state store cannot be reached", unsent=unsent
            )
        return await create(self, name, body)

    monkeypatch.setattr(MemoryState, "create", failing)
    replica = Replica(state, clock, ScriptedAnswers({}))
    await replica.create(2)
    for _ in range(20):
        await clock.pass_time(60)
        if (await replica.get()).state.terminal:  # which continues the batch if necessary
            break
    assert failures == 40
    assert all("error" not in line for line in await replica.lines())
    assert sorted(replica.call.made) == [0, 1]
