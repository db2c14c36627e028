"""A state store over another one: a subclass changes only the calls that it overrides."""

from collections.abc import AsyncIterator
from datetime import datetime

from providers.body import Body
from providers.multipart_uploads import MultipartUpload, MultipartUploads, Part
from providers.state import ObjectInfo, State


class WrappedState:
    """Implements `providers.state.State`."""

    def __init__(self, state: State, multipart: MultipartUploads) -> None:
        self._state = state
        self.multipart: MultipartUploads = multipart

    async def create(self, name: str, body: Body) -> bool:
        return await self._state.create(name, body)

    async def get(self, name: str) -> Body | None:
        return await self._state.get(name)

    async def head(self, name: str) -> ObjectInfo | None:
        return await self._state.head(name)

    async def delete(self, name: str) -> None:
        await self._state.delete(name)

    def list(self, prefix: str, after: str = "") -> AsyncIterator[ObjectInfo]:
        return self._state.list(prefix, after)


class WrappedParts:
    """Implements `providers.multipart_uploads.MultipartUploads`."""

    def __init__(self, multipart: MultipartUploads) -> None:
        self._multipart = multipart

    async def begin(self, name: str, size: int | None = None) -> MultipartUpload:
        return await self._multipart.begin(name, size)

    async def put(self, upload: MultipartUpload, number: int, body: Body) -> None:
        await self._multipart.put(upload, number, body)

    def parts(self, upload: MultipartUpload, after: int = 0) -> AsyncIterator[Part]:
        return self._multipart.parts(upload, after)

    async def complete(self, upload: MultipartUpload, size: int) -> None:
        await self._multipart.complete(upload, size)

    async def abort(self, upload: MultipartUpload) -> None:
        await self._multipart.abort(upload)

    async def abort_before(self, time: datetime) -> None:
        await self._multipart.abort_before(time)

    def unlisted(self) -> AsyncIterator[MultipartUpload]:
        return self._multipart.unlisted()
