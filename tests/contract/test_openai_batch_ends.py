"""Batches at OpenAI cancelled, deleted, listed, and without their state."""

from collections.abc import Mapping

import pytest

from providers.resource_names import parse_file_id, result_file_id
from providers.resources import (
    Batch,
    BatchState,
    Failure,
    FileSource,
    NewBatch,
    ResultFile,
)
from providers.retries import ATTEMPTS
from providers.status import Status
from tests.contract.openai_batching import (
    CHAT,
    TEXTS,
    answered_with,
    ended,
    items,
    lines,
    listed,
    native_line,
)
from tests.contract.openai_with_fake import (
    CALLER,
    SECRET,
    OpenAIWithFake,
    from_file,
    inline,
)
from tests.contract.provider_with_fake import gemini_lines, json_lines, refused

# --- failed as a whole ---------------------------------------------------------------------------

BAD_LINE = {"code": "invalid_json_line", "line": 2, "message": "No JSON.", "param": None}
TOO_MANY = {"code": "token_limit_exceeded", "message": "Enqueued token limit reached."}
REASON = {"code": 8, "message": "The batch failed: Enqueued token limit reached."}
OF_LINE = {"code": 3, "message": "No JSON."}


async def failed(openai: OpenAIWithFake, batch: NewBatch, *errors: Mapping[str, object]) -> str:
    created = await openai.batches.create(CALLER, batch)
    order = {"status": "failed", "errors": errors}
    await openai.post(f"/_fake/batches/{created.id}", order)
    return created.id


async def test_each_inline_request_says_why_its_batch_failed(openai: OpenAIWithFake) -> None:
    batch_id = await failed(openai, inline(*TEXTS[:3]), TOO_MANY, BAD_LINE)
    results = await items(openai, batch_id)
    assert [result["error"] for result in results] == [REASON, OF_LINE, REASON]


async def test_no_reason_shows_the_key(openai: OpenAIWithFake) -> None:
    """The proxy's own key is no client's."""
    quoting = {"code": "invalid_api_key", "message": f"Incorrect API key: {SECRET}"}
    batch_id = await failed(openai, inline(*TEXTS[:2]), quoting, BAD_LINE | quoting)
    batch = await openai.batches.get(CALLER, batch_id)
    listing = await openai.batches.list(CALLER, 10, None)
    assert [each.failure and each.failure.message for each in (batch, *listing.items)] == 2 * [
        "Incorrect API key: ***; line 2: Incorrect API key: ***"
    ]
    results = await items(openai, batch_id)
    assert {result["error"]["message"] for result in results} == {
        "The batch failed: Incorrect API key: ***",
        "Incorrect API key: ***",
    }

    content = json_lines(*map(native_line, "ab"))
    other = await ended(openai, from_file(await openai.upload(content, "in.jsonl")))
    refusal = {"status_code": 401, "body": {"error": quoting}}
    await answered_with(
        openai,
        {"custom_id": "a", "response": refusal, "error": None},
        {"custom_id": "b", "response": None, "error": quoting},
    )
    assert [line["error"]["message"] for line in await lines(openai, other)] == 2 * [
        "Incorrect API key: ***"
    ]


@pytest.mark.parametrize("native", [False, True])
async def test_each_key_of_a_file_says_why_its_batch_failed(
    openai: OpenAIWithFake, native: bool
) -> None:
    content = json_lines(*map(native_line, "abc")) if native else gemini_lines(*TEXTS[:3])
    file_id = await openai.upload(content, "in.jsonl")
    batch_id = await failed(openai, from_file(file_id), TOO_MANY, BAD_LINE)
    batch = await openai.batches.get(CALLER, batch_id)
    assert batch.failure == Failure(
        Status.RESOURCE_EXHAUSTED, "Enqueued token limit reached.; line 2: No JSON."
    )
    assert batch.output == ResultFile(result_file_id(batch_id))
    found = await lines(openai, batch_id)
    assert [line["error"] for line in found] == [REASON, OF_LINE, REASON]
    assert len({line["key"] for line in found}) == 3
    file = await openai.files.get(CALLER, result_file_id(batch_id))
    assert (file.source, file.downloadable) == (FileSource.GENERATED, True)
    await openai.files.delete(CALLER, result_file_id(batch_id))
    assert (await openai.batches.get(CALLER, batch_id)).output is None


async def foreign(openai: OpenAIWithFake, content: bytes) -> str:
    """A batch that another tool created from a file with `content`."""
    native = parse_file_id(await openai.upload(content, "in.jsonl")).native
    document = {"input_file_id": native, "endpoint": CHAT, "completion_window": "24h"}
    return str((await openai.native("batches", "POST", json=document))["id"])


async def test_the_keys_of_another_tools_batch_are_read_from_its_input(
    openai: OpenAIWithFake,
) -> None:
    content = json_lines(native_line("a")) + b"no json\n" + json_lines(native_line("c"))
    batch_id = await foreign(openai, content)
    batch = await openai.batches.get(CALLER, batch_id)
    assert batch.state is BatchState.FAILED
    message = "This line is not parseable as valid JSON."
    whole = {"code": 3, "message": f"The batch failed: line 2: {message}"}
    assert await lines(openai, batch_id) == [
        {"key": "a", "error": whole},
        {"key": "2", "error": {"code": 3, "message": message}},
        {"key": "c", "error": whole},
    ]


