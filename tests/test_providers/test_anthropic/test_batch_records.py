from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.anthropic.batch_records import ARCHIVED, from_anthropic_batch, state_of
from providers.batches.batch_records import BatchRecord, BatchRecords
from providers.batches.request_table import RowKind
from providers.json_api.client import Answer
from providers.resources import BatchState, Counts, Failure
from providers.status import Status
from tests.memory_state import MemoryState

NATIVE: dict[str, Any] = {
    "id": "msgbatch_A",
    "processing_status": "ended",
    "request_counts": {"processing": 0, "succeeded": 3, "errored": 2, "canceled": 1, "expired": 0},
    "created_at": "2026-11-01T10:00:00Z",
    "ended_at": "2026-11-01T11:00:00.5+00:00",
    "cancel_initiated_at": None,
    "results_url": "https://api.anthropic.test/v1/messages/batches/msgbatch_A/results",
}


def test_a_batch_with_the_fields_that_anthropic_does_not_store() -> None:
    batch = from_anthropic_batch(Answer(NATIVE), BatchRecord("m", "dn", job="j"))
    assert (batch.id, batch.native_status, batch.state) == (
        "msgbatch_A",
        "ended",
        BatchState.SUCCEEDED,
    )
    assert (batch.model, batch.display_name) == ("m", "dn")
    assert batch.create_time == batch.start_time == datetime(2026, 11, 1, 10, tzinfo=UTC)
    assert batch.end_time == datetime(2026, 11, 1, 11, 0, 0, 500_000, tzinfo=UTC)
    assert batch.counts == Counts(total=6, succeeded=3, failed=3)


def test_a_batch_of_another_tool() -> None:
    batch = from_anthropic_batch(Answer(id="msgbatch_A"), BatchRecord())
    assert (batch.state, batch.counts, batch.model, batch.display_name, batch.create_time) == (
        BatchState.RUNNING,
        None,
        None,
        None,
        None,
    )


@pytest.mark.parametrize(
    ("status", "cancelled", "counts", "state"),
    [
        ("in_progress", False, {"processing": 2}, BatchState.RUNNING),
        ("some_new_one", False, {}, BatchState.RUNNING),
        ("canceling", True, {"processing": 2}, BatchState.CANCELLING),
        ("ended", True, {"canceled": 1, "succeeded": 1}, BatchState.CANCELLED),
        ("ended", True, {"succeeded": 2}, BatchState.SUCCEEDED),
        ("ended", False, {"expired": 2}, BatchState.EXPIRED),
        ("ended", False, {"expired": 1, "errored": 1}, BatchState.SUCCEEDED),
        ("ended", False, {"errored": 2}, BatchState.SUCCEEDED),
        ("ended", True, {"expired": 2}, BatchState.EXPIRED),
        ("ended", False, {}, BatchState.SUCCEEDED),
        ("ended", False, None, BatchState.SUCCEEDED),
        ("ended", True, {"canceled": "many"}, BatchState.SUCCEEDED),
    ],
)
def test_a_state(
    status: str, cancelled: bool, counts: dict[str, Any] | None, state: BatchState
) -> None:
    begun = "2026-11-01T10:30:00Z" if cancelled else None
    native = {
        "id": "a",
        "processing_status": status,
        "request_counts": counts,
        "cancel_initiated_at": begun,
    }
    assert state_of(native) is state


@given(
    st.dictionaries(
        st.sampled_from(["processing", "succeeded", "errored", "canceled", "expired", "new"]),
        st.integers(0, 9) | st.none() | st.text(max_size=2),
    )
    | st.none()
    | st.text(max_size=2)
    | st.lists(st.integers(), max_size=2)
)
def test_invalid_counts_are_counted_as_far_as_possible(counts: Any) -> None:
    batch = from_anthropic_batch(Answer(NATIVE | {"request_counts": counts}), BatchRecord())
    assert batch.state.terminal
    if batch.counts is not None:
        assert batch.counts.total >= batch.counts.succeeded + batch.counts.failed


async def test_records_are_written_once_and_deleted() -> None:
    state = MemoryState()
    records = BatchRecords("anthropic", state)
    assert await records.read("msgbatch_A") == BatchRecord()
    await records.write("msgbatch_A", BatchRecord("m", source=RowKind.KEY))
    await records.write("msgbatch_A", BatchRecord("another"))
    assert await records.read("msgbatch_A") == BatchRecord("m", source=RowKind.KEY)
    assert await records.read("msgbatch_a") == BatchRecord()
    assert await BatchRecords("b", state).read("msgbatch_A") == BatchRecord()
    await records.delete("msgbatch_A")
    assert state.objects == {}


@pytest.mark.parametrize(
    ("cancelled", "counts", "failure"),
    [
        (
            False,
            {"succeeded": 3, "expired": 2},
            Failure(
                Status.DEADLINE_EXCEEDED,
                "The batch ended early: 2 of its 5 requests were not answered (2 expired).",
            ),
        ),
        (
            True,
            {"succeeded": 3, "canceled": 2, "expired": 1},
            Failure(
                Status.CANCELLED,
                "The batch ended early: 3 of its 6 requests were not answered "
                "(1 expired, 2 cancelled).",
            ),
        ),
        (False, {"succeeded": 3, "errored": 2}, None),
    ],
)
def test_the_reason_why_a_batch_ended_early(
    cancelled: bool, counts: dict[str, int], failure: Failure | None
) -> None:
    native = NATIVE | {"request_counts": counts}
    if cancelled:
        native["cancel_initiated_at"] = "2026-11-01T10:30:00Z"
    assert from_anthropic_batch(Answer(native), BatchRecord()).failure == failure
    archived = from_anthropic_batch(Answer(native | {"results_url": None}), BatchRecord())
    assert archived.failure == (failure or ARCHIVED)
    running = native | {"processing_status": "in_progress"}
    assert from_anthropic_batch(Answer(running), BatchRecord()).failure is None
