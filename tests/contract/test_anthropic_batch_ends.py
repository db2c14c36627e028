"""Batches at Anthropic cancelled, deleted and listed."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from providers.resource_names import result_file_id
from providers.resources import BatchState, Counts
from providers.retries import ATTEMPTS
from providers.status import Status
from tests.contract.anthropic_batching import BATCHES, TEXTS, ended, items, lines, listed
from tests.contract.anthropic_with_fake import (
    CALLER,
    OTHER,
    AnthropicWithFake,
    anthropic_with_fake,
    from_file,
    inline,
)
from tests.contract.provider_with_fake import gemini_lines, refused


@pytest.fixture
async def anthropic() -> AsyncIterator[AnthropicWithFake]:
    async with anthropic_with_fake() as provider_with_fake:
        await provider_with_fake.post("/_fake/settings", {"auto_advance": False})
        yield provider_with_fake
        assert provider_with_fake.no_memory_reserved


# --- cancel ---------------------------------------------------------------------------------------


async def test_a_batch_can_be_deleted_once_it_is_cancelled(anthropic: AnthropicWithFake) -> None:
    file_id = await anthropic.upload(gemini_lines(*TEXTS), "in.jsonl")
    batch_id = (await anthropic.batches.create(CALLER, from_file(file_id))).id
    error = await refused(anthropic.batches.delete(CALLER, batch_id))
    assert (error.status, error.code) == (Status.FAILED_PRECONDITION, 400)
    await anthropic.batches.cancel(CALLER, batch_id)
    await anthropic.batches.cancel(CALLER, batch_id)
    batch = await anthropic.batches.get(CALLER, batch_id)
    assert (batch.state, batch.end_time) == (BatchState.CANCELLING, None)
    await anthropic.move(batch_id, "ended")
    batch = await anthropic.batches.get(CALLER, batch_id)
    assert (batch.state, batch.counts) == (BatchState.CANCELLED, Counts(6, 3, 3))
    assert batch.end_time is not None
    results = await lines(anthropic, batch_id)
    assert sorted(result["key"] for result in results) == [f"k-{n}" for n in range(6)]
    assert {r["error"]["code"] for r in results if "error" in r} == {1}
    error = await refused(anthropic.batches.cancel(CALLER, batch_id))
    assert (error.status, error.code) == (Status.FAILED_PRECONDITION, 400)
    await anthropic.batches.delete(CALLER, batch_id)
    for attempt in (
        anthropic.batches.get(CALLER, batch_id),
        anthropic.batches.cancel(CALLER, batch_id),
        anthropic.batches.delete(CALLER, batch_id),
        anthropic.files.get(CALLER, result_file_id(batch_id)),
        anthropic.files.download(CALLER, result_file_id(batch_id)),
    ):
        assert (await refused(attempt)).status == Status.NOT_FOUND
    assert await listed(anthropic) == []
    # The user's input stays, and all records of the batch are gone.
    assert {name.partition("/")[0] for name in await anthropic.kept()} == {
        "staged",
        "staged-content",
        "uploads",
    }


@pytest.mark.parametrize("call", ["cancel", "delete"])
async def test_a_call_that_anthropic_refuses_was_too_early_or_too_late(
    anthropic: AnthropicWithFake, call: str
) -> None:
    batch_id = (await anthropic.batches.create(CALLER, inline(*TEXTS))).id
    if call == "delete":
        await anthropic.move(batch_id, "ended")
    method = "POST" if call == "cancel" else "DELETE"
    await anthropic.strike(method, f"{BATCHES}/.*", "status", status=409)
    error = await refused(getattr(anthropic.batches, call)(CALLER, batch_id))
    assert (error.status, error.code) == (Status.FAILED_PRECONDITION, 400)


async def test_a_batch_that_ends_while_it_is_cancelled(anthropic: AnthropicWithFake) -> None:
    batch_id = (await anthropic.batches.create(CALLER, inline(*TEXTS))).id
    await anthropic.strike("POST", f"{BATCHES}/[^/]+/cancel", "delay", name="slow")
    cancelling = asyncio.create_task(refused(anthropic.batches.cancel(CALLER, batch_id)))
    await anthropic.happened("slow")
    await anthropic.move(batch_id, "ended")
    await anthropic.release("slow")
    assert (await cancelling).status == Status.FAILED_PRECONDITION
    assert (await anthropic.batches.get(CALLER, batch_id)).state is BatchState.SUCCEEDED
    assert len(await items(anthropic, batch_id)) == len(TEXTS)


async def test_a_cancel_whose_answer_was_lost_may_be_repeated(anthropic: AnthropicWithFake) -> None:
    batch_id = (await anthropic.batches.create(CALLER, inline(*TEXTS))).id
    await anthropic.strike("POST", f"{BATCHES}/[^/]+/cancel", "lose_answer")
    assert (await refused(anthropic.batches.cancel(CALLER, batch_id))).status == Status.UNAVAILABLE
    await anthropic.batches.cancel(CALLER, batch_id)
    batch = await anthropic.batches.get(CALLER, batch_id)
    assert batch.state is BatchState.CANCELLING


async def test_a_delete_whose_answer_was_lost_is_finished(anthropic: AnthropicWithFake) -> None:
    batch_id = await ended(anthropic, inline(*TEXTS))
    await anthropic.strike("DELETE", f"{BATCHES}/.*", "lose_answer")
    await anthropic.batches.delete(CALLER, batch_id)
    assert await anthropic.kept() == []
    assert (await refused(anthropic.batches.delete(CALLER, batch_id))).status == Status.NOT_FOUND


async def test_another_callers_batch_is_not_found(anthropic: AnthropicWithFake) -> None:
    batch_id = await ended(anthropic, inline(*TEXTS))
    for attempt in (
        anthropic.batches.get(OTHER, batch_id),
        anthropic.batches.cancel(OTHER, batch_id),
        anthropic.batches.delete(OTHER, batch_id),
        anthropic.files.download(OTHER, result_file_id(batch_id)),
    ):
        assert (await refused(attempt)).status == Status.NOT_FOUND
    assert (await anthropic.batches.list(OTHER, 10, None)).items == []
    assert len(await items(anthropic, batch_id)) == len(TEXTS)


# --- states ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("reached", "state"), [(0, BatchState.EXPIRED), (2, BatchState.SUCCEEDED)])
async def test_a_batch_that_expired(
    anthropic: AnthropicWithFake, reached: int, state: BatchState
) -> None:
    batch_id = (await anthropic.batches.create(CALLER, inline(*TEXTS))).id
    await anthropic.post(f"/_fake/batches/{batch_id}", {"reached": reached, "status": "ended"})
    batch = await anthropic.batches.get(CALLER, batch_id)
    assert batch.output is not None
    await batch.output.close()  # type: ignore[union-attr]
    assert (batch.state, batch.counts) == (state, Counts(6, reached, 6 - reached))
    codes = [result.get("error", {}).get("code") for result in await items(anthropic, batch_id)]
    assert (codes.count(4), codes.count(None)) == (6 - reached, reached)


async def test_a_batch_in_which_every_request_failed_has_succeeded(
    anthropic: AnthropicWithFake,
) -> None:
    batch_id = await ended(anthropic, inline("please fail"))
    [batch] = (await anthropic.batches.list(CALLER, 10, None)).items
    assert (batch.id, batch.state, batch.counts) == (
        batch_id,
        BatchState.SUCCEEDED,
        Counts(1, 0, 1),
    )


async def test_a_cancel_that_came_after_the_last_answer(anthropic: AnthropicWithFake) -> None:
    batch_id = (await anthropic.batches.create(CALLER, inline(*TEXTS))).id
    await anthropic.batches.cancel(CALLER, batch_id)
    await anthropic.post(f"/_fake/batches/{batch_id}", {"reached": 6, "status": "ended"})
    assert [b.state for b in (await anthropic.batches.list(CALLER, 10, None)).items] == [
        BatchState.SUCCEEDED
    ]


# --- lists ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("page_limit", [None, 2])
@pytest.mark.parametrize("page_size", [1, 3, 100])
async def test_every_batch_is_listed_once_newest_first(
    anthropic: AnthropicWithFake, page_size: int, page_limit: int | None
) -> None:
    made = [(await anthropic.batches.create(CALLER, inline("a"))).id for _ in range(5)]
    await anthropic.post("/_fake/settings", {"page_limit": page_limit})
    seen: list[str] = []
    token: str | None = None
    while not seen or token:
        page = await anthropic.batches.list(CALLER, page_size, token)
        seen += [batch.id for batch in page.items]
        token = page.next_page_token
    assert seen == made[::-1]


async def test_a_list_never_has_results(anthropic: AnthropicWithFake) -> None:
    await ended(anthropic, inline(*TEXTS))
    page = await anthropic.batches.list(CALLER, 10, None)
    assert [batch.output for batch in page.items] == [None]
    assert await anthropic.calls("GET", ".*results") == []


@pytest.mark.parametrize("data", ["no list", [1], [{}], {"id": "x"}])
async def test_an_invalid_list_is_the_upstreams_fault(
    anthropic: AnthropicWithFake, data: Any
) -> None:
    await anthropic.strike("GET", BATCHES, "status", status=200, body={"data": data})
    assert (await refused(anthropic.batches.list(CALLER, 10, None))).status == Status.UNAVAILABLE


@pytest.mark.parametrize("answer", [[], "no json", {}, {"id": 7}, {"id": "msgbatch_other"}])
async def test_an_invalid_batch_from_the_upstream_is_its_fault(
    anthropic: AnthropicWithFake, answer: Any
) -> None:
    fault = {"status": 200, "body": answer, "times": ATTEMPTS}
    await anthropic.strike("GET", f"{BATCHES}/.*", "status", **fault)
    error = await refused(anthropic.batches.get(CALLER, "msgbatch_1"))
    assert error.status == Status.UNAVAILABLE


@pytest.mark.parametrize("batch_id", ["../files", "a/b", "", ".."])
async def test_an_invalid_batch_name(anthropic: AnthropicWithFake, batch_id: str) -> None:
    error = await refused(anthropic.batches.get(CALLER, batch_id))
    assert error.status == Status.INVALID_ARGUMENT
    assert await anthropic.calls("GET") == []
