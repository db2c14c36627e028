"""A response whose body is sent as it arrives, and what happens when it ends or fails."""

import asyncio
from asyncio import Transport
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from math import inf

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from middlewares.observation import Observation
from middlewares.request_keys import OBSERVATION
from providers.body import Body, close

Reset = Callable[[Transport], None]


class StreamedResponse(web.StreamResponse):
    """Sends `body` as it arrives, and then always calls `release`.

    If the body fails, `reset` ends the client's connection: after a clean end the client would
    believe that the body is complete. The same happens after `within` seconds. `ended` is called
    last.
    """

    def __init__(
        self,
        body: Body,
        *,
        headers: Mapping[str, str],
        status: int = 200,
        release: Callable[[], Awaitable[None]],
        reset: Reset,
        within: float = inf,
    ) -> None:
        super().__init__(status=status, headers=headers)
        if body.length is not None:
            self.content_length = body.length
        self._source = body
        self._release = release
        self._reset = reset
        self._within = within
        self.ended: Callable[[], None] = lambda: None

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        async with AsyncExitStack() as at_the_end:
            # Called in the reverse order, each one also if another fails.
            at_the_end.callback(self.ended)
            at_the_end.push_async_callback(self._release)
            at_the_end.push_async_callback(close, self._source)
            return await self._send(request)

    async def _send(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        seen: Observation = request[OBSERVATION]
        try:
            async with asyncio.timeout(None if self._within == inf else self._within):
                writer = await super().prepare(request)
                seen.responds()
                if request.method != "HEAD":
                    async for chunk in self._source.chunks:
                        with seen.waiting:
                            await self.write(chunk)
                        seen.bytes_out += len(chunk)
                        del chunk  # as in providers/body.py
                await self.write_eof()
        except BaseException as error:
            seen.cut = type(error).__name__
            if request.transport is not None:
                self._reset(request.transport)
            raise
        return writer
