"""The real SDK reads what is rendered (sdk-wire.md section 3)."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest
from google.genai import types
from google.genai.batches import _BatchJob_from_mldev, _ListBatchJobsResponse_from_mldev
from google.genai.files import _ListFilesResponse_from_mldev
from google.genai.models import _Model_from_mldev

from middlewares.rendering import (
    render_batch,
    render_file,
    render_model,
    render_output,
    render_time,
)
from providers.json_api.json_text import render_json
from providers.resources import (
    Action,
    Batch,
    BatchKind,
    BatchState,
    Counts,
    Failure,
    File,
    FileSource,
    FileState,
    InlineResults,
    Model,
    ResultFile,
)
from providers.status import Status

ADDRESS = "https://ferry.example/genai"
TIME = datetime(2026, 1, 2, 3, 4, 5, 678900, tzinfo=UTC)


def read_file(file: File) -> types.File:
    return types.File.model_validate(orjson.loads(orjson.dumps(render_file(file, ADDRESS))))


def read_batch(batch: Batch, items: object = None) -> types.BatchJob:
    document = render_batch(batch, render_output(batch, items))
    converted = _BatchJob_from_mldev(orjson.loads(orjson.dumps(document)))
    return types.BatchJob.model_validate(converted)


def batch(state: BatchState, **fields: Any) -> Batch:
    return Batch("batch_1", fields.pop("kind", BatchKind.GENERATE), state, "native", **fields)


def test_a_file_with_everything() -> None:
    file = read_file(
        File(
            id="fabc",
            display_name="r\u00e9sum\u00e9\n\x00",
            mime_type="application/jsonl",
            size=71,
            create_time=TIME,
            expiration_time=TIME,
            sha256="YWJj",
            state=FileState.PROCESSING,
            source=FileSource.GENERATED,
            error="why",
            downloadable=True,
        )
    )
    assert (file.name, file.display_name) == ("files/fabc", "r\u00e9sum\u00e9\n\x00")
    assert (file.size_bytes, file.mime_type) == (71, "application/jsonl")
    assert (file.create_time, file.expiration_time) == (TIME, TIME)
    assert (file.state, file.source) == (types.FileState.PROCESSING, types.FileSource.GENERATED)
    assert file.uri == f"{ADDRESS}/v1beta/files/fabc"
    assert file.download_uri == f"{file.uri}:download?alt=media"
    assert file.error is not None
    assert (file.error.code, file.error.message) == (13, "why")


def test_a_file_without_any_fields() -> None:
    document = render_file(File(id="fabc"), ADDRESS)
    assert set(document) == {"name", "uri", "state", "source"}
    assert read_file(File(id="fabc")).state is types.FileState.ACTIVE


def test_a_size_is_a_string_as_go_requires_also_for_zero() -> None:
    assert render_file(File(id="a", size=0), ADDRESS)["sizeBytes"] == "0"


def test_a_list_of_files() -> None:
    page = {"files": [render_file(File(id="fa"), ADDRESS)], "nextPageToken": "t"}
    listed = types.ListFilesResponse.model_validate(_ListFilesResponse_from_mldev(page))
    assert [file.name for file in listed.files or []] == ["files/fa"]
    assert listed.next_page_token == "t"


@pytest.mark.parametrize(
    ("state", "name"),
    [
        (BatchState.PENDING, "JOB_STATE_PENDING"),
        (BatchState.RUNNING, "JOB_STATE_RUNNING"),
        (BatchState.CANCELLING, "JOB_STATE_CANCELLING"),
        (BatchState.SUCCEEDED, "JOB_STATE_SUCCEEDED"),
        (BatchState.FAILED, "JOB_STATE_FAILED"),
        (BatchState.CANCELLED, "JOB_STATE_CANCELLED"),
        (BatchState.EXPIRED, "JOB_STATE_EXPIRED"),
    ],
)
def test_every_state_is_one_that_the_sdk_knows(state: BatchState, name: str) -> None:
    job = read_batch(batch(state))
    assert job.state is types.JobState[name]
    assert bool(job.done) == state.terminal == render_batch(batch(state), None)["done"]


def test_every_state_is_tested_above() -> None:
    assert len(BatchState) == 7


def test_a_batch_with_everything() -> None:
    full = batch(
        BatchState.SUCCEEDED,
        model="gpt-4o",
        display_name="d",
        create_time=TIME,
        start_time=TIME + timedelta(1),
        end_time=TIME + timedelta(2),
        counts=Counts(5, 3, 1),
        output=ResultFile("rabc"),
    )
    job = read_batch(full)
    assert (job.name, job.model, job.display_name) == ("batches/batch_1", "models/gpt-4o", "d")
    assert (job.create_time, job.end_time, job.update_time) == (
        TIME,
        TIME + timedelta(2),
        TIME + timedelta(2),
    )
    assert job.dest is not None
    assert job.dest.file_name == "files/rabc"
    document = render_batch(full, render_output(full, None))
    assert document["response"]["responsesFile"] == "files/rabc"
    assert document["metadata"]["nativeStatus"] == "native"
    assert document["metadata"]["batchStats"] == {
        "requestCount": "5",
        "successfulRequestCount": "3",
        "failedRequestCount": "1",
        "pendingRequestCount": "1",
    }


def test_requests_that_are_not_counted_yet() -> None:
    """Typed clients, as gemini-rust, read no batch without `batchStats`."""
    document = render_batch(batch(BatchState.PENDING), None)
    assert document["metadata"]["batchStats"] == {"requestCount": "0"}


def test_inline_results() -> None:
    items = [
        {"response": {"candidates": [{"content": {"parts": [{"text": "4"}], "role": "model"}}]}},
        {"error": {"code": 400, "message": "bad"}, "metadata": {"key": "k"}},
    ]
    job = read_batch(batch(BatchState.SUCCEEDED, output=InlineResults([])), items)
    assert job.dest is not None
    first, second = job.dest.inlined_responses or []
    assert first.response is not None
    assert first.response.text == "4"
    assert second.error is not None
    assert (second.error.code, second.metadata) == (400, {"key": "k"})


def test_inline_embeddings() -> None:
    items = [{"response": {"embedding": {"values": [0.5]}}}]
    done = batch(BatchState.SUCCEEDED, kind=BatchKind.EMBED, output=InlineResults([]))
    job = read_batch(done, items)
    assert job.dest is not None
    (result,) = job.dest.inlined_embed_content_responses or []
    assert result.response is not None
    assert result.response.embedding is not None
    assert result.response.embedding.values == [0.5]


@pytest.mark.parametrize("item", [{"response": {"embedding": {}}}, {"error": {"code": 3}}])
def test_inline_embeddings_have_the_names_for_the_sdk_and_for_rest(
    item: dict[str, Any],
) -> None:
    done = batch(BatchState.SUCCEEDED, kind=BatchKind.EMBED, output=InlineResults([]))
    document = render_batch(done, render_output(done, [item]))
    response = document["response"]
    assert response.pop("@type").endswith(".EmbedContentBatchOutput")
    assert response == {"inlinedResponses": {"inlinedResponses": [item]}}
    # The Java SDK reads only this name; with both names, the Python SDK shows failed items twice.
    read_by_sdks = {"inlinedEmbedContentResponses": {"inlinedResponses": [item]}}
    assert document["metadata"]["output"] == read_by_sdks
    dest = read_batch(done, [item]).dest
    assert dest is not None
    assert dest.inlined_responses is None
    assert len(dest.inlined_embed_content_responses or []) == 1


def test_a_failed_batch_says_why() -> None:
    document = render_batch(
        batch(BatchState.FAILED, failure=Failure(Status.NOT_FOUND, "no model")), None
    )
    assert document["error"] == {"code": 5, "message": "no model"}
    assert "response" not in document


def test_results_of_a_failed_batch_are_only_in_the_metadata() -> None:
    """google.longrunning.Operation has an error or a response."""
    ended = batch(
        BatchState.EXPIRED, failure=Failure(Status.DEADLINE_EXCEEDED, "1 was not answered")
    )
    output = {"responsesFile": "files/r1"}
    document = render_batch(ended, output)
    assert document["error"] == {"code": 4, "message": "1 was not answered"}
    assert "response" not in document
    assert document["metadata"]["output"] == output


def test_a_batch_that_has_not_ended_has_no_error() -> None:
    document = render_batch(
        batch(BatchState.CANCELLING, failure=Failure(Status.CANCELLED, "x")), None
    )
    assert "error" not in document


def test_a_list_of_batches() -> None:
    page = {"operations": [render_batch(batch(BatchState.RUNNING), None)], "nextPageToken": "t"}
    listed = types.ListBatchJobsResponse.model_validate(_ListBatchJobsResponse_from_mldev(page))
    assert [job.name for job in listed.batch_jobs or []] == ["batches/batch_1"]


def test_times_are_rendered_in_utc() -> None:
    elsewhere = TIME.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert render_time(elsewhere) == "2026-01-02T03:04:05.678900Z"
    assert render_time(None) is None


def test_an_answer_is_one_line_for_every_reader() -> None:
    document = {"displayName": "a\u2028b\u2029c\u0085d"}
    text = render_json(document)
    assert len(text.decode().splitlines()) == 1
    assert orjson.loads(text) == document


def test_a_model_with_everything() -> None:
    model = Model(
        "publisher/m:0",
        display_name="M",
        description="d",
        input_token_limit=2,
        output_token_limit=1,
        actions=[Action.GENERATE],
        temperature=0.3,
        thinking=False,
    )
    document = orjson.loads(orjson.dumps(render_model(model)))
    read = types.Model._from_response(response=_Model_from_mldev(document), kwargs={})
    assert (read.name, read.display_name, read.description) == ("models/publisher/m:0", "M", "d")
    assert (read.input_token_limit, read.output_token_limit) == (2, 1)
    assert read.supported_actions == ["generateContent"]
    assert (read.temperature, read.thinking) == (0.3, False)


def test_of_a_model_only_what_is_known_is_shown() -> None:
    assert render_model(Model("m")) == {"name": "models/m"}
    assert render_model(Model("m", actions=())) == {
        "name": "models/m",
        "supportedGenerationMethods": (),
    }
