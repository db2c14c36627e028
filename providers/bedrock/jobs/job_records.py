"""Bedrock's jobs as our batches, and the job names that identify tenant and batch.

Bedrock stores only a name of 63 characters for us: `gf-{job}`, or `gf-{tenant_id}-{job}` for a
tenant on the proxy's own keys (bedrock.md section 2).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from providers.aws.folder import Folder, parse_s3_uri
from providers.batches.batch_records import BatchRecord
from providers.bedrock.jobs.job_failures import failure_of
from providers.bedrock.jobs.operations import job_id_of
from providers.bedrock.object_files import JOBS
from providers.json_api.answer_shape import (
    count_or_none,
    object_or_nothing,
    text_or_none,
    time_or_none,
)
from providers.json_api.client import Answer
from providers.resources import Batch, BatchState, Counts

# translation.md section 4
_STATES: Final[Mapping[str, BatchState]] = {
    "Submitted": BatchState.PENDING,
    "Validating": BatchState.PENDING,
    "Scheduled": BatchState.PENDING,
    "InProgress": BatchState.RUNNING,
    "Stopping": BatchState.CANCELLING,
    "Stopped": BatchState.CANCELLED,
    "Completed": BatchState.SUCCEEDED,
    "PartiallyCompleted": BatchState.SUCCEEDED,
    "Expired": BatchState.EXPIRED,
    "Failed": BatchState.FAILED,
}
_NAME: Final = re.compile(r"gf-(?:(?P<tenant_id>[0-9a-f]{16})-)?(?P<job>[0-9a-f]{32})")
_COUNTS: Final = ("totalRecordCount", "successRecordCount", "errorRecordCount")


@dataclass(frozen=True, slots=True)
class JobName:
    """`tenant_id` is empty without tenants; `job` is our own id, 32 digits."""

    tenant_id: str
    job: str

    def __str__(self) -> str:
        return f"{prefix_of(self.tenant_id)}{self.job}"


def prefix_of(tenant_id: str) -> str:
    """The prefix of the names of one tenant's jobs."""
    return f"gf-{tenant_id}-" if tenant_id else "gf-"


def name_of(job: Mapping[str, Any]) -> JobName | None:
    """None for a job that another tool created."""
    found = _NAME.fullmatch(str(job.get("jobName")))
    return JobName(found["tenant_id"] or "", found["job"]) if found else None


def is_visible(job: Mapping[str, Any], tenant_id: str) -> bool:
    """Whether the job is this tenant's; without tenants every job is visible."""
    name = name_of(job)
    return not tenant_id or (name is not None and name.tenant_id == tenant_id)


def folder_of(job: Mapping[str, Any]) -> Folder | None:
    """The folder of our objects for the job, with its input; None for another tool's job.

    It is read from the job, since the caller's folder may have changed.
    """
    name = name_of(job)
    if name is None:
        return None
    before, ours, _ = input_uri(job).partition(f"/{JOBS}/{name.job}/")
    return parse_s3_uri(before + ours) if ours else None


def input_uri(job: Mapping[str, Any]) -> str:
    return _uri(job, "inputDataConfig", "s3InputDataConfig")


def output_uri(job: Mapping[str, Any]) -> str:
    return _uri(job, "outputDataConfig", "s3OutputDataConfig")


def _uri(job: Mapping[str, Any], config: str, s3: str) -> str:
    """Empty if the job has none."""
    location = object_or_nothing(object_or_nothing(job.get(config)).get(s3))
    return text_or_none(location.get("s3Uri")) or ""


def state_of(job: Mapping[str, Any]) -> BatchState:
    """An unknown status counts as running, so it does not end a poll."""
    return _STATES.get(str(job.get("status")), BatchState.RUNNING)


def from_bedrock_job(job: Answer, record: BatchRecord) -> Batch:
    """A job (bedrock.md section 2) with our record from its creation, without results."""
    state = state_of(job)
    return Batch(
        id=job_id_of(job),
        kind=record.kind,
        state=state,
        native_status=str(job.get("status")),
        model=record.model or text_or_none(job.get("modelId")) or None,
        display_name=record.display_name or _foreign_name(job),
        create_time=time_or_none(job.get("submitTime")),
        end_time=time_or_none(job.get("endTime")) if state.terminal else None,
        counts=_counts(job),
        failure=failure_of(job),
        warnings=record.warnings,
    )


def _foreign_name(job: Mapping[str, Any]) -> str | None:
    """The name that another tool gave; ours means nothing to a user."""
    return None if name_of(job) else text_or_none(job.get("jobName")) or None


def _counts(job: Mapping[str, Any]) -> Counts | None:
    numbers = [count for name in _COUNTS if (count := count_or_none(job.get(name))) is not None]
    return Counts(*numbers) if len(numbers) == len(_COUNTS) else None
