"""Calls to a provider's JSON API: documents in and out, refusals as our errors.

Providers differ in the headers of a request, which are built and never copied.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager, suppress
from functools import cached_property, partial
from typing import Any, Final, TypeAlias

import orjson
from yarl import URL

from providers.body import Body
from providers.credential import Caller
from providers.errors import CredentialRefused, FerryError, NotFound
from providers.json_api.answer_shape import written_count
from providers.json_api.json_text import parse_json, parse_object
from providers.json_api.redaction import without_secret
from providers.json_api.refusal_body import code_of, has_code, message_of, parse_refusal
from providers.limits import UPSTREAM_ANSWER, UPSTREAM_REFUSAL
from providers.long_work import off_loop_if_long
from providers.resource_names import NATIVE_ID, check_native_id
from providers.resources import Download
from providers.retries import USUAL_RETRIES, Retries
from providers.retry_after import retry_after_of
from providers.state import StateError
from providers.status import Status, explain_status, status_of_refusal
from providers.upstream import OutboundRequest, Reply, Upstream, UpstreamError, invalid_answer

Headers = Callable[[Caller], Mapping[str, str]]


_PLAIN: Final = {"Accept": "*/*", "Accept-Encoding": "identity"}

# Providers answer 200; compatible servers may answer 201 or 202 instead.
_DONE: Final = (200, 201, 202)

_Parse: TypeAlias = Callable[[bytes], dict[str, Any] | None]

_PERMANENT: Final = Status.FAILED_PRECONDITION


class Answer(dict[str, Any]):
    """A JSON object from the upstream. `[]` raises UpstreamError for a missing or null member."""

    def __getitem__(self, key: str) -> Any:
        value = self.get(key)
        if value is None:
            raise invalid_answer(f"the provider's answer lacks {key!r}")
        return value

    @cached_property
    def id(self) -> str:
        """The native id; it is safe to use in names and paths."""
        value = self["id"]
        if not isinstance(value, str) or not NATIVE_ID.fullmatch(value):
            raise invalid_answer("the provider's answer has an invalid id")
        return value

    def number(self, key: str) -> int | float:
        value = self[key]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise invalid_answer(f"the provider's answer has no number at {key!r}")
        return value

    def part(self, key: str) -> "Answer":
        """The object at `key`."""
        value = self[key]
        if not isinstance(value, dict):
            raise invalid_answer(f"the provider's answer has no object at {key!r}")
        return Answer(value)


class JsonApi:
    """One upstream. `name` is its configured name; `headers` makes the headers for a caller.

    `no_credit` are the error codes that stay until someone pays or raises a limit, with any HTTP
    status. `request_ids` are the headers of an answer that may have the provider's id of the call.
    """

    def __init__(
        self,
        name: str,
        base_url: URL,
        upstream: Upstream,
        headers: Headers,
        no_credit: AbstractSet[str],
        request_ids: Sequence[str] = ("x-request-id", "request-id"),
        retries: Retries = USUAL_RETRIES,
    ) -> None:
        self.name = name
        self._base = base_url
        self._upstream = upstream
        self._headers = headers
        self._no_credit = no_credit
        self._request_ids = request_ids
        self._retries = retries

    async def get(self, caller: Caller, path: str, **query: str | int) -> Answer:
        request = OutboundRequest("GET", self._url(path, query))
        return await self._retries.idempotent(partial(self._json, caller, request))

    async def get_object(self, caller: Caller, folder: str, native_id: str, what: str) -> Answer:
        """The object with this id; `what` names its kind, as in "batch"."""
        check_native_id(native_id, what)
        found = await self.get(caller, f"{folder}/{native_id}")
        if found.id != native_id:
            raise invalid_answer(f"{self.name} answered with another {what}")
        return found

    async def list(
        self, caller: Caller, path: str, **query: str | int
    ) -> tuple[Sequence[Answer], bool]:
        """One page of a list, and whether there are more."""
        listed, page = await self.page(caller, path, **query)
        if listed and "after" in query and listed[-1].get("id") == query["after"]:
            return [], False  # a server without paging returns the same page again
        # A compatible server may leave `has_more` out: then another page may follow a full one.
        more = page.get("has_more", len(listed) == query.get("limit"))
        return listed, bool(listed and more)

    async def page(
        self, caller: Caller, path: str, **query: str | int
    ) -> tuple[Sequence[Answer], Answer]:
        """One page of a list, and the whole answer, which has the token of the next page."""
        page = await self.get(caller, path, **query)
        return self._objects(page), page

    async def models(self, caller: Caller) -> Sequence[Answer]:
        """All of them. Together lists them without an object around the list."""
        request = OutboundRequest("GET", self._url("models"))
        call = partial(self._json, caller, request, _object_or_listed)
        return self._objects(await self._retries.idempotent(call))

    async def delete(self, caller: Caller, path: str) -> None:
        request = OutboundRequest("DELETE", self._url(path))
        await self._retries.deletion(partial(self._json, caller, request))

    async def ensure_deleted(self, caller: Caller, path: str) -> None:
        """As `delete`, but the object may be gone, for example if another replica deleted it."""
        with suppress(NotFound):
            await self.delete(caller, path)

    async def post(
        self, caller: Caller, path: str, document: Mapping[str, Any] | None = None
    ) -> Answer:
        body = None if document is None else orjson.dumps(document)
        headers = {"Content-Type": "application/json"} if body is not None else {}
        request = OutboundRequest("POST", self._url(path), headers, body)
        return await self._retries.unsent(partial(self._json, caller, request))

    async def ask(self, caller: Caller, path: str, body: bytes, **headers: str) -> bytes:
        """The JSON text of a model's answer to the JSON text `body`. `headers` as in `post_body`.

        It is sent again only if nothing of it was: an answer costs money.
        """
        async with await self.begin(caller, path, body, **headers) as reply:
            return await reply.read(UPSTREAM_ANSWER)

    async def begin(self, caller: Caller, path: str, body: bytes, **headers: str) -> Reply:
        """As `ask`, but the answer is not yet read; the caller closes the reply."""
        request = self._posting(path, "application/json", body, headers)
        return await self._retries.unsent(partial(self._send, caller, request))

    async def post_body(
        self, caller: Caller, path: str, content_type: str, body: Body, **headers: str
    ) -> Answer:
        """`headers` are further headers, with `_` for `-` in their names."""
        request = self._posting(path, content_type, body, headers)
        return await self._retries.unsent(partial(self._json, caller, request))

    async def download(self, caller: Caller, path: str) -> Download:
        """The unchanged content at `path`."""
        reply = await self.open(caller, path)
        length = reply.headers.get("Content-Length")
        return Download(
            Body(reply.chunks(), written_count(length) if length else None),
            reply.headers.get("Content-Type", "application/octet-stream"),
            reply.aclose,
        )

    async def open(self, caller: Caller, path: str) -> Reply:
        """The content at `path`, not yet read and not compressed; the caller closes the reply."""
        request = OutboundRequest("GET", self._url(path))
        return await self._retries.idempotent(partial(self._send, caller, request))

    def _objects(self, page: Answer) -> Sequence[Answer]:
        data = page.get("data") or []
        listed = "data" in page or "object" in page or not page  # an empty list may be left out
        if not listed or not isinstance(data, list) or not all(isinstance(i, dict) for i in data):
            raise invalid_answer(f"{self.name} did not answer with a list of objects")
        return [Answer(item) for item in data]

    async def _json(
        self, caller: Caller, request: OutboundRequest, parse: _Parse = parse_object
    ) -> Answer:
        async with await self._send(caller, request) as reply:
            data = await reply.read(UPSTREAM_ANSWER)
        document = await off_loop_if_long(data, parse, data)
        if document is None:
            raise invalid_answer(f"{self.name} did not answer with a JSON object")
        return Answer(document)

    async def _send(self, caller: Caller, request: OutboundRequest) -> Reply:
        headers = {**_PLAIN, **self._headers(caller), **request.headers}
        reply = await self._upstream.send(
            OutboundRequest(request.method, request.url, headers, request.body)
        )
        if reply.status in _DONE:
            if reply.headers.get("Content-Encoding", "identity") != "identity":
                await reply.aclose()
                raise invalid_answer(f"{self.name} compressed its answer although asked not to")
            return reply
        async with reply:
            document = parse_refusal(await read_refusal(reply))
        raise self._refusal(caller, request, reply, document)

    def _posting(
        self, path: str, content_type: str, body: Body | bytes, headers: Mapping[str, str]
    ) -> OutboundRequest:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"Content-Type": content_type, **named}
        return OutboundRequest("POST", self._url(path), sent, body)

    def _url(self, path: str, query: Mapping[str, str | int] | None = None) -> URL:
        url = self._base.joinpath(*path.split("/"))
        return url.with_query(dict(query)) if query else url

    def _refusal(
        self, caller: Caller, request: OutboundRequest, reply: Reply, document: Mapping[str, Any]
    ) -> FerryError:
        text = message_of(document) or explain_status(reply.status)
        lasts = has_code(document, self._no_credit)
        status = _PERMANENT if lasts else status_of_refusal(reply.status)
        if status == Status.UNIMPLEMENTED:
            text = f"this upstream does not serve the call: {text}"
        if reply.status == 422 and not lasts and _only_names(request):
            status, text = Status.NOT_FOUND, f"nothing has this name: {text}"
        refused = CredentialRefused if status is Status.UNAUTHENTICATED else FerryError
        return refused(
            status,
            f"{self.name}: {without_secret(text, caller)}",
            provider=self.name,
            reason=without_secret(code_of(document), caller) or None,
            request_id=without_secret(self._request_id(reply), caller) or None,
            upstream_status=reply.status,
            retry_after=None if status == _PERMANENT else retry_after_of(reply.headers),
        )

    def _request_id(self, reply: Reply) -> str:
        return next(filter(None, map(reply.headers.get, self._request_ids)), "")


def outcome_unknown(error: FerryError) -> bool:
    """Whether the provider may have carried out the call although its answer is an error."""
    if isinstance(error, StateError):
        return (
            False  # the body could not be read to its end, so the request was not sent completely
        )
    if isinstance(error, UpstreamError):
        return not error.unsent
    return error.status in (Status.UNAVAILABLE, Status.DEADLINE_EXCEEDED)


@contextmanager
def wrong_state_if_refused() -> Iterator[None]:
    """For calls without arguments: if one is refused, the state of the object is the reason."""
    try:
        yield
    except FerryError as error:
        if error.upstream_status not in (400, 409):
            raise
        raise error.restated(Status.FAILED_PRECONDITION) from None


async def read_refusal(reply: Reply) -> bytes:
    """The body; empty if it breaks off or is too long, because the status is enough."""
    try:
        return await reply.read(UPSTREAM_REFUSAL)
    except UpstreamError:
        return b""


def _object_or_listed(data: bytes) -> dict[str, Any] | None:
    try:
        document = parse_json(data)
    except orjson.JSONDecodeError:
        return None
    if isinstance(document, list):
        return {"data": document}
    return document if isinstance(document, dict) else None


def _only_names(request: OutboundRequest) -> bool:
    """Whether nothing but the id in its path can be wrong with a call."""
    return request.method in ("GET", "DELETE") and not request.url.query
