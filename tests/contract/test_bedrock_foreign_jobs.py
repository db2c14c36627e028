"""Jobs of another tool, jobs whose state is lost, and invalid answers of the control plane."""

from typing import Any

import pytest

from providers.batches.request_table import indexed_id
from providers.errors import unavailable
from providers.resource_names import result_file_id
from providers.resources import BatchState, Failure, ResultFile
from providers.status import Status
from tests.contract.bedrock_batching import (
    TEXTS,
    claude_line,
    converse_line,
    created,
    ended,
    items,
    lines,
    listed,
    text_of,
)
from tests.contract.bedrock_with_fake import CALLER, JOB, MODEL, BedrockWithFake, inline, refused
from tests.contract.provider_with_fake import json_lines
from tests.fakes.s3 import FILES_BUCKET
from tests.memory_state import MemoryState

RECORDS = [converse_line(f"theirs-{n}", text) for n, text in enumerate(TEXTS)]


@pytest.fixture
def foreign(bedrock: BedrockWithFake) -> str:
    """A job of another tool, with its input and output outside our prefix."""
    bedrock.other_tool.put("in/a.jsonl", json_lines(*RECORDS))
    return bedrock.other_tool.create(jobName="theirs")


# --- of another tool ------------------------------------------------------------------------------


async def test_it_is_listed_and_got(bedrock: BedrockWithFake, foreign: str) -> None:
    ours = await created(bedrock, inline(*TEXTS))
    assert await listed(bedrock) == [ours, foreign]
    await bedrock.move(foreign, "Completed")
    batch = await bedrock.batches.get(CALLER, foreign)
    assert (batch.id, batch.display_name, batch.model) == (foreign, "theirs", MODEL)
    assert (batch.state, batch.output) == (
        BatchState.SUCCEEDED,
        ResultFile(result_file_id(foreign)),
    )


async def test_its_results_are_keyed_by_record_id(bedrock: BedrockWithFake, foreign: str) -> None:
    await bedrock.move(foreign, "Completed")
    results = {line["key"]: text_of(line) for line in await lines(bedrock, foreign)}
    assert results == {f"theirs-{n}": f"echo: {text}" for n, text in enumerate(TEXTS)}


async def test_also_in_claudes_own_schema(bedrock: BedrockWithFake) -> None:
    records = [claude_line(f"theirs-{n}", text) for n, text in enumerate(TEXTS)]
    bedrock.other_tool.put("in/a.jsonl", json_lines(*records))
    job = bedrock.other_tool.create(modelInvocationType=None)
    await bedrock.move(job, "Completed")
    results = {line["key"]: text_of(line) for line in await lines(bedrock, job)}
    assert results == {f"theirs-{n}": f"echo: {text}" for n, text in enumerate(TEXTS)}


async def test_jobs_that_share_an_output_folder_have_their_own_results(
    bedrock: BedrockWithFake, foreign: str
) -> None:
    await bedrock.move(foreign, "Completed")
    bedrock.other_tool.put("in/b.jsonl", json_lines(*RECORDS[:3]))
    source = {"s3InputDataConfig": {"s3Uri": f"s3://{FILES_BUCKET}/in/b.jsonl"}}
    second = bedrock.other_tool.create(inputDataConfig=source)
    await bedrock.move(second, "Completed")
    bedrock.other_tool.put("out/stray.jsonl.out", json_lines({"recordId": "stray"}))
    assert len(await lines(bedrock, foreign)) == 6
    assert len(await lines(bedrock, second)) == 3
    await bedrock.files.delete(CALLER, result_file_id(second))
    assert len(await lines(bedrock, foreign)) == 6
    left = [key for key in await bedrock.objects("files") if key.startswith("out/")]
    theirs = [f"out/{foreign}/a.jsonl.out", f"out/{foreign}/manifest.json.out"]
    assert set(left) == {*theirs, "out/stray.jsonl.out"}


async def test_deleting_it_deletes_its_output_and_keeps_its_input(
    bedrock: BedrockWithFake, foreign: str
) -> None:
    await bedrock.move(foreign, "Completed")
    await bedrock.batches.delete(CALLER, foreign)
    assert await bedrock.objects("files") == ["in/a.jsonl"]
    assert await listed(bedrock) == []
    assert (await refused(bedrock.batches.get(CALLER, foreign))).status == Status.NOT_FOUND


@pytest.mark.parametrize("status", ["Failed", "Expired"])
async def test_its_keys_are_read_from_its_input_without_output_from_bedrock(
    bedrock: BedrockWithFake, foreign: str, status: str
) -> None:
    await bedrock.steer(foreign, status=status, message="Why.")
    batch = await bedrock.batches.get(CALLER, foreign)
    assert batch.output == ResultFile(result_file_id(foreign))
    found = await lines(bedrock, foreign)
    assert [line["key"] for line in found] == [f"theirs-{n}" for n in range(len(TEXTS))]
    assert all("Why." in line["error"]["message"] for line in found)


