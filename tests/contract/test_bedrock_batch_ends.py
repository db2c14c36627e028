"""Batches at Bedrock: running, cancelled, ended, deleted and listed."""

from datetime import datetime

import pytest

from providers.resource_names import result_file_id
from providers.resources import BatchState, Counts, Failure, InlineResults, ResultFile
from providers.status import Status
from tests.contract.bedrock_batching import (
    TEXTS,
    created,
    ended,
    items,
    lines,
    listed,
    native,
    text_of,
)
from tests.contract.bedrock_with_fake import (
    ATTEMPTS,
    CALLER,
    JOB,
    PREFIX,
    BedrockWithFake,
    from_file,
    inline,
    refused,
)
from tests.contract.provider_with_fake import gemini_lines


async def held(bedrock: BedrockWithFake, status: str) -> str:
    """A batch that stays in `status`."""
    batch_id = await created(bedrock, inline(*TEXTS))
    await bedrock.steer(batch_id, status=status, hold=status)
    return batch_id


# --- on its way -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("Submitted", BatchState.PENDING),
        ("Validating", BatchState.PENDING),
        ("Scheduled", BatchState.PENDING),
        ("InProgress", BatchState.RUNNING),
        ("Stopping", BatchState.CANCELLING),
        ("Stopped", BatchState.CANCELLED),
        ("Completed", BatchState.SUCCEEDED),
        ("PartiallyCompleted", BatchState.SUCCEEDED),
        ("Expired", BatchState.EXPIRED),
        ("Failed", BatchState.FAILED),
    ],
)
async def test_every_status_is_a_state(
    bedrock: BedrockWithFake, status: str, state: BatchState
) -> None:
    """The native status is kept; only an ended batch has an end time and results."""
    batch_id = await held(bedrock, status)
    batch = await bedrock.batches.get(CALLER, batch_id)
    assert (batch.state, batch.native_status) == (state, status)
    assert batch.state.terminal == (batch.end_time is not None) == (batch.output is not None)
    [shown] = (await bedrock.batches.list(CALLER, 10, None)).items
    assert (shown.state, shown.native_status, shown.output) == (state, status, None)
    if isinstance(batch.output, InlineResults):
        assert len(batch.output.items) == len(TEXTS)
        await batch.output.close()


async def test_an_unknown_status_counts_as_running(bedrock: BedrockWithFake) -> None:
    batch_id = await created(bedrock, inline(*TEXTS))
    job = {**await bedrock.job(batch_id), "status": "Pondering"}
    await bedrock.strike("GET", f"{JOB}/.*", "status", status=200, body=job)
    batch = await bedrock.batches.get(CALLER, batch_id)
    assert (batch.state, batch.native_status) == (BatchState.RUNNING, "Pondering")


async def test_each_get_shows_more_progress_until_it_has_ended(bedrock: BedrockWithFake) -> None:
    file_id = await bedrock.upload(gemini_lines(*TEXTS), "in.jsonl")
    batch_id = await created(bedrock, from_file(file_id))
    seen = [(await bedrock.batches.get(CALLER, batch_id)).native_status for _ in range(4)]
    assert seen == ["Scheduled", "InProgress", "Completed", "Completed"]


async def test_counts_and_times(bedrock: BedrockWithFake) -> None:
    file_id = await bedrock.upload(gemini_lines(*TEXTS, "please fail"), "in.jsonl")
    batch_id = await created(bedrock, from_file(file_id))
    await bedrock.steer(batch_id, status="InProgress", hold="InProgress")
    batch = await bedrock.batches.get(CALLER, batch_id)
    assert batch.counts == Counts(total=7, succeeded=0, failed=0)
    await bedrock.move(batch_id, "Completed")
    batch = await bedrock.batches.get(CALLER, batch_id)
    assert batch.counts == Counts(total=7, succeeded=6, failed=1)
    job = native(bedrock, batch_id)
    assert (batch.create_time, batch.end_time) == (job["submitTime"], job["endTime"])
    assert isinstance(batch.end_time, datetime)
    assert batch.failure is None
    assert batch.output == ResultFile(result_file_id(batch_id))


async def test_a_failed_batch_says_why(bedrock: BedrockWithFake) -> None:
    batch_id = await created(bedrock, inline(*TEXTS))
    await bedrock.steer(batch_id, status="Failed", message="The role cannot read the input.")
    [shown] = (await bedrock.batches.list(CALLER, 10, None)).items
    assert shown.state is BatchState.FAILED
    assert shown.failure == Failure(Status.INTERNAL, "The role cannot read the input.")
    for item in await items(bedrock, batch_id):
        assert item["error"]["code"] == 13
        assert "The role cannot read the input." in item["error"]["message"]


