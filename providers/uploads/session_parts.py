"""Upload sessions whose slices are parts of one object, in an upload that all replicas share.

The route of the session names that upload; the first request that writes the route wins.
"""

from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

from providers.body import Body
from providers.errors import unavailable
from providers.kept_records import KeptRecords
from providers.multipart_uploads import MultipartUpload, MultipartUploads, UploadEnded
from providers.state import State, read_as
from providers.upload import GRANULARITY
from providers.uploads.upload_target import OpenSession, session_object

_ROUTE: Final = "route"

R = TypeVar("R")
PartsOf = Callable[[OpenSession], Awaitable[MultipartUploads]]
NameOf = Callable[[OpenSession], str]
SizeOf = Callable[[OpenSession, str], Awaitable[int | None]]


class SessionRoutes(Generic[R]):
    """Where the parts of each session go, decided once for all replicas.

    `model` is the dataclass of the routes of one provider's sessions.
    """

    def __init__(self, state: State, model: type[R]) -> None:
        self._state = state
        self._model = model
        self._kept = KeptRecords(state, model, lambda id_: session_object(id_, _ROUTE))

    async def of(self, session: OpenSession) -> R | None:
        """None if nothing is decided yet. It never changes while the session is open."""
        if session.route is None:
            session.route = await self._kept.read(session.id)
        return session.route if isinstance(session.route, self._model) else None

    async def stored(self, session: OpenSession) -> R | None:
        """What is in the store now; None also if the session has ended and was cleaned up."""
        return await read_as(self._state, session_object(session.id, _ROUTE), self._model)

    async def decide(self, session: OpenSession, route: R) -> bool:
        """Whether `route` is the route from now on; False if there was one already."""
        first = await self._kept.write(session.id, route)
        if first:
            session.route = route
        return first


class SessionParts:
    """`multipart` finds the store for the parts of a session, `name` the name of their object.

    `size` is the size of the finished object in bytes; None if it does not exist.
    """

    def __init__(self, state: State, multipart: PartsOf, name: NameOf, size: SizeOf) -> None:
        self._routes = SessionRoutes(state, MultipartUpload)
        self._multipart = multipart
        self._name = name
        self._size = size

    async def put(self, session: OpenSession, offset: int, body: Body) -> None:
        multipart = await self._multipart(session)
        await multipart.put(await self._upload(session, multipart), _number(offset), body)

    async def part_size(self, session: OpenSession, offset: int) -> int | None:
        """In bytes; None if there is no part at `offset`.

        The next part is looked up with it: a request asks for the last part before its chunk, and
        then for the first one of its chunk.
        """
        if offset not in session.part_sizes:
            session.part_sizes.update(await self._sizes_from(session, offset))
        return session.part_sizes[offset]

    async def _sizes_from(self, session: OpenSession, offset: int) -> dict[int, int | None]:
        """Of the parts at `offset` and after it."""
        sizes: dict[int, int | None] = {offset: None, offset + GRANULARITY: None}
        upload = await self._routes.of(session)
        if upload is None:
            return sizes
        multipart = await self._multipart(session)
        try:
            async for part in multipart.parts(upload, after=_number(offset) - 1):
                start = (part.number - 1) * GRANULARITY
                if start not in sizes:
                    break
                sizes[start] = part.size
        except UploadEnded:
            # Complete, but a later step failed: the repeat finds the sizes of parts in the object.
            return {offset: await self._size_within(session, upload, offset)}
        return sizes

    async def complete(self, session: OpenSession, total: int) -> str:
        """Make the object of `total` bytes from its parts. Returns its name. May be repeated."""
        multipart = await self._multipart(session)
        upload = await self._upload(session, multipart)
        await multipart.complete(upload, total)
        return upload.name

    async def abort(self, session: OpenSession) -> None:
        upload = await self._routes.stored(session)
        if upload is not None:
            await (await self._multipart(session)).abort(upload)

    async def _upload(self, session: OpenSession, multipart: MultipartUploads) -> MultipartUpload:
        started = await self._routes.of(session)
        if started is not None:
            return started
        upload = await multipart.begin(self._name(session), session.declared)
        if await self._routes.decide(session, upload):
            return upload
        await multipart.abort(upload)
        started = await self._routes.of(session)
        if started is None:
            raise unavailable("the upload session was ended by another request")
        return started

    async def _size_within(
        self, session: OpenSession, upload: MultipartUpload, offset: int
    ) -> int | None:
        whole = await self._size(session, upload.name)
        if whole is None:
            raise UploadEnded
        return min(GRANULARITY, whole - offset) if offset < whole else None


def _number(offset: int) -> int:
    return offset // GRANULARITY + 1


def parts_in_state(state: State, name: NameOf) -> SessionParts:
    """Sessions whose object, called `name`, is in the state store."""

    async def multipart(_: OpenSession) -> MultipartUploads:
        return state.multipart

    async def size(_: OpenSession, whole: str) -> int | None:
        info = await state.head(whole)
        return None if info is None else info.size

    return SessionParts(state, multipart, name, size)
