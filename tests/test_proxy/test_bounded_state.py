import asyncio
import errno
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from providers.body import Body, TruncatedBody, in_memory
from providers.errors import FerryError
from providers.state import ObjectInfo, StateError, read, write
from providers.status import Status
from providers.upstream import UpstreamError
from proxy.bounded_state import BoundedState
from proxy.bucket_errors import BucketRefusal, UnusableBucket
from proxy.state_directory import DirectoryState
from proxy.state_store import bounded
from tests.memory_state import MemoryState
from tests.test_proxy.unprivileged import unprivileged

MOMENT = 0.05


class Hanging(MemoryState):
    """Does not return until a test releases it."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = asyncio.Event()
        self.asked = asyncio.Event()

    async def _hang(self) -> None:
        self.asked.set()
        await self.answers.wait()

    async def create(self, name: str, body: Body) -> bool:
        await self._hang()
        return await super().create(name, body)

    async def get(self, name: str) -> Body | None:
        body = await super().get(name)
        return body and Body(self._slowly(body), body.length)

    async def head(self, name: str) -> ObjectInfo | None:
        await self._hang()
        return await super().head(name)

    async def delete(self, name: str) -> None:
        await self._hang()

    async def list(self, prefix: str, after: str = "") -> AsyncIterator[ObjectInfo]:
        await self._hang()
        async for info in super().list(prefix, after):
            yield info

    async def _slowly(self, body: Body) -> AsyncIterator[bytes]:
        await self._hang()
        async for chunk in body.chunks:
            yield chunk


class Failing(MemoryState):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    async def head(self, name: str) -> ObjectInfo | None:
        raise self._error


async def ask(state: BoundedState, operation: str) -> None:
    match operation:
        case "create":
            await state.create("owned/a", in_memory(b"x"))
        case "read":
            await read(state, "there")
        case "head":
            await state.head("owned/a")
        case "delete":
            await state.delete("a")
        case "list":
            _ = [info async for info in state.list("")]


# --- stalls ----------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ["create", "read", "head", "delete", "list"])
async def test_a_store_that_stalls_is_named(
    operation: str, caplog: pytest.LogCaptureFixture
) -> None:
    store = Hanging()
    await MemoryState.create(store, "there", in_memory(b"x"))
    with pytest.raises(StateError) as caught:
        await ask(BoundedState(store, MOMENT), operation)
    error = caught.value
    assert (error.status, error.provider) == (Status.UNAVAILABLE, None)
    assert error.message == "the proxy's state store did not answer within 0.05 s"
    assert not isinstance(error, UpstreamError)
    assert caplog.messages == ["the state store did not answer within 0.05 s"]


async def test_thirty_seconds_are_the_limit() -> None:
    assert BoundedState(MemoryState())._seconds == 30


@pytest.mark.parametrize("operation", ["create", "read", "head", "delete", "list"])
async def test_a_store_that_answers_in_time_is_awaited(operation: str) -> None:
    store = Hanging()
    await MemoryState.create(store, "there", in_memory(b"x"))
    asking = asyncio.create_task(ask(BoundedState(store, 30), operation))
    await store.asked.wait()
    store.answers.set()
    await asking


async def test_a_source_may_be_slower_than_the_store(tmp_path: Path) -> None:
    arrived = asyncio.Event()

    async def source() -> AsyncIterator[bytes]:
        yield b"a"
        asyncio.get_running_loop().call_later(4 * MOMENT, arrived.set)
        await arrived.wait()
        yield b"b"

    for state in (
        BoundedState(MemoryState(), MOMENT),
        BoundedState(DirectoryState(tmp_path), 2 * MOMENT),
    ):
        arrived.clear()
        assert await state.create("owned/a", Body(source(), 2))
        assert await read(state, "owned/a") == b"ab"


async def test_a_disk_that_hangs_blocks_neither_the_loop_nor_name_resolution(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each hanging call takes a thread; other work must still get threads."""
    goes_on = threading.Event()

    def hang(*_: object) -> None:
        goes_on.wait()

    monkeypatch.setattr("proxy.state_directory._info", hang)
    state = BoundedState(DirectoryState(tmp_path), MOMENT)
    try:
        results = await asyncio.gather(
            *(state.head("owned/a") for _ in range(64)), return_exceptions=True
        )
        assert {type(result) for result in results} == {StateError}
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(30):
            assert await loop.getaddrinfo("localhost", 80)
    finally:
        goes_on.set()


async def test_a_cancelled_wait_ends_at_once(tmp_path: Path) -> None:
    """A probe waits for a shorter time than a request."""
    store = Hanging()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(MOMENT):
            await BoundedState(store, 3600).head("owned/a")


async def test_a_source_is_closed_before_its_error_is_raised() -> None:
    class Broken(Exception):
        pass

    closed = False

    async def source() -> AsyncIterator[bytes]:
        nonlocal closed
        try:
            yield b"a"
            raise Broken
        finally:
            closed = True

    with pytest.raises(Broken):
        await BoundedState(MemoryState(), 30).create("owned/a", Body(source(), 2))
    assert closed


