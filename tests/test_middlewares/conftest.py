from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.test_middlewares.serving_ferry import Ferry, ferry


@pytest.fixture
async def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Ferry]:
    async with ferry(tmp_path, monkeypatch, inline_max_bytes=200_000) as served:
        yield served
