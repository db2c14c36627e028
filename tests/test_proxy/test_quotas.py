"""Quotas of stored bytes and open uploads: who is refused, with what, and until when."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web

from providers.body import Body, in_memory
from providers.errors import FerryError
from providers.state import State, write
from providers.status import Status
from providers.uploads.upload_target import new_session_id, session_object
from proxy.quotas import IDLE_SECONDS, Figures, LimitedState, Quotas, Usage
from proxy.sweep import sweep, sweeping
from tests.memory_state import MemoryState
from tests.test_proxy.shared_proxy import ANN, BOB, Answer, lines, shared_proxy

TENANTS = ann, bob = "0123456789abcdef" * 2, "fedcba9876543210" * 2
LARGE = 1 << 40


class Clock:
    now = 1e6

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def limited(
    store: MemoryState,
    clock: Clock,
    total: int = LARGE,
    tenant: int = LARGE,
    uploads: int = 1000,
) -> tuple[LimitedState, Usage]:
    usage = Usage(Quotas(total, tenant, uploads), clock)
    return LimitedState(store, usage), usage


def content(tenant: str, number: int = 1) -> str:
    return f"staged-content/anthropic/{tenant}/{number}"


async def begin(state: State, tenant: str) -> str:
    """Writes the key of a new session, and returns the session's id."""
    session = new_session_id("openai", tenant)
    await write(state, session_object(session, "key"), b"")
    return session


async def count_again(state: State, usage: Usage) -> None:
    census = usage.census()
    now = datetime.now(UTC)
    await sweep(state, now, timedelta(1), timedelta(30), kept_one=census.count)
    census.end()


async def refusal(work: object) -> FerryError:
    with pytest.raises(FerryError) as caught:
        await work  # type: ignore[misc]
    assert (caught.value.status, caught.value.retry_after) == (Status.RESOURCE_EXHAUSTED, "60")
    assert not caught.value.permanent
    return caught.value


async def lasting_refusal(work: object) -> FerryError:
    with pytest.raises(FerryError) as caught:
        await work  # type: ignore[misc]
    assert (caught.value.status, caught.value.retry_after) == (Status.FAILED_PRECONDITION, None)
    assert caught.value.permanent
    return caught.value


async def unknown_length(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 10):
        yield data[start : start + 10]


# --- bytes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("length_is_known", [True, False])
async def test_a_tenant_over_its_bytes_is_refused_and_nothing_is_made(
    clock: Clock, length_is_known: bool
) -> None:
    store = MemoryState()
    state, _ = limited(store, clock, tenant=100)
    await write(state, content(ann, 1), b"x" * 60)
    body = in_memory(b"x" * 60) if length_is_known else Body(unknown_length(b"x" * 60), None)
    error = await refusal(state.create(content(ann, 2), body))
    assert error.message.endswith("(FERRY_TENANT_STATE_BYTES is 100)")
    assert "beside the 60 that the proxy already stores for you," in error.message
    assert list(store.objects) == [content(ann, 1)]
    assert await write(state, content(ann, 2), b"x" * 40)
    assert await write(state, content(bob, 1), b"x" * 100), "another tenant has its own quota"


@pytest.mark.parametrize("length_is_known", [True, False])
@pytest.mark.parametrize(
    ("quota", "setting"), [("tenant", "FERRY_TENANT_STATE_BYTES"), ("total", "FERRY_STATE_BYTES")]
)
async def test_what_exceeds_a_quota_alone_is_refused_for_good(
    clock: Clock, quota: str, setting: str, length_is_known: bool
) -> None:
    """To wait or to delete other files does not help."""
    store = MemoryState()
    state, _ = limited(store, clock, **{quota: 100})
    body = in_memory(b"x" * 101) if length_is_known else Body(unknown_length(b"x" * 101), None)
    error = await lasting_refusal(state.create(content(ann), body))
    assert error.message.endswith(f"({setting} is 100)")
    assert not store.objects


async def test_an_upload_in_parts_is_refused_before_its_first_byte(clock: Clock) -> None:
    store = MemoryState()
    state, _ = limited(store, clock, tenant=100)
    await write(state, content(ann, 1), b"x" * 60)
    await refusal(state.multipart.begin(content(ann, 2), 41))
    await lasting_refusal(state.multipart.begin(content(ann, 2), 101))
    await state.multipart.begin(content(ann, 2), 40)


async def test_the_whole_store_has_a_quota(clock: Clock) -> None:
    state, _ = limited(MemoryState(), clock, total=100)
    await write(state, content(ann), b"x" * 90)
    error = await refusal(write(state, content(bob), b"x" * 11))
    assert "FERRY_STATE_BYTES is 100" in error.message


async def test_what_has_begun_can_end_in_a_full_store(clock: Clock) -> None:
    store = MemoryState()
    state, _ = limited(store, clock, total=1, tenant=1)
    session = "a-session-of-an-earlier-version"
    for name in (
        session_object(session, "end"),
        session_object(session, "route"),
        f"staged/anthropic/{ann}/1",
        f"immediate-work/bedrock/{ann}/job/results/0000000000-1-0",
        f"immediate-work/bedrock/{ann}/job/claims/99999998",
        f"owned/openai/{ann}/files/f1",
        "batches/openai/b1",
    ):
        assert await write(state, name, b"more than a byte"), name


async def test_the_input_of_an_immediate_batch_is_refused(clock: Clock) -> None:
    state, _ = limited(MemoryState(), clock, tenant=10)
    name = f"immediate-work/bedrock/{ann}/job/input/000000000"
    await write(state, f"{name}0", b"x" * 6)
    await refusal(write(state, f"{name}1", b"x" * 6))


