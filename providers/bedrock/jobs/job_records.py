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
from providers.bedrock.files import JOBS
from providers.bedrock.jobs.operations import job_id_of
from providers.json_api.answer_shape import (
    count_or_none,
    object_or_nothing,
    text_or_none,
    time_or_none,
)
from providers.json_api.client import Answer
from providers.resources import Batch, BatchState, Counts, Failure
from providers.status import Status

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
# A failed job gives a message but no code.
_FAILED: Final = Status.INTERNAL
_STATUS_OF: Final[Mapping[str, Status]] = {
    "Failed": _FAILED,
    "Stopped": Status.CANCELLED,
    "Expired": Status.DEADLINE_EXCEEDED,
    "PartiallyCompleted": Status.DEADLINE_EXCEEDED,
}
_OF_THE_JOB: Final[Mapping[str, str]] = {
    "Failed": "The batch failed",
    "Stopped": "The batch was cancelled",
    "Expired": "The batch expired before Bedrock began it",
    "PartiallyCompleted": "The batch ran out of time",
}
_OF_A_RECORD: Final[Mapping[str, str]] = {
    "Failed": "The batch failed",
    "Stopped": "The batch was cancelled before this request was answered",
    "Expired": "The batch ran out of time before this request was answered",
    "PartiallyCompleted": "The batch ran out of time before this request was answered",
}
_NEVER_ANSWERED: Final = Failure(
    Status.INTERNAL, "Bedrock ended the batch without an answer to this request."
)
_NO_REASON: Final = "Bedrock gives no reason"


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


def failure_of(job: Mapping[str, Any]) -> Failure | None:
    """None for a job that completed or has not ended."""
    native = str(job.get("status"))
    if native not in _OF_THE_JOB:
        return None
    reason = _reason(job)
    if native == "Failed":
        return Failure(_FAILED, reason or _NO_REASON)
    return Failure(_STATUS_OF[native], _sentence(f"{_OF_THE_JOB[native]}{_left(job)}", reason))


def is_unanswered(job: Mapping[str, Any]) -> bool:
    """Whether Bedrock ended the job without any answer, so there is no output.

    Only then can record ids from the input replace a request table: Bedrock assigns an id to a
    record without one, and the answer to that record would not be found.
    """
    return job.get("status") in ("Failed", "Expired") and not job.get("processedRecordCount")


def failure_of_record(job: Mapping[str, Any]) -> Failure:
    """Why a record of the ended job has no answer."""
    native, reason = str(job.get("status")), _reason(job)
    if native not in _OF_A_RECORD:
        return _NEVER_ANSWERED
    if native == "Failed":
        reason = reason or _NO_REASON
    return Failure(_STATUS_OF[native], _sentence(_OF_A_RECORD[native], reason))


def _left(job: Mapping[str, Any]) -> str:
    """How many records have no answer, if Bedrock counts them."""
    numbers = [job.get(name) for name in _COUNTS]
    total, *answered = (number if isinstance(number, int) else 0 for number in numbers)
    left = max(0, total - sum(answered))
    return f": {left} of its {total} requests were not answered" if total else ""


def _reason(job: Mapping[str, Any]) -> str:
    return str(job.get("message") or "")


def _sentence(what: str, reason: str) -> str:
    return f"{what}: {reason}" if reason else f"{what}."
