from dataclasses import replace
from typing import Any
from unittest.mock import patch

import orjson
import pytest

from providers.anthropic.batch_creation import LIMITS, BatchCreation, Job
from providers.anthropic.batch_lines import BatchItems
from providers.anthropic.batch_records import from_anthropic_batch
from providers.batches.batch_input import InlineInput
from providers.batches.batch_records import BatchRecords
from providers.batches.checked_input import InputLimits
from providers.batches.repeats import Attempt, Repeat
from providers.batches.request_table import RequestTables
from providers.errors import FerryError
from providers.memory import MemoryBudget
from providers.observation import UNOBSERVED
from providers.resources import Batch, BatchKind, InlineRequest, NewBatch
from providers.spool import NoSpool
from tests.memory_state import MemoryState
from tests.test_providers.answering import answer
from tests.test_providers.test_anthropic.answering import BASE, CALLER, client
from tests.test_providers.test_gemini.scripted_upstream import ScriptedReply, ScriptedUpstream

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
    attempt = Attempt(Repeat("anthropic", MemoryState(), "tenant", "key", "f"))
    source = InlineInput(requests, MemoryBudget())
    return Job(CALLER, batch, source, BatchItems(), 4096, attempt, NoSpool(), None)


async def create(upstream: ScriptedUpstream, state: MemoryState, made: Job) -> Batch:
    creation = BatchCreation(
        client(upstream),
        RequestTables("anthropic", state),
        BatchRecords("anthropic", state),
        UNOBSERVED,
    )
    with MemoryBudget().reserve() as reservation:
        return from_anthropic_batch(*await creation.create(made, reservation))


async def test_the_request_that_creates_a_batch() -> None:
    upstream, state, made = ScriptedUpstream(answer(MADE)), MemoryState(), job(3)
    created = await create(upstream, state, made)
    assert (created.id, created.model, created.display_name) == ("msgbatch_A", MODEL, "dn")
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


async def test_the_attempt_is_recorded_after_the_table_and_before_the_call() -> None:
    state, seen = MemoryState(), list[str]()
    repeat = Repeat("anthropic", state, "tenant", "key", "f")

    async def before_the_answer(_: object) -> ScriptedReply:
        seen.extend(state.objects)
        return ScriptedReply(answer(MADE))

    made = replace(job(1), attempt=Attempt(repeat))
    upstream = ScriptedUpstream()
    with patch.object(upstream, "send", before_the_answer):
        await create(upstream, state, made)
    table, attempt = seen
    assert table == f"batches/anthropic/{made.id}"
    assert attempt.startswith("idempotency/anthropic/tenant/")
    assert len(state.objects) == 3