async def test_its_input_may_be_a_folder(bedrock: BedrockWithFake) -> None:
    bedrock.other_tool.put("in/a.jsonl", json_lines(RECORDS[0]) + b"no json\n")
    bedrock.other_tool.put("in/b.jsonl", json_lines(RECORDS[1]))
    bedrock.other_tool.put("in/picture.png", b"no record")
    source = {"s3InputDataConfig": {"s3Uri": f"s3://{FILES_BUCKET}/in/"}}
    job = bedrock.other_tool.create(inputDataConfig=source)
    await bedrock.steer(job, status="Failed", message="Why.")
    assert [line["key"] for line in await lines(bedrock, job)] == ["theirs-0", "2", "theirs-1"]


async def test_without_its_input_only_the_job_says_why(
    bedrock: BedrockWithFake, foreign: str
) -> None:
    await bedrock.steer(foreign, status="Failed", message="Why.")
    await bedrock.strike("HEAD", ".*in/a.jsonl", "status", status=404, times=9)
    batch = await bedrock.batches.get(CALLER, foreign)
    assert (batch.output, batch.failure) == (None, Failure(Status.INTERNAL, "Why."))
    error = await refused(bedrock.files.get(CALLER, result_file_id(foreign)))
    assert error.status == Status.NOT_FOUND


async def test_an_unreadable_input_is_refused_with_the_error_of_s3(
    bedrock: BedrockWithFake, foreign: str
) -> None:
    await bedrock.steer(foreign, status="Failed", message="Why.")
    await bedrock.strike("GET", ".*in/a.jsonl", "status", status=403, times=9)
    error = await refused(bedrock.files.download(CALLER, result_file_id(foreign)))
    assert (error.status, error.permanent) == (Status.PERMISSION_DENIED, True)


async def test_it_is_cancelled(bedrock: BedrockWithFake, foreign: str) -> None:
    await bedrock.steer(foreign, status="InProgress", hold="InProgress")
    await bedrock.batches.cancel(CALLER, foreign)
    await bedrock.steer(foreign, hold="Stopping")
    assert (await bedrock.batches.get(CALLER, foreign)).state is BatchState.CANCELLING


@pytest.mark.parametrize(
    "name", ["gf-theirs", f"gf-{'0' * 31}", f"gf-{'0' * 32}x", f"x-gf-{'0' * 32}", f"GF-{'0' * 32}"]
)
async def test_a_name_like_ours_may_belong_to_another_tool(
    bedrock: BedrockWithFake, name: str
) -> None:
    bedrock.other_tool.put("in/a.jsonl", json_lines(*RECORDS))
    job = bedrock.other_tool.create(jobName=name)
    await bedrock.move(job, "Completed")
    assert len(await lines(bedrock, job)) == len(TEXTS)
    assert (await bedrock.batches.get(CALLER, job)).display_name == name


async def test_a_later_job_of_the_same_name_does_not_get_our_record(
    bedrock: BedrockWithFake,
) -> None:
    """Names are free again once a job is old: then another tool's job may have ours."""
    batch_id = await ended(bedrock, inline(*TEXTS, display_name="mine"))
    shown = await bedrock.job(batch_id)
    other = {**shown, "jobArn": shown["jobArn"].replace(batch_id, "abcdefghijkl")}
    await bedrock.strike("GET", f"{JOB}/abcdefghijkl", "status", status=200, body=other, times=9)
    batch = await bedrock.batches.get(CALLER, "abcdefghijkl")
    assert batch.display_name is None
    assert isinstance(batch.output, ResultFile)


# --- without state --------------------------------------------------------------------------------


async def test_jobs_and_results_survive_the_loss_of_the_state(bedrock: BedrockWithFake) -> None:
    batch_id = await ended(bedrock, inline(*TEXTS, display_name="mine"))
    bedrock.state = MemoryState()
    bedrock.provider = bedrock.replica()
    assert await listed(bedrock) == [batch_id]
    batch = await bedrock.batches.get(CALLER, batch_id)
    assert (batch.state, batch.model, batch.display_name) == (BatchState.SUCCEEDED, MODEL, None)
    assert batch.output == ResultFile(result_file_id(batch_id))
    results = {line["key"]: text_of(line) for line in await lines(bedrock, batch_id)}
    assert results == {indexed_id(n): f"echo: {text}" for n, text in enumerate(TEXTS)}
    await bedrock.batches.delete(CALLER, batch_id)
    assert await bedrock.keys() == []
    assert await listed(bedrock) == []


async def test_without_the_record_the_table_still_has_the_key_of_each_result(
    bedrock: BedrockWithFake,
) -> None:
    batch_id = await ended(bedrock, inline(*TEXTS, display_name="mine"))
    await bedrock.lose("records/")
    metadata = [item["metadata"] for item in await items(bedrock, batch_id)]
    assert metadata == [{"place": str(n)} for n in range(len(TEXTS))]
    [shown] = (await bedrock.batches.list(CALLER, 10, None)).items
    assert shown.display_name is None


