"""Relays calls to Google with their path, query and body unchanged."""

import re
from typing import Final
from urllib.parse import unquote, unquote_plus

from yarl import URL

from providers.credential import Caller
from providers.gemini.headers import relayed
from providers.json_api.path_names import check_path_name
from providers.provider import RelayedRequest
from providers.upstream import OutboundRequest, Reply, Upstream, invalid_answer

# Browsers and Node find a host in these, RFC 3986 a path (https://url.spec.whatwg.org/#url-parsing).
_READ_IN_TWO_WAYS: Final = re.compile(r".*[\\\x00-\x1f]|https?:(?!//[^/])|///", re.IGNORECASE)


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
        if _leads_elsewhere(url, reply.headers.get("Location", "")):
            await reply.aclose()
            raise invalid_answer("the upstream redirects to another host")
        return reply


def _leads_elsewhere(url: URL, location: str) -> bool:
    """A client that follows a redirect could send its key there."""
    if _READ_IN_TWO_WAYS.match(location):
        return True
    try:
        return url.join(URL(location)).origin() != url.origin()
    except ValueError:
        return True


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
