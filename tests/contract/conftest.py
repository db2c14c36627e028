"""Every form of the state store, each made anew for a test."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from providers.state import State
from proxy.state_directory import DirectoryState
from tests.buckets import FakeS3, new_prefix, opened
from tests.memory_state import MemoryState

FORMS = ["directory", "bucket", "memory"]


class Replicas:
    """Stores of one form over the same objects, as replicas have them."""

    def __init__(self, form: str, path: Path, s3: FakeS3, stack: AsyncExitStack) -> None:
        self._form = form
        self._path = path
        self._s3 = s3
        self._stack = stack
        self._prefix = new_prefix()
        self._memory = MemoryState()

    async def another(self) -> State:
        match self._form:
            case "directory":
                return DirectoryState(self._path)
            case "bucket":
                return await self._stack.enter_async_context(opened(self._s3.address(self._prefix)))
            case _:
                return self._memory


@pytest.fixture(params=FORMS)
async def replicas(
    request: pytest.FixtureRequest, tmp_path: Path, s3: FakeS3
) -> AsyncIterator[Replicas]:
    async with AsyncExitStack() as stack:
        yield Replicas(request.param, tmp_path / "state", s3, stack)


@pytest.fixture
async def state(replicas: Replicas) -> State:
    return await replicas.another()
