"""A job from its creation to its deletion, in one process."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.batches.immediate.job import job_id_of
from providers.batches.immediate.jobs import Position, parse_position, render_position
from providers.credential import Caller, Credential
from providers.errors import FerryError
from providers.memory import MemoryBudget
from providers.resources import BatchState, Counts
from providers.state import ObjectInfo
from providers.status import Status
from proxy.sweep import sweep
from tests.memory_state import MemoryState
from tests.test_providers.test_batches.test_immediate.fake_clock import FakeClock, settle, until
from tests.test_providers.test_batches.test_immediate.scripted_answers import (
    FORM,
    OneByOne,
    ScriptedAnswers,
)
from tests.test_providers.test_batches.test_immediate.stage import (
    CALLER,
    JOB_ID,
    KEY,
    MODEL,
    Replica,
    blocked,
    new_job,
    recorded,
    refusal,
)
from tests.test_providers.test_batches.test_immediate.stores import Dated

STRANGER = Caller(Credential("AKIA:other"), "other")


async def test_an_immediate_batch_looks_like_any_other(
    state: MemoryState, clock: FakeClock
) -> None:
    replica = Replica(state, clock)
    replica.call.open.clear()
    created = await replica.create(3)
    assert (created.id, created.model, created.display_name) == (JOB_ID, MODEL, "few")
    assert (created.state, created.native_status) == (BatchState.PENDING, "queued")
    assert (created.create_time, created.start_time) == (clock.now(), None)
    assert created.counts == Counts(3, 0, 0)
    await until(lambda: len(replica.call.made) == 3)
    running = await replica.get()
    assert (running.state, running.native_status) == (BatchState.RUNNING, "working")
    assert running.start_time == clock.now()
    replica.call.open.set()
    await replica.background.idle()
    ended = await replica.get()
    assert (ended.state, ended.native_status) == (BatchState.SUCCEEDED, "done")
    assert (ended.end_time, ended.counts) == (clock.now(), Counts(3, 3, 0))
    assert ended.output is None
    assert set(replica.call.asked) == {(MODEL, FORM)}
    assert replica.background.failures == []


async def test_each_record_has_its_line_in_order(state: MemoryState, clock: FakeClock) -> None:
    replica = Replica(state, clock)
    await replica.create(20)
    await replica.background.idle()
    assert await replica.lines() == [
        {"custom_id": f"r{n:010d}", "response": {"n": n}} for n in range(20)
    ]
    found = await replica.results()
    assert not found.inline
    with MemoryBudget().reserve() as reservation:
        table = await found.table(reservation)
    assert table is not None
    assert table.rows[19] == b'"k19"'


async def test_an_answer_of_the_largest_size_is_recorded(
    state: MemoryState, clock: FakeClock
) -> None:
    """The limit is that of the input and of the output, without the line around them."""
    answer = orjson.dumps({"text": "x" * ((1 << 20) - len(b'{"text":""}'))})
    replica = Replica(state, clock, ScriptedAnswers({0: [answer]}))
    model_input = orjson.dumps({"n": 0, "padding": ""})
    await replica.submit(new_job(1, (1 << 20) - len(model_input)))
    await replica.background.idle()
    assert await replica.lines() == [{"custom_id": "r0000000000", "response": orjson.loads(answer)}]


async def test_progress_is_counted(state: MemoryState, clock: FakeClock) -> None:
    answers = OneByOne({20}, {0: [refusal(Status.INVALID_ARGUMENT, 400)]})
    replica = Replica(state, clock, answers)
    answers.open.clear()
    await replica.create(30)
    await until(lambda: answers.at_once == 8)
    assert (await replica.get()).counts == Counts(30, 0, 0)
    answers.open.set()
    await settle()
    assert recorded(state) == set(range(16))
    assert (await replica.get()).counts == Counts(30, 15, 1)
    answers.release(20)
    await replica.background.idle()
    assert (await replica.get()).counts == Counts(30, 29, 1)


async def test_other_replicas_see_the_progress(state: MemoryState, clock: FakeClock) -> None:
    owner = Replica(state, clock, OneByOne({20}, {1: [refusal(Status.NOT_FOUND, 404)]}))
    await owner.create(30)
    await settle()
    other = Replica(state, clock)
    assert (await other.get()).counts == Counts(30, 15, 1)
    await owner.background.stop()
    await other.background.stop()


async def test_it_runs_in_the_background_once(state: MemoryState, clock: FakeClock) -> None:
    owner = await blocked(state, clock, 2)
    for _ in range(3):
        await owner.get()
    await owner.jobs.list(CALLER, "", 5)
    assert list(owner.background.tasks) == [f"immediate batch acme/{KEY}"]
    await owner.background.stop()


async def test_another_tenants_job_is_not_found(state: MemoryState, clock: FakeClock) -> None:
    replica = Replica(state, clock)
    await replica.create(1)
    await replica.background.idle()
    for call in (
        replica.get(STRANGER, JOB_ID),
        replica.cancel(STRANGER, JOB_ID),
        replica.delete(STRANGER, JOB_ID),
        replica.results(STRANGER),
        replica.delete_results(STRANGER, JOB_ID),
        replica.get(CALLER, "../tenant"),
        replica.get(CALLER, "abcdefghijkl"),
    ):
        with pytest.raises(FerryError) as caught:
            await call
        assert caught.value.status == Status.NOT_FOUND
    assert (await replica.jobs.list(STRANGER, "", 10)) == ([], None)
    assert (await replica.get()).state is BatchState.SUCCEEDED


async def test_delete_leaves_nothing(state: MemoryState, clock: FakeClock) -> None:
    replica = Replica(state, clock)
    replica.call.open.clear()
    await replica.create(1)
    await until(lambda: replica.call.made == [0])
    with pytest.raises(FerryError) as caught:
        await replica.delete(CALLER, JOB_ID)
    assert caught.value.status == Status.FAILED_PRECONDITION
    replica.call.open.set()
    await replica.background.idle()
    await replica.delete(CALLER, JOB_ID)
    assert state.objects == {}
    with pytest.raises(FerryError) as caught:
        await replica.get()
    assert caught.value.status == Status.NOT_FOUND


async def test_the_results_are_found_with_two_reads(state: MemoryState, clock: FakeClock) -> None:
    """The record and the end; other objects are read only on request."""
    replica = Replica(state, clock)
    await replica.create(1)
    await replica.background.idle()
    replica.state.read.clear()
    found = await replica.results()
    assert len(replica.state.read) == 2
    with MemoryBudget().reserve() as reservation:
        await found.table(reservation)
    assert [lines async for lines in found.lines.slices()] != []
    assert len(set(replica.state.read)) == len(replica.state.read) == 4


async def test_results_can_be_deleted_alone(state: MemoryState, clock: FakeClock) -> None:
    replica = Replica(state, clock)
    replica.call.open.clear()
    await replica.create(1)
    for call in (replica.delete_results(CALLER, JOB_ID), replica.lines()):
        with pytest.raises(FerryError) as caught:
            await call
        assert caught.value.status == Status.NOT_FOUND
    replica.call.open.set()
    await replica.background.idle()
    found = await replica.results()
    await replica.delete_results(CALLER, JOB_ID)
    for late in (replica.lines(), anext(found.lines.slices())):
        with pytest.raises(FerryError) as caught:
            await late
        assert caught.value.status == Status.NOT_FOUND
    assert (await replica.get()).counts == Counts(1, 1, 0)


async def test_jobs_are_listed_newest_first(clock: FakeClock) -> None:
    """By the store's time, within a second of it by id."""
    now = clock.now()
    marks = {job_id_of(str(n)): str(n) for n in range(5)}
    ids = sorted(marks, reverse=True)
    dated = {job_id: now + timedelta(milliseconds=n) for n, job_id in enumerate(reversed(ids))}
    replica = Replica(Dated({**dated, ids[0]: now + timedelta(seconds=1)}), clock)
    for job_id in (ids[2], ids[0], ids[4], ids[1], ids[3]):
        await replica.create(1, marks[job_id])
    await replica.background.idle()
    listed: list[str] = []
    after = ""
    for more in (True, True, False):
        page, last = await replica.jobs.list(CALLER, after, 2)
        listed += [batch.id for batch in page]
        assert (last is not None) is more
        after = last or ""
        # The next page starts after the last one, also after its jobs were deleted.
        for batch in page:
            await replica.delete(CALLER, batch.id)
    assert listed == [ids[0], ids[4], ids[3], ids[2], ids[1]]
    assert await replica.jobs.list(CALLER, "", 2) == ([], None)


