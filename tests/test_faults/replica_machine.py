"""What the state machines share: two replicas in front of one upstream; either may die."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import wraps
from typing import Any, ClassVar, Protocol, TypeVar

from aiohttp import ClientError, ClientSession
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

from tests.end_to_end.fake_client import FakeClient, Match

T = TypeVar("T")

either = st.integers(0, 1)
deaths = st.sampled_from([*[None] * 12, *range(8), 10, 12, 15, 20])
"""At which of its steps within a call the replica dies; usually it lives."""
faults = st.sampled_from(["reset", "status", "lose_answer"])


def when(
    condition: Callable[[Any], object],
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A rule that does nothing while the condition does not hold.

    Hypothesis requires that its own preconditions depend only on what it has drawn. These depend on
    answers, and which of two requests at once comes first can differ.
    """

    def decorated(carry_out: Callable[..., None]) -> Callable[..., None]:
        @wraps(carry_out)
        def skipping(machine: Any, *values: Any, **drawn: Any) -> None:
            if condition(machine):
                carry_out(machine, *values, **drawn)

        return skipping

    return decorated


class ReplicasForMachines(Protocol):
    """`granule` is that of uploads, in bytes."""

    granule: int
    fakes: Mapping[str, FakeClient]
    http: ClientSession
    base_urls: Sequence[str]

    def doom(self, number: int, steps: int) -> None:
        """The replica may die within its next calls, `steps` after this one if they are counted."""

    async def revive(self, number: int) -> None:
        """The replica that was doomed runs, after its death if it died."""

    async def reset(self, kind: str) -> None:
        """The fake of that kind has no objects and no faults."""


class ReplicaMachine(RuleBasedStateMachine):
    """The test sets `kind`, which is the name of the upstream, and what follows it.

    `steps` are those of an example. Some do nothing, as the rule does not apply.
    """

    steps: ClassVar[int]
    kind: ClassVar[str]
    replicas: ClassVar[ReplicasForMachines]
    runner: ClassVar[asyncio.Runner]

    def __init__(self) -> None:
        super().__init__()
        # An answer may be 503: a fault, a death, a broken request, or two at once.
        self.armed = self.disturbed = False

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    @property
    def upstream(self) -> FakeClient:
        return self.replicas.fakes[self.kind]

    async def mortal(
        self, number: int, death: int | None, calling: Coroutine[Any, Any, T]
    ) -> T | None:
        """The answer; None if the replica died first."""
        if death is None:
            return await calling
        self.replicas.doom(number, death)
        self.disturbed = True
        try:
            return await calling
        except (ClientError, ConnectionError):
            return None
        finally:
            await self.replicas.revive(number)

    def arm(self, match: Match | None, fault: str, nth: int = 1) -> None:
        options = {"status": 503} if fault == "status" else {}
        self.run(self.upstream.arm(match, fault, nth=nth, **options))
        self.armed = self.disturbed = True


async def gathered(*sent: Coroutine[Any, Any, T]) -> list[T]:
    return list(await asyncio.gather(*sent))