async def test_without_the_table_there_is_a_file_by_record_id(bedrock: BedrockWithFake) -> None:
    batch_id = await ended(bedrock, inline(*TEXTS, display_name="mine"))
    await bedrock.lose("batches/")
    batch = await bedrock.batches.get(CALLER, batch_id)
    assert (batch.display_name, batch.output) == ("mine", ResultFile(result_file_id(batch_id)))
    assert {line["key"] for line in await lines(bedrock, batch_id)} == {
        indexed_id(n) for n in range(len(TEXTS))
    }


async def test_a_job_without_a_binding_finds_its_record_by_its_name(
    bedrock: BedrockWithFake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy died, or its store failed, between Bedrock's answer and the binding."""

    async def failing(*_: object) -> None:
        raise unavailable("the store is away")

    monkeypatch.setattr("providers.bedrock.jobs.job_memory.JobMemory.bind", failing)
    batch_id = await ended(bedrock, inline(*TEXTS, display_name="mine"))
    metadata = [item["metadata"] for item in await items(bedrock, batch_id)]
    assert metadata == [{"place": str(n)} for n in range(len(TEXTS))]


# --- answers that make no sense -------------------------------------------------------------------


@pytest.mark.parametrize("body", ["no JSON", [], "null", {}, {"jobArn": None}, {"jobArn": 7}, ""])
async def test_an_invalid_job_is_bedrocks_fault(bedrock: BedrockWithFake, body: Any) -> None:
    batch_id = await created(bedrock, inline(*TEXTS))
    await bedrock.strike("GET", f"{JOB}/.*", "status", status=200, body=body, times=99)
    for attempt in (
        bedrock.batches.get(CALLER, batch_id),
        bedrock.batches.cancel(CALLER, batch_id),
        bedrock.batches.delete(CALLER, batch_id),
        bedrock.files.get(CALLER, result_file_id(batch_id)),
        bedrock.files.download(CALLER, result_file_id(batch_id)),
    ):
        error = await refused(attempt)
        assert (error.status, error.code) == (Status.UNAVAILABLE, 503)


async def test_an_answer_with_another_job_is_bedrocks_fault(
    bedrock: BedrockWithFake, foreign: str
) -> None:
    batch_id = await created(bedrock, inline(*TEXTS))
    other = await bedrock.job(foreign)
    await bedrock.strike("GET", f"{JOB}/{batch_id}", "status", status=200, body=other, times=9)
    error = await refused(bedrock.batches.get(CALLER, batch_id))
    assert (error.status, error.code) == (Status.UNAVAILABLE, 503)


@pytest.mark.parametrize(
    "body",
    [
        "no JSON",
        [],
        {"invocationJobSummaries": {"a": 1}},
        {"invocationJobSummaries": [7]},
        {"invocationJobSummaries": [{}]},
        {"invocationJobSummaries": [{"jobArn": "../.."}]},
    ],
    ids=str,
)
async def test_an_invalid_list_is_bedrocks_fault(bedrock: BedrockWithFake, body: Any) -> None:
    await bedrock.strike("GET", f"{JOB}s", "status", status=200, body=body, times=9)
    error = await refused(bedrock.batches.list(CALLER, 10, None))
    assert (error.status, error.code) == (Status.UNAVAILABLE, 503)


@pytest.mark.parametrize(
    "field",
    [
        {"status": 7},
        {"submitTime": "yesterday", "endTime": []},
        {"totalRecordCount": "many"},
        {"outputDataConfig": "nowhere"},
        {"outputDataConfig": {"s3OutputDataConfig": {"s3Uri": "https://example.com"}}},
        {"jobName": None},
        {"modelId": 7},
    ],
    ids=str,
)
async def test_an_invalid_field_of_the_upstream_is_left_out(
    bedrock: BedrockWithFake, field: dict[str, Any]
) -> None:
    batch_id = await ended(bedrock, inline(*TEXTS))
    job = {**await bedrock.job(batch_id), **field}
    await bedrock.strike("GET", f"{JOB}/{batch_id}", "status", status=200, body=job, times=9)
    batch = await bedrock.batches.get(CALLER, batch_id)
    assert batch.id == batch_id
    await bedrock.give_back(batch)


@pytest.mark.parametrize("token", ["!", "====", "eA", "ai4A", "aS5ub25l"])
async def test_an_invalid_page_token(bedrock: BedrockWithFake, token: str) -> None:
    error = await refused(bedrock.batches.list(CALLER, 10, token))
    assert error.status == Status.INVALID_ARGUMENT


@pytest.mark.parametrize("batch_id", ["a" * 12, "none", f"immediate-{'0' * 26}"])
async def test_a_missing_batch_is_not_found(bedrock: BedrockWithFake, batch_id: str) -> None:
    for attempt in (
        bedrock.batches.get(CALLER, batch_id),
        bedrock.batches.cancel(CALLER, batch_id),
        bedrock.batches.delete(CALLER, batch_id),
    ):
        assert (await refused(attempt)).status in (Status.NOT_FOUND, Status.INVALID_ARGUMENT)
