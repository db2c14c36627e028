"""Answers malformed HTTP with the error envelope, without quoting the request.

By default aiohttp answers it before any middleware, in plain text that quotes the request: a key in
a malformed header or request line would be echoed.
"""

from typing import Final

from aiohttp import hdrs, web

from middlewares.error_envelope import render_error
from providers.errors import FerryError
from providers.status import Status

SERVER_NAME: Final = "genai-ferry"


class _Handler(web.RequestHandler):
    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        # Called to log, and to raise if a response has begun; its own response is dropped.
        super().handle_error(request, status, exc, message)
        ours = status >= 500
        error = FerryError(Status.INTERNAL, "internal error") if ours else _MALFORMED_REQUEST
        response = render_error(error)
        response.headers[hdrs.SERVER] = SERVER_NAME
        response.force_close()
        return response


_MALFORMED_REQUEST: Final = FerryError(
    Status.INVALID_ARGUMENT, "the request line or a header is malformed, or longer than 16 KiB"
)


class _Server(web.Server):
    def __call__(self) -> web.RequestHandler:
        return _Handler(self, loop=self._loop, **self._kwargs)


class EnvelopeRunner(web.AppRunner):
    """Runs an application. aiohttp has no public way to set another request handler."""

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _Server(
            made.request_handler,
            request_factory=made.request_factory,
            handler_cancellation=made.handler_cancellation,
            loop=made._loop,
            **made._kwargs,
        )
