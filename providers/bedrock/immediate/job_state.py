"""A job's objects in the state store to the neutral model."""

from collections.abc import Mapping
from typing import Final

from providers.bedrock.immediate.claims import Claim, Progress
from providers.bedrock.immediate.job_store import Ending, ImmediateJob
from providers.resources import Batch, BatchState, Counts, Failure

# Bedrock's words for the like (bedrock.md section 2).
_NATIVE: Final[Mapping[BatchState, str]] = {
    BatchState.PENDING: "Submitted",
    BatchState.RUNNING: "InProgress",
    BatchState.CANCELLING: "Stopping",
    BatchState.CANCELLED: "Stopped",
    BatchState.SUCCEEDED: "Completed",
}


def ended_batch(job_id: str, job: ImmediateJob, ending: Ending) -> Batch:
    counts = Counts(job.count, ending.succeeded, ending.failed)
    return Batch(
        id=job_id,
        kind=job.kind,
        state=ending.state,
        native_status=_NATIVE[ending.state],
        model=job.model,
        display_name=job.display_name,
        create_time=job.created,
        start_time=ending.started,
        end_time=ending.ended,
        counts=counts,
        failure=_cancelled(counts) if ending.state is BatchState.CANCELLED else None,
        warnings=job.warnings,
    )


def unended_batch(
    job_id: str,
    job: ImmediateJob,
    cancelled: bool,
    claim: Claim | None,
    progress: Progress | None,
) -> Batch:
    """`claim` is the newest; `progress` is newer than the claim's, where the job is run here."""
    state = _unended(cancelled, claim)
    made = progress or (claim.progress if claim else Progress())
    return Batch(
        id=job_id,
        kind=job.kind,
        state=state,
        native_status=_NATIVE[state],
        model=job.model,
        display_name=job.display_name,
        create_time=job.created,
        start_time=claim.started if claim else None,
        counts=Counts(job.count, made.answered - made.failed, made.failed),
        warnings=job.warnings,
    )


def _cancelled(counts: Counts) -> Failure:
    left = f"{counts.pending} of its {counts.total} requests were not answered"
    return Failure("CANCELLED", f"The batch was cancelled: {left}.")


def _unended(cancelled: bool, claim: Claim | None) -> BatchState:
    if cancelled:
        return BatchState.CANCELLING
    return BatchState.RUNNING if claim else BatchState.PENDING
