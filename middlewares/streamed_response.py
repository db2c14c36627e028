"""A response that reads its source only while it is being sent."""

from asyncio import Transport
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from providers.body import Body, close

Reset = Callable[[Transport], None]


class StreamedResponse(web.StreamResponse):
    """Sends `body` as it arrives, and then always calls `release`.

    If the body fails, `reset` ends the client's connection: after a clean end the client would
    believe that the body is complete.
    """

    def __init__(
        self,
        body: Body,
        *,
        headers: Mapping[str, str],
        status: int = 200,
        release: Callable[[], Awaitable[None]],
        reset: Reset,
    ) -> None:
        super().__init__(status=status, headers=headers)
        if body.length is not None:
            self.content_length = body.length
        self._source = body
        self._release = release
        self._reset = reset

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        try:
            writer = await super().prepare(request)
            if request.method != "HEAD":
                async for chunk in self._source.chunks:
                    await self.write(chunk)
            await self.write_eof()
        except BaseException:
            if request.transport is not None:
                self._reset(request.transport)
            raise
        finally:
            await close(self._source)
            await self._release()
        return writer