@pytest.mark.parametrize("status", ["expired", "cancelled"])
async def test_another_tools_batch_that_ended_early_has_a_result_for_each_line(
    openai: OpenAIWithFake, status: str
) -> None:
    batch_id = await foreign(openai, json_lines(*map(native_line, "abcd")))
    await openai.move(batch_id, "in_progress")
    await openai.move(batch_id, status)
    found = {line["key"]: line for line in await lines(openai, batch_id)}
    assert sorted(found) == ["a", "b", "c", "d"]
    assert len([line for line in found.values() if "error" in line]) == 2


FIELDS = ("output_file_id", "error_file_id")


@pytest.mark.parametrize("field", FIELDS)
async def test_results_of_another_tool_missing_in_part_are_errors_by_key(
    openai: OpenAIWithFake, field: str
) -> None:
    batch_id = await foreign(openai, json_lines(native_line("a"), native_line("b", "please fail")))
    await openai.move(batch_id, "completed")
    await openai.native(f"files/{(await openai.native(f'batches/{batch_id}'))[field]}", "DELETE")
    found = {line["key"]: line for line in await lines(openai, batch_id)}
    assert sorted(found) == ["a", "b"]
    gone = found["ab"[FIELDS.index(field)]]
    assert gone["error"] == {
        "code": 5,
        "message": "OpenAI no longer has the file with the result of this request.",
    }


@pytest.mark.parametrize("field", FIELDS)
async def test_partial_results_without_the_input_are_not_returned_as_complete(
    openai: OpenAIWithFake, field: str
) -> None:
    batch_id = await foreign(openai, json_lines(native_line("a"), native_line("b", "please fail")))
    await openai.move(batch_id, "completed")
    native = await openai.native(f"batches/{batch_id}")
    for gone in (native[field], native["input_file_id"]):
        await openai.native(f"files/{gone}", "DELETE")
    error = await refused(openai.files.download(CALLER, result_file_id(batch_id)))
    assert error.status == Status.NOT_FOUND
    assert native[field] in error.message


async def test_without_the_input_only_the_batch_says_why(
    openai: OpenAIWithFake,
) -> None:
    batch_id = await foreign(openai, b"no json\n")
    native = await openai.native(f"batches/{batch_id}")
    await openai.native(f"files/{native['input_file_id']}", "DELETE")
    batch = await openai.batches.get(CALLER, batch_id)
    assert batch.output is None
    assert batch.failure == Failure(
        Status.INVALID_ARGUMENT, "line 1: This line is not parseable as valid JSON."
    )
    for attempt in (
        openai.files.get(CALLER, result_file_id(batch_id)),
        openai.files.download(CALLER, result_file_id(batch_id)),
        openai.files.delete(CALLER, result_file_id(batch_id)),
    ):
        assert (await refused(attempt)).status == Status.NOT_FOUND


async def test_a_batch_whose_input_the_server_does_not_name(openai: OpenAIWithFake) -> None:
    """Servers that speak OpenAI's API leave out members that OpenAI always sends."""
    native = {"id": "batch_1", "object": "batch", "endpoint": CHAT, "status": "failed"}
    await openai.strike("GET", "batches/batch_1", "status", status=200, body=native, times=2)
    batch = await openai.batches.get(CALLER, "batch_1")
    assert (batch.state, batch.output) == (BatchState.FAILED, None)
    assert batch.failure == Failure(Status.INTERNAL, "OpenAI gives no reason")
    error = await refused(openai.files.download(CALLER, result_file_id("batch_1")))
    assert error.status == Status.NOT_FOUND


async def test_results_of_a_batch_whose_input_the_server_does_not_name(
    openai: OpenAIWithFake,
) -> None:
    batch_id = await foreign(openai, json_lines(*map(native_line, "abcd")))
    await openai.move(batch_id, "in_progress")
    await openai.move(batch_id, "expired")
    native = await openai.native(f"batches/{batch_id}")
    del native["input_file_id"]
    await openai.strike("GET", f"batches/{batch_id}", "status", status=200, body=native)
    found = await lines(openai, batch_id)
    assert found
    assert {line["key"] for line in found} <= set("abcd")


# --- cancel, delete, list -------------------------------------------------------------------------


