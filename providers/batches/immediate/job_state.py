"""A job's objects in the state store as the neutral model."""

from collections.abc import Mapping

from providers.batches.immediate.job_store import Ending, ImmediateJob
from providers.batches.immediate.leases import LeaseRecord, Progress
from providers.resources import Batch, BatchState, Counts, Failure
from providers.status import Status

Words = Mapping[BatchState, str]
"""`Answerer.status_words`."""


def ended_batch(job_id: str, job: ImmediateJob, ending: Ending, words: Words) -> Batch:
    counts = Counts(job.count, ending.succeeded, ending.failed)
    return Batch(
        id=job_id,
        kind=job.kind,
        state=ending.state,
        native_status=words[ending.state],
        model=job.model,
        display_name=job.display_name,
        create_time=job.created,
        start_time=ending.started,
        end_time=ending.ended,
        counts=counts,
        failure=_cancelled(counts) if ending.state is BatchState.CANCELLED else None,
        warnings=job.warnings,
    )


def unfinished_batch(
    job_id: str,
    job: ImmediateJob,
    cancelled: bool,
    lease: LeaseRecord | None,
    progress: Progress | None,
    words: Words,
) -> Batch:
    """`lease` is the newest record; `progress` is newer, if this process runs the job."""
    state = _unfinished_state(cancelled, lease)
    made = progress or (lease.progress if lease else Progress())
    return Batch(
        id=job_id,
        kind=job.kind,
        state=state,
        native_status=words[state],
        model=job.model,
        display_name=job.display_name,
        create_time=job.created,
        start_time=lease.started if lease else None,
        counts=Counts(job.count, made.answered - made.failed, made.failed),
        warnings=job.warnings,
    )


def _cancelled(counts: Counts) -> Failure:
    left = f"{counts.pending} of its {counts.total} requests were not answered"
    return Failure(Status.CANCELLED, f"The batch was cancelled: {left}.")


def _unfinished_state(cancelled: bool, lease: LeaseRecord | None) -> BatchState:
    if cancelled:
        return BatchState.CANCELLING
    return BatchState.RUNNING if lease else BatchState.PENDING
