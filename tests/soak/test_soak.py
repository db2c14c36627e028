"""The soak, for some seconds; `make soak` is ten minutes."""

from pathlib import Path

import pytest

from tests.soak.soak import soak

pytestmark = pytest.mark.end_to_end


async def test_nothing_is_lost_and_nothing_grows(tmp_path: Path) -> None:
    report = await soak(tmp_path / "state", seconds=10, seed=2026)
    assert report.findings == []
    assert report.kills > 0
    assert report.faults > 0
    assert report.files > 0
    assert report.results > 0
