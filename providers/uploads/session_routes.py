"""Where the parts of an upload session go, decided once for all replicas.

The state object `route` of the session says it: the first one that is written counts.
"""

from typing import Final, Generic, TypeVar

import orjson

from providers.state import State, read_as, write
from providers.uploads.upload_sessions import session_object
from providers.uploads.upload_target import OpenSession

_ROUTE: Final = "route"

R = TypeVar("R")


class SessionRoutes(Generic[R]):
    """`model` is the dataclass of the routes of one provider's sessions."""

    def __init__(self, state: State, model: type[R]) -> None:
        self._state = state
        self._model = model

    async def of(self, session: OpenSession) -> R | None:
        """None if nothing is decided yet. It is read once in a request: it never changes."""
        if session.route is None:
            session.route = await self.stored(session)
        return session.route if isinstance(session.route, self._model) else None

    async def stored(self, session: OpenSession) -> R | None:
        """What is in the store now; None also if the session has ended and was cleaned up."""
        return await read_as(self._state, session_object(session.id, _ROUTE), self._model)

    async def decide(self, session: OpenSession, route: R) -> bool:
        """Whether `route` is the route from now on; False if there was one already."""
        name = session_object(session.id, _ROUTE)
        first = await write(self._state, name, orjson.dumps(route))
        if first:
            session.route = route
        return first
