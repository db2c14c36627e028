"""Mistral's batches that have ended: one result for each request, however a job ends."""

import pytest

from providers.resource_names import parse_file_id, result_file_id
from providers.resources import (
    BatchState,
    Failure,
    ResultForm,
)
from providers.status import Status
from tests.contract.mistral_with_fake import (
    CALLER,
    CHAT,
    MODEL,
    MistralWithFake,
    from_file,
    inline,
    native_line,
    text_of,
)
from tests.contract.provider_with_fake import gemini_lines, json_lines, refused

TEXTS = [f"question {number}" for number in range(6)]
FIELDS = ("output_file", "error_file")


async def foreign(mistral: MistralWithFake, *contents: bytes, **metadata: str) -> str:
    """A job that another tool created from files with `contents`, with that metadata."""
    files = [
        parse_file_id(await mistral.upload(content, f"{n}.jsonl", f"s{n}")).native
        for n, content in enumerate(contents)
    ]
    said = {"theirs": "yes", **metadata}
    job = {"input_files": files, "endpoint": CHAT, "model": MODEL, "metadata": said}
    return str((await mistral.native("batch/jobs", "POST", json=job))["id"])


# --- how a job ends -------------------------------------------------------------------------------


async def test_each_request_of_a_failed_job_says_why(mistral: MistralWithFake) -> None:
    batch_id = (await mistral.batches.create(CALLER, inline(*TEXTS))).id
    order = {"status": "FAILED", "errors": [{"message": "Invalid JSON.", "count": 2}]}
    await mistral.post(f"/_fake/batches/{batch_id}", order)
    batch = (await mistral.batches.list(CALLER, 1, None)).items[0]
    assert batch.failure == Failure(Status.INVALID_ARGUMENT, "Invalid JSON. (2 times)")
    error = {"code": 3, "message": "The batch failed: Invalid JSON. (2 times)"}
    assert [item["error"] for item in await mistral.items(batch_id)] == [error] * 6


@pytest.mark.parametrize(
    ("status", "state", "code"),
    [("TIMEOUT_EXCEEDED", BatchState.EXPIRED, 4), ("CANCELLED", BatchState.CANCELLED, 1)],
)
async def test_a_job_that_ended_early(
    mistral: MistralWithFake, status: str, state: BatchState, code: int
) -> None:
    """Mistral names some of the other requests, with a text or an object, and not the last."""
    batch_id = await mistral.ended(inline(*TEXTS), "RUNNING", status)
    batch = (await mistral.batches.list(CALLER, 1, None)).items[0]
    assert batch.state is state
    assert batch.failure is not None
    assert "3 of its 6 requests" in batch.failure.message
    items = await mistral.items(batch_id)
    errors = [item["error"] for item in items if "error" in item]
    assert [error["code"] for error in errors] == [code] * 3
    assert all("before this request was answered" in error["message"] for error in errors)


async def test_failures_of_single_requests(mistral: MistralWithFake) -> None:
    broken = {"custom_id": "b", "body": {"messages": [{"role": "user", "content": 1}]}}
    lines = json_lines(
        native_line("a"), broken, native_line("c", "please fail"), native_line("d", "please lose")
    )
    file_id = await mistral.upload(lines, "in.jsonl")
    found = await mistral.lines(await mistral.ended(from_file(file_id)))
    assert text_of(found["a"]) == "echo: hi"
    assert found["b"]["error"]["code"] == 3
    assert found["b"]["error"]["message"].startswith("body.messages.0.user.content: ")
    assert found["c"]["error"] == {"code": 3, "message": "The request asked to fail."}
    assert found["d"]["error"]["code"] == 13


@pytest.mark.parametrize("field", FIELDS)
async def test_a_result_file_that_is_gone(mistral: MistralWithFake, field: str) -> None:
    batch_id = await mistral.ended(inline("fine", "please fail"))
    gone = (await mistral.native(f"batch/jobs/{batch_id}"))[field]
    await mistral.native(f"files/{gone}", "DELETE")
    item = (await mistral.items(batch_id))[FIELDS.index(field)]
    message = "Mistral no longer has the file with the result of this request."
    assert item["error"] == {"code": 5, "message": message}


