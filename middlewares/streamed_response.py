"""A response that pulls its body only while it is being sent."""

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from providers.body import Body, close


class StreamedResponse(web.StreamResponse):
    """Sends `body` as it comes; `release` is called once it has ended, however it ended.

    Where the body breaks off the client's connection is aborted: with a clean end the client
    would take what it has for the whole.
    """

    def __init__(
        self,
        body: Body,
        *,
        headers: Mapping[str, str],
        status: int = 200,
        release: Callable[[], Awaitable[None]],
    ) -> None:
        super().__init__(status=status, headers=headers)
        if body.length is not None:
            self.content_length = body.length
        self._source = body
        self._release = release

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        try:
            writer = await super().prepare(request)
            if request.method != "HEAD":
                async for chunk in self._source.chunks:
                    await self.write(chunk)
            await self.write_eof()
        except BaseException:
            if request.transport is not None:
                request.transport.abort()
            raise
        finally:
            await close(self._source)
            await self._release()
        return writer
