"""The state store as the program sees it: its names are those of the table of stored objects,
every wait has a deadline, and errors name the store.

An operation on a hanging disk cannot be interrupted, and its thread cannot be stopped. So an
operation that does not end in time is left running, and the request that waited gets an error.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import suppress
from datetime import datetime
from typing import Any, Final, Self, TypeVar

from providers.body import Body, InMemory
from providers.multipart_uploads import MultipartUpload, MultipartUploads, Part
from providers.state import ObjectInfo, State, StateError
from providers.status import Status
from providers.stored_objects import check_listed, check_written
from providers.upstream import UpstreamError
from proxy.disk_errors import is_permanent, reason_of

STALL_SECONDS: Final = 30.0

# How long a cancelled operation may take to release its body; it hangs if it needs longer.
_RELEASE_SECONDS: Final = 1.0

T = TypeVar("T")

_log: Final = logging.getLogger(__name__)


class BoundedState:
    """Implements `providers.state.State` over a store. Raises StateError if the store fails."""

    def __init__(self, store: State, seconds: float = STALL_SECONDS) -> None:
        """`seconds` without progress is a stall; waiting for a body's source does not count."""
        self._store = store
        self._seconds = seconds
        self.multipart: MultipartUploads = _BoundedParts(store.multipart, seconds)

    async def create(self, name: str, body: Body) -> bool:
        check_written(name)
        wait = Wait(self._seconds)
        return await wait.for_(self._store.create(name, wait.fed_by(body)))

    async def get(self, name: str) -> Body | None:
        body = await Wait(self._seconds).for_(self._store.get(name))
        if body is None or isinstance(body.chunks, InMemory):
            return body
        return Body(_Stream(aiter(body.chunks), self._seconds), body.length)

    async def head(self, name: str) -> ObjectInfo | None:
        return await Wait(self._seconds).for_(self._store.head(name))

    async def delete(self, name: str) -> None:
        await Wait(self._seconds).for_(self._store.delete(name))

    def list(self, prefix: str, after: str = "") -> AsyncIterator[ObjectInfo]:
        check_listed(prefix)
        return _Stream(aiter(self._store.list(prefix, after)), self._seconds)


class _BoundedParts:
    """Implements `providers.multipart_uploads.MultipartUploads` over the store's own."""

    def __init__(self, multipart: MultipartUploads, seconds: float) -> None:
        self._multipart = multipart
        self._seconds = seconds

    async def begin(self, name: str, size: int | None = None) -> MultipartUpload:
        check_written(name)
        return await Wait(self._seconds).for_(self._multipart.begin(name, size))

    async def put(self, upload: MultipartUpload, number: int, body: Body) -> None:
        wait = Wait(self._seconds)
        await wait.for_(self._multipart.put(upload, number, wait.fed_by(body)))

    def parts(self, upload: MultipartUpload, after: int = 0) -> AsyncIterator[Part]:
        return _Stream(aiter(self._multipart.parts(upload, after)), self._seconds)

    async def complete(self, upload: MultipartUpload, size: int) -> None:
        await Wait(self._seconds).for_(self._multipart.complete(upload, size))

    async def abort(self, upload: MultipartUpload) -> None:
        await Wait(self._seconds).for_(self._multipart.abort(upload))

    async def abort_before(self, time: datetime) -> None:
        await Wait(self._seconds).for_(self._multipart.abort_before(time))

    def unlisted(self) -> AsyncIterator[MultipartUpload]:
        return _Stream(aiter(self._multipart.unlisted()), self._seconds)


# --- waiting ---------------------------------------------------------------------------------


class Wait:
    """The wait for one operation of the store, with its deadline."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._progress = self._loop.time()
        self._fed = False
        self._feeding = False
        self._failure: BaseException | None = None

    async def for_(self, operation: Coroutine[Any, Any, T] | asyncio.Task[T]) -> T:
        """Raises StateError; errors of the body's own source are passed on unchanged."""
        task = asyncio.ensure_future(operation)
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=self._left())
                if not task.done() and not self._feeding and self._left() <= 0:
                    raise self._stalled()
        except BaseException:
            await self._abandon(task)
            raise
        try:
            return task.result()
        except (OSError, UpstreamError) as error:
            if error is self._failure:
                raise
            raise _state_error(error) from None

    def fed_by(self, body: Body) -> Body:
        self._fed = True
        return Body(self._feed(body), body.length)

    async def _feed(self, body: Body) -> AsyncIterator[bytes]:
        source = aiter(body.chunks)
        try:
            while (chunk := await self._next(source)) is not None:
                yield chunk
        finally:
            if hasattr(source, "aclose"):
                await source.aclose()

    async def _next(self, source: AsyncIterator[bytes]) -> bytes | None:
        self._feeding = True
        try:
            return await anext(source, None)
        except BaseException as error:
            self._failure = error
            raise
        finally:
            self._feeding = False
            self._progress = self._loop.time()

    def _left(self) -> float:
        if self._feeding:
            return self._seconds
        return self._progress + self._seconds - self._loop.time()

    def _stalled(self) -> StateError:
        _log.warning("the state store did not answer within %g s", self._seconds)
        return StateError(
            Status.UNAVAILABLE, f"the proxy's state store did not answer within {self._seconds:g} s"
        )

    async def _abandon(self, task: asyncio.Task[Any]) -> None:
        """Leaves the task to end by itself; when this returns, its body's source is released."""
        task.cancel()
        _abandoned.add(task)
        task.add_done_callback(_forget)
        if self._fed:
            await asyncio.wait({task}, timeout=_RELEASE_SECONDS)


# The event loop has only weak references to tasks.
_abandoned: Final[set[asyncio.Task[Any]]] = set()


def _forget(task: asyncio.Task[Any]) -> None:
    _abandoned.discard(task)
    if not task.cancelled():
        task.exception()


class _Stream(AsyncIterator[T]):
    """An iterator of a store, with a deadline for each item."""

    def __init__(self, source: AsyncIterator[T], seconds: float) -> None:
        self._source = source
        self._seconds = seconds
        self._ended = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        if self._ended:
            raise StopAsyncIteration
        # `_one` returns a list, since a task cannot end with StopAsyncIteration.
        task = asyncio.create_task(_one(self._source))
        try:
            found = await Wait(self._seconds).for_(task)
        except BaseException:
            if task.done():  # else the cancelled task ends the source
                await self.aclose()
            self._ended = True
            raise
        if not found:
            self._ended = True
            raise StopAsyncIteration
        return found[0]

    async def aclose(self) -> None:
        # After a failure the source has ended or still runs in an abandoned task.
        if not self._ended and hasattr(self._source, "aclose"):
            self._ended = True
            with suppress(OSError):  # what was read is good although its file cannot be closed
                await self._source.aclose()


async def _one(source: AsyncIterator[T]) -> list[T]:
    async for item in source:
        return [item]
    return []


# --- errors ----------------------------------------------------------------------------------


def _state_error(error: OSError | UpstreamError) -> StateError:
    """The message has no paths and addresses, which clients must not see."""
    if isinstance(error, OSError):
        return _failed(reason_of(error), permanent=is_permanent(error))
    return _failed(error.message, permanent=error.permanent, retry_after=error.retry_after)


def _failed(reason: str, *, permanent: bool, retry_after: str | None = None) -> StateError:
    message = f"the proxy's state store failed: {reason}"
    if permanent:
        return StateError(
            Status.FAILED_PRECONDITION,
            f"{message}; the operator must fix the store that FERRY_STATE_URL names",
        )
    return StateError(Status.UNAVAILABLE, message, retry_after=retry_after)
