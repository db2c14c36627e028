"""OpenAI's batch objects -> `Batch`. The proxy's own data about a batch is in its `metadata`."""

from collections.abc import Mapping
from typing import Any, Final

from providers.batches.file_batches.failures import BatchFailures, ListedError
from providers.batches.file_batches.metadata import (
    DISPLAY_NAME,
    MODEL,
    metadata_of,
    stored_warnings,
)
from providers.json_api.answer_shape import count_or_none, object_or_nothing, text_or_none
from providers.json_api.client import Answer
from providers.json_api.unix_time import from_unix
from providers.openai_content.body_to_openai import EMBEDDINGS
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
}
_END_TIMES: Final = ("completed_at", "failed_at", "expired_at", "cancelled_at")
# OpenAI fails a batch with invalid input: invalid_json_line, duplicate_custom_id, ...
_STATUS_OF_OTHER_CODES: Final = Status.INVALID_ARGUMENT
_REASON_CHARACTERS: Final = 500
# Further errors are not read, so that the work is bounded.
_ERRORS_READ: Final = 50_000


def state_of(batch: Mapping[str, Any]) -> BatchState:
    """An unknown status counts as running, so that it does not end a client's polling."""
    return _STATES.get(str(batch.get("status")), BatchState.RUNNING)


def from_openai_batch(batch: Answer) -> Batch:
    """Read a batch object (openai.md section 4); `output` is not set."""
    metadata, state = metadata_of(batch), state_of(batch)
    ended = next((batch[name] for name in _END_TIMES if batch.get(name)), None)
    return Batch(
        id=batch.id,
        kind=BatchKind.EMBED if batch.get("endpoint") == EMBEDDINGS else BatchKind.GENERATE,
        state=state,
        native_status=str(batch.get("status")),
        model=metadata.get(MODEL) or text_or_none(batch.get("model")) or None,
        display_name=metadata.get(DISPLAY_NAME) or None,
        create_time=from_unix(batch.get("created_at")),
        start_time=from_unix(batch.get("in_progress_at")),
        end_time=from_unix(ended),
        counts=_counts(batch.get("request_counts")),
        failure=failures_of(batch, state).of_batch,
        warnings=stored_warnings(metadata),
    )


def _counts(counts: object) -> Counts | None:
    if not isinstance(counts, dict):
        return None
    names = ("total", "completed", "failed")
    numbers = [count for name in names if (count := count_or_none(counts.get(name, 0))) is not None]
    return Counts(*numbers) if len(numbers) == len(names) else None


def failures_of(batch: Mapping[str, Any], state: BatchState) -> BatchFailures:
    counts = object_or_nothing(batch.get("request_counts"))
    total, completed = counts.get("total"), counts.get("completed")
    return BatchFailures(
        "OpenAI", state, _listed(batch), count_or_none(total), count_or_none(completed)
    )


def _listed(batch: Mapping[str, Any]) -> list[ListedError]:
    data = object_or_nothing(batch.get("errors")).get("data")
    return [_parse(error) for error in data[:_ERRORS_READ]] if isinstance(data, list) else []


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
