"""Fixtures that tests in several folders share."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from hypothesis import settings
from tenacity import wait_none

from tests.buckets import FakeS3, aws_environment
from tests.processes import fake

# `make fuzz` chooses it: as many examples of each property as take minutes.
settings.register_profile("long", max_examples=1000, deadline=None)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def s3_process() -> AsyncIterator[FakeS3]:
    """One S3 for all tests; each test has its own prefix."""
    async with fake("s3") as process:
        yield FakeS3(process.url)


@pytest.fixture
def s3(s3_process: FakeS3, monkeypatch: pytest.MonkeyPatch) -> FakeS3:
    """The same, with its credentials in the environment for AWS's credential chain."""
    for name, value in aws_environment().items():
        monkeypatch.setenv(name, value)
    return s3_process


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls to upstreams are repeated at once, unless a refusal names a time."""
    monkeypatch.setattr("providers.retries.USUAL_PAUSE", wait_none())
