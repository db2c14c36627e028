"""The requests that are being served, for a drain to wait for.

aiohttp's own shutdown throws away what an open request still receives, which would break every
upload that it waits for; so it is called only when this has seen them end.
"""

import asyncio

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware


class InFlight:
    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[object]] = set()

    def middleware(self) -> Middleware:
        @web.middleware
        async def in_flight(request: web.Request, handler: Handler) -> web.StreamResponse:
            # The task outlives this call: it sends the response, body and all.
            task = asyncio.current_task()
            if task is not None:
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            return await handler(request)

        return in_flight

    async def ended(self, seconds: float) -> bool:
        """Wait for all, also those that come meanwhile; whether they ended within `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                while self._tasks:
                    await asyncio.wait(self._tasks)
        except TimeoutError:
            return False
        return True
