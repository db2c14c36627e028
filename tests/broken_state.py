"""A state store that fails at every call, as one whose disk is gone."""

from collections.abc import AsyncIterator
from datetime import datetime

from providers.body import Body
from providers.multipart_uploads import MultipartUpload, Part
from providers.state import ObjectInfo, StateError
from providers.status import Status


def _gone() -> StateError:
    return StateError(Status.UNAVAILABLE, "the proxy's state store failed: it is gone")


class BrokenParts:
    async def begin(self, name: str, size: int | None = None) -> MultipartUpload:
        raise _gone()

    async def put(self, upload: MultipartUpload, number: int, body: Body) -> None:
        raise _gone()

    async def parts(self, upload: MultipartUpload, after: int = 0) -> AsyncIterator[Part]:
        raise _gone()
        yield

    async def complete(self, upload: MultipartUpload, size: int) -> None:
        raise _gone()

    async def abort(self, upload: MultipartUpload) -> None:
        raise _gone()

    async def abort_before(self, time: datetime) -> None:
        raise _gone()

    async def unlisted(self) -> AsyncIterator[MultipartUpload]:
        raise _gone()
        yield


class BrokenState:
    """Implements `State`."""

    multipart = BrokenParts()

    async def create(self, name: str, body: Body) -> bool:
        raise _gone()

    async def get(self, name: str) -> Body | None:
        raise _gone()

    async def head(self, name: str) -> ObjectInfo | None:
        raise _gone()

    async def delete(self, name: str) -> None:
        raise _gone()

    async def list(self, prefix: str, after: str = "") -> AsyncIterator[ObjectInfo]:
        raise _gone()
        yield
