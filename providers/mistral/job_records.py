"""Mistral's job objects -> `Batch`. The proxy's own data about a batch is in its `metadata`."""

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
from providers.resources import Batch, BatchKind, BatchState, Counts, Failure
from providers.status import Status

# mistral.md section 3
_STATES: Final[Mapping[str, BatchState]] = {
    "QUEUED": BatchState.PENDING,
    "RUNNING": BatchState.RUNNING,
    "CANCELLATION_REQUESTED": BatchState.CANCELLING,
    "SUCCESS": BatchState.SUCCEEDED,
    "FAILED": BatchState.FAILED,
    "TIMEOUT_EXCEEDED": BatchState.EXPIRED,
    "CANCELLED": BatchState.CANCELLED,
}
_REASON_CHARACTERS: Final = 500
# Further errors are not read, so that the work is bounded.
_ERRORS_READ: Final = 1000


def state_of(job: Mapping[str, Any]) -> BatchState:
    """An unknown status counts as running, so that it does not end a client's polling."""
    return _STATES.get(str(job.get("status")), BatchState.RUNNING)


def from_mistral_job(job: Answer) -> Batch:
    """Read a job object; `output` is not set."""
    metadata = metadata_of(job)
    return Batch(
        id=job.id,
        kind=BatchKind.EMBED if job.get("endpoint") == EMBEDDINGS else BatchKind.GENERATE,
        state=state_of(job),
        native_status=str(job.get("status")),
        model=metadata.get(MODEL) or text_or_none(job.get("model")) or None,
        display_name=metadata.get(DISPLAY_NAME) or None,
        create_time=from_unix(job.get("created_at")),
        start_time=from_unix(job.get("started_at")),
        end_time=from_unix(job.get("completed_at")),
        counts=_counts(job),
        failure=failures_of(job).of_batch,
        warnings=stored_warnings(metadata),
    )


def failures_of(job: Mapping[str, Any]) -> BatchFailures:
    counts = _counts(job)
    total, completed = (counts.total, counts.succeeded) if counts else (None, None)
    return BatchFailures("Mistral", state_of(job), _listed(job), total, completed)


def _listed(job: Mapping[str, Any]) -> list[ListedError]:
    errors = job.get("errors")
    return [_error(error) for error in errors[:_ERRORS_READ]] if isinstance(errors, list) else []


def _error(error: object) -> ListedError:
    """`{message, count}`: the error of `count` requests. Mistral gives it no code."""
    members = object_or_nothing(error)
    message = str(members.get("message") or "Mistral gives no reason")[:_REASON_CHARACTERS]
    times = count_or_none(members.get("count")) or 1
    text = message if times == 1 else f"{message} ({times} times)"
    return ListedError(None, Failure(Status.INVALID_ARGUMENT, text))


def _counts(job: Mapping[str, Any]) -> Counts | None:
    """Mistral counts 0 requests until it has read the input."""
    names = ("total_requests", "succeeded_requests", "failed_requests")
    numbers = [count for name in names if (count := count_or_none(job.get(name))) is not None]
    return Counts(*numbers) if len(numbers) == len(names) and numbers[0] else None
