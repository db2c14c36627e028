"""What the state machines share: two replicas in front of one upstream, which may be killed."""

import asyncio
from collections.abc import Coroutine
from typing import Any, ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from tests.end_to_end.fake_client import FakeClient
from tests.test_faults.replicas import Replicas

MOST_KILLS = 2
"""In one example: to start a replica takes longer than all other steps together."""

T = TypeVar("T")

either = st.integers(0, 1)


class ReplicaMachine(RuleBasedStateMachine):
    """The test sets the class's members; `kind` is the name of the upstream."""

    kind: ClassVar[str]
    replicas: ClassVar[Replicas]
    runner: ClassVar[asyncio.Runner]

    def __init__(self) -> None:
        super().__init__()
        self.kills = 0

    @precondition(lambda self: self.kills < MOST_KILLS)
    @rule(number=either)
    def kill(self, number: int) -> None:
        self.kills += 1
        self.run(self.replicas.kill(number))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    @property
    def upstream(self) -> FakeClient:
        return self.replicas.fakes[self.kind]
