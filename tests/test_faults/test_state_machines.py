"""Runs the state machines for every provider, many examples in one process and few with real ones.

`make fuzz` runs more of both, and others each time.
"""

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.end_to_end.fake_client import KINDS
from tests.test_faults.batch_machine import BatchMachine
from tests.test_faults.one_process import one_process
from tests.test_faults.replica_machine import ReplicaMachine, ReplicasForMachines
from tests.test_faults.replicas import replicas
from tests.test_faults.upload_machine import UploadMachine

pytestmark = pytest.mark.end_to_end

SHARES = {one_process: 4, replicas: 30}
"""How many examples of other properties take as long as one here."""


@pytest.fixture(
    scope="module",
    params=[one_process, pytest.param(replicas, marks=pytest.mark.long)],
    ids=lambda form: form.__name__,
)
def stage(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[ReplicasForMachines, asyncio.Runner, int]]:
    """The replicas, the event loop for the steps of a machine, and the number of examples."""
    with asyncio.Runner() as runner:
        opened = request.param(tmp_path_factory.mktemp("state") / "state")
        both = runner.run(opened.__aenter__())
        try:
            yield both, runner, max(settings().max_examples // SHARES[request.param], 1)
        finally:
            runner.run(opened.__aexit__(None, None, None))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("machine", [UploadMachine, BatchMachine])
def test_no_order_of_calls_faults_and_deaths_breaks_a_promise(
    machine: type[ReplicaMachine],
    kind: str,
    stage: tuple[ReplicasForMachines, asyncio.Runner, int],
) -> None:
    """The promises are those of each machine."""
    both, runner, examples = stage
    at_the_stage = {"kind": kind, "replicas": both, "runner": runner}
    run_state_machine_as_test(
        # Its examples depend on its name.
        type(f"{machine.__name__}At{kind.title()}", (machine,), at_the_stage),
        settings=settings(
            max_examples=examples,
            stateful_step_count=machine.steps,
            deadline=None,
            derandomize=settings.get_current_profile_name() != "long",
            suppress_health_check=list(HealthCheck),
            # To shrink an example that depends on chance can take minutes.
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
        ),
    )
