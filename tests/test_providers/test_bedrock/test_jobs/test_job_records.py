from datetime import UTC, datetime
from typing import Any

import pytest

from providers.aws.folder import Folder
from providers.batches.batch_records import BatchRecord
from providers.bedrock.jobs.job_records import (
    JobName,
    failure_of,
    failure_of_record,
    folder_of,
    from_bedrock_job,
    is_unanswered,
    is_visible,
    name_of,
    prefix_of,
    state_of,
)
from providers.json_api.client import Answer
from providers.resources import BatchKind, BatchState, Counts, Failure
from providers.status import Status

COUNTED = {"totalRecordCount": 9, "successRecordCount": 5, "errorRecordCount": 1}
ARN = "arn:aws:bedrock:eu-west-1:123456789012:model-invocation-job/abcdef012345"
OURS = JobName("", "0123456789abcdef" * 2)
MARKED = JobName("fedcba9876543210", OURS.job)


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


def job(**said: Any) -> Answer:
    return Answer({"jobArn": ARN, "jobName": str(OURS), "status": "InProgress", **said})


@pytest.mark.parametrize("name", [OURS, MARKED])
def test_a_name_is_read_back(name: JobName) -> None:
    assert name_of({"jobName": str(name)}) == name
    assert str(name).startswith(prefix_of(name.tenant_id))
    assert len(str(name)) <= 63


@pytest.mark.parametrize("name", ["nightly", "gf-", "gf-xyz", f"gf-{OURS.job}-more", None, 7])
def test_another_tools_name_is_not_one_of_ours(name: object) -> None:
    assert name_of({"jobName": name}) is None


def test_a_tenant_sees_only_what_has_its_id() -> None:
    assert is_visible(job(jobName=str(MARKED)), MARKED.tenant_id)
    for other in (str(OURS), "nightly", str(JobName("0" * 16, OURS.job))):
        assert not is_visible(job(jobName=other), MARKED.tenant_id)
        assert is_visible(job(jobName=other), "")


@pytest.mark.parametrize("status", ["Unheard", None])
def test_an_unknown_status_counts_as_running(status: str | None) -> None:
    assert state_of({"status": status}) is BatchState.RUNNING


def test_a_job_is_a_batch() -> None:
    record = BatchRecord("m", "d", kind=BatchKind.EMBED)
    batch = from_bedrock_job(
        job(
            status="Completed",
            modelId="arn:of:the:model",
            submitTime="2026-11-26T10:00:00Z",
            endTime="2026-11-26T11:00:00Z",
            totalRecordCount=100,
            successRecordCount=98,
            errorRecordCount=2,
        ),
        record,
    )
    assert (batch.id, batch.native_status) == ("abcdef012345", "Completed")
    assert (batch.model, batch.display_name, batch.kind) == ("m", "d", BatchKind.EMBED)
    assert batch.create_time == datetime(2026, 11, 26, 10, tzinfo=UTC)
    assert batch.end_time == datetime(2026, 11, 26, 11, tzinfo=UTC)
    assert (batch.counts, batch.failure) == (Counts(100, 98, 2), None)


def test_a_job_without_its_record_is_a_batch() -> None:
    batch = from_bedrock_job(job(modelId="arn:of:the:model"), BatchRecord())
    assert (batch.model, batch.display_name) == ("arn:of:the:model", None)
    assert (batch.kind, batch.counts, batch.end_time) == (BatchKind.GENERATE, None, None)


def test_another_tools_job_keeps_its_name() -> None:
    assert from_bedrock_job(job(jobName="nightly"), BatchRecord()).display_name == "nightly"


@pytest.mark.parametrize(
    ("uri", "folder"),
    [
        (f"s3://bucket/p/genai-ferry/{OURS.job}/input/input.jsonl", f"p/genai-ferry/{OURS.job}/"),
        (f"s3://bucket/genai-ferry/{OURS.job}/input/", f"genai-ferry/{OURS.job}/"),
        (f"s3://bucket/p/genai-ferry/{'0' * 32}/input/", None),
        ("s3://bucket/p/in.jsonl", None),
        (None, None),
    ],
)
def test_our_jobs_are_recognised_by_their_input(uri: str | None, folder: str | None) -> None:
    said = job(inputDataConfig={"s3InputDataConfig": {"s3Uri": uri}})
    assert folder_of(said) == (Folder("bucket", folder) if folder else None)
    assert folder_of({**said, "jobName": "nightly"}) is None
    assert folder_of(job()) is None


@pytest.mark.parametrize(
    ("said", "message"),
    [({"message": "no such bucket"}, "no such bucket"), ({}, "Bedrock gives no reason")],
)
def test_why_a_job_failed(said: dict[str, Any], message: str) -> None:
    batch = from_bedrock_job(job(status="Failed", **said), BatchRecord())
    assert batch.failure == Failure(Status.INTERNAL, message)
