"""The fuzzer, for some seconds; `make fuzz` sends a million requests."""

from pathlib import Path

import pytest

from tests.fuzz.fuzzer import Fuzzer, stage

pytestmark = pytest.mark.end_to_end

REQUESTS = 700
SEED = 2026


async def test_random_requests_find_no_fault_of_ours(tmp_path: Path) -> None:
    async with stage(tmp_path / "state") as at:
        report = await Fuzzer(at, SEED).run(REQUESTS)
    assert report.findings == []
    assert report.requests == REQUESTS
    # What is sent is not only refused: operations succeed, too.
    assert report.answers[200] > REQUESTS / 20
