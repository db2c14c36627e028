"""The results of an ended batch.

They are read from the configured address. The batch's own `results_url` may be relative, or may
name a host that the proxy cannot reach and that must not get the key.
"""

from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Final

from providers.anthropic.batch_records import ARCHIVED, has_results, state_of
from providers.anthropic.client import BATCHES
from providers.batches.batch_results import CANCELLED, EXPIRED
from providers.batches.ended_results import lines_of
from providers.batches.json_lines import ResultLine, ResultSplitter
from providers.batches.request_table import job_of
from providers.batches.result_lines import find_id
from providers.body import Body
from providers.claude_content.error_types import RPC_STATUS_OF_TYPE
from providers.claude_content.message_from_anthropic import from_anthropic_message, plain_message
from providers.credential import Caller
from providers.errors import FerryError, not_found
from providers.json_api.answer_shape import as_object, text_or_none, unreadable
from providers.json_api.client import Answer, JsonApi
from providers.json_api.redaction import result_without_secret
from providers.resources import BatchState, Failure
from providers.status import Status, item_error

_NEVER_ANSWERED: Final = Failure(
    Status.INTERNAL, "Anthropic ended the batch without an answer to this request."
)
_MISSING: Final = {BatchState.CANCELLED: CANCELLED, BatchState.EXPIRED: EXPIRED}


class AnthropicResultLines:
    """Implements `providers.batches.ended_results.Results`."""

    id_member = "custom_id"

    def __init__(
        self, client: JsonApi, caller: Caller, batch: Answer, splitter: ResultSplitter
    ) -> None:
        self._client = client
        self._caller = caller
        self._batch = batch
        self._splitter = splitter

    async def job_id(self) -> str | None:
        """The job that the results name; None for a batch of another tool."""
        async with aclosing(self.slices()) as slices:
            async for lines in slices:
                for line in lines:
                    named = await find_id(line, self.id_member, self._splitter.reserve)
                    if named is not None:
                        return job_of(named)
        return None

    async def slices(self) -> AsyncGenerator[deque[ResultLine], None]:
        """The result lines; no lines if Anthropic has archived the results."""
        if not has_results(self._batch):
            return
        async with aclosing(lines_of(self.files(), self._splitter)) as slices:
            async for lines in slices:
                yield lines

    async def files(self) -> AsyncGenerator[Body, None]:
        if not has_results(self._batch):
            raise not_found(ARCHIVED.message)
        async with await self._client.open(self._caller, results_path(self._batch)) as reply:
            yield Body(reply.chunks(), None)

    def plain(self, line: dict[str, Any], /) -> dict[str, Any] | None:
        return plain_anthropic_line(line)

    def translate(self, line: dict[str, Any], /) -> dict[str, Any]:
        return result_without_secret(from_anthropic_line(line), self._caller)

    def missing(self, _: int, /) -> Failure:
        return missing_result(state_of(self._batch)) if has_results(self._batch) else ARCHIVED


def results_path(batch: Answer) -> str:
    return f"{BATCHES}/{batch.id}/results"


def from_anthropic_line(line: object) -> dict[str, Any]:
    """`{"response": {...}}` or `{"error": {"code": <rpc number>, "message": "..."}}`.

    A malformed line or message becomes an error INTERNAL (13).
    """
    try:
        return _result(as_object(as_object(line, "the line").get("result"), "result"))
    except FerryError as error:
        return {"error": item_error(error.status, error.message)}


def plain_anthropic_line(line: dict[str, Any]) -> dict[str, Any] | None:
    """What `from_anthropic_line` gives for a line whose answer is one text; None for any other."""
    result = line.get("result")
    if not isinstance(result, dict) or result.get("type") != "succeeded":
        return None
    message = result.get("message")
    answer = plain_message(message) if isinstance(message, dict) else None
    return None if answer is None else {"response": answer}


def missing_result(state: BatchState) -> Failure:
    """Why a request has no result in a batch that ended in `state`."""
    return _MISSING.get(state, _NEVER_ANSWERED)


def _result(result: dict[str, Any]) -> dict[str, Any]:
    match result.get("type"):
        case "succeeded":
            return {"response": from_anthropic_message(as_object(result.get("message"), "message"))}
        case "errored":
            return {"error": _refusal(result.get("error"))}
        case "canceled":
            return {"error": item_error(CANCELLED.status, CANCELLED.message)}
        case "expired":
            return {"error": item_error(EXPIRED.status, EXPIRED.message)}
        case _:
            raise unreadable("the result has an unknown type")


def _refusal(envelope: object) -> dict[str, Any]:
    outer = as_object(envelope, "error")
    # Anthropic writes the envelope of an HTTP error here, which has the error inside.
    inner = outer.get("error")
    error = inner if isinstance(inner, dict) else outer
    kind = text_or_none(error.get("type")) or ""
    message = text_or_none(error.get("message")) or kind or "Anthropic gave no reason"
    return item_error(RPC_STATUS_OF_TYPE.get(kind, Status.UNKNOWN), message)
