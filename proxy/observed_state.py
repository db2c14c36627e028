"""A state store whose operations are measured and traced."""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TypeVar

from providers.body import Body
from providers.multipart_uploads import MultipartUpload, MultipartUploads, Part
from providers.state import ObjectInfo, State, StateError
from proxy.observers import Telemetry

T = TypeVar("T")


class _Operations:
    """Measures operations by their names in `State` and `MultipartUploads`."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._metrics = telemetry.metrics
        self._tracer = telemetry.tracer

    @contextmanager
    def observed(self, operation: str) -> Iterator[None]:
        began = time.monotonic()
        name = f"state {operation}"
        with self._tracer.call(name, {"ferry.state.operation": operation}) as span:
            try:
                yield
            except StateError as error:
                span.fail(error.status.name)
                self.failed(operation)
                raise
            finally:
                seconds = time.monotonic() - began
                self._metrics.state_duration.labels(operation).observe(seconds)

    def failed(self, operation: str) -> None:
        self._metrics.state_errors.labels(operation).inc()


class _Items(AsyncIterator[T]):
    """The items of a store's iterator. The wait for the first one is the operation.

    Not a generator: the source of one that was never started would stay open.
    """

    def __init__(self, operation: str, source: AsyncIterator[T], operations: _Operations) -> None:
        self._operation = operation
        self._source = source
        self._operations = operations
        self._begun = False

    async def __anext__(self) -> T:
        if self._begun:
            return await self._next()
        self._begun = True
        with self._operations.observed(self._operation):
            return await anext(self._source)

    async def aclose(self) -> None:
        aclose = getattr(self._source, "aclose", None)
        if aclose is not None:
            await aclose()

    async def _next(self) -> T:
        try:
            return await anext(self._source)
        except StateError:
            self._operations.failed(self._operation)
            raise


class ObservedState:
    """Implements `providers.state.State` over another."""

    def __init__(self, state: State, telemetry: Telemetry) -> None:
        self._state = state
        self._operations = _Operations(telemetry)
        self.multipart: MultipartUploads = _ObservedParts(state.multipart, self._operations)

    async def create(self, name: str, body: Body) -> bool:
        with self._operations.observed("create"):
            return await self._state.create(name, body)

    async def get(self, name: str) -> Body | None:
        with self._operations.observed("get"):
            body = await self._state.get(name)
        if body is None:
            return None
        return Body(_Items("read", aiter(body.chunks), self._operations), body.length)

    async def head(self, name: str) -> ObjectInfo | None:
        with self._operations.observed("head"):
            return await self._state.head(name)

    async def delete(self, name: str) -> None:
        with self._operations.observed("delete"):
            await self._state.delete(name)

    def list(self, prefix: str, after: str = "") -> AsyncIterator[ObjectInfo]:
        return _Items("list", self._state.list(prefix, after), self._operations)


class _ObservedParts:
    """Implements `providers.multipart_uploads.MultipartUploads` over another."""

    def __init__(self, multipart: MultipartUploads, operations: _Operations) -> None:
        self._multipart = multipart
        self._operations = operations

    async def begin(self, name: str, size: int | None = None) -> MultipartUpload:
        with self._operations.observed("begin_parts"):
            return await self._multipart.begin(name, size)

    async def put(self, upload: MultipartUpload, number: int, body: Body) -> None:
        with self._operations.observed("put_part"):
            await self._multipart.put(upload, number, body)

    def parts(self, upload: MultipartUpload, after: int = 0) -> AsyncIterator[Part]:
        return _Items("list_parts", self._multipart.parts(upload, after), self._operations)

    async def complete(self, upload: MultipartUpload, size: int) -> None:
        with self._operations.observed("complete_parts"):
            await self._multipart.complete(upload, size)

    async def abort(self, upload: MultipartUpload) -> None:
        with self._operations.observed("abort_parts"):
            await self._multipart.abort(upload)

    async def abort_before(self, time: datetime) -> None:
        with self._operations.observed("abort_old_parts"):
            await self._multipart.abort_before(time)

    def unlisted(self) -> AsyncIterator[MultipartUpload]:
        return _Items("list_uploads", self._multipart.unlisted(), self._operations)
