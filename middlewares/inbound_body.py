"""The request's body as the client sends it: streamed, held within a bound, or thrown away."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import orjson
from aiohttp import ClientPayloadError, web

from providers.body import Body
from providers.errors import invalid_argument
from providers.json_api.json_text import parse_json

# A chunk of every SDK is 8 MiB (sdk-wire.md section 2); more than a few of them is not worth it.
_DISCARD_BYTES: Final = 32 << 20
_DISCARD_SECONDS: Final = 30
# A client that says nothing for so long holds a share of the memory budget for nothing. aiohttp
# does not tell of a body whose chunked framing breaks half way: it, too, just goes silent.
_SILENCE_SECONDS: Final = 300


class ClientDisconnected(Exception):
    """The client broke off, or fell silent, while it was sending."""


class _Chunks(AsyncIterator[bytes]):
    """What the client sends. No generator: one that is cancelled in the middle could not go on."""

    def __init__(self, request: web.Request) -> None:
        self._content = request.content

    async def __anext__(self) -> bytes:
        try:
            async with asyncio.timeout(_SILENCE_SECONDS):
                chunk = await self._content.readany()
        except (
            TimeoutError,
            ClientPayloadError,
            ConnectionError,
            web.RequestPayloadError,
        ) as error:
            raise ClientDisconnected from error
        if not chunk:
            raise StopAsyncIteration
        return chunk


def inbound_body(request: web.Request) -> Body:
    """The body as it arrives; without a Content-Length only the end tells its length."""
    if not request.body_exists:
        return Body(_Chunks(request), 0)
    return Body(_Chunks(request), request.content_length)


def refuse_transfer_codings(request: web.Request) -> None:
    """A body that is compressed on its way would be stored or relayed as if it were not."""
    coding = request.headers.get("Transfer-Encoding", "").strip().lower()
    if coding not in ("", "chunked", "identity"):
        raise invalid_argument("Transfer-Encoding can only be chunked; send the body uncompressed")


def refuse_encoded(request: web.Request) -> None:
    """What is not relayed is read as it is, or stored: compressed it would be something else."""
    encoding = request.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ("", "identity"):
        raise invalid_argument("send the body as it is: Content-Encoding is not supported")


async def read_whole(request: web.Request, limit: int, what: str) -> bytes:
    """The body whole. Raises INVALID_ARGUMENT beyond `limit` bytes, which `what` names."""
    refuse_encoded(request)
    too_large = invalid_argument(f"the body is larger than {what} ({limit} bytes)")
    if (request.content_length or 0) > limit:
        raise too_large
    held = bytearray()
    async for chunk in _Chunks(request):
        held += chunk
        if len(held) > limit:
            raise too_large
    return bytes(held)


def parse_json_object(data: bytes, *, path: str = "body") -> dict[str, Any]:
    try:
        document = parse_json(data)
    except orjson.JSONDecodeError as error:
        raise invalid_argument(f"not JSON: {error}", path=path) from None
    if not isinstance(document, dict):
        raise invalid_argument("not a JSON object", path=path)
    return document


async def discard(request: web.Request) -> bool:
    """Read what is left of the body and throw it away; False if that was given up.

    SDKs send a chunk to its end before they read the answer, so an early one would be lost.
    """
    left = _DISCARD_BYTES
    try:
        async with asyncio.timeout(_DISCARD_SECONDS):
            async for chunk in request.content.iter_any():
                left -= len(chunk)
                if left < 0:
                    return False
    except (TimeoutError, ClientPayloadError, ConnectionError, web.RequestPayloadError):
        return False
    return True
