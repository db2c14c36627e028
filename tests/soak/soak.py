"""Users of every provider work at two replicas while upstreams fail and one replica is killed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from tests.end_to_end.fake_client import KINDS, FakeClient
from tests.fuzz.figures import Figures, figures, growth, settled
from tests.soak.work import User
from tests.test_faults.replicas import Replicas, replicas

USERS_OF_EACH: Final = 2
WARM_UP_SHARE: Final = 0.25
"""Of the time: until the first figures are taken, buffers and caches fill."""
FAULT_SECONDS: Final = 1.0
KILL_SECONDS: Final = 15.0
GROWTH: Final = Figures(64 << 20, 32, 8)
"""What may be added: such as connections to an upstream that are kept open, each with a task."""
FAULTS: Final = ("status", "reset", "lose_answer")
SURVIVOR, VICTIM = 0, 1


@dataclass
class Report:
    calls: int = 0
    files: int = 0
    batches: int = 0
    results: int = 0
    faults: int = 0
    kills: int = 0
    findings: list[str] = field(default_factory=list)
    before: Figures | None = None
    after: Figures | None = None


async def soak(state: Path, seconds: float, seed: int) -> Report:
    report, random = Report(), Random(seed)
    async with replicas(state, program="tests.fuzz.counted_proxy") as both:
        users = [
            User(kind, number, both, Random(f"{seed} {kind} {number}"))
            for kind in KINDS
            for number in range(USERS_OF_EACH)
        ]
        survivor = both.processes[SURVIVOR]
        await _work(users, seconds * WARM_UP_SHARE)
        report.before = await figures(survivor)
        async with _repeated(lambda: _fail(both, random, report), FAULT_SECONDS):
            async with _repeated(lambda: _kill(both, report), min(KILL_SECONDS, seconds / 4)):
                await _work(users, seconds * (1 - WARM_UP_SHARE))
        for fake in both.fakes.values():
            await fake.disarm()
        for user in users:
            await user.check()
            report.calls += user.kept.calls
            report.files += len(user.kept.files)
            report.batches += len(user.kept.texts)
            report.results += sum(map(len, user.kept.texts.values()))
        for fake in both.fakes.values():
            await fake.reset()  # removes its files, which can take longer than its end may take
        await both.http.close()
        report.after = await settled(survivor, report.before, GROWTH.tasks)
        report.findings = growth(report.before, report.after, GROWTH)
        report.findings += [line for line in survivor.lines if "a bug of ours" in line]
    return report


async def _work(users: list[User], seconds: float) -> None:
    until = asyncio.get_running_loop().time() + seconds
    async with asyncio.TaskGroup() as group:
        for user in users:
            group.create_task(user.work(until))


@asynccontextmanager
async def _repeated(step: Callable[[], Awaitable[None]], seconds: float) -> AsyncIterator[None]:
    """Within the block, `step` is made every `seconds`. The last one is made to its end."""
    over = asyncio.Event()

    async def repeat() -> None:
        while not over.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), seconds)
                return
            await step()

    repeating = asyncio.create_task(repeat())
    try:
        yield
    finally:
        over.set()
        await repeating


async def _fail(both: Replicas, random: Random, report: Report) -> None:
    """One of the next calls to a provider fails."""
    fake: FakeClient = both.fakes[random.choice(list(both.fakes))]
    kind = random.choice(FAULTS)
    options = {"status": 503} if kind == "status" else {}
    await fake.arm({"path": "^/(?!_fake)"}, kind, nth=random.randrange(1, 10), **options)
    report.faults += 1


async def _kill(both: Replicas, report: Report) -> None:
    await both.kill(VICTIM)
    report.kills += 1
