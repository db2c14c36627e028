"""`make demo` shows every provider's workflow, and fails if anything is wrong."""

import asyncio
import re
import sys
from dataclasses import replace

import pytest

from tests.demo.__main__ import STOPS, demo
from tests.demo.questions import QUESTIONS
from tests.test_documentation import ROOT

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]


async def test_the_demo_shows_files_states_and_results() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.demo",
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(120):
        printed, complaints = await process.communicate()

    text = printed.decode("ascii")
    assert (process.returncode, complaints) == (0, b""), text
    visits = text.split("=== x-model-provider: ")[1:]
    assert [visit.split()[0] for visit in visits] == [stop.provider for stop in STOPS]
    for visit in visits:
        assert "ACTIVE" in visit
        assert "JOB_STATE_RUNNING" in visit
        assert "JOB_STATE_CANCELLED" in visit
        assert f"echo: {QUESTIONS['capital']}" in visit
        assert re.search(r"error 3: .*The request asked to fail\.", visit)


async def test_the_demo_fails_when_anything_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    no_such_model = replace(STOPS[1], model="no-such-model")

    assert await demo([no_such_model]) == 1

    printed = capsys.readouterr().out
    assert "the demo failed" in printed
    assert "the batch ended as JOB_STATE_FAILED" in printed
    assert no_such_model.key not in printed
