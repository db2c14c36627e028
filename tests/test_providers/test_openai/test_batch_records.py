from datetime import UTC, datetime
from typing import Any

import pytest

from providers.batches.file_batches.failures import BatchFailures
from providers.batches.file_batches.metadata import metadata_of, warning_metadata
from providers.json_api.client import Answer
from providers.openai.batch_records import failures_of, from_openai_batch, state_of
from providers.resources import BatchKind, BatchState, Counts, Failure
from providers.status import Status

NATIVE: dict[str, Any] = {
    "id": "batch_A",
    "endpoint": "/v1/chat/completions",
    "status": "completed",
    "created_at": 1_700_000_000,
    "in_progress_at": 1_700_000_001,
    "completed_at": 1_700_000_002,
    "request_counts": {"total": 3, "completed": 2, "failed": 1},
    "model": "gpt-native",
    "metadata": {"ferry_model": "gpt-asked", "ferry_display_name": "dn"},
}


def failures(batch: dict[str, Any]) -> BatchFailures:
    return failures_of(batch, state_of(batch))


def failure_of(batch: dict[str, Any]) -> Failure | None:
    return failures(batch).of_batch


def failed(*errors: object) -> dict[str, Any]:
    return {"status": "failed", "errors": {"object": "list", "data": list(errors)}}


def error(message: str, line: int | None = None, code: str = "invalid_json_line") -> dict[str, Any]:
    return {"code": code, "line": line, "message": message, "param": None}


# --- the whole batch ------------------------------------------------------------------------------


def test_the_first_reasons_are_given_and_the_others_counted() -> None:
    batch = failed(*(error(f"m{n}", n) for n in range(1, 6)))
    message = "line 1: m1; line 2: m2; line 3: m3; and 2 more"
    assert failure_of(batch) == Failure(Status.INVALID_ARGUMENT, message)


def test_a_long_reason_is_cut() -> None:
    failure = failure_of(failed(error("m" * 10_000)))
    assert failure is not None
    assert len(failure.message) == 500


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("model_not_found", Status.NOT_FOUND),
        ("token_limit_exceeded", Status.RESOURCE_EXHAUSTED),
        ("insufficient_quota", Status.RESOURCE_EXHAUSTED),
        ("invalid_json_line", Status.INVALID_ARGUMENT),
        ("server_error", Status.INTERNAL),
        ("of the future", Status.INVALID_ARGUMENT),
    ],
)
def test_the_status_follows_the_reason(code: str, status: Status) -> None:
    assert failure_of(failed(error("m", code=code))) == Failure(status, "m")


def test_a_code_stands_for_a_message_that_is_missing() -> None:
    batch = failed({"code": "empty_file", "line": None, "message": None})
    assert failure_of(batch) == Failure(Status.INVALID_ARGUMENT, "empty_file")


@pytest.mark.parametrize("errors", [None, "", {}, [], {"data": None}, {"data": 1}, 7])
def test_a_batch_that_failed_without_a_reason(errors: object) -> None:
    batch = {"status": "failed", "errors": errors}
    assert failure_of(batch) == Failure(Status.INTERNAL, "OpenAI gives no reason")
    assert failure_of({"status": "completed", "errors": errors}) is None
    assert failures(batch).of_line(1).message == "The batch failed: OpenAI gives no reason"


@pytest.mark.parametrize(
    "errors",
    [
        "why",
        ["why"],
        [{"message": "why"}],
        {"message": "why"},
        {"data": "why"},
        {"data": {"message": "why"}},
    ],
)
def test_other_servers_write_their_reasons_in_other_forms(errors: object) -> None:
    batch = {"status": "failed", "errors": errors}
    assert failure_of(batch) == Failure(Status.INVALID_ARGUMENT, "why")
    assert failures(batch).of_line(1).message == "The batch failed: why"


def test_another_member_may_have_the_reason() -> None:
    batch = {"status": "FAILED", "errors": None, "error": "why"}
    assert failure_of(batch) == Failure(Status.INVALID_ARGUMENT, "why")


