"""OpenAI's batch objects -> `Batch`. The proxy's own data about a batch is in its `metadata`."""

from collections.abc import Mapping
from typing import Any, Final

from providers.json_api.answer_shape import count_or_none, text_or_none
from providers.json_api.client import Answer
from providers.json_api.unix_time import from_unix
from providers.openai.batch_failures import failure_of
from providers.openai.batch_lines import EMBEDDINGS
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

JOB: Final = "ferry_job"
SOURCE: Final = "ferry_source"
INPUT: Final = "ferry_input"
"""Set if the proxy made the input file from a client's file in OpenAI's own format."""
MODEL: Final = "ferry_model"
DISPLAY_NAME: Final = "ferry_display_name"
REPEAT: Final = "ferry_repeat"
# OpenAI's limit for a value of `metadata`, in characters. It takes 16 values.
METADATA_VALUE: Final = 512
# Together they have space for all of `Warnings.render` (2048 bytes).
_WARNINGS: Final = [f"ferry_warnings_{number}" for number in range(1, 5)]


def metadata_of(batch: Mapping[str, Any]) -> Mapping[str, str]:
    metadata = batch.get("metadata")
    if not isinstance(metadata, dict):
        return {}
    return {name: value for name, value in metadata.items() if isinstance(value, str)}


def state_of(batch: Mapping[str, Any]) -> BatchState:
    """An unknown status counts as running, so that it does not end a client's polling."""
    return _STATES.get(str(batch.get("status")), BatchState.RUNNING)


def from_openai_batch(batch: Answer) -> Batch:
    """Read a batch object (openai.md section 4); `output` is not set."""
    metadata = metadata_of(batch)
    ended = next((batch[name] for name in _END_TIMES if batch.get(name)), None)
    return Batch(
        id=batch.id,
        kind=BatchKind.EMBED if batch.get("endpoint") == EMBEDDINGS else BatchKind.GENERATE,
        state=state_of(batch),
        native_status=str(batch.get("status")),
        model=metadata.get(MODEL) or text_or_none(batch.get("model")) or None,
        display_name=metadata.get(DISPLAY_NAME) or None,
        create_time=from_unix(batch.get("created_at")),
        start_time=from_unix(batch.get("in_progress_at")),
        end_time=from_unix(ended),
        counts=_counts(batch.get("request_counts")),
        failure=failure_of(batch),
        warnings=_warnings(metadata),
    )


def warning_metadata(warnings: str) -> dict[str, str]:
    """The members of `metadata` that store the rendered `warnings` at OpenAI."""
    pieces = [
        warnings[start : start + METADATA_VALUE]
        for start in range(0, len(warnings), METADATA_VALUE)
    ]
    return dict(zip(_WARNINGS[: len(pieces)], pieces, strict=True))


def _warnings(metadata: Mapping[str, str]) -> str:
    """The stored warnings, or "" for text that the proxy cannot have written.

    Other tools can write metadata too.
    """
    warnings = "".join(metadata.get(name, "") for name in _WARNINGS)
    return warnings if warnings.isascii() and warnings.isprintable() else ""


def _counts(counts: object) -> Counts | None:
    if not isinstance(counts, dict):
        return None
    names = ("total", "completed", "failed")
    numbers = [count for name in names if (count := count_or_none(counts.get(name, 0))) is not None]
    return Counts(*numbers) if len(numbers) == len(names) else None
