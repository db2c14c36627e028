"""Relays calls to Google with their path, query and body unchanged."""

from urllib.parse import unquote, unquote_plus

from yarl import URL

from providers.credential import Caller
from providers.gemini.headers import relayed
from providers.json_api.path_names import check_path_name
from providers.named_address import check_named_addresses
from providers.provider import RelayedRequest
from providers.status import is_redirect
from providers.upstream import OutboundRequest, Reply, Upstream, UpstreamError


class GeminiRelay:
    def __init__(self, base_url: URL, upstream: Upstream) -> None:
        self._base_url = base_url
        self._upstream = upstream

    async def relay(self, caller: Caller, request: RelayedRequest) -> Reply:
        url = below(self._base_url, request.target)
        reply = await self._upstream.send(
            OutboundRequest(
                method=request.method,
                url=url,
                headers=relayed(caller, request.headers),
                body=request.body,
            )
        )
        if not is_redirect(reply.status):  # the chain decides about redirects
            try:
                check_named_addresses(url, reply.headers)
            except UpstreamError:
                await reply.aclose()
                raise
        return reply


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
