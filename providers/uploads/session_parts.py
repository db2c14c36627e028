"""An upload session whose slices are the parts of one parted object, begun once for all replicas.

The route of the session says which: the request that writes it first has begun.
"""

from collections.abc import Awaitable, Callable
from dataclasses import asdict

from providers.body import Body
from providers.errors import unavailable
from providers.parted_objects import PartedObjects, PartedUpload, UploadEnded
from providers.state import State
from providers.upload import GRANULARITY
from providers.uploads.resumable import OpenSession
from providers.uploads.session_routes import SessionRoutes

PartsOf = Callable[[OpenSession], Awaitable[PartedObjects]]
NameOf = Callable[[OpenSession], str]
SizeOf = Callable[[OpenSession, str], Awaitable[int | None]]


class SessionParts:
    """`parted` is where the parts of a session go, `name` the object that they become.

    `size` is that of the object once it is made, in bytes; None where it is not.
    """

    def __init__(self, state: State, parted: PartsOf, name: NameOf, size: SizeOf) -> None:
        self._routes = SessionRoutes(state)
        self._parted = parted
        self._name = name
        self._size = size

    async def put(self, session: OpenSession, offset: int, body: Body) -> None:
        parted = await self._parted(session)
        await parted.put(await self._upload(session, parted), _number(offset), body)

    async def part_size(self, session: OpenSession, offset: int) -> int | None:
        """In bytes; None where there is no part at `offset`."""
        upload = await self._begun(session)
        if upload is None:
            return None
        parted = await self._parted(session)
        try:
            async for part in parted.parts(upload, after=_number(offset) - 1):
                return part.size if part.number == _number(offset) else None
        except UploadEnded:
            # Complete, but what was to follow failed: the repeat finds its parts in the whole.
            return await self._size_within(session, upload, offset)
        return None

    async def complete(self, session: OpenSession, total: int) -> str:
        """Make the object of its parts, `total` bytes; its name. May be repeated."""
        parted = await self._parted(session)
        upload = await self._upload(session, parted)
        await parted.complete(upload, total)
        return upload.name

    async def abort(self, session: OpenSession) -> None:
        route = await self._routes.stored(session)
        if route is not None:
            await (await self._parted(session)).abort(PartedUpload(**route))

    async def _upload(self, session: OpenSession, parted: PartedObjects) -> PartedUpload:
        begun = await self._begun(session)
        if begun is not None:
            return begun
        upload = await parted.begin(self._name(session))
        if await self._routes.decide(session, asdict(upload)):
            return upload
        await parted.abort(upload)
        begun = await self._begun(session)
        if begun is None:
            raise unavailable("the upload session ended meanwhile")
        return begun

    async def _begun(self, session: OpenSession) -> PartedUpload | None:
        route = await self._routes.of(session)
        return None if route is None else PartedUpload(**route)

    async def _size_within(
        self, session: OpenSession, upload: PartedUpload, offset: int
    ) -> int | None:
        whole = await self._size(session, upload.name)
        if whole is None:
            raise UploadEnded
        return min(GRANULARITY, whole - offset) if offset < whole else None


def _number(offset: int) -> int:
    return offset // GRANULARITY + 1
