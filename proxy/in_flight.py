"""Tracks the requests in flight, so that a drain can wait for them.

aiohttp's own shutdown discards the data that an open request still receives, which would break
uploads. So it is called only after these requests have ended.
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
            # The task outlives this call, since it also sends the response with its body.
            task = asyncio.current_task()
            if task is not None:
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            return await handler(request)

        return in_flight

    async def ended(self, seconds: float) -> bool:
        """Waits for all requests, also new ones; whether they ended within `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                while self._tasks:
                    await asyncio.wait(self._tasks)
        except TimeoutError:
            return False
        return True
