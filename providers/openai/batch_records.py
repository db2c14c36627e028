"""OpenAI's batch objects -> `Batch`. The proxy's own data about a batch is in its `metadata`."""

from collections.abc import Mapping
from typing import Any, Final

from providers.batches.file_batches.metadata import (
    DISPLAY_NAME,
    MODEL,
    metadata_of,
    stored_warnings,
)
from providers.json_api.answer_shape import count_or_none, text_or_none
from providers.json_api.client import Answer
from providers.json_api.unix_time import from_unix
from providers.openai.batch_failures import failures_of
from providers.openai_content.body_to_openai import EMBEDDINGS
from providers.resources import Batch, BatchKind, BatchState, Counts

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