def test_invalid_errors() -> None:
    batch = failed("text", {}, 1, {"line": True, "code": 3, "message": ["m"]})
    assert failure_of(batch) is not None
    assert failures(batch).of_line(1).message.startswith("The batch failed: text")


@pytest.mark.parametrize(
    ("status", "rpc", "word"),
    [
        ("expired", Status.DEADLINE_EXCEEDED, "expired"),
        ("cancelled", Status.CANCELLED, "cancelled"),
    ],
)
def test_a_batch_that_ended_early_says_how_many_have_no_answer(
    status: Status, rpc: Status, word: str
) -> None:
    batch = {"status": status, "request_counts": {"total": 5, "completed": 2, "failed": 1}}
    failure = failure_of(batch)
    assert failure is not None
    assert failure.status == rpc
    assert failure.message.startswith(f"The batch {'was ' * (word == 'cancelled')}{word}: 3 of its")


@pytest.mark.parametrize("counts", [None, {}, {"total": "3"}, {"total": 0, "completed": 0}])
def test_empty_counts_are_left_out(counts: object) -> None:
    batch = {"status": "expired", "request_counts": counts}
    assert failure_of(batch) == Failure(Status.DEADLINE_EXCEEDED, "The batch expired.")


@pytest.mark.parametrize("status", ["validating", "in_progress", "cancelling", "completed", None])
def test_other_batches_have_not_failed(status: str | None) -> None:
    assert failure_of({"status": status}) is None


# --- one request ----------------------------------------------------------------------------------


def test_an_error_with_a_line_belongs_to_its_request() -> None:
    found = failures(failed(error("bad", 2), error("worse", 2), error("other", 3)))
    assert found.of_line(2) == Failure(Status.INVALID_ARGUMENT, "bad")
    assert found.of_line(3) == Failure(Status.INVALID_ARGUMENT, "other")


def test_a_request_without_an_error_gets_those_of_the_batch() -> None:
    batch = failed(error("line's", 2), error("too many tokens", code="token_limit_exceeded"))
    expected = Failure(Status.RESOURCE_EXHAUSTED, "The batch failed: too many tokens")
    assert failures(batch).of_line(1) == expected


def test_if_only_other_lines_are_invalid_they_are_named() -> None:
    failure = failures(failed(error("bad", 2))).of_line(1)
    assert failure == Failure(Status.INVALID_ARGUMENT, "The batch failed: line 2: bad")


@pytest.mark.parametrize(
    ("status", "rpc"),
    [
        ("cancelled", Status.CANCELLED),
        ("expired", Status.DEADLINE_EXCEEDED),
        ("completed", Status.INTERNAL),
    ],
)
def test_a_request_that_was_never_answered(status: Status, rpc: Status) -> None:
    failure = failures({"status": status}).of_line(7)
    assert failure.status == rpc
    assert failure.message.endswith(".")


def test_a_batch_of_ours() -> None:
    batch = from_openai_batch(Answer(NATIVE))
    assert (batch.id, batch.kind, batch.state) == (
        "batch_A",
        BatchKind.GENERATE,
        BatchState.SUCCEEDED,
    )
    assert (batch.model, batch.display_name, batch.native_status) == (
        "gpt-asked",
        "dn",
        "completed",
    )
    assert batch.counts == Counts(3, 2, 1)
    assert batch.end_time == datetime(2023, 11, 14, 22, 13, 22, tzinfo=UTC)
    assert (batch.failure, batch.output) == (None, None)


