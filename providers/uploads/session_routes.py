"""Where the parts of an upload session go, decided once for all replicas.

The state object `route` of the session says it: the first one that is written counts.
"""

from typing import Any, Final

import orjson

from providers.state import State, read, write
from providers.uploads.upload_sessions import session_object
from providers.uploads.upload_target import OpenSession

_ROUTE: Final = "route"


class SessionRoutes:
    def __init__(self, state: State) -> None:
        self._state = state

    async def of(self, session: OpenSession) -> dict[str, Any] | None:
        """None if nothing is decided yet. It is read once in a request: it never changes."""
        if session.route is None:
            session.route = await self.stored(session)
        return session.route

    async def stored(self, session: OpenSession) -> dict[str, Any] | None:
        """What is in the store now; None also if the session has ended and was cleaned up."""
        data = await read(self._state, session_object(session.id, _ROUTE))
        return None if data is None else orjson.loads(data)

    async def decide(self, session: OpenSession, route: dict[str, Any]) -> bool:
        """Whether `route` is the route from now on; False if there was one already."""
        name = session_object(session.id, _ROUTE)
        first = await write(self._state, name, orjson.dumps(route))
        if first:
            session.route = route
        return first
