"""Anthropic's batch objects -> `Batch`, with the recorded names that Anthropic does not keep."""

from collections.abc import Mapping
from typing import Any, Final

from providers.batches.batch_records import BatchRecord
from providers.json_api.answer_shape import count_or_none, time_or_none
from providers.json_api.client import Answer
from providers.resources import Batch, BatchKind, BatchState, Counts, Failure
from providers.status import Status

# The failure of a batch whose results have been archived, and of its requests.
ARCHIVED: Final = Failure(
    Status.NOT_FOUND,
    "Anthropic no longer has the results of this batch: it keeps them for 29 days.",
)
_COUNTS: Final = ("processing", "succeeded", "errored", "canceled", "expired")


def counts_of(batch: Mapping[str, Any]) -> dict[str, int]:
    counts = batch.get("request_counts")
    counts = counts if isinstance(counts, dict) else {}
    known = {name: count_or_none(counts.get(name)) for name in _COUNTS}
    return {name: count for name, count in known.items() if count is not None}


def state_of(batch: Mapping[str, Any]) -> BatchState:
    """The state by translation.md section 4: a batch that ended has its outcome in the counts."""
    status = batch.get("processing_status")
    if status != "ended":
        return BatchState.CANCELLING if status == "canceling" else BatchState.RUNNING
    counts = counts_of(batch)
    if batch.get("cancel_initiated_at") and counts.get("canceled"):
        return BatchState.CANCELLED
    if counts.get("expired") and not (counts.get("succeeded") or counts.get("errored")):
        return BatchState.EXPIRED
    return BatchState.SUCCEEDED


def has_results(batch: Mapping[str, Any]) -> bool:
    """Whether Anthropic still has the results of an ended batch."""
    return bool(batch.get("results_url"))


def from_anthropic_batch(batch: Answer, record: BatchRecord) -> Batch:
    """Read a batch object (anthropic.md section 2); `output` is not set."""
    state = state_of(batch)
    created = time_or_none(batch.get("created_at"))
    return Batch(
        id=batch.id,
        kind=BatchKind.GENERATE,
        state=state,
        native_status=str(batch.get("processing_status")),
        model=record.model or None,
        display_name=record.display_name or None,
        create_time=created,
        start_time=created,
        end_time=time_or_none(batch.get("ended_at")) if state.terminal else None,
        counts=_counts(batch),
        failure=_failure(batch, state),
        warnings=record.warnings,
    )


def _failure(batch: Mapping[str, Any], state: BatchState) -> Failure | None:
    """Why the batch did not complete, by its counts: Anthropic gives no reason."""
    if not state.terminal:
        return None
    counts = counts_of(batch)
    canceled, expired = counts.get("canceled", 0), counts.get("expired", 0)
    if not canceled + expired:
        return None if has_results(batch) else ARCHIVED
    status = (
        Status.CANCELLED
        if state is BatchState.CANCELLED or not expired
        else Status.DEADLINE_EXCEEDED
    )
    ends = [f"{expired} expired"] * bool(expired) + [f"{canceled} cancelled"] * bool(canceled)
    left = f"{canceled + expired} of its {sum(counts.values())} requests were not answered"
    return Failure(status, f"The batch ended early: {left} ({', '.join(ends)}).")


def _counts(batch: Answer) -> Counts | None:
    counts = counts_of(batch)
    if not counts:
        return None
    failed = sum(counts.get(name, 0) for name in ("errored", "canceled", "expired"))
    return Counts(sum(counts.values()), counts.get("succeeded", 0), failed)