async def test_a_job_whose_input_bedrock_refuses_has_failed(bedrock: BedrockWithFake) -> None:
    """The service's minimum is higher than the setting."""
    await bedrock.post("/_fake/settings", {"min_records": 100})
    batch_id = await ended(bedrock, inline(*TEXTS), "Scheduled")
    [shown] = (await bedrock.batches.list(CALLER, 10, None)).items
    assert (shown.id, shown.state) == (batch_id, BatchState.FAILED)
    assert "required minimum of: 100" in str(shown.failure)


# --- broken off -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "told"),
    [
        ("Stopped", 1, "cancelled"),
        ("PartiallyCompleted", 4, "out of time"),
        ("Expired", 4, "out of time"),
    ],
)
async def test_a_request_that_was_not_sent_gets_an_error_that_says_why(
    bedrock: BedrockWithFake, status: str, code: int, told: str
) -> None:
    """The other jobs have results; an expired job never started."""
    batch_id = await created(bedrock, inline(*TEXTS))
    await bedrock.steer(batch_id, reached=2)
    await bedrock.move(batch_id, status)
    results = await items(bedrock, batch_id)
    assert [item["metadata"] for item in results] == [{"place": str(n)} for n in range(6)]
    errors = [item["error"] for item in results if "error" in item]
    assert len(errors) == (6 if status == "Expired" else 4)
    assert {error["code"] for error in errors} == {code}
    assert all(told in error["message"] for error in errors)
    for text, item in zip(TEXTS, results, strict=True):
        assert "error" in item or text_of(item) == f"echo: {text}"


async def test_a_running_batch_is_cancelled_and_then_deleted(bedrock: BedrockWithFake) -> None:
    batch_id = await held(bedrock, "InProgress")
    error = await refused(bedrock.batches.delete(CALLER, batch_id))
    assert (error.status, error.code) == (Status.FAILED_PRECONDITION, 400)
    await bedrock.batches.cancel(CALLER, batch_id)
    assert await bedrock.calls("POST", f"{JOB}/.*") == [f"{JOB}/{batch_id}/stop"]
    await bedrock.steer(batch_id, hold="Stopping")
    assert (await bedrock.batches.get(CALLER, batch_id)).state is BatchState.CANCELLING
    error = await refused(bedrock.batches.delete(CALLER, batch_id))
    assert (error.status, error.code) == (Status.FAILED_PRECONDITION, 400)
    await bedrock.move(batch_id, "Stopped")
    error = await refused(bedrock.batches.cancel(CALLER, batch_id))
    assert (error.status, error.code) == (Status.FAILED_PRECONDITION, 400)
    await bedrock.batches.delete(CALLER, batch_id)


async def test_a_cancel_that_bedrock_refuses_was_too_late(bedrock: BedrockWithFake) -> None:
    """The job ended between our check and the call."""
    batch_id = await held(bedrock, "InProgress")
    await bedrock.strike(
        "POST",
        f"{JOB}/.*/stop",
        "status",
        status=400,
        headers={"x-amzn-ErrorType": "ConflictException"},
        body={"message": "A job with the status Completed cannot be stopped."},
    )
    error = await refused(bedrock.batches.cancel(CALLER, batch_id))
    assert (error.status, error.code) == (Status.FAILED_PRECONDITION, 400)
    assert (error.reason, error.upstream_status) == ("ConflictException", 400)


async def test_a_lost_answer_to_a_cancel_is_no_error(bedrock: BedrockWithFake) -> None:
    batch_id = await held(bedrock, "InProgress")
    await bedrock.strike("POST", f"{JOB}/.*/stop", "status", status=500)
    await bedrock.batches.cancel(CALLER, batch_id)
    await bedrock.steer(batch_id, hold="Stopping")
    assert (await bedrock.batches.get(CALLER, batch_id)).state is BatchState.CANCELLING


# --- deleted --------------------------------------------------------------------------------------


