from typing import Any

import pytest

from providers.bedrock.jobs.job_failures import failure_of, failure_of_record, is_unanswered
from providers.resources import Failure
from providers.status import Status

COUNTED = {"totalRecordCount": 9, "successRecordCount": 5, "errorRecordCount": 1}


@pytest.mark.parametrize(
    ("job", "failure"),
    [
        ({"status": "Failed", "message": "No role."}, Failure(Status.INTERNAL, "No role.")),
        ({"status": "Failed"}, Failure(Status.INTERNAL, "Bedrock gives no reason")),
        ({"status": "Stopped"}, Failure(Status.CANCELLED, "The batch was cancelled.")),
        (
            {"status": "Stopped", **COUNTED},
            Failure(
                Status.CANCELLED,
                "The batch was cancelled: 3 of its 9 requests were not answered.",
            ),
        ),
        (
            {"status": "Expired", "message": "The queue is full."},
            Failure(
                Status.DEADLINE_EXCEEDED,
                "The batch expired before Bedrock began it: The queue is full.",
            ),
        ),
        (
            {"status": "PartiallyCompleted", "message": "Time is up.", **COUNTED},
            Failure(
                Status.DEADLINE_EXCEEDED,
                "The batch ran out of time: 3 of its 9 requests were not answered: Time is up.",
            ),
        ),
    ],
)
def test_the_reason_why_a_job_failed_or_stopped(job: dict[str, Any], failure: Failure) -> None:
    assert failure_of(job) == failure


@pytest.mark.parametrize("status", ["Submitted", "InProgress", "Stopping", "Completed", None])
def test_other_jobs_have_not_failed(status: str | None) -> None:
    assert failure_of({"status": status, "message": "x"}) is None


@pytest.mark.parametrize(
    ("status", "rpc"),
    [
        ("Failed", Status.INTERNAL),
        ("Stopped", Status.CANCELLED),
        ("Expired", Status.DEADLINE_EXCEEDED),
        ("PartiallyCompleted", Status.DEADLINE_EXCEEDED),
    ],
)
def test_a_record_without_an_answer_says_the_jobs_reason(status: Status, rpc: Status) -> None:
    failure = failure_of_record({"status": status, "message": "Why."})
    assert failure.status == rpc
    assert failure.message.endswith(": Why.")
    assert failure_of_record({"status": status}).message


def test_a_record_that_a_completed_job_left_out() -> None:
    failure = failure_of_record({"status": "Completed"})
    assert failure.status == Status.INTERNAL
    assert "without an answer" in failure.message


@pytest.mark.parametrize(
    ("job", "unanswered"),
    [
        ({"status": "Failed"}, True),
        ({"status": "Expired", "processedRecordCount": 0}, True),
        ({"status": "Failed", "processedRecordCount": 3}, False),
        ({"status": "Stopped"}, False),
        ({"status": "PartiallyCompleted"}, False),
        ({"status": "InProgress"}, False),
    ],
)
def test_jobs_without_any_answer(job: dict[str, Any], unanswered: bool) -> None:
    assert is_unanswered(job) is unanswered
