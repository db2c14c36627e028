"""Why a job at Bedrock failed, and what that means for a record without an answer."""

from collections.abc import Mapping
from typing import Any, Final

from providers.resources import Failure
from providers.status import Status

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
_COUNTS: Final = ("totalRecordCount", "successRecordCount", "errorRecordCount")


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
