"""Batches at OpenAI cancelled, deleted, listed, and without their state."""

from collections.abc import AsyncIterator

import pytest

from providers.resource_names import parse_file_id, result_file_id
from providers.resources import Batch, BatchState, ResultFile
from tests.contract.at_work import gemini_lines, refused
from tests.contract.openai_at_work import CALLER, OpenAIAtWork, from_file, inline, openai_at_work
from tests.contract.openai_batching import (
    TEXTS,
    ended,
    lines,
    listed,
)


@pytest.fixture
async def openai() -> AsyncIterator[OpenAIAtWork]:
    async with openai_at_work() as at_work:
        yield at_work
        assert at_work.nothing_held


# --- cancel, delete, list -------------------------------------------------------------------------


async def test_a_batch_is_cancelled_and_deleted_in_that_order(openai: OpenAIAtWork) -> None:
    batch_id = (await openai.batches.create(CALLER, inline(*TEXTS))).batch.id
    error = await refused(openai.batches.delete(CALLER, batch_id))
    assert (error.status, error.code) == ("FAILED_PRECONDITION", 400)
    await openai.batches.cancel(CALLER, batch_id)
    await openai.move(batch_id, "cancelled")
    error = await refused(openai.batches.cancel(CALLER, batch_id))
    assert (error.status, error.code) == ("FAILED_PRECONDITION", 400)
    await openai.batches.delete(CALLER, batch_id)
    for attempt in (
        openai.batches.get(CALLER, batch_id),
        openai.batches.cancel(CALLER, batch_id),
        openai.batches.delete(CALLER, batch_id),
        openai.files.get(CALLER, result_file_id(batch_id)),
        openai.files.download(CALLER, result_file_id(batch_id)),
    ):
        assert (await refused(attempt)).status == "NOT_FOUND"
    assert await listed(openai) == []
    assert await openai.objects("files") == []
    assert [name for name in openai.state.objects if name.startswith("batches/")] == []


async def test_a_cancel_that_openai_refuses_is_one_too_late(openai: OpenAIAtWork) -> None:
    batch_id = (await openai.batches.create(CALLER, inline(*TEXTS))).batch.id
    await openai.strike("POST", "batches/[^/]+/cancel", "status", status=409)
    error = await refused(openai.batches.cancel(CALLER, batch_id))
    assert (error.status, error.code) == ("FAILED_PRECONDITION", 400)
    assert (error.provider, error.upstream_status) == ("openai", 409)
    assert str(error.request_id).startswith("req_")


async def test_deleted_results_leave_the_batch(openai: OpenAIAtWork) -> None:
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
        assert (await refused(attempt)).status == "NOT_FOUND"
    await openai.batches.delete(CALLER, batch_id)
    assert await openai.objects("files") == [parse_file_id(file_id).native]


async def test_a_delete_that_was_interrupted_is_finished_by_the_next(
    openai: OpenAIAtWork,
) -> None:
    batch_id = await ended(openai, inline(*TEXTS))
    await openai.strike("DELETE", "files/[^/]+", "status", nth=2, status=503)
    await refused(openai.batches.delete(CALLER, batch_id))
    await openai.batches.delete(CALLER, batch_id)
    assert await openai.objects("files") == []
    assert await listed(openai) == []


@pytest.mark.parametrize("page_size", [1, 2, 5, 100])
async def test_pages_are_filled_up_past_what_was_deleted(
    openai: OpenAIAtWork, page_size: int
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


async def test_a_list_never_has_results(openai: OpenAIAtWork) -> None:
    await ended(openai, inline(*TEXTS))
    page = await openai.batches.list(CALLER, 10, None)
    assert [batch.output for batch in page.items] == [None]
    assert await openai.calls("GET", "files/.*") == []


async def test_a_running_batch_has_no_results(openai: OpenAIAtWork) -> None:
    await openai.post("/_fake/settings", {"auto_advance": False})
    created = await openai.batches.create(CALLER, inline(*TEXTS))
    batch: Batch = await openai.batches.get(CALLER, created.batch.id)
    assert (batch.state, batch.output) == (BatchState.PENDING, None)
    error = await refused(openai.files.download(CALLER, result_file_id(batch.id)))
    assert error.status == "NOT_FOUND"


async def test_the_table_is_lost(openai: OpenAIAtWork) -> None:
    """Jobs, states and results remain, keyed by native id."""
    batch_id = await ended(openai, inline(*TEXTS))
    for name in openai.state.objects:
        await openai.state.delete(name)
    batch = await openai.batches.get(CALLER, batch_id)
    assert batch.output == ResultFile(result_file_id(batch_id))
    keys = sorted(line["key"] for line in await lines(openai, batch_id))
    assert keys == [f"r{n:010d}" for n in range(6)]


async def test_an_empty_budget_refuses_before_anything_is_made(openai: OpenAIAtWork) -> None:
    with openai.memory.reserve(openai.memory._left):
        error = await refused(openai.batches.create(CALLER, inline(*TEXTS)))
    assert (error.status, error.code) == ("RESOURCE_EXHAUSTED", 429)
    assert await openai.objects("files") == []
