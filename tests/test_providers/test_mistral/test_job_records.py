from datetime import UTC, datetime
from typing import Any

import pytest

from providers.json_api.client import Answer
from providers.mistral.job_records import failures_of, from_mistral_job, state_of
from providers.resources import BatchKind, BatchState, Counts, Failure
from providers.status import Status

NATIVE: dict[str, Any] = {
    "id": "01234567-89ab-4cde-8f01-23456789abcd",
    "endpoint": "/v1/chat/completions",
    "status": "SUCCESS",
    "created_at": 1_700_000_000,
    "started_at": 1_700_000_001,
    "completed_at": 1_700_000_002,
    "total_requests": 3,
    "completed_requests": 3,
    "succeeded_requests": 2,
    "failed_requests": 1,
    "errors": [],
    "model": "mistral-native",
    "metadata": {"ferry_model": "mistral-asked", "ferry_display_name": "dn"},
}


def test_a_job_of_ours() -> None:
    batch = from_mistral_job(Answer(NATIVE))
    assert (batch.id, batch.kind, batch.state) == (
        NATIVE["id"],
        BatchKind.GENERATE,
        BatchState.SUCCEEDED,
    )
    assert (batch.model, batch.display_name, batch.native_status) == (
        "mistral-asked",
        "dn",
        "SUCCESS",
    )
    assert batch.counts == Counts(3, 2, 1)
    assert batch.end_time == datetime(2023, 11, 14, 22, 13, 22, tzinfo=UTC)
    assert (batch.failure, batch.output) == (None, None)


@pytest.mark.parametrize("metadata", [None, {}, "text", []])
def test_a_job_of_another_tool(metadata: object) -> None:
    job = Answer(NATIVE | {"metadata": metadata, "endpoint": "/v1/embeddings"})
    batch = from_mistral_job(job)
    assert (batch.model, batch.display_name, batch.kind) == (
        "mistral-native",
        None,
        BatchKind.EMBED,
    )


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("QUEUED", BatchState.PENDING),
        ("RUNNING", BatchState.RUNNING),
        ("CANCELLATION_REQUESTED", BatchState.CANCELLING),
        ("CANCELLED", BatchState.CANCELLED),
        ("SUCCESS", BatchState.SUCCEEDED),
        ("TIMEOUT_EXCEEDED", BatchState.EXPIRED),
        ("FAILED", BatchState.FAILED),
        ("of the future", BatchState.RUNNING),
        (None, BatchState.RUNNING),
    ],
)
def test_every_status(status: str | None, state: BatchState) -> None:
    assert state_of({"status": status}) is state


@pytest.mark.parametrize("total", [0, None, "3", -1])
def test_counts_before_the_input_was_read(total: object) -> None:
    assert from_mistral_job(Answer(NATIVE | {"total_requests": total})).counts is None


@pytest.mark.parametrize("errors", [None, "text", {}, []])
def test_a_job_that_failed_without_a_reason(errors: object) -> None:
    failures = failures_of({"status": "FAILED", "errors": errors})
    assert failures.of_batch == Failure(Status.INTERNAL, "Mistral gives no reason")
    assert failures.of_line(1).message == "The batch failed: Mistral gives no reason"


def test_errors_are_listed_with_their_counts() -> None:
    errors: list[object] = [{"message": "bad", "count": 2}, {"message": "worse", "count": 1}, {}, 1]
    message = "bad (2 times); worse; Mistral gives no reason; and 1 more"
    failure = failures_of({"status": "FAILED", "errors": errors}).of_batch
    assert failure == Failure(Status.INVALID_ARGUMENT, message)


def test_a_long_reason_is_cut() -> None:
    errors = [{"message": "m" * 10_000, "count": 1}]
    failure = failures_of({"status": "FAILED", "errors": errors}).of_batch
    assert failure is not None
    assert len(failure.message) == 500
