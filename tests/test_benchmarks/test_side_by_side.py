"""The side-by-side benchmark with little data: every row can be measured and is reported."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.benchmarks.side_by_side.picture import picture
from tests.benchmarks.side_by_side.rows import QUICK, Row, rows
from tests.benchmarks.side_by_side.sides import FERRY, RELAY
from tests.benchmarks.side_by_side.start import Started
from tests.benchmarks.side_by_side.table import markdown
from tests.benchmarks.side_by_side.turns import Compared, Reading, Turn

needs_proc = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")


@needs_proc
@pytest.mark.end_to_end
@pytest.mark.parametrize("only", ["in one request", "download", "openai files.list"])
async def test_a_row_can_be_measured(only: str) -> None:
    (row,) = [row async for row in rows(QUICK, only)]
    assert FERRY in row.compared.others
    assert all(turn.others[FERRY].cpu > 0 for turn in row.compared.turns)
    assert row.compared.peaks[FERRY] > 0


def _row() -> Row:
    turn = Turn((Reading(1, 1), Reading(1, 1)), {FERRY: Reading(3, 2)})
    return Row("a <workload>", Compared(RELAY, (FERRY,), [turn] * 5, {FERRY: 5 << 20}), "s", 2)


@needs_proc
def test_the_table_has_a_line_for_each_row() -> None:
    text = markdown([_row()], Started(0.4, 0.5, 70 << 20, 7))
    cells = [each.strip() for each in text.split("| a <workload> |")[1].splitlines()[0].split("|")]
    assert cells[:4] == [RELAY, "0.5 s", "1", "3.00 (3.00 to 3.00)"]
    assert "0.50 s and 0.40 s of CPU time, and at rest 70 MiB" in text


def test_the_picture_is_valid_xml_with_a_bar_for_each_ratio() -> None:
    drawn = ElementTree.fromstring(picture([_row()]))  # noqa: S314 - our own
    texts = [each.text for each in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert "a <workload> (1 = bare relay)" in texts
    assert "3.00" in texts
