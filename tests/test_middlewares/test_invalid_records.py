"""If a member of a provider's record is not as documented, only that member is lost."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from middlewares.rendering import render_batch, render_file
from providers.anthropic.batch_records import from_anthropic_batch
from providers.anthropic.files import from_anthropic_file
from providers.batches.batch_records import BatchRecord
from providers.bedrock.jobs.job_records import from_bedrock_job
from providers.json_api.client import Answer
from providers.json_api.json_text import render_json
from providers.mistral.client import mistral_client
from providers.mistral.files import MistralFileApi
from providers.mistral.job_records import from_mistral_job
from providers.openai.batch_records import from_openai_batch
from providers.openai.files import from_openai_file
from tests.test_providers.test_gemini.scripted_upstream import ScriptedUpstream
from tests.test_providers.test_openai_content.answering import BASE

MISTRAL_FILES = MistralFileApi(mistral_client("mistral", BASE, ScriptedUpstream()))

Render = Callable[[Answer], dict[str, Any]]

RECORDS: dict[str, tuple[Render, dict[str, Any]]] = {
    "openai file": (
        lambda native: render_file(from_openai_file(native, None), ""),
        {"id": "file-a", "filename": "a", "bytes": 1, "created_at": 1, "expires_at": 2},
    ),
    "anthropic file": (
        lambda native: render_file(from_anthropic_file(native, None), ""),
        {
            "id": "file_a",
            "filename": "a",
            "mime_type": "text/plain",
            "size_bytes": 1,
            "created_at": "2026-01-01T00:00:00Z",
            "expires_at": "2026-01-02T00:00:00Z",
        },
    ),
    "openai batch": (
        lambda native: render_batch(from_openai_batch(native), None),
        {
            "id": "batch_a",
            "status": "completed",
            "model": "m",
            "created_at": 1,
            "in_progress_at": 2,
            "completed_at": 3,
            "request_counts": {"total": 2, "completed": 1, "failed": 1},
        },
    ),
    "mistral file": (
        lambda native: render_file(MISTRAL_FILES.file(native, None), ""),
        {"id": "a", "filename": "a", "mimetype": "text/plain", "bytes": 1, "created_at": 1},
    ),
    "mistral job": (
        lambda native: render_batch(from_mistral_job(native), None),
        {
            "id": "a",
            "status": "SUCCESS",
            "model": "m",
            "metadata": {"ferry_model": "m", "ferry_display_name": "n"},
            "created_at": 1,
            "started_at": 2,
            "completed_at": 3,
            "total_requests": 2,
            "succeeded_requests": 1,
            "failed_requests": 1,
            "errors": [{"message": "m", "count": 1}],
        },
    ),
    "anthropic batch": (
        lambda native: render_batch(from_anthropic_batch(native, BatchRecord()), None),
        {
            "id": "msgbatch_a",
            "processing_status": "ended",
            "results_url": "https://api.provider.test",
            "created_at": "2026-01-01T00:00:00Z",
            "ended_at": "2026-01-02T00:00:00Z",
            "request_counts": {"succeeded": 1, "errored": 1},
        },
    ),
    "bedrock job": (
        lambda native: render_batch(from_bedrock_job(native, BatchRecord()), None),
        {
            "jobArn": "arn:aws:bedrock:us-east-1:123456789012:model-invocation-job/abc",
            "jobName": "a",
            "modelId": "m",
            "status": "Completed",
            "submitTime": "2026-01-01T00:00:00Z",
            "endTime": "2026-01-02T00:00:00Z",
            "totalRecordCount": 2,
            "successRecordCount": 1,
            "errorRecordCount": 1,
        },
    ),
}
IDS = ("id", "jobArn")
COUNTS = (
    "request_counts",
    "totalRecordCount",
    "successRecordCount",
    "errorRecordCount",
    "total_requests",
    "succeeded_requests",
    "failed_requests",
)


def _nested(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = [value]
    return value


ODD = {
    "null": None,
    "true": True,
    "negative": -1,
    "fraction": 0.5,
    "beyond 64 bits": 2**64,
    "list": [],
    "object": {"a": 1},
    "nested": _nested(300),
    "before year 1": "0001-01-01T00:00:00+23:59",
    "after year 9999": "9999-12-31T23:59:59-23:59",
}


@pytest.mark.parametrize("odd", ODD.values(), ids=list(ODD))
@pytest.mark.parametrize("record", RECORDS)
def test_a_member_of_another_type(record: str, odd: Any) -> None:
    render, native = RECORDS[record]
    whole = _flat(render(Answer(native)))
    for name in native.keys() - set(IDS):
        rendered = _flat(json.loads(render_json(render(Answer({**native, name: odd})))))
        if isinstance(odd, str):
            continue  # since it may be a name
        for field in rendered.keys() - {"nativeStatus"} - _state_fields(rendered, whole):
            assert rendered[field] == whole[field] or field.endswith("Time"), (name, field)


@pytest.mark.parametrize("odd", [True, -1, 2**64, "1"])
@pytest.mark.parametrize("record", [name for name in RECORDS if "file" not in name])
def test_invalid_counts_are_absent(record: str, odd: Any) -> None:
    render, native = RECORDS[record]
    for name in native.keys() & set(COUNTS):
        counts = native[name]
        said = {**counts, next(iter(counts)): odd} if isinstance(counts, dict) else odd
        stats = render(Answer({**native, name: said}))["metadata"].get("batchStats", {})
        assert all(text.isdigit() and int(text) <= 2 for text in stats.values())


def _flat(document: dict[str, Any]) -> dict[str, Any]:
    metadata = document.get("metadata", {})
    return {**document, **metadata} if metadata else document


def _state_fields(rendered: dict[str, Any], whole: dict[str, Any]) -> set[str]:
    """The members that depend on the state, if the state itself is not as documented."""
    of_state = {"state", "done", "metadata", "error", "batchStats", "endTime", "updateTime"}
    return of_state & rendered.keys() if rendered != whole else set()