async def test_native_results_are_the_output_and_then_the_errors(
    mistral: MistralWithFake,
) -> None:
    batch_id = await mistral.ended(inline("fine", "please fail", "please lose", "fine too"))
    job = await mistral.native(f"batch/jobs/{batch_id}")
    output, errors = [await mistral.native(f"files/{job[field]}/content") for field in FIELDS]
    opened = await mistral.files.download(CALLER, result_file_id(batch_id), ResultForm.NATIVE)
    found = b"".join([chunk async for chunk in opened.body.chunks])
    await opened.close()
    assert output
    assert errors
    assert found == output + errors


async def test_deleted_results_leave_the_batch(mistral: MistralWithFake) -> None:
    file_id = await mistral.upload(gemini_lines(*TEXTS), "in.jsonl")
    batch_id = await mistral.ended(from_file(file_id))
    await mistral.files.delete(CALLER, result_file_id(batch_id))
    batch = await mistral.batches.get(CALLER, batch_id)
    assert (batch.state, batch.output) == (BatchState.SUCCEEDED, None)
    error = await refused(mistral.files.download(CALLER, result_file_id(batch_id)))
    assert error.status == Status.NOT_FOUND


async def test_a_batch_can_be_deleted_once_it_is_cancelled(mistral: MistralWithFake) -> None:
    await mistral.post("/_fake/settings", {"auto_advance": False})
    batch_id = (await mistral.batches.create(CALLER, inline(*TEXTS))).id
    error = await refused(mistral.batches.delete(CALLER, batch_id))
    assert error.status == Status.FAILED_PRECONDITION
    await mistral.batches.cancel(CALLER, batch_id)
    assert (await mistral.batches.list(CALLER, 1, None)).items[0].state is BatchState.CANCELLING
    await mistral.move(batch_id, "CANCELLED")
    error = await refused(mistral.batches.cancel(CALLER, batch_id))
    assert error.status == Status.FAILED_PRECONDITION
    await mistral.batches.delete(CALLER, batch_id)
    assert (await refused(mistral.batches.get(CALLER, batch_id))).status == Status.NOT_FOUND
    assert (await mistral.objects("files"), await mistral.objects("batches")) == ([], [])


# --- jobs of other tools --------------------------------------------------------------------------


async def test_another_tools_job_is_listed_and_read(mistral: MistralWithFake) -> None:
    contents = [json_lines(*map(native_line, keys)) for keys in ("ab", "c")]
    batch_id = await foreign(mistral, *contents)
    await mistral.move(batch_id, "SUCCESS")
    page = await mistral.batches.list(CALLER, 10, None)
    assert [(batch.id, batch.model) for batch in page.items] == [(batch_id, MODEL)]
    assert sorted(await mistral.lines(batch_id)) == ["a", "b", "c"]


@pytest.mark.parametrize("job", ["ABC", "\u00e9", "a" * 300, "f" * 31, "../" * 3, ""])
async def test_another_tools_metadata_names_no_job_of_the_proxy(
    mistral: MistralWithFake, job: str
) -> None:
    batch_id = await foreign(
        mistral, json_lines(native_line("a")), ferry_job=job, ferry_source="custom_id"
    )
    await mistral.move(batch_id, "SUCCESS")
    assert (await mistral.batches.get(CALLER, batch_id)).output is not None
    assert list(await mistral.lines(batch_id)) == ["a"]
    await mistral.batches.delete(CALLER, batch_id)
    assert await mistral.listed() == []


async def test_the_keys_of_another_tools_failed_job_are_read_from_all_its_inputs(
    mistral: MistralWithFake,
) -> None:
    batch_id = await foreign(mistral, json_lines(native_line("a")), b"no json\n")
    await mistral.move(batch_id, "RUNNING")
    found = await mistral.lines(batch_id)
    error = {"code": 3, "message": "The batch failed: Invalid JSON."}
    assert {key: line["error"] for key, line in found.items()} == {"a": error, "2": error}


async def test_another_tools_inline_job_has_no_result_file(mistral: MistralWithFake) -> None:
    """Its results are in the job itself, which the proxy does not read."""
    job = {"requests": [native_line("a")], "endpoint": CHAT, "model": MODEL}
    batch_id = (await mistral.native("batch/jobs", "POST", json=job))["id"]
    await mistral.move(batch_id, "SUCCESS")
    batch = await mistral.batches.get(CALLER, batch_id)
    assert (batch.state, batch.output) == (BatchState.SUCCEEDED, None)
