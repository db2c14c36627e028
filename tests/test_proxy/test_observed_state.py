"""A store behind its observation is the same store, and each operation is counted."""

from collections.abc import AsyncIterator

import pytest
from prometheus_client import generate_latest

from providers.body import Body, close
from providers.state import ObjectInfo, StateError, read, write
from providers.status import Status
from proxy.metrics import Metrics
from proxy.observed_state import ObservedState
from proxy.observers import Telemetry
from tests.memory_state import MemoryState
from tests.scraping import parsed


class Broken(MemoryState):
    """Every operation fails; a stream fails after its first item."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = False

    async def create(self, name: str, body: Body) -> bool:
        raise _failed()

    async def get(self, name: str) -> Body | None:
        return Body(self._chunks(), 2)

    async def _chunks(self) -> AsyncIterator[bytes]:
        yield b"a"
        raise _failed()

    async def list(self, prefix: str, after: str = "") -> AsyncIterator[ObjectInfo]:
        raise _failed()
        yield


def _failed() -> StateError:
    return StateError(Status.UNAVAILABLE, "broken")


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("1")


def operations(metrics: Metrics, series: str) -> dict[str, float]:
    shown = parsed(generate_latest(metrics.registry).decode())
    return {
        dict(labels)["operation"]: value
        for (name, labels), value in shown.items()
        if name == series
    }


async def test_operations_pass_and_are_counted(metrics: Metrics) -> None:
    state = ObservedState(MemoryState(), Telemetry(metrics))
    assert await write(state, "files/a", b"content")
    assert not await write(state, "files/a", b"other")
    assert await read(state, "files/a") == b"content"
    assert await read(state, "files/b") is None
    info = await state.head("files/a")
    assert info is not None
    assert [each.name async for each in state.list("")] == ["files/a"]
    await state.delete("files/a")
    assert await state.head("files/a") is None

    assert operations(metrics, "ferry_state_operation_duration_seconds_count") == {
        "create": 2,
        "get": 2,
        "read": 1,
        "head": 2,
        "list": 1,
        "delete": 1,
    }
    assert operations(metrics, "ferry_state_errors_total") == {}


async def test_failures_are_counted_also_within_a_stream(metrics: Metrics) -> None:
    state = ObservedState(Broken(), Telemetry(metrics))
    with pytest.raises(StateError):
        await write(state, "files/a", b"")
    with pytest.raises(StateError):
        await read(state, "files/a")
    with pytest.raises(StateError):
        [each async for each in state.list("")]

    errors = operations(metrics, "ferry_state_errors_total")
    assert errors == {"create": 1, "read": 1, "list": 1}


async def test_a_stream_that_was_never_read_is_closed(metrics: Metrics) -> None:
    class Source(AsyncIterator[bytes]):
        closed = False

        async def __anext__(self) -> bytes:
            raise StopAsyncIteration

        async def aclose(self) -> None:
            self.closed = True

    source = Source()

    class Opened(MemoryState):
        async def get(self, name: str) -> Body | None:
            return Body(source, 0)

    body = await ObservedState(Opened(), Telemetry(metrics)).get("files/a")
    assert body is not None
    await close(body)
    assert source.closed
