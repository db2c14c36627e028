"""Replicas that share one state store, under a clock that a test moves."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import orjson

from providers.batches.batch_target import FoundBatch
from providers.batches.ended_results import EndedResults
from providers.batches.immediate.clock import Clock
from providers.batches.immediate.combined import CombinedTarget
from providers.batches.immediate.creation import NewImmediateJob
from providers.batches.immediate.heartbeats import LOOK_SECONDS
from providers.batches.immediate.job import JobKey, JobRecord, job_id_of
from providers.batches.immediate.jobs import ImmediateJobs, ImmediateOptions, ImmediateUse
from providers.batches.immediate.leases import LEASE_SECONDS
from providers.batches.immediate.stored import StoredJob
from providers.batches.json_lines import ResultLine
from providers.batches.repeats import Attempt
from providers.batches.request_table import RequestTable, RowKind, indexed_id
from providers.batches.target_batches import TargetBatches
from providers.body import in_memory
from providers.credential import Caller, Credential
from providers.errors import FerryError, not_found
from providers.memory import Limits, MemoryBudget
from providers.resources import Batch, BatchKind, NewBatch, Page
from providers.state import State
from providers.status import Status
from tests.memory_state import MemoryState
from tests.test_providers.test_batches.test_immediate.fake_clock import FakeClock, until
from tests.test_providers.test_batches.test_immediate.scripted_answers import FORM, ScriptedAnswers
from tests.test_providers.test_batches.test_immediate.stores import Mortal

CALLER = Caller(Credential("AKIA:secret"), "tenant")
CREATION_KEY = "the job"
JOB_ID = job_id_of(CREATION_KEY)
KEY = JobKey("tenant", JOB_ID)
WORK = f"immediate-work/acme/{KEY}/c"
MODEL = "a-model"
# A dead owner is replaced within a minute: its last heartbeat is seen at the next look, and then no
# other for a whole lease.
TAKEN_OVER = 60.0
assert TAKEN_OVER > LEASE_SECONDS + 2.5 * LOOK_SECONDS


class TestBackground:
    """Implements `Background`. Errors of the work are kept for the test."""

    __test__ = False

    def __init__(self) -> None:
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.failures: list[Exception] = []
        self._before_end: list[Callable[[], Awaitable[None]]] = []

    def before_end(self, prepare: Callable[[], Awaitable[None]]) -> None:
        self._before_end.append(prepare)

    async def drain(self) -> None:
        """Prepares for the end of the application, without a limit."""
        await asyncio.gather(*(prepare() for prepare in self._before_end))

    def start(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        if name in self.tasks:
            return
        task = asyncio.create_task(self._carry_out(work))
        self.tasks[name] = task
        task.add_done_callback(lambda _: self.tasks.pop(name))

    async def stop(self) -> None:
        tasks = list(self.tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def idle(self) -> None:
        """All started work has ended, without the passing of time."""
        await until(lambda: not self.tasks)

    async def ended(self) -> None:
        """Waits until all work has ended, over a slow store."""
        await asyncio.gather(*self.tasks.values())

    async def _carry_out(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except Exception as error:
            self.failures.append(error)


class NoOwnBatches:
    """Implements `BatchTarget`, for a provider on which all batches are immediate."""

    name = "acme"

    async def make(self, caller: Caller, batch: NewBatch, attempt: Attempt) -> FoundBatch:
        raise AssertionError

    async def find(self, caller: Caller, batch_id: str) -> FoundBatch:
        raise not_found(batch_id)

    async def page(self, caller: Caller, page_size: int, page_token: str | None) -> Page[Batch]:
        return Page([], None)


class Replica:
    """One process: its jobs, its background, its view of the shared store."""

    def __init__(
        self,
        state: State,
        clock: Clock,
        call: ScriptedAnswers | None = None,
        memory: MemoryBudget | None = None,
        *,
        ambient: bool = False,
    ) -> None:
        self.shared = state
        self.state = Mortal(state)
        self.call = call or ScriptedAnswers()
        self.background = TestBackground()
        self.jobs = ImmediateJobs(
            "acme",
            self.state,
            memory or MemoryBudget(),
            self.background,
            self.call,
            1 << 20,
            ImmediateOptions(ImmediateUse.ALWAYS, requests=10_000, calls=32, setting="MOST"),
            ambient=ambient,
            clock=clock,
        )
        limits = Limits(line=1 << 20, inline_results=1 << 20)
        target = CombinedTarget(NoOwnBatches(), self.jobs)
        self.batches = TargetBatches(target, self.state, MemoryBudget(), limits)

    async def create(
        self, count: int, creation_key: str = CREATION_KEY, caller: Caller = CALLER
    ) -> Batch:
        return (await self.jobs.create(caller, creation_key, new_job(count))).batch

    async def submit(self, new: NewImmediateJob, creation_key: str = CREATION_KEY) -> Batch:
        return (await self.jobs.create(CALLER, creation_key, new)).batch

    async def get(self, caller: Caller = CALLER, job_id: str = JOB_ID) -> Batch:
        return (await self.jobs.find(caller, job_id)).batch

    async def cancel(self, caller: Caller, job_id: str) -> None:
        await self.batches.cancel(caller, job_id)

    async def delete(self, caller: Caller, job_id: str) -> None:
        await self.batches.delete(caller, job_id)

    async def delete_results(self, caller: Caller, job_id: str) -> None:
        await self.batches.delete_results(caller, job_id)

    async def die(self) -> None:
        """The process dies without a last write to the store."""
        self.state.away = True
        await self.background.stop()

    async def results(self, caller: Caller = CALLER) -> EndedResults:
        results = await (await self.jobs.find(caller, JOB_ID)).results()
        if results is None:
            raise not_found("no results")
        return results

    async def lines(self, caller: Caller = CALLER) -> list[dict[str, object]]:
        found = (await self.results(caller)).lines
        return [orjson.loads(line_text(line)) async for lines in found.slices() for line in lines]


async def blocked(state: MemoryState, clock: FakeClock, count: int) -> Replica:
    """An owner with the largest number of calls in flight."""
    owner = Replica(state, clock)
    owner.call.open.clear()
    await owner.create(count)
    await until(lambda: owner.call.at_once == min(8, count))
    return owner


def input_line(number: int, padding: int = 0) -> bytes:
    body = {"n": number, "padding": "x" * padding}
    return orjson.dumps({"custom_id": indexed_id(number), "body": body})


def new_job(count: int, padding: int = 0, first: int = 0) -> NewImmediateJob:
    """`first` is the number of its first record."""
    numbers = range(first, first + count)
    return NewImmediateJob(
        model=MODEL,
        kind=BatchKind.GENERATE,
        invocation=FORM,
        table=RequestTable(RowKind.KEY, [orjson.dumps(f"k{n}") for n in numbers]),
        input=in_memory(b"".join(input_line(n, padding) + b"\n" for n in numbers)),
        display_name="few",
    )


def objects(state: MemoryState, kind: str) -> dict[str, bytes]:
    """The objects of the job's work of one kind, by their last segment."""
    return {
        name.rpartition("/")[2]: data
        for name, data in state.objects.items()
        if name.startswith("immediate-work/") and f"/{kind}/" in name
    }


def line_text(line: ResultLine) -> bytes:
    assert isinstance(line, bytes)
    return line


def refusal(
    status: Status, upstream_status: int | None = None, reason: str | None = None
) -> FerryError:
    """A refusal by the provider."""
    return FerryError(
        status, "acme: no", provider="acme", reason=reason, upstream_status=upstream_status
    )


def recorded(state: MemoryState) -> set[int]:
    """The records whose results are in the store, one by one or in runs."""
    found: set[int] = set()
    for name in objects(state, "results"):
        first, *said = map(int, name.split("-"))
        found |= set(range(first, first + (said[0] if said else 1)))
    return found


def stored_job(state: State, count: int = 40) -> StoredJob:
    """A job of the key KEY, of which nothing is stored yet. Its work is below WORK."""
    record = JobRecord(
        model=MODEL,
        display_name=None,
        kind=BatchKind.GENERATE,
        invocation=FORM,
        rows=RowKind.KEY,
        count=count,
        created=datetime(2026, 1, 1, tzinfo=UTC),
        creation="c",
        ambient=False,
    )
    return StoredJob("acme", state, KEY, record)
