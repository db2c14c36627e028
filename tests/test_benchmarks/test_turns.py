"""How the side-by-side benchmark takes ratios from its readings."""

import pytest

from tests.benchmarks.side_by_side.figures import CPU, SPEED, THROUGHPUT
from tests.benchmarks.side_by_side.turns import Compared, Reading, Turn


def _compared(*turns: tuple[float, float, float]) -> Compared:
    """Each turn is the reference's CPU time, the other side's, and the reference's again."""
    made = [
        Turn((Reading(before, 1), Reading(after, 1)), {"other": Reading(cpu, 2)})
        for before, cpu, after in turns
    ]
    return Compared("reference", ("other",), made, {})


def test_a_ratio_is_the_median_of_the_turns() -> None:
    found = _compared((1, 2, 1), (1, 3, 1), (1, 9, 1), (2, 8, 2), (1, 1, 1)).ratio(CPU, "other")
    assert found is not None
    assert (found.median, found.least, found.most) == (3, 1, 9)


def test_throughput_is_the_inverse_of_the_time() -> None:
    found = _compared(*[(1, 1, 1)] * 5).ratio(THROUGHPUT, "other")
    assert found is not None
    assert found.median == 0.5


def test_a_turn_whose_reference_moved_by_over_15_percent_is_void() -> None:
    quiet = [(1.0, 2.0, 1.15)] * 5
    compared = _compared(*quiet, (1.0, 100.0, 1.16))
    found = compared.ratio(CPU, "other")
    assert found is not None
    assert found.most == pytest.approx(2 / 1.075)
    assert compared.figure("row", CPU, "other", None).void == 1
    assert compared.figure("row", THROUGHPUT, "other", None).void == 0


def test_fewer_than_five_valid_turns_are_too_few() -> None:
    assert _compared(*[(1.0, 2.0, 1.0)] * 4, *[(1.0, 2.0, 2.0)] * 4).ratio(CPU, "other") is None


def test_speed_is_the_inverse_of_the_cpu_time() -> None:
    found = _compared(*[(1.0, 4.0, 1.0)] * 5).ratio(SPEED, "other")
    assert found is not None
    assert found.median == 0.25
