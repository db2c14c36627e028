"""How uploads to OpenAI end: expired, cancelled, or by several requests at once."""

import asyncio

import pytest

from providers.status import Status
from providers.upload import GRANULARITY, UploadSession, UploadStatus
from tests.contract.openai_uploading import (
    DATA,
    SMALL,
    in_chunks,
    last_chunk,
    left_of_session,
    the_one_file,
    whole,
)
from tests.contract.openai_with_fake import OpenAIWithFake
from tests.contract.provider_with_fake import refused

# --- endings --------------------------------------------------------------------------------------


async def test_an_upload_that_expired_at_openai(openai: OpenAIWithFake) -> None:
    session = await openai.start(len(DATA))
    await openai.send(session, DATA[:GRANULARITY])
    [upload] = await openai.objects("uploads")
    await openai.post(f"/_fake/uploads/{upload}", {"status": "expired"})
    error = await refused(openai.send(session, DATA[GRANULARITY : 2 * GRANULARITY], GRANULARITY))
    assert error.permanent
    assert "expired" in error.message


async def test_an_upload_older_than_openai_allows(
    openai: OpenAIWithFake, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await openai.start(len(DATA))
    await openai.send(session, DATA[:GRANULARITY])
    monkeypatch.setattr("time.time", lambda: 1e11)
    for attempt in (
        openai.send(session, DATA[GRANULARITY : 2 * GRANULARITY], GRANULARITY),
        openai.uploads.query(session),
    ):
        error = await refused(attempt)
        assert (error.status, error.upload_status) == (Status.FAILED_PRECONDITION, "final")


@pytest.mark.parametrize("caller", [True, False])
async def test_an_expired_url(openai: OpenAIWithFake, caller: bool) -> None:
    session = await openai.start(len(SMALL))
    ended = UploadSession(
        session.id, session.details, session.caller if caller else None, expired=caller
    )
    for attempt in (whole(openai, ended), openai.uploads.query(ended)):
        error = await refused(attempt)
        assert (error.status, error.upload_status) == (Status.FAILED_PRECONDITION, "final")
        assert "expired" in error.message


async def test_a_cancelled_upload_is_cancelled_at_openai(openai: OpenAIWithFake) -> None:
    session = await openai.start(len(DATA))
    await openai.send(session, DATA[:GRANULARITY])
    assert (await openai.uploads.cancel(session)).status is UploadStatus.CANCELLED
    assert len(await openai.calls("POST", "uploads/.*/cancel")) == 1
    for attempt in (
        openai.send(session, DATA[GRANULARITY : 2 * GRANULARITY], GRANULARITY),
        openai.uploads.query(session),
        openai.uploads.cancel(session),
    ):
        error = await refused(attempt)
        assert (error.status, error.upload_status) == (Status.FAILED_PRECONDITION, "cancelled")
    assert len(left_of_session(openai)) == 1
    assert await openai.objects("files") == []


@pytest.mark.parametrize("fault", ["lose_answer", "status"])
async def test_a_cancel_is_final_even_if_openai_fails_once(
    openai: OpenAIWithFake, fault: str
) -> None:
    session = await openai.start(len(DATA))
    await openai.send(session, DATA[:GRANULARITY])
    await openai.strike("POST", "uploads/[^/]+/cancel", fault)
    assert (await openai.uploads.cancel(session)).status is UploadStatus.CANCELLED
    error = await refused(openai.uploads.query(session))
    assert error.upload_status == "cancelled"
    assert len(left_of_session(openai)) == 1


# --- at once --------------------------------------------------------------------------------------


async def test_two_concurrent_ends_are_one_file(openai: OpenAIWithFake) -> None:
    session = await openai.start(len(SMALL))
    ends = await asyncio.gather(*(whole(openai, session) for _ in range(4)))
    await the_one_file(openai, SMALL, *ends)


async def test_two_concurrent_ends_of_parts_are_one_file(openai: OpenAIWithFake) -> None:
    session = await openai.start(len(DATA))
    await openai.send(session, DATA[: 2 * GRANULARITY])
    ends = await asyncio.gather(*(last_chunk(openai, session) for _ in range(4)))
    await the_one_file(openai, DATA, *ends)


@pytest.mark.parametrize("call", ["uploads/[^/]+/parts", "uploads/[^/]+/complete"])
async def test_an_end_overtaken_by_another(openai: OpenAIWithFake, call: str) -> None:
    session = await openai.start(len(DATA))
    await openai.send(session, DATA[: 2 * GRANULARITY])
    await openai.strike("POST", call, "delay", name="slow")
    slow = asyncio.create_task(last_chunk(openai, session))
    await openai.happened("slow")
    fast = await last_chunk(openai, session)
    await openai.release("slow")
    await the_one_file(openai, DATA, fast, await slow)
    assert len(left_of_session(openai)) == 1


async def test_two_concurrent_first_chunks_are_one_upload(openai: OpenAIWithFake) -> None:
    session = await openai.start(len(DATA))
    sends = (openai.send(session, DATA[:GRANULARITY]) for _ in range(3))
    for progress in await asyncio.gather(*sends):
        assert (progress.status, progress.received) == (UploadStatus.ACTIVE, GRANULARITY)
    uploads = await openai.objects("uploads")
    assert len(await openai.calls("POST", "uploads/.*/cancel")) == len(uploads) - 1
    await openai.send(session, DATA[GRANULARITY : 2 * GRANULARITY], GRANULARITY)
    await the_one_file(openai, DATA, await last_chunk(openai, session))


async def test_a_cancel_during_the_end_leaves_no_file(openai: OpenAIWithFake) -> None:
    session = await openai.start(len(SMALL))
    await openai.strike("POST", "files", "delay", name="slow")
    slow = asyncio.create_task(whole(openai, session))
    await openai.happened("slow")
    assert (await openai.uploads.cancel(session)).status is UploadStatus.CANCELLED
    await openai.release("slow")
    error = await refused(slow)
    assert (error.status, error.upload_status) == (Status.FAILED_PRECONDITION, "cancelled")
    assert await openai.objects("files") == []
    assert len(left_of_session(openai)) == 1


async def test_a_cancel_during_the_end_is_too_late_for_a_file_that_was_made(
    openai: OpenAIWithFake,
) -> None:
    session = await openai.start(len(SMALL))
    await openai.strike("POST", "files", "delay", name="slow", at="answer")
    slow = asyncio.create_task(whole(openai, session))
    await openai.happened("slow")
    error = await refused(openai.uploads.cancel(session))
    assert (error.status, error.upload_status) == (Status.FAILED_PRECONDITION, "final")
    await openai.release("slow")
    await the_one_file(openai, SMALL, await slow)


@pytest.mark.parametrize("parts", [False, True])
async def test_a_cancel_after_an_end_that_died_with_its_process_finds_the_file(
    openai: OpenAIWithFake, parts: bool
) -> None:
    data = DATA if parts else SMALL
    session = await openai.start(len(data))
    call = "uploads/[^/]+/complete" if parts else "files"
    await openai.strike("POST", call, "delay", name="slow", at="answer")
    slow = asyncio.create_task((in_chunks if parts else whole)(openai, session))
    await openai.happened("slow")
    slow.cancel()
    error = await refused(openai.uploads.cancel(session))
    assert (error.status, error.upload_status) == (Status.FAILED_PRECONDITION, "final")
    await the_one_file(openai, data, await openai.uploads.query(session))


@pytest.mark.parametrize("call", ["uploads", "uploads/[^/]+/parts"])
@pytest.mark.parametrize("at", ["request", "answer"])
async def test_a_cancel_during_a_chunk_leaves_no_upload(
    openai: OpenAIWithFake, call: str, at: str
) -> None:
    session = await openai.start(len(DATA))
    await openai.strike("POST", call, "delay", name="slow", at=at)
    slow = asyncio.create_task(openai.send(session, DATA[:GRANULARITY]))
    await openai.happened("slow")
    assert (await openai.uploads.cancel(session)).status is UploadStatus.CANCELLED
    await openai.release("slow")
    error = await refused(slow)
    assert (error.status, error.upload_status) == (Status.FAILED_PRECONDITION, "cancelled")
    assert len(await openai.calls("POST", "uploads/.*/cancel")) >= 1
    assert len(left_of_session(openai)) == 1


async def test_another_sender_can_continue_for_one_that_disconnected(
    openai: OpenAIWithFake,
) -> None:
    session = await openai.start(len(SMALL))
    await openai.strike("POST", "files", "delay", name="slow", at="answer")
    gone = asyncio.create_task(whole(openai, session))
    await openai.happened("slow")
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    await the_one_file(openai, SMALL, await whole(openai, session))