async def test_a_deleted_batch_is_gone_with_everything_made_for_it(
    bedrock: BedrockWithFake,
) -> None:
    other = await ended(bedrock, inline(*TEXTS))
    kept = await bedrock.keys()
    bedrock.other_tool.put(f"{PREFIX}in.jsonl", gemini_lines(*TEXTS))
    batch_id = await ended(bedrock, from_file("in.jsonl"))
    assert len(await bedrock.keys()) == len(kept) + 4
    await bedrock.batches.delete(CALLER, batch_id)
    for attempt in (
        bedrock.batches.get(CALLER, batch_id),
        bedrock.batches.cancel(CALLER, batch_id),
        bedrock.batches.delete(CALLER, batch_id),
        bedrock.files.get(CALLER, result_file_id(batch_id)),
        bedrock.files.download(CALLER, result_file_id(batch_id)),
        bedrock.files.delete(CALLER, result_file_id(batch_id)),
    ):
        assert (await refused(attempt)).status == Status.NOT_FOUND
    assert await listed(bedrock) == [other]
    assert await bedrock.keys() == sorted([*kept, "in.jsonl"])
    left = [name for name in bedrock.state.objects if not name.startswith("tombstones/")]
    assert len(left) == 3  # what is stored for the other: record, table and binding
    assert len(bedrock.state.objects) == 4


@pytest.mark.parametrize("nth", [1, 2, 3])
async def test_a_delete_that_was_interrupted_is_finished_by_the_next(
    bedrock: BedrockWithFake, nth: int
) -> None:
    batch_id = await ended(bedrock, inline(*TEXTS))
    await bedrock.strike_s3("DELETE", "status", nth=nth, times=ATTEMPTS, status=503)
    await refused(bedrock.batches.delete(CALLER, batch_id))
    assert await listed(bedrock) == [batch_id]
    await bedrock.batches.delete(CALLER, batch_id)
    assert await bedrock.keys() == []
    assert await listed(bedrock) == []


async def test_deleted_results_leave_the_batch(bedrock: BedrockWithFake) -> None:
    file_id = await bedrock.upload(gemini_lines(*TEXTS), "in.jsonl")
    batch_id = await ended(bedrock, from_file(file_id))
    assert len(await lines(bedrock, batch_id)) == len(TEXTS)
    await bedrock.files.delete(CALLER, result_file_id(batch_id))
    batch = await bedrock.batches.get(CALLER, batch_id)
    assert (batch.state, batch.output) == (BatchState.SUCCEEDED, None)
    for attempt in (
        bedrock.files.get(CALLER, result_file_id(batch_id)),
        bedrock.files.download(CALLER, result_file_id(batch_id)),
        bedrock.files.delete(CALLER, result_file_id(batch_id)),
    ):
        assert (await refused(attempt)).status == Status.NOT_FOUND
    assert not [key for key in await bedrock.keys() if "/output/" in key]
    await bedrock.batches.delete(CALLER, batch_id)
    assert len(await bedrock.keys()) == 1
    assert (await bedrock.files.get(CALLER, file_id)).id == file_id


@pytest.mark.parametrize("status", ["Submitted", "InProgress", "Stopping"])
async def test_a_running_batch_has_no_results(bedrock: BedrockWithFake, status: str) -> None:
    batch_id = await held(bedrock, status)
    for attempt in (
        bedrock.files.get(CALLER, result_file_id(batch_id)),
        bedrock.files.download(CALLER, result_file_id(batch_id)),
        bedrock.files.delete(CALLER, result_file_id(batch_id)),
    ):
        assert (await refused(attempt)).status == Status.NOT_FOUND


# --- listed ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("page_size", "page_limit"), [(1, 1), (2, 1), (2, 2), (5, 2), (100, None)])
async def test_pages_are_full_despite_deleted_batches(
    bedrock: BedrockWithFake, page_size: int, page_limit: int | None
) -> None:
    made = [await ended(bedrock, inline(*TEXTS)) for _ in range(7)]
    for deleted in (made[1], made[2], made[6], made[0]):
        await bedrock.batches.delete(CALLER, deleted)
    await bedrock.post("/_fake/settings", {"page_limit": page_limit})
    seen: list[str] = []
    sizes: list[int] = []
    token: str | None = None
    while not sizes or token:
        page = await bedrock.batches.list(CALLER, page_size, token)
        seen += [batch.id for batch in page.items]
        sizes.append(len(page.items))
        token = page.next_page_token
    assert seen == [made[5], made[4], made[3]]
    assert all(size == page_size for size in sizes[:-1])
    assert sizes[-1] > 0


async def test_a_list_never_has_results(bedrock: BedrockWithFake) -> None:
    await ended(bedrock, inline(*TEXTS))
    read = len(await bedrock.s3_calls("GET"))
    [shown] = (await bedrock.batches.list(CALLER, 10, None)).items
    assert shown.output is None
    assert len(await bedrock.s3_calls("GET")) == read