async def test_a_batch_can_be_deleted_once_it_is_cancelled(openai: OpenAIWithFake) -> None:
    batch_id = (await openai.batches.create(CALLER, inline(*TEXTS))).id
    error = await refused(openai.batches.delete(CALLER, batch_id))
    assert (error.status, error.code) == (Status.FAILED_PRECONDITION, 400)
    await openai.batches.cancel(CALLER, batch_id)
    await openai.move(batch_id, "cancelled")
    error = await refused(openai.batches.cancel(CALLER, batch_id))
    assert (error.status, error.code) == (Status.FAILED_PRECONDITION, 400)
    await openai.batches.delete(CALLER, batch_id)
    for attempt in (
        openai.batches.get(CALLER, batch_id),
        openai.batches.cancel(CALLER, batch_id),
        openai.batches.delete(CALLER, batch_id),
        openai.files.get(CALLER, result_file_id(batch_id)),
        openai.files.download(CALLER, result_file_id(batch_id)),
    ):
        assert (await refused(attempt)).status == Status.NOT_FOUND
    assert await listed(openai) == []
    assert await openai.objects("files") == []
    assert [name for name in openai.state.objects if name.startswith("batches/")] == []


async def test_a_cancel_that_openai_refuses_was_too_late(openai: OpenAIWithFake) -> None:
    batch_id = (await openai.batches.create(CALLER, inline(*TEXTS))).id
    await openai.strike("POST", "batches/[^/]+/cancel", "status", status=409)
    error = await refused(openai.batches.cancel(CALLER, batch_id))
    assert (error.status, error.code) == (Status.FAILED_PRECONDITION, 400)
    assert (error.provider, error.upstream_status) == ("openai", 409)
    assert str(error.request_id).startswith("req_")


async def test_deleted_results_leave_the_batch(openai: OpenAIWithFake) -> None:
    file_id = await openai.upload(gemini_lines(*TEXTS), "in.jsonl")
    batch_id = await ended(openai, from_file(file_id))
    await openai.files.delete(CALLER, result_file_id(batch_id))
    batch = await openai.batches.get(CALLER, batch_id)
    assert (batch.state, batch.output) == (BatchState.SUCCEEDED, None)
    for attempt in (
        openai.files.get(CALLER, result_file_id(batch_id)),
        openai.files.download(CALLER, result_file_id(batch_id)),
        openai.files.delete(CALLER, result_file_id(batch_id)),
    ):
        assert (await refused(attempt)).status == Status.NOT_FOUND
    await openai.batches.delete(CALLER, batch_id)
    assert await openai.objects("files") == [parse_file_id(file_id).native]


async def test_a_delete_that_was_interrupted_is_finished_by_the_next(
    openai: OpenAIWithFake,
) -> None:
    batch_id = await ended(openai, inline(*TEXTS))
    await openai.strike("DELETE", "files/[^/]+", "status", nth=2, status=503, times=ATTEMPTS)
    await refused(openai.batches.delete(CALLER, batch_id))
    await openai.batches.delete(CALLER, batch_id)
    assert await openai.objects("files") == []
    assert await listed(openai) == []


@pytest.mark.parametrize("page_size", [1, 2, 5, 100])
async def test_pages_are_full_despite_deleted_batches(
    openai: OpenAIWithFake, page_size: int
) -> None:
    made = [await ended(openai, inline("a")) for _ in range(7)]
    for deleted in (made[1], made[2], made[6]):
        await openai.batches.delete(CALLER, deleted)
    seen: list[str] = []
    sizes: list[int] = []
    token: str | None = None
    while not sizes or token:
        page = await openai.batches.list(CALLER, page_size, token)
        seen += [batch.id for batch in page.items]
        sizes.append(len(page.items))
        token = page.next_page_token
    assert seen == [made[5], made[4], made[3], made[0]]
    assert all(size == page_size for size in sizes[:-1])


async def test_a_list_never_has_results(openai: OpenAIWithFake) -> None:
    await ended(openai, inline(*TEXTS))
    page = await openai.batches.list(CALLER, 10, None)
    assert [batch.output for batch in page.items] == [None]
    assert await openai.calls("GET", "files/.*") == []


async def test_a_running_batch_has_no_results(openai: OpenAIWithFake) -> None:
    await openai.post("/_fake/settings", {"auto_advance": False})
    created = await openai.batches.create(CALLER, inline(*TEXTS))
    batch: Batch = await openai.batches.get(CALLER, created.id)
    assert (batch.state, batch.output) == (BatchState.PENDING, None)
    error = await refused(openai.files.download(CALLER, result_file_id(batch.id)))
    assert error.status == Status.NOT_FOUND


async def test_the_table_is_lost(openai: OpenAIWithFake) -> None:
    """Jobs, states and results remain, keyed by native id."""
    batch_id = await ended(openai, inline(*TEXTS))
    for name in openai.state.objects:
        await openai.state.delete(name)
    batch = await openai.batches.get(CALLER, batch_id)
    assert batch.output == ResultFile(result_file_id(batch_id))
    keys = sorted(line["key"] for line in await lines(openai, batch_id))
    assert keys == [f"r{n:010d}" for n in range(6)]


async def test_an_empty_budget_refuses_before_any_call(openai: OpenAIWithFake) -> None:
    with openai.memory.reserve(openai.memory._left):
        error = await refused(openai.batches.create(CALLER, inline(*TEXTS)))
    assert (error.status, error.code) == (Status.RESOURCE_EXHAUSTED, 429)
    assert await openai.objects("files") == []
