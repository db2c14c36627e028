"""A state store that counts the calls it gets, over another one."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from datetime import datetime

from providers.body import Body
from providers.multipart_uploads import MultipartUpload, MultipartUploads, Part
from providers.state import ObjectInfo, State


class CountedState:
    """Implements `State`. `calls` names each call and its object; one to `multipart` counts too.

    Each is one round trip or more, depending on where the store is: a call to list takes one for
    each 1,000 names in a bucket. `names` is how many names such calls have read.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self.calls: list[str] = []
        self.names = 0
        self.multipart = _CountedParts(state.multipart, self.calls)

    def counts(self) -> Mapping[str, int]:
        """How many calls of each kind it got."""
        return Counter(call.partition(" ")[0] for call in self.calls)

    async def create(self, name: str, body: Body) -> bool:
        self.calls.append(f"create {name}")
        return await self._state.create(name, body)

    async def get(self, name: str) -> Body | None:
        self.calls.append(f"get {name}")
        return await self._state.get(name)

    async def head(self, name: str) -> ObjectInfo | None:
        self.calls.append(f"head {name}")
        return await self._state.head(name)

    async def delete(self, name: str) -> None:
        self.calls.append(f"delete {name}")
        await self._state.delete(name)

    async def list(self, prefix: str, after: str = "") -> AsyncIterator[ObjectInfo]:
        self.calls.append(f"list {prefix}")
        async for info in self._state.list(prefix, after):
            self.names += 1
            yield info


class _CountedParts:
    """Implements `MultipartUploads`."""

    def __init__(self, multipart: MultipartUploads, calls: list[str]) -> None:
        self._multipart = multipart
        self._calls = calls

    async def begin(self, name: str, size: int | None = None) -> MultipartUpload:
        self._calls.append(f"begin {name}")
        return await self._multipart.begin(name, size)

    async def put(self, upload: MultipartUpload, number: int, body: Body) -> None:
        self._calls.append(f"put {upload.name} {number}")
        await self._multipart.put(upload, number, body)

    def parts(self, upload: MultipartUpload, after: int = 0) -> AsyncIterator[Part]:
        self._calls.append(f"parts {upload.name}")
        return self._multipart.parts(upload, after)

    async def complete(self, upload: MultipartUpload, size: int) -> None:
        self._calls.append(f"complete {upload.name}")
        await self._multipart.complete(upload, size)

    async def abort(self, upload: MultipartUpload) -> None:
        self._calls.append(f"abort {upload.name}")
        await self._multipart.abort(upload)

    async def abort_before(self, time: datetime) -> None:
        self._calls.append("abort_before")
        await self._multipart.abort_before(time)

    def unlisted(self) -> AsyncIterator[MultipartUpload]:
        self._calls.append("unlisted")
        return self._multipart.unlisted()