@pytest.mark.parametrize("metadata", [None, {}, "text", []])
def test_a_batch_of_another_tool(metadata: object) -> None:
    batch = from_openai_batch(Answer(NATIVE | {"metadata": metadata, "endpoint": "/v1/embeddings"}))
    assert (batch.model, batch.display_name, batch.kind) == ("gpt-native", None, BatchKind.EMBED)
    assert metadata_of(Answer(NATIVE | {"metadata": metadata})) == {}


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("validating", BatchState.PENDING),
        ("in_progress", BatchState.RUNNING),
        ("finalizing", BatchState.RUNNING),
        ("cancelling", BatchState.CANCELLING),
        ("cancelled", BatchState.CANCELLED),
        ("completed", BatchState.SUCCEEDED),
        ("expired", BatchState.EXPIRED),
        ("failed", BatchState.FAILED),
        ("in_queue", BatchState.PENDING),
        ("pending", BatchState.PENDING),
        ("queued", BatchState.PENDING),
        ("running", BatchState.RUNNING),
        ("PROGRESS", BatchState.RUNNING),
        ("VALIDATING", BatchState.PENDING),
        ("COMPLETED", BatchState.SUCCEEDED),
        ("Expired", BatchState.EXPIRED),
        ("canceled", BatchState.CANCELLED),
        ("canceling", BatchState.CANCELLING),
        ("of the future", BatchState.RUNNING),
        (None, BatchState.RUNNING),
    ],
)
def test_every_status(status: str | None, state: BatchState) -> None:
    assert state_of({"status": status}) is state


@pytest.mark.parametrize(
    "counts", [None, [], {}, {"total": None}, {"total": "3", "completed": [], "failed": True}]
)
def test_invalid_counts(counts: object) -> None:
    found = from_openai_batch(Answer(NATIVE | {"request_counts": counts})).counts
    assert found in (None, Counts(0, 0, 0))


@pytest.mark.parametrize(
    ("member", "state"),
    [
        ("completed_at", BatchState.SUCCEEDED),
        ("failed_at", BatchState.FAILED),
        ("expired_at", BatchState.EXPIRED),
        ("cancelled_at", BatchState.CANCELLED),
        ("in_progress_at", BatchState.RUNNING),
        ("expires_at", BatchState.RUNNING),
    ],
)
def test_the_time_of_its_end_tells_how_a_batch_of_an_unknown_status_ended(
    member: str, state: BatchState
) -> None:
    assert state_of({"status": "archived", member: 1_700_000_000}) is state
    assert state_of({"status": "in_progress", member: 1_700_000_000}) is BatchState.RUNNING
    assert state_of({"status": "archived", member: None}) is BatchState.RUNNING


def test_counts_beside_the_other_members() -> None:
    counted = {"total_requests": 3, "completed_requests": 2, "failed_requests": 1}
    native = NATIVE | counted | {"request_counts": None}
    assert from_openai_batch(Answer(native)).counts == Counts(3, 2, 1)
    expired = failure_of(native | {"status": "expired"})
    assert expired is not None
    assert expired.message == "The batch expired: 1 of its 3 requests have no successful answer."


def test_times_as_text() -> None:
    batch = from_openai_batch(Answer(NATIVE | {"created_at": "2023-11-14T22:13:20Z"}))
    assert batch.create_time == from_openai_batch(Answer(NATIVE)).create_time


@pytest.mark.parametrize("endpoint", ["/embeddings", "/v4/embeddings", "v1/embeddings"])
def test_an_endpoint_with_another_version_or_none(endpoint: str) -> None:
    batch = from_openai_batch(Answer(NATIVE | {"endpoint": endpoint}))
    assert batch.kind is BatchKind.EMBED


@pytest.mark.parametrize("length", [0, 1, 512, 513, 1024, 2047, 2048])
def test_warnings_come_back_from_values_of_512_characters(length: int) -> None:
    warnings = ("path;count=1, " * 200)[:length]
    metadata = warning_metadata(warnings)
    assert all(0 < len(value) <= 512 for value in metadata.values())
    assert len(metadata) <= 4
    assert from_openai_batch(Answer(NATIVE | {"metadata": metadata})).warnings == warnings


@pytest.mark.parametrize("text", ["a\r\nset-cookie: b", "\x00", "\u00e9"])
def test_warnings_that_another_tool_wrote_reach_no_header(text: str) -> None:
    metadata = {"ferry_warnings_1": text}
    assert from_openai_batch(Answer(NATIVE | {"metadata": metadata})).warnings == ""
