"""Calls to OpenAI's API: headers from an allow-list, JSON in and out, refusals as our errors."""

from collections.abc import Mapping
from typing import Any, Final

import orjson
from yarl import URL

from providers.body import Body
from providers.credential import Caller
from providers.errors import FerryError
from providers.upstream import OutboundRequest, Reply, Upstream, UpstreamError

SCOPING_HEADERS: Final = frozenset({"openai-organization", "openai-project"})
_ANSWER_LIMIT: Final = 16 << 20
_REFUSAL_LIMIT: Final = 64 << 10

# translation.md section 6
_STATUS: Final[Mapping[int, str]] = {
    401: "UNAUTHENTICATED",
    402: "RESOURCE_EXHAUSTED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    504: "DEADLINE_EXCEEDED",
}


class OpenAIClient:
    """One upstream that speaks OpenAI's API. `name` is how the user configured it."""

    def __init__(self, name: str, base_url: URL, upstream: Upstream) -> None:
        self.name = name
        self._base = base_url
        self._upstream = upstream

    async def get(self, caller: Caller, path: str, **query: str | int) -> dict[str, Any]:
        return await self._json(caller, OutboundRequest("GET", self._url(path, query)))

    async def delete(self, caller: Caller, path: str) -> dict[str, Any]:
        return await self._json(caller, OutboundRequest("DELETE", self._url(path)))

    async def post(
        self, caller: Caller, path: str, document: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        body = None if document is None else orjson.dumps(document)
        headers = {"Content-Type": "application/json"} if body is not None else {}
        return await self._json(caller, OutboundRequest("POST", self._url(path), headers, body))

    async def post_body(
        self, caller: Caller, path: str, content_type: str, body: Body
    ) -> dict[str, Any]:
        headers = {"Content-Type": content_type}
        return await self._json(caller, OutboundRequest("POST", self._url(path), headers, body))

    async def open(self, caller: Caller, path: str) -> Reply:
        """The content at `path`, still on the wire and not encoded; the caller closes it."""
        reply = await self._send(caller, OutboundRequest("GET", self._url(path)))
        if reply.headers.get("Content-Encoding", "identity") != "identity":
            await reply.aclose()
            raise UpstreamError("UNAVAILABLE", f"{self.name} encoded what it was asked not to")
        return reply

    async def _json(self, caller: Caller, request: OutboundRequest) -> dict[str, Any]:
        async with await self._send(caller, request) as reply:
            data = await reply.read(_ANSWER_LIMIT)
        document = _parse(data)
        if document is None:
            raise UpstreamError("UNAVAILABLE", f"{self.name} answered what is no JSON object")
        return document

    async def _send(self, caller: Caller, request: OutboundRequest) -> Reply:
        headers = {**request.headers, **self._headers(caller)}
        reply = await self._upstream.send(
            OutboundRequest(request.method, request.url, headers, request.body)
        )
        if reply.status == 200:
            return reply
        async with reply:
            data = await reply.read(_REFUSAL_LIMIT)
        raise self._refusal(caller, reply, _parse(data) or {})

    def _url(self, path: str, query: Mapping[str, str | int] | None = None) -> URL:
        return self._base.joinpath(*path.split("/")).with_query(dict(query or {}))

    def _headers(self, caller: Caller) -> dict[str, str]:
        passed = {k: v for k, v in caller.headers.items() if k in SCOPING_HEADERS}
        return {
            **passed,
            "Authorization": f"Bearer {caller.credential.secret}",
            "Accept": "*/*",
            "Accept-Encoding": "identity",
        }

    def _refusal(self, caller: Caller, reply: Reply, document: dict[str, Any]) -> FerryError:
        error = document.get("error")
        error = error if isinstance(error, dict) else {}
        text = str(error.get("message") or f"HTTP status {reply.status}")
        status = _STATUS.get(reply.status, "INVALID_ARGUMENT")
        if not 400 <= reply.status < 500 and reply.status != 504:
            status = "UNAVAILABLE"
        return FerryError(
            status,
            f"{self.name}: {text.replace(caller.credential.secret, '***')}",
            provider=self.name,
            reason=str(error.get("code") or error.get("type") or "") or None,
            request_id=reply.headers.get("x-request-id"),
            upstream_status=reply.status,
            retry_after=reply.headers.get("retry-after"),
        )


def _parse(data: bytes) -> dict[str, Any] | None:
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    return document if isinstance(document, dict) else None