async def test_parts_count_before_their_object_is_complete(clock: Clock) -> None:
    store = MemoryState()
    state, usage = limited(store, clock, tenant=100)
    upload = await state.multipart.begin(content(ann))
    await state.multipart.put(upload, 1, in_memory(b"x" * 60))
    await count_again(state, usage)
    await refusal(state.multipart.put(upload, 2, in_memory(b"x" * 60)))
    await refusal(write(state, content(ann, 2), b"x" * 60))
    await state.multipart.complete(upload, 60)
    assert store.objects == {content(ann): b"x" * 60}
    await count_again(state, usage)
    assert usage.total == 60


async def test_the_sweep_counts_what_others_wrote_and_forgets_what_is_gone(clock: Clock) -> None:
    store = MemoryState()
    (one, usage), (other, _) = limited(store, clock, tenant=100), limited(store, clock, tenant=100)
    await write(one, content(ann, 1), b"x" * 90)
    await write(other, content(ann, 2), b"x" * 90)
    await count_again(one, usage)
    assert usage.total == 180
    await refusal(write(one, content(ann, 3), b"x" * 20))
    await other.delete(content(ann, 1))
    await other.delete(content(ann, 2))
    await count_again(one, usage)
    assert await write(one, content(ann, 3), b"x" * 20)


async def test_what_is_added_during_a_sweep_counts(clock: Clock) -> None:
    state, usage = limited(MemoryState(), clock)
    census = usage.census()
    await write(state, content(ann), b"x" * 90)
    session = await begin(state, ann)
    census.end()
    assert usage.total == 90
    assert session in usage._figures.uploads[ann[:16]]


async def test_a_refusal_asks_for_a_sweep(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy.sweep.SOONEST_SECONDS", 0)
    store, swept = MemoryState(), asyncio.Event()
    state, usage = limited(store, clock, tenant=100)
    replace = usage.replace

    def replace_and_tell(figures: Figures) -> None:
        replace(figures)
        swept.set()

    monkeypatch.setattr(usage, "replace", replace_and_tell)
    running = sweeping(state, usage, timedelta(1), timedelta(30))(web.Application())
    await anext(running)
    await swept.wait()
    swept.clear()
    await write(state, content(ann, 1), b"x" * 90)
    await store.delete(content(ann, 1))  # by another process
    await refusal(write(state, content(ann, 2), b"x" * 90))
    await swept.wait()
    assert await write(state, content(ann, 2), b"x" * 90)
    assert [_ async for _ in running] == []


# --- open uploads --------------------------------------------------------------------------------


async def test_a_tenant_has_so_many_open_uploads(clock: Clock) -> None:
    state, usage = limited(MemoryState(), clock, uploads=2)
    first, _ = [await begin(state, ann) for _ in range(2)]
    for _ in range(2):
        error = await refusal(begin(state, ann))
        assert "FERRY_TENANT_UPLOADS is 2" in error.message
        await count_again(state, usage)
    await begin(state, bob)
    await state.delete(session_object(first, "key"))  # it has ended
    await begin(state, ann)


async def test_a_session_without_a_byte_for_an_hour_is_not_open(clock: Clock) -> None:
    store = MemoryState()
    state, usage = limited(store, clock, uploads=2)
    active, _ = [await begin(state, ann) for _ in range(2)]
    clock.now += IDLE_SECONDS - 1
    await refusal(begin(state, ann))
    await write(state, session_object(active, "slice-0"), b"x")
    clock.now += 2
    store.age(timedelta(seconds=IDLE_SECONDS + 1))
    await count_again(state, usage)
    await begin(state, ann)
    await refusal(begin(state, ann))


async def test_sessions_of_an_earlier_version_belong_to_no_tenant(clock: Clock) -> None:
    state, _ = limited(MemoryState(), clock, tenant=1, uploads=1)
    for number in range(3):
        await write(state, session_object(f"{number:032x}-openai", "key"), b"xx")


# --- over HTTP -----------------------------------------------------------------------------------


def refused(answer: Answer, setting: str) -> None:
    status, name, message = answer.error
    assert (status, name, answer.headers["Retry-After"]) == (429, "RESOURCE_EXHAUSTED", "60")
    assert setting in message
    assert "X-Goog-Upload-Status" not in answer.headers


async def test_a_start_over_the_quota_is_answered_with_429(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quota = {"FERRY_TENANT_UPLOADS": "1"}
    async with shared_proxy("openai", tmp_path, monkeypatch, **quota) as shared:
        url = await shared.start(ANN, len(lines()))
        path, document = "upload/v1beta/files", {"file": {"displayName": "b.pdf"}}
        second = await shared.ask(ANN, "POST", path, document, X_Goog_Upload_Command="start")
        refused(second, "FERRY_TENANT_UPLOADS is 1")
        await shared.start(BOB, 1)
        assert (await shared.chunk(None, url, lines())).status == 200
        await shared.start(ANN, 1)


async def test_a_chunk_over_the_quota_makes_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anthropic's batch inputs are kept by the proxy."""
    data, quota = lines() * 50, {"FERRY_TENANT_STATE_BYTES": "6000"}
    async with shared_proxy("anthropic", tmp_path, monkeypatch, **quota) as shared:
        await shared.upload(ANN, data)
        url = await shared.start(ANN, len(data))
        refused(await shared.chunk(None, url, data), "FERRY_TENANT_STATE_BYTES is 6000")
        assert len(await shared.listed(ANN, "files")) == 1
        await shared.upload(BOB, data)
