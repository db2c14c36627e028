"""Errors of the HTTP server itself, in the error envelope and without quoting the request.

aiohttp would answer them in plain text that quotes the request, which may contain a key.
"""

from functools import cache
from typing import Final, cast

from aiohttp import hdrs, web

from middlewares.error_envelope import render_error
from providers.errors import FerryError, invalid_argument
from providers.status import Status

SERVER_NAME: Final = "genai-ferry"
HEAD_BYTES: Final = 64 << 10

MALFORMED: Final = invalid_argument(
    "the request line or a header is malformed, or longer than 16 KiB"
)
TOO_LONG: Final = invalid_argument(
    f"the request line and the headers are together longer than {HEAD_BYTES >> 10} KiB, or a "
    "chunked body has too little content in its chunks"
)
TOO_MANY_CONNECTIONS: Final = FerryError(
    Status.UNAVAILABLE,
    "too many connections: the limits are FERRY_MAX_CONNECTIONS and FERRY_MAX_CONNECTIONS_PER_PEER",
    retry_after="1",
)


def closing_response(error: FerryError) -> web.Response:
    """The response to a request after which the connection is closed."""
    response = render_error(error)
    response.headers[hdrs.SERVER] = SERVER_NAME
    response.force_close()
    return response


@cache
def raw_response(error: FerryError) -> bytes:
    """The same, for a connection on which no request was read."""
    response = closing_response(error)
    body = cast(bytes, response.body)
    headers = {
        **response.headers,
        hdrs.CONTENT_LENGTH: str(len(body)),
        hdrs.CONNECTION: "close",
    }
    lines = [f"HTTP/1.1 {response.status} {response.reason}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body