# --- failures --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (
            OSError(errno.ENOSPC, "No space left", "/secret/path"),
            Status.UNAVAILABLE,
            "No space left",
        ),
        (OSError(errno.EIO, "Input/output error"), Status.UNAVAILABLE, "Input/output error"),
        (OSError("changes too fast"), Status.UNAVAILABLE, "OSError"),
        (
            PermissionError(errno.EACCES, "No rights", "/secret"),
            Status.FAILED_PRECONDITION,
            "No rights",
        ),
        (OSError(errno.EROFS, "Read-only"), Status.FAILED_PRECONDITION, "Read-only"),
        (NotADirectoryError(errno.ENOTDIR, "A file"), Status.FAILED_PRECONDITION, "A file"),
        (
            BucketRefusal(
                FerryError(
                    Status.PERMISSION_DENIED,
                    "bedrock: the secret",
                    provider="bedrock",
                    reason="AccessDenied",
                    upstream_status=403,
                )
            ),
            Status.FAILED_PRECONDITION,
            "AccessDenied",
        ),
        (UnusableBucket("it is gone"), Status.FAILED_PRECONDITION, "it is gone"),
        (
            UpstreamError(Status.DEADLINE_EXCEEDED, "h went silent"),
            Status.UNAVAILABLE,
            "went silent",
        ),
    ],
)
async def test_a_failure_names_only_the_store(
    error: Exception, status: Status, reason: str
) -> None:
    with pytest.raises(StateError) as caught:
        await BoundedState(Failing(error)).head("owned/a")
    assert (caught.value.status, caught.value.provider) == (status, None)
    assert caught.value.message.startswith("the proxy's state store failed: ")
    assert reason in caught.value.message
    assert "secret" not in caught.value.message
    assert ("FERRY_STATE_URL" in caught.value.message) == (status == Status.FAILED_PRECONDITION)


@pytest.mark.parametrize(
    "error", [UpstreamError(Status.UNAVAILABLE, "it broke off"), OSError("x"), TruncatedBody("y")]
)
async def test_an_error_of_a_bodys_source_is_raised_unchanged(
    error: Exception, tmp_path: Path
) -> None:
    async def source() -> AsyncIterator[bytes]:
        yield b"a"
        raise error

    for store in (MemoryState(), DirectoryState(tmp_path)):
        state = BoundedState(store)
        with pytest.raises(type(error)) as caught:
            await state.create("owned/a", Body(source(), 2))
        assert caught.value is error


# --- names -----------------------------------------------------------------------------------


async def test_a_name_outside_the_table_of_stored_objects_is_never_written() -> None:
    store = MemoryState()
    state = BoundedState(store)
    with pytest.raises(ValueError, match="not in the table"):
        await state.create("cache/a", in_memory(b"x"))
    with pytest.raises(ValueError, match="not in the table"):
        await state.multipart.begin("cache/a")
    with pytest.raises(ValueError, match="lets nothing list"):
        state.list("records/")
    assert store.objects == {}


# --- a directory that fails while it is used -------------------------------------------------


async def test_a_directory_without_rights(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with unprivileged(), pytest.raises(StateError, match="Permission denied") as caught:
        await write(bounded(DirectoryState(tmp_path / "state")), "owned/a", b"x")
    assert caught.value.status == Status.FAILED_PRECONDITION


async def test_a_file_in_the_way(tmp_path: Path) -> None:
    state = bounded(DirectoryState(tmp_path))
    await write(state, "owned/a/b", b"x")
    (tmp_path / "owned" / "c").write_bytes(b"")
    with pytest.raises(StateError, match="Not a directory") as caught:
        await write(state, "owned/c/d", b"x")
    assert caught.value.status == Status.FAILED_PRECONDITION


async def test_a_removed_directory_is_created_again(tmp_path: Path) -> None:
    state = bounded(DirectoryState(tmp_path / "state"))
    await write(state, "owned/a", b"x")
    for path in sorted((tmp_path / "state").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (tmp_path / "state").rmdir()
    assert await read(state, "owned/a") is None
    assert await write(state, "owned/a", b"y")
    assert await read(state, "owned/a") == b"y"


async def test_a_read_that_is_cancelled_as_its_chunk_arrives_closes_the_source() -> None:
    closed = asyncio.Event()
    readers: list[asyncio.Task[bytes | None]] = []

    class Cancelling(MemoryState):
        async def get(self, name: str) -> Body | None:
            return Body(self._chunks(), 4)

        async def _chunks(self) -> AsyncIterator[bytes]:
            try:
                readers[0].cancel()
                yield b"half"
            finally:
                closed.set()

    readers.append(asyncio.create_task(read(BoundedState(Cancelling(), MOMENT), "owned/a")))
    with pytest.raises(asyncio.CancelledError):
        await readers[0]
    assert closed.is_set()
