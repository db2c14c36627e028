from datetime import UTC, datetime
from typing import Any

import pytest

from providers.batches.file_batches.metadata import metadata_of, warning_metadata
from providers.json_api.client import Answer
from providers.openai.batch_records import from_openai_batch, state_of
from providers.resources import BatchKind, BatchState, Counts

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
