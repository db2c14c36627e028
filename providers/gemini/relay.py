"""Relays calls to Google with their path, query and body unchanged."""

from functools import partial
from typing import Final
from urllib.parse import unquote, unquote_plus

from yarl import URL

from providers.credential import Caller
from providers.errors import FerryError
from providers.gemini.buffered_reply import BufferedReply
from providers.gemini.headers import relayed
from providers.json_api.path_names import check_path_name
from providers.named_address import check_named_addresses
from providers.provider import RelayedRequest
from providers.retries import USUAL_RETRIES, Retries
from providers.retry_after import retry_after_of
from providers.status import is_redirect, status_of_refusal
from providers.upstream import OutboundRequest, Reply, Upstream, UpstreamError

_REFUSAL_BYTES: Final = 64 << 10
_JSON: Final = {"Content-Type": "application/json"}


class GeminiRelay:
    def __init__(self, base_url: URL, upstream: Upstream, retries: Retries = USUAL_RETRIES) -> None:
        self._base_url = base_url
        self._upstream = upstream
        self._retries = retries

    async def relay(self, caller: Caller, request: RelayedRequest) -> Reply:
        outbound = OutboundRequest(
            method=request.method,
            url=below(self._base_url, request.target),
            headers=relayed(caller, request.headers),
            body=request.body,
        )
        try:
            if request.method == "GET" and request.body is None:
                return await self._retries.idempotent(partial(self._unless_refused, outbound))
            if request.method == "DELETE" and request.body is None:
                deleted = await self._retries.deletion(partial(self._unless_refused, outbound))
                return BufferedReply(200, _JSON, b"{}") if deleted is None else deleted
        except _Refusal as refusal:
            return refusal.reply
        return await self._retries.unsent(partial(self._send, outbound))

    async def _send(self, request: OutboundRequest) -> Reply:
        reply = await self._upstream.send(request)
        if not is_redirect(reply.status):  # the chain decides about redirects
            try:
                check_named_addresses(request.url, reply.headers)
            except UpstreamError:
                await reply.aclose()
                raise
        return reply

    async def _unless_refused(self, request: OutboundRequest) -> Reply:
        """Raises _Refusal, with the reply in memory, so that its connection is free."""
        reply = await self._send(request)
        if reply.status < 400:
            return reply
        try:
            peeked = await BufferedReply.peek(reply, _REFUSAL_BYTES)
        except BaseException:
            await reply.aclose()
            raise
        if len(peeked.data) > _REFUSAL_BYTES:
            return peeked
        await reply.aclose()
        raise _Refusal(peeked)


class _Refusal(FerryError):
    """An answer of Google's that may be different the next time."""

    def __init__(self, reply: BufferedReply) -> None:
        status = status_of_refusal(reply.status)
        super().__init__(status, "", retry_after=retry_after_of(reply.headers))
        self.reply: Final = reply


def below(base_url: URL, target: URL) -> URL:
    """`target` under `base_url` with its percent-encoding untouched, and without `?key=`.

    Raises INVALID_ARGUMENT for a path that would leave `base_url`, or that could be read as another
    one.
    """
    path = target.raw_path.lstrip("/")
    if path:
        check_path_name(unquote(path), None, "path")
    query = _without_key(target.raw_query_string)
    url = f"{base_url.origin()}{base_url.raw_path.rstrip('/')}/{path}"
    return URL(f"{url}?{query}" if query else url, encoded=True)


def _without_key(query: str) -> str:
    # The key is sent in a header, because servers on the way log URLs.
    pieces = query.split("&")
    return "&".join(piece for piece in pieces if unquote_plus(piece.split("=")[0]) != "key")
