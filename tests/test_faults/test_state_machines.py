"""Runs the state machines for every provider: a few examples, and with `make fuzz` many."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.end_to_end.fake_client import KINDS
from tests.test_faults.batch_machine import BatchMachine
from tests.test_faults.replica_machine import ReplicaMachine
from tests.test_faults.replicas import Replicas, replicas
from tests.test_faults.upload_machine import UploadMachine

pytestmark = pytest.mark.end_to_end

TESTS_FOR_AN_EXAMPLE = {UploadMachine: 40, BatchMachine: 20}
"""One example of a machine takes as long as that many of another property."""


@dataclass(frozen=True)
class Stage:
    replicas: Replicas
    runner: asyncio.Runner


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    # hypothesis calls the steps of a machine without an event loop.
    with asyncio.Runner() as runner:
        opened = replicas(tmp_path_factory.mktemp("state") / "state")
        both = runner.run(opened.__aenter__())
        try:
            yield Stage(both, runner)
        finally:
            runner.run(opened.__aexit__(None, None, None))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("machine", TESTS_FOR_AN_EXAMPLE)
def test_no_order_of_calls_faults_and_kills_breaks_a_promise(
    machine: type[ReplicaMachine], kind: str, stage: Stage
) -> None:
    """The promises are those of each machine."""
    at_the_stage = {"kind": kind, "replicas": stage.replicas, "runner": stage.runner}
    run_state_machine_as_test(
        type("Machine", (machine,), at_the_stage),
        settings=settings(
            max_examples=max(settings().max_examples // TESTS_FOR_AN_EXAMPLE[machine], 1),
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            # Shows a failure that does not occur again when hypothesis repeats its steps.
            verbosity=Verbosity.verbose,
            # To shrink an example takes minutes.
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
        ),
    )
