"""OpenAI's batch objects -> `Batch`. The proxy's own data about a batch is in its `metadata`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from providers.batches.file_batches.failures import BatchFailures, ListedError
from providers.batches.file_batches.metadata import (
    DISPLAY_NAME,
    MODEL,
    metadata_of,
    stored_warnings,
)
from providers.json_api.answer_shape import count_or_none, text_or_none, time_or_none
from providers.json_api.client import Answer
from providers.json_api.unix_time import from_unix
from providers.openai_content.body_to_openai import EMBEDDINGS, known_endpoint
from providers.openai_content.error_codes import rpc_status_of_code
from providers.resources import Batch, BatchKind, BatchState, Counts, Failure
from providers.status import Status

# translation.md section 4
_STATES: Final[Mapping[str, BatchState]] = {
    "validating": BatchState.PENDING,
    "in_progress": BatchState.RUNNING,
    "finalizing": BatchState.RUNNING,
    "cancelling": BatchState.CANCELLING,
    "cancelled": BatchState.CANCELLED,
    "completed": BatchState.SUCCEEDED,
    "expired": BatchState.EXPIRED,
    "failed": BatchState.FAILED,
    # Of other servers (openai.md section 10), in letters of either case.
    **dict.fromkeys(("pending", "queued", "in_queue"), BatchState.PENDING),
    **dict.fromkeys(("running", "progress"), BatchState.RUNNING),
    "canceling": BatchState.CANCELLING,
    "canceled": BatchState.CANCELLED,
}
_COUNTS: Final = ("total", "completed", "failed")
_END_TIMES: Final[Mapping[str, BatchState]] = {
    "completed_at": BatchState.SUCCEEDED,
    "failed_at": BatchState.FAILED,
    "expired_at": BatchState.EXPIRED,
    "cancelled_at": BatchState.CANCELLED,
}
# OpenAI fails a batch with invalid input: invalid_json_line, duplicate_custom_id, ...
_STATUS_OF_OTHER_CODES: Final = Status.INVALID_ARGUMENT
_REASON_CHARACTERS: Final = 500
# Further errors are not read, so that the work is bounded.
_ERRORS_READ: Final = 50_000


def state_of(batch: Mapping[str, Any]) -> BatchState:
    """If the status is unknown, the time of the end says how the batch ended.

    Without such a time it counts as running, so that it does not end a client's polling.
    """
    known = _STATES.get(str(batch.get("status")).lower())
    ended = (state for name, state in _END_TIMES.items() if batch.get(name))
    return known or next(ended, BatchState.RUNNING)


def from_openai_batch(batch: Answer) -> Batch:
    """Read a batch object (openai.md section 4); `output` is not set."""
    metadata, state = metadata_of(batch), state_of(batch)
    endpoint = known_endpoint(str(batch.get("endpoint")))
    ended = next((batch[name] for name in _END_TIMES if batch.get(name)), None)
    return Batch(
        id=batch.id,
        kind=BatchKind.EMBED if endpoint == EMBEDDINGS else BatchKind.GENERATE,
        state=state,
        native_status=str(batch.get("status")),
        model=metadata.get(MODEL) or text_or_none(batch.get("model")) or None,
        display_name=metadata.get(DISPLAY_NAME) or None,
        create_time=_time(batch.get("created_at")),
        start_time=_time(batch.get("in_progress_at")),
        end_time=_time(ended),
        counts=_counts(batch),
        failure=failures_of(batch, state).of_batch,
        warnings=stored_warnings(metadata),
    )


def _time(written: object) -> datetime | None:
    """Other servers write some times as text."""
    return from_unix(written) or time_or_none(written)


def _counts(batch: Mapping[str, Any]) -> Counts | None:
    numbers = [count for count in map(count_or_none, _counted(batch)) if count is not None]
    return Counts(*numbers) if len(numbers) == len(_COUNTS) else None


def _counted(batch: Mapping[str, Any]) -> list[Any]:
    """What is written for each of `_COUNTS`; vLLM's router writes it beside the other members."""
    counts = batch.get("request_counts")
    if isinstance(counts, dict):
        return [counts.get(name, 0) for name in _COUNTS]
    return [batch.get(f"{name}_requests") for name in _COUNTS]


def failures_of(batch: Mapping[str, Any], state: BatchState) -> BatchFailures:
    total, completed, _ = _counted(batch)
    return BatchFailures(
        "OpenAI", state, _listed(batch), count_or_none(total), count_or_none(completed)
    )


def _listed(batch: Mapping[str, Any]) -> list[ListedError]:
    """OpenAI's `errors.data`, or what other servers write: a list, an error or a text."""
    errors = batch.get("errors") or batch.get("error")
    data = errors.get("data", errors) if isinstance(errors, dict) else errors
    listed = data if isinstance(data, list) else [data]
    return [
        _parse(error) for error in listed[:_ERRORS_READ] if error and isinstance(error, str | dict)
    ]


def _parse(error: object) -> ListedError:
    """`{code, message, line, param}`; `line` is that of a request in the input, counted from 1."""
    if not isinstance(error, dict):
        return ListedError(None, Failure(_STATUS_OF_OTHER_CODES, str(error)[:_REASON_CHARACTERS]))
    code, line = error.get("code"), error.get("line")
    message = error.get("message") or code or "OpenAI gives no reason"
    status = rpc_status_of_code(code, _STATUS_OF_OTHER_CODES)
    numbered = isinstance(line, int) and not isinstance(line, bool) and line > 0
    return ListedError(
        line if numbered else None, Failure(status, str(message)[:_REASON_CHARACTERS])
    )