class Vanishing(MemoryState):
    """A store in which a job is deleted after it was listed and before it is read."""

    def __init__(self, vanishing: str) -> None:
        super().__init__()
        self._vanishing = vanishing

    async def list(self, prefix: str, after: str = "") -> AsyncIterator[ObjectInfo]:
        async for info in super().list(prefix, after):
            yield info
            if prefix.startswith("immediate/") and info.name.endswith(self._vanishing):
                await self.delete(info.name)


async def test_a_job_deleted_during_a_list_is_left_out(clock: FakeClock) -> None:
    replica = Replica(Vanishing(job_id_of("vanishes")), clock)
    for creation_key in ("stays", "vanishes"):
        await replica.create(1, creation_key)
    await replica.background.idle()
    listed, _ = await replica.jobs.list(CALLER, "", 2)
    assert [batch.id for batch in listed] == [job_id_of("stays")]


async def test_a_swept_job_is_deleted_before_its_parts(
    state: MemoryState, clock: FakeClock
) -> None:
    replica = Replica(state, clock)
    await replica.create(1)
    await replica.background.idle()
    life, upload_life = timedelta(days=30), timedelta(days=1)
    now = datetime.now(UTC)
    await sweep(state, now + life + timedelta(hours=1), upload_life, life)
    with pytest.raises(FerryError) as caught:
        await replica.get()
    assert caught.value.status == Status.NOT_FOUND
    assert {name.split("/")[0] for name in state.objects} == {"immediate-work", "immediate-ended"}
    await sweep(state, now + life + upload_life + timedelta(hours=1), upload_life, life)
    assert state.objects == {}


