"""The side-by-side benchmark with little data: every row can be measured and is reported."""

import os
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.benchmarks.side_by_side.figures import (
    CPU,
    SPEED,
    THROUGHPUT,
    Figure,
    Reach,
    Spread,
    not_measured,
)
from tests.benchmarks.side_by_side.picture import picture
from tests.benchmarks.side_by_side.plan import QUICK, Plan
from tests.benchmarks.side_by_side.process_rows import WORKERS, two_workers, worker_rows
from tests.benchmarks.side_by_side.rows import figures
from tests.benchmarks.side_by_side.table import line, markdown, rows

needs_proc = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")


@needs_proc
@pytest.mark.end_to_end
@pytest.mark.parametrize(
    ("only", "count"),
    [
        ("in one request", 2),
        ("from an upstream with TLS", 2),
        ("chunks of 8 MiB to the Uploads API", 1),
        ("anthropic results translated", 1),
        ("mistral creation", 1),
        ("bedrock batches.get", 1),
        ("bedrock prompt, event", 1),
        ("openai prompt, first token", 1),
        ("anthropic prompt, 20 streams", 1),
        ("fast connections", 1),
        ("openai results translated, longest callback", 1),
        ("start", 2),
    ],
)
async def test_a_row_can_be_measured(only: str, count: int) -> None:
    found = [figure async for figure in figures(QUICK, only)]
    assert len(found) == count
    for figure in found:
        assert figure.turns > 0
        assert figure.now is None or figure.now.median > 0  # None: this machine is too noisy


async def test_two_workers_need_four_cores() -> None:
    (figure,) = [each async for each in worker_rows(Plan(QUICK, "", [0, 1, 2]))]
    assert (figure.now, figure.why) == (None, "fewer than four cores")


@needs_proc
@pytest.mark.end_to_end
async def test_two_workers_can_be_measured_on_any_cores() -> None:
    usable = sorted(os.sched_getaffinity(0))
    figure = await two_workers(Plan(QUICK, WORKERS, usable), usable)
    assert figure.turns > 0


def _figure(measure: str = CPU, median: float = 3) -> Figure:
    return Figure(
        "a <workload>",
        measure,
        "bare relay",
        Spread(median, 2, 4),
        Reach("≤", 2.5),
        turns=7,
        void=1,
        details="bare relay: 5 µs/call",
    )


def test_a_line_of_the_table_has_the_figure_and_what_was_to_be_reached() -> None:
    *_, row = rows([_figure()])
    assert row == (
        "| a <workload> | CPU time | bare relay | ≤ 2.5 | **3.00 (2.00 to 4.00)** | - | 7 (1) "
        "| bare relay: 5 µs/call |"
    )


@pytest.mark.parametrize(
    ("reach", "kept"),
    [
        (Reach("≤", 2.5), True),
        (Reach("≤", 2.4), False),
        (Reach("≥", 2.5), True),
        (Reach("≥", 2.6), False),
    ],
)
def test_a_bound_is_kept_at_the_bound_itself(reach: Reach, kept: bool) -> None:
    assert reach.kept(2.5) is kept


def test_what_was_not_measured_says_why() -> None:
    *_, row = rows([not_measured("a", THROUGHPUT, "too few cores", Reach("≥", 1.8))])
    assert row == "| a | throughput | - | ≥ 1.8 | not measured: too few cores | - | 0 (0) | - |"


def test_a_figure_without_enough_valid_turns_is_too_noisy() -> None:
    assert "too noisy" in line(Figure("a", CPU, "nginx", None, turns=14, void=11))


def test_the_report_says_how_to_repeat_it() -> None:
    text = markdown([_figure()], "Measured today.")
    assert "Measured today.\nRepeat it with `make bench`" in text
    assert "| a <workload> |" in text


def test_the_picture_is_valid_xml_with_a_bar_for_each_ratio() -> None:
    shown = [_figure(), _figure(SPEED, 0.5), _figure(THROUGHPUT, 7)]
    drawn = ElementTree.fromstring(picture(shown, "Measured today."))  # noqa: S314 - our own
    texts = [each.text for each in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert texts.count("a <workload> (1 = bare relay)") == 2
    assert {"3.00", "0.50", "Measured today."} <= set(texts)
    assert "7.00" not in texts
