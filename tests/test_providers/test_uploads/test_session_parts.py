from providers.credential import Caller, Credential
from providers.multipart_uploads import MultipartUpload
from providers.upload import UploadSession
from providers.uploads.session_parts import SessionRoutes
from providers.uploads.upload_target import OpenSession
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
