"""Each figure of a batch is counted once, at whichever replica."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import web
from prometheus_client import generate_latest

from providers.body import Body
from providers.observation import ResultCounts, TokenKind
from providers.resources import Batch, BatchKind, BatchState, Counts
from providers.state import StateError
from providers.status import Status
from proxy import batch_figures
from proxy.batch_figures import BatchFigures
from proxy.metrics import Metrics
from tests.memory_state import MemoryState
from tests.scraping import Scrape, parsed

ENDED = Batch(
    "batch_A",
    BatchKind.GENERATE,
    BatchState.SUCCEEDED,
    "completed",
    model="the-batch's",
    counts=Counts(4, 2, 1),
)
TOKENS = ResultCounts(tokens=Counter({("m", TokenKind.INPUT): 3}))


class FailingState(MemoryState):
    failing = True

    async def create(self, name: str, body: Body) -> bool:
        if self.failing:
            raise StateError(Status.UNAVAILABLE, "full")
        return await super().create(name, body)


@asynccontextmanager
async def running(*replicas: BatchFigures) -> AsyncIterator[None]:
    """At the end of the block everything is counted."""
    contexts = [replica.running(web.Application()) for replica in replicas]
    for context in contexts:
        await anext(context)
    yield
    for context in contexts:
        with pytest.raises(StopAsyncIteration):
            await anext(context)


def shown(metrics: Metrics) -> Scrape:
    return parsed(generate_latest(metrics.registry).decode())


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("1")


def replicas(metrics: Metrics, state: MemoryState) -> list[BatchFigures]:
    return [BatchFigures(metrics, state) for _ in range(2)]


async def test_an_end_is_counted_once_by_all_replicas(metrics: Metrics) -> None:
    both = replicas(metrics, MemoryState())
    async with running(*both):
        for replica in both * 2:
            replica.ended("openai", ENDED)

    found = shown(metrics)
    assert found.of("ferry_batches_ended_total", provider="openai", state="succeeded") == 1
    outcomes = {
        outcome: found.of("ferry_batch_requests_total", outcome=outcome)
        for outcome in ("succeeded", "failed", "unanswered")
    }
    assert outcomes == {"succeeded": 2, "failed": 1, "unanswered": 1}


async def test_tokens_are_counted_once_by_all_replicas(metrics: Metrics) -> None:
    both = replicas(metrics, MemoryState())
    async with running(*both):
        for replica in both * 2:
            replica.translated("openai", ENDED, TOKENS)

    labels = {"provider": "openai", "model": "m", "kind": "input"}
    assert shown(metrics).of("ferry_tokens_total", **labels) == 3


async def test_a_restarted_process_counts_nothing_again(metrics: Metrics) -> None:
    state = MemoryState()
    for replica in replicas(metrics, state):
        async with running(replica):
            replica.translated("openai", ENDED, TOKENS)

    assert shown(metrics).of("ferry_tokens_total") == 3


async def test_upstreams_and_batches_are_counted_apart(metrics: Metrics) -> None:
    figures = BatchFigures(metrics, MemoryState())
    async with running(figures):
        for upstream in ("openai", "other"):
            for batch_id in ("batch_A", "batch_a"):
                figures.ended(upstream, replace(ENDED, id=batch_id))

    assert shown(metrics).of("ferry_batches_ended_total") == 4


async def test_answers_that_name_no_model_count_for_that_of_the_batch(metrics: Metrics) -> None:
    figures = BatchFigures(metrics, MemoryState())
    tokens = Counter({("", TokenKind.INPUT): 3, ("own", TokenKind.INPUT): 4})
    async with running(figures):
        figures.translated("openai", replace(ENDED, model="m-1"), ResultCounts(tokens=tokens))

    found = shown(metrics)
    assert found.of("ferry_tokens_total", model="m-1") == 3
    assert found.of("ferry_tokens_total", model="own") == 4


async def test_after_a_failure_of_the_store_the_next_reading_counts(
    metrics: Metrics, caplog: pytest.LogCaptureFixture
) -> None:
    state = FailingState()
    figures = BatchFigures(metrics, state)
    async with running(figures):
        figures.ended("openai", ENDED)
        await figures._events.join()
        assert "UNAVAILABLE" in caplog.text
        assert shown(metrics).of("ferry_batches_ended_total") == 0
        state.failing = False
        figures.ended("openai", ENDED)

    assert shown(metrics).of("ferry_batches_ended_total") == 1


async def test_events_that_wait_and_batches_that_are_remembered_are_bounded(
    metrics: Metrics, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(batch_figures, "_WAITING", 3)
    monkeypatch.setattr(batch_figures, "_REMEMBERED", 2)
    figures = BatchFigures(metrics, MemoryState())
    for number in range(5):
        figures.ended("openai", replace(ENDED, id=f"batch-{number}"))
    assert "too many wait" in caplog.text
    assert len(figures._known) == 2
    async with running(figures):
        pass

    assert shown(metrics).of("ferry_batches_ended_total") == 3
