"""The benchmark of growth: its points, its table and its picture."""

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.benchmarks.side_by_side.figures import Spread
from tests.benchmarks.side_by_side.growth import SERIES, points
from tests.benchmarks.side_by_side.growth_report import (
    CONNECTIONS,
    LINES,
    SIZE,
    Axis,
    Point,
    markdown,
    picture,
)

needs_proc = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")


@needs_proc
@pytest.mark.end_to_end
@pytest.mark.parametrize(
    ("name", "amount"),
    [
        ("openai, in chunks", 24),
        ("gemini, chunks at once", 4),
        ("mistral, results translated", 200),
    ],
)
async def test_a_point_can_be_measured(name: str, amount: int) -> None:
    (series,) = [replace(each, amounts=(amount,)) for each in SERIES if each.name == name]
    (point,) = [point async for point in points([series])]
    assert (point.series, point.amount) == (name, amount)
    assert 0 < point.cost.least <= point.cost.median <= point.cost.most


def test_a_series_grows_and_a_long_one_goes_on() -> None:
    for series in SERIES:
        assert sorted({*series.amounts, *series.more}) == [*series.amounts, *series.more]


def _point(axis: Axis, series: str, amount: int, cost: float) -> Point:
    return Point(axis, series, amount, Spread(cost, cost / 2, cost * 2), 12.4)


def test_the_table_has_a_line_for_each_point() -> None:
    lines = markdown([_point(SIZE, "gemini, download", 64, 0.5)], "Measured today.").splitlines()
    expected = "| gemini, download | 64 MiB | 0.5 (0.25 to 1) s/GiB | 12 MiB |"
    assert {expected, "Measured today."} <= set(lines)


def test_the_picture_has_two_panels_for_each_axis_and_a_mark_for_each_point() -> None:
    found = [
        *(_point(SIZE, "a <b>", amount, 1) for amount in (8, 64, 8192)),
        *(_point(LINES, "c", amount, 2) for amount in (1000, 4000)),
        _point(CONNECTIONS, "d", 1, 3),
    ]
    drawn = ElementTree.fromstring(picture(found, "Measured today."))  # noqa: S314 - our own
    space = "{http://www.w3.org/2000/svg}"
    assert len(list(drawn.iter(f"{space}circle"))) == 2 * len(found)
    texts = [each.text for each in drawn.iter(f"{space}text")]
    assert texts.count("a <b>") == 1
    assert {"file size: s/GiB", "file size: MiB over idle", "1k", "8192", "Measured today."} <= set(
        texts
    )


def test_a_straight_line_is_drawn_level() -> None:
    drawn = picture([_point(SIZE, "a", amount, 1) for amount in (8, 16, 32)], "")
    marks = [line for line in drawn.splitlines() if "circle" in line]
    assert len({line.split('cy="')[1].split('"')[0] for line in marks[:3]}) == 1
    across = [float(line.split('cx="')[1].split('"')[0]) for line in marks[:3]]
    assert across[2] - across[1] == pytest.approx(across[1] - across[0])
