from collections.abc import AsyncIterator

from providers.body import in_memory
from providers.credential import Caller, Credential
from providers.multipart_uploads import MultipartUpload, MultipartUploads, Part
from providers.upload import GRANULARITY, UploadSession
from providers.uploads.session_parts import SessionParts, SessionRoutes
from providers.uploads.upload_target import OpenSession
from providers.wrapped_state import WrappedParts
from tests.memory_state import MemoryState

CALLER = Caller(Credential(api_key="k"), "tenant")
FIRST = MultipartUpload("a", "1")
SECOND = MultipartUpload("b", "2")


def request() -> OpenSession:
    """The session in one request."""
    return OpenSession(UploadSession("s1", {}, CALLER), CALLER)


async def test_the_first_route_that_is_written_counts() -> None:
    state = MemoryState()
    one, another = SessionRoutes(state, MultipartUpload), SessionRoutes(state, MultipartUpload)
    first, second = request(), request()
    assert await one.of(first) is None
    assert await another.of(second) is None
    assert await one.decide(first, FIRST)
    assert not await another.decide(second, SECOND)
    assert await one.of(first) == await another.of(second) == FIRST
    assert list(state.objects) == ["uploads/s1/route"]


async def test_a_process_reads_the_route_once() -> None:
    state = MemoryState()
    routes = SessionRoutes(state, MultipartUpload)
    await routes.decide(request(), FIRST)
    await state.delete("uploads/s1/route")
    assert await routes.of(request()) == FIRST
    assert await routes.stored(request()) is None
    assert await SessionRoutes(state, MultipartUpload).of(request()) is None


class CountedParts(WrappedParts):
    """Counts how often parts are listed."""

    listed = 0

    def parts(self, upload: MultipartUpload, after: int = 0) -> AsyncIterator[Part]:
        self.listed += 1
        return super().parts(upload, after)


async def test_a_chunk_lists_the_parts_once() -> None:
    state = MemoryState()
    multipart = CountedParts(state.multipart)

    async def of(_: OpenSession) -> MultipartUploads:
        return multipart

    async def no_object(*_: object) -> None:
        return None

    parts = SessionParts(state, of, lambda session: f"uploads/{session.id}/content", no_object)
    for number in range(2):
        await parts.put(request(), number * GRANULARITY, in_memory(b"x" * (number + 1)))
    session = request()
    assert await parts.part_size(session, GRANULARITY) == 2
    assert await parts.part_size(session, 2 * GRANULARITY) is None
    assert multipart.listed == 1
    session = request()
    assert [await parts.part_size(session, n * GRANULARITY) for n in range(4)] == [1, 2, None, None]
    assert multipart.listed == 3
