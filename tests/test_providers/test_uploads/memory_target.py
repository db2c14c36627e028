"""An upload target in memory, which can fail on demand."""

from collections.abc import Mapping

from providers.body import Body
from providers.credential import Caller
from providers.errors import unavailable
from providers.resources import File
from providers.upload import UploadStart
from providers.uploads.upload_target import OpenSession
from tests.test_providers.streams import collect


class MemoryTarget:
    """`files` by id and `parts` by offset. `faults` says how each of the next calls fails."""

    def __init__(self, whole_limit: int = 20, size_limit: int = 1000) -> None:
        self.whole_limit = whole_limit
        self.size_limit = size_limit
        self.parts: dict[int, bytes] = {}
        self.files: dict[str, bytes] = {}
        self.faults: list[str] = []
        self.aborted = 0

    @property
    def prefix(self) -> bytes:
        """The bytes without a gap from the start."""
        data = b""
        while (part := self.parts.get(len(data))) is not None and part:
            data += part
        return data

    async def describe(self, caller: Caller, start: UploadStart) -> Mapping[str, str]:
        return {}

    async def whole(self, session: OpenSession, body: Body) -> File:
        return await self._make(await self._read(body))

    async def put(self, session: OpenSession, offset: int, body: Body) -> None:
        data = await self._read(body)
        fault = self._fault()
        if fault == "before":
            raise unavailable("before")
        self.parts.setdefault(offset, data)
        if fault == "after":
            raise unavailable("after")

    async def part_size(self, session: OpenSession, offset: int) -> int | None:
        part = self.parts.get(offset)
        return None if part is None else len(part)

    async def assemble(self, session: OpenSession, total: int) -> File:
        data = b"".join(self.parts[offset] for offset in sorted(self.parts) if offset < total)
        assert len(data) == total
        return await self._make(data)

    async def unanswered(self, session: OpenSession) -> File | None:
        return File(id="f0", size=len(self.files["f0"])) if self.files else None

    async def abort(self, session: OpenSession) -> None:
        self.aborted += 1

    async def discard(self, session: OpenSession, file: File) -> None:
        del self.files[file.id]

    async def _make(self, data: bytes) -> File:
        fault = self._fault()
        if fault == "before":
            raise unavailable("before")
        file_id = f"f{len(self.files)}"
        if not self.files:
            self.files[file_id] = data
        if fault == "after":
            raise unavailable("after")
        return File(id="f0", size=len(data))

    async def _read(self, body: Body) -> bytes:
        data = await collect(aiter(body.chunks))
        assert body.length in (None, len(data))
        return data

    def _fault(self) -> str | None:
        return self.faults.pop(0) if self.faults else None
