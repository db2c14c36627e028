"""The relay where tenants share the proxy's key at Google: each sees only what it made.

It cannot check what the lines of an input file name, because Google returns no uploaded file. To
name another tenant's file there, one must know its random id.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from yarl import URL

from providers.body import Body, in_memory
from providers.credential import Caller
from providers.errors import invalid_argument
from providers.gemini.buffered_reply import BufferedReply
from providers.gemini.creation import KEY_HEADER
from providers.gemini.isolated_calls import CallKind, IsolatedCall, parse_call
from providers.gemini.owned_resources import (
    created_resource,
    input_files,
    resource_of,
    result_files,
)
from providers.gemini.refusal import check
from providers.json_api.answer_shape import text_or_none
from providers.json_api.json_text import parse_answer, parse_clients_json, render_json
from providers.limits import PAGE_ITEMS, PAGE_SIZE_DIGITS, RELAYED_ANSWER, RELAYED_BATCH
from providers.long_work import off_loop
from providers.memory import MemoryBudget, Reservation
from providers.provider import Relay, RelayedRequest
from providers.resources import Page
from providers.tenancy.ownership import Ownership, ResourceKind, native_id_of
from providers.tenancy.references import References
from providers.tenancy.run_to_completion import run_to_completion
from providers.tenancy.tenant_lists import TenantList
from providers.upstream import Reply, invalid_answer

_PAGE_SIZE: Final = 10
# The memory that a parsed document takes, as a multiple of its text.
_PARSED: Final = 10

_LISTED_AS: Final = {ResourceKind.FILES: "files", ResourceKind.BATCHES: "operations"}
# With these Google could leave names out of its answer, compress it, or send a part of it.
_UNREADABLE: Final = frozenset({"x-goog-fieldmask", "accept-encoding", "range", "if-none-match"})


@dataclass(frozen=True, slots=True)
class _Listed:
    id: str
    key: str
    document: dict[str, Any]


class IsolatedRelay:
    """Implements `providers.provider.Relay` around another one. `limit` in bytes bounds a body."""

    def __init__(
        self,
        name: str,
        relay: Relay,
        ownership: Ownership,
        references: References,
        memory: MemoryBudget,
        limit: int,
    ) -> None:
        self._name = name
        self._relay = relay
        self._ownership = ownership
        self._references = references
        self._memory = memory
        self._limit = limit

    async def relay(self, caller: Caller, request: RelayedRequest) -> Reply:
        call = parse_call(request.method, request.target)
        if call.resource_kind is None or call.kind is CallKind.CREATE_BATCH:
            return await self._relay_checked(caller, request, call)
        if call.kind is CallKind.LIST:
            return await self._list(caller, _readable(request), call.resource_kind)
        resource = resource_of(call.resource_kind, call.id)
        await self._ownership.check(caller.tenant, resource)
        if call.resource_kind is ResourceKind.BATCHES and call.kind is CallKind.READ:
            return await self._batch(caller, _readable(request))
        reply = await self._relay.relay(caller, request)
        if call.kind is CallKind.DELETE and reply.status == 200:
            await self._ownership.release(caller.tenant, resource)
        return reply

    # --- requests with a body ---

    async def _relay_checked(
        self, caller: Caller, request: RelayedRequest, call: IsolatedCall
    ) -> Reply:
        """A call whose body may name files. What is sent is what was checked, rendered again."""
        if request.body is None:
            return await self._relay.relay(caller, request)
        with self._memory.reserve() as reservation:
            data = await self._read_body(request, request.body, reservation)
            document = await off_loop(parse_clients_json, data)
            owns = partial(self._ownership.owns, caller.tenant)
            await self._references.check(document, "body", owns)
            outbound = replace(request, body=in_memory(await off_loop(render_json, document)))
            if call.kind is not CallKind.CREATE_BATCH:
                return await self._relay.relay(caller, outbound)
            for resource in input_files(document):
                await self._ownership.check(caller.tenant, resource)
            # Also if the client disconnects: a batch without an owner would be lost.
            return await run_to_completion(self._create(caller, _readable(outbound)))

    async def _read_body(
        self, request: RelayedRequest, body: Body, reservation: Reservation
    ) -> bytes:
        encoding = request.headers.get("Content-Encoding", "").strip().lower()
        if encoding not in ("", "identity"):
            raise invalid_argument("send the body uncompressed: Content-Encoding is refused")
        # With a limit above a tenth of the budget, the largest body takes the whole budget.
        copies = min(_PARSED, self._memory.size // self._limit)
        data = await reservation.read(body.chunks, self._limit, copies)
        if data is None:
            raise invalid_argument(
                f"the body has at most {self._limit} bytes (FERRY_INLINE_MAX_BYTES)"
            )
        return data

    async def _create(self, caller: Caller, request: RelayedRequest) -> Reply:
        """Create a batch; it is cancelled if its owner cannot be recorded."""
        async with await self._relay.relay(caller, request) as reply:
            data = await reply.read(RELAYED_ANSWER)
        if reply.status != 200:
            return BufferedReply(reply.status, reply.headers, data)
        batch = created_resource(await _document(data))
        cancel = partial(self._cancel, caller, request, batch.name)
        key = request.headers.get(KEY_HEADER)
        await self._ownership.claim_created(caller.tenant, batch, key, cancel)
        return BufferedReply(reply.status, reply.headers, data)

    async def _cancel(self, caller: Caller, request: RelayedRequest, name: str) -> None:
        version, _, _ = request.target.raw_path.strip("/").rpartition("models/")
        target = URL(f"/{version}{name}:cancel", encoded=True)
        cancel = RelayedRequest("POST", target, request.headers, in_memory(b"{}"))
        async with await self._relay.relay(caller, cancel) as reply:
            await check(self._name, reply)

    # --- answers ---

    async def _batch(self, caller: Caller, request: RelayedRequest) -> Reply:
        """Also records the owner of the batch's results file. A large answer has results inline."""
        reply = await self._relay.relay(caller, request)
        if reply.status != 200:
            return reply
        try:
            peeked = await BufferedReply.peek(reply, RELAYED_BATCH)
            if len(peeked.data) <= RELAYED_BATCH:
                await self._claim_results(caller, await _document(peeked.data))
        except BaseException:
            await reply.aclose()
            raise
        return peeked

    async def _claim_results(self, caller: Caller, batch: dict[str, Any]) -> None:
        for resource in result_files(batch):
            await self._ownership.claim(caller.tenant, resource)

    async def _list(self, caller: Caller, request: RelayedRequest, kind: ResourceKind) -> Reply:
        query = request.target.query
        token = query.get("pageToken") or query.get("page_token") or None
        size = _page_size(query.get("pageSize") or query.get("page_size") or str(_PAGE_SIZE))
        own = TenantList(
            self._ownership,
            caller.tenant,
            kind,
            partial(self._page, caller, request, kind),
            lambda listed: listed.key,
            partial(self._exists, caller, request),
        )
        page = await own.page(size, token)
        listed = [item.document for item in page.items]
        for document in listed:
            await self._claim_results(caller, document)
        answer: dict[str, Any] = {_LISTED_AS[kind]: listed} if listed else {}
        if page.next_page_token:
            answer["nextPageToken"] = page.next_page_token
        return BufferedReply(200, {"Content-Type": "application/json"}, render_json(answer))

    async def _exists(self, caller: Caller, request: RelayedRequest, key: str) -> bool:
        """Whether Google has it: for a deleted object it answers 403 (gemini.md section 4)."""
        target = request.target.with_query(None) / native_id_of(key)
        async with await self._relay.relay(caller, replace(request, target=target)) as reply:
            return reply.status not in (403, 404)

    async def _page(
        self,
        caller: Caller,
        request: RelayedRequest,
        kind: ResourceKind,
        size: int,
        token: str | None,
    ) -> Page[_Listed]:
        """One page of Google's list for all tenants."""
        query = {"pageSize": str(size)} | ({"pageToken": token} if token else {})
        target = request.target.with_query(query)
        async with await self._relay.relay(caller, replace(request, target=target)) as reply:
            await check(self._name, reply)
            document = await _document(await reply.read(RELAYED_ANSWER))
        return _read_page(document, kind)


def _read_page(document: dict[str, Any], kind: ResourceKind) -> Page[_Listed]:
    items = document.get(_LISTED_AS[kind]) or []
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise invalid_answer("Google did not answer with a list of objects")
    listed = [_Listed(item.get("name", ""), created_resource(item).key, item) for item in items]
    return Page(listed, text_or_none(document.get("nextPageToken")) or None)


def _readable(request: RelayedRequest) -> RelayedRequest:
    kept = {k: v for k, v in request.headers.items() if k.lower() not in _UNREADABLE}
    return replace(request, headers={**kept, "Accept-Encoding": "identity"})


async def _document(data: bytes) -> dict[str, Any]:
    document = await parse_answer(data)
    if document is None:
        raise invalid_answer("Google's answer is not a JSON object")
    return document


def _page_size(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= PAGE_SIZE_DIGITS):
        raise invalid_argument(f"{text[:40]!r} is not a page size", path="pageSize")
    return min(int(text) or _PAGE_SIZE, PAGE_ITEMS)