async def test_a_job_whose_table_is_swept_first_is_gone(
    state: MemoryState, clock: FakeClock
) -> None:
    replica = Replica(state, clock)
    await replica.create(1)
    await replica.background.idle()
    [table] = [name for name in state.objects if name.startswith("batches/")]
    await state.delete(table)
    found = await replica.results()
    with MemoryBudget().reserve() as reservation:
        with pytest.raises(FerryError) as caught:
            await found.table(reservation)
    assert caught.value.status == Status.NOT_FOUND


async def test_nothing_secret_reaches_the_store(state: MemoryState, clock: FakeClock) -> None:
    replica = Replica(state, clock)
    await replica.create(3)
    await replica.background.idle()
    for name, data in state.objects.items():
        assert "AKIA" not in name
        assert b"AKIA" not in data
        assert b"secret" not in data


# --- positions in the list ---------------------------------------------------------------------

POSITIONS = st.tuples(st.integers(-(10**12) + 1, 0), st.text().map(job_id_of))


@given(POSITIONS)
def test_a_position_is_read_back(position: Position) -> None:
    assert parse_position(render_position(position)) == position


@given(st.lists(POSITIONS, unique=True))
def test_newer_positions_come_first(positions: list[Position]) -> None:
    times = [-seconds for seconds, _ in sorted(positions)]
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize("text", ["", "1", "1.", ".a", "1.A", "-1.a", "1.a/b", "1.a\n", "x.a"])
def test_an_invalid_position_is_refused(text: str) -> None:
    with pytest.raises(FerryError, match="page token"):
        parse_position(text)
