from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.test_middlewares.running_proxy import RunningProxy, running_proxy


@pytest.fixture
async def proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RunningProxy]:
    async with running_proxy(tmp_path, monkeypatch, inline_max_bytes=200_000) as proxy:
        yield proxy
