from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Any
from unittest.mock import patch

import orjson
import pytest

from providers.anthropic.batch_creation import LIMITS, BatchCreation, Job, may_have_created
from providers.anthropic.batch_lines import BatchItems
from providers.anthropic.single_attempt import single_attempt
from providers.batches.batch_input import InlineInput, InputLimits
from providers.batches.batch_records import BatchRecords
from providers.batches.repeats import Repeat
from providers.batches.request_table import RequestTables
from providers.errors import FerryError, invalid_argument, unavailable
from providers.memory import MemoryBudget
from providers.resources import BatchKind, CreatedBatch, InlineRequest, NewBatch
from providers.status import Status
from providers.upstream import UpstreamError
from tests.memory_state import MemoryState
from tests.test_providers.answering import answer
from tests.test_providers.test_anthropic.answering import BASE, CALLER, client
from tests.test_providers.test_gemini.scripted_upstream import ScriptedUpstream

MODEL = "claude-opus-4-6"
MADE = {"id": "msgbatch_A", "processing_status": "in_progress"}


def job(count: int, **generation: Any) -> Job:
    request = {
        "contents": [{"parts": [{"text": "hi"}]}],
        "generationConfig": {"maxOutputTokens": 9, **generation},
    }
    requests = [
        InlineRequest(orjson.dumps(request), b'{"a":"b"}' if n else b"null", f"requests[{n}]")
        for n in range(count)
    ]
    batch = NewBatch(MODEL, BatchKind.GENERATE, requests, display_name="dn")
    return Job(CALLER, batch, InlineInput(requests), BatchItems(), 4096, nullcontext())


async def create(upstream: ScriptedUpstream, state: MemoryState, made: Job) -> CreatedBatch:
    creation = BatchCreation(
        client(upstream), RequestTables("anthropic", state), BatchRecords("anthropic", state)
    )
    with MemoryBudget().reserve() as reservation:
        return await creation.create(made, reservation)


async def test_the_body_is_what_was_counted() -> None:
    upstream, state, made = ScriptedUpstream(answer(MADE)), MemoryState(), job(3)
    created = await create(upstream, state, made)
    assert (created.batch.id, created.batch.model, created.batch.display_name) == (
        "msgbatch_A",
        MODEL,
        "dn",
    )
    [sent] = upstream.sent
    assert str(sent.request.url) == f"{BASE}/v1/messages/batches"
    assert sent.request.headers["Content-Type"] == "application/json"
    document = orjson.loads(sent.body)
    assert document.keys() == {"requests"}
    assert [item["custom_id"] for item in document["requests"]] == [
        f"r{n:010d}-{made.id}" for n in range(3)
    ]
    assert f"batches/anthropic/{made.id}" in state.objects


@pytest.mark.parametrize(
    ("generation", "version"), [({}, "2026-10-21"), ({"temperature": 0.1}, "2023-06-01")]
)
async def test_the_version_is_what_the_items_need(generation: dict[str, Any], version: str) -> None:
    upstream = ScriptedUpstream(answer(MADE))
    await create(upstream, MemoryState(), job(2, **generation))
    assert upstream.sent[0].request.headers["anthropic-version"] == version


async def test_a_limit_is_named() -> None:
    upstream, state = ScriptedUpstream(), MemoryState()
    for limits, named in (
        (InputLimits("Anthropic", 2, LIMITS.size), "Anthropic takes at most 2 requests a batch"),
        (InputLimits("Anthropic", 9, 100), "Anthropic takes at most 100 bytes a batch"),
    ):
        with patch("providers.anthropic.batch_creation.LIMITS", limits):
            with pytest.raises(FerryError, match=named):
                await create(upstream, state, job(3))
    assert (LIMITS.requests, LIMITS.size) == (100_000, 256_000_000)
    assert state.objects == {}


async def test_the_table_is_there_before_the_batch_and_the_attempt_around_it_alone() -> None:
    state, seen = MemoryState(), list[str]()

    @asynccontextmanager
    async def attempt() -> AsyncIterator[None]:
        seen.extend(state.objects)
        yield
        seen.append("made")

    made = job(1)
    made = Job(CALLER, made.batch, made.source, made.items, 4096, attempt())
    await create(ScriptedUpstream(answer(MADE)), state, made)
    assert seen == [f"batches/anthropic/{made.id}", "made"]
    assert len(state.objects) == 2


@pytest.mark.parametrize(
    ("error", "may_have"),
    [
        (UpstreamError(Status.UNAVAILABLE, "x"), True),
        (UpstreamError(Status.UNAVAILABLE, "x", unsent=True), False),
        (unavailable("x"), True),
        (invalid_argument("x"), False),
        (OSError("the body's own"), False),
    ],
)
async def test_a_key_is_free_after_what_made_nothing(error: Exception, may_have: bool) -> None:
    assert may_have_created(error) is may_have
    state = MemoryState()
    repeat = Repeat("anthropic", state, "tenant", "key", "f")
    with pytest.raises(type(error)):
        async with single_attempt(repeat):
            raise error
    assert await repeat.begin() is not may_have


async def test_there_is_one_attempt() -> None:
    repeat = Repeat("anthropic", MemoryState(), "tenant", "key", "f")
    async with single_attempt(repeat):
        with pytest.raises(FerryError) as caught:
            async with single_attempt(repeat):
                pytest.fail("a second attempt")
    assert caught.value.status == Status.ABORTED
