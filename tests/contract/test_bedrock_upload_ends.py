"""How uploads to Bedrock end: cancelled, by several requests at once, or abandoned."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta

import pytest

from providers.status import Status
from providers.upload import GRANULARITY, UploadSession, UploadStatus
from tests.contract.bedrock_uploading import (
    BEGIN,
    DATA,
    PART,
    SMALL,
    UPLOAD,
    in_chunks,
    last_chunk,
    left_of_session,
    nothing_made,
    the_one_file,
    whole,
)
from tests.contract.bedrock_with_fake import PREFIX, UPLOAD_LIFE, BedrockWithFake, refused

# --- at once --------------------------------------------------------------------------------------


async def test_two_concurrent_ends_are_one_file(bedrock: BedrockWithFake) -> None:
    session = await bedrock.start(len(SMALL))
    ends = await asyncio.gather(*(whole(bedrock, session) for _ in range(4)))
    await the_one_file(bedrock, SMALL, *ends)


async def test_two_concurrent_ends_of_parts_are_one_file(bedrock: BedrockWithFake) -> None:
    session = await bedrock.start(len(DATA))
    await bedrock.send(session, DATA[: 2 * GRANULARITY])
    ends = await asyncio.gather(*(last_chunk(bedrock, session) for _ in range(4)))
    await the_one_file(bedrock, DATA, *ends)


@pytest.mark.parametrize(("method", "query"), [("PUT", PART), ("POST", UPLOAD)])
async def test_an_end_overtaken_by_another(
    bedrock: BedrockWithFake, method: str, query: str
) -> None:
    session = await bedrock.start(len(DATA))
    await bedrock.send(session, DATA[: 2 * GRANULARITY])
    await bedrock.strike_s3(method, "delay", query=query, name="slow")
    slow = asyncio.create_task(last_chunk(bedrock, session))
    await bedrock.happened("slow")
    fast = await last_chunk(bedrock, session)
    await bedrock.release("slow")
    await the_one_file(bedrock, DATA, fast, await slow)


async def test_two_concurrent_first_chunks_are_one_upload(bedrock: BedrockWithFake) -> None:
    """Through two replicas; one of the two uploads is aborted."""
    await bedrock.strike_s3("POST", "delay", query=BEGIN, name="slow", at="answer")
    session = await bedrock.start(len(DATA))
    slow = asyncio.create_task(bedrock.send(session, DATA[:GRANULARITY]))
    await bedrock.happened("slow")
    bedrock.provider = bedrock.replica()
    await bedrock.send(session, DATA[:GRANULARITY])
    assert len(await bedrock.objects("uploads")) == 2
    await bedrock.release("slow")
    assert (await slow).received == GRANULARITY
    assert len(await bedrock.objects("uploads")) == 1
    await bedrock.send(session, DATA[GRANULARITY : 2 * GRANULARITY], GRANULARITY)
    await the_one_file(bedrock, DATA, await last_chunk(bedrock, session))


# --- cancelled ------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["lose_answer", "status"])
async def test_a_cancel_is_final_even_if_s3_fails_once(
    bedrock: BedrockWithFake, fault: str
) -> None:
    session = await bedrock.start(len(DATA))
    await bedrock.send(session, DATA[:GRANULARITY])
    await bedrock.strike_s3("DELETE", fault, query=UPLOAD)
    assert (await bedrock.uploads.cancel(session)).status is UploadStatus.CANCELLED
    await nothing_made(bedrock)
    error = await refused(bedrock.uploads.query(session))
    assert error.upload_status == "cancelled"
    assert len(left_of_session(bedrock)) == 1


async def test_a_cancel_during_the_end_leaves_no_file(bedrock: BedrockWithFake) -> None:
    session = await bedrock.start(len(SMALL))
    await bedrock.strike_s3("PUT", "delay", name="slow")
    slow = asyncio.create_task(whole(bedrock, session))
    await bedrock.happened("slow")
    assert (await bedrock.uploads.cancel(session)).status is UploadStatus.CANCELLED
    await bedrock.release("slow")
    error = await refused(slow)
    assert (error.status, error.upload_status) == (Status.FAILED_PRECONDITION, "cancelled")
    await nothing_made(bedrock)


async def test_a_cancel_during_the_end_is_too_late_for_a_file_that_was_made(
    bedrock: BedrockWithFake,
) -> None:
    session = await bedrock.start(len(SMALL))
    await bedrock.strike_s3("PUT", "delay", name="slow", at="answer")
    slow = asyncio.create_task(whole(bedrock, session))
    await bedrock.happened("slow")
    error = await refused(bedrock.uploads.cancel(session))
    assert (error.status, error.upload_status) == (Status.FAILED_PRECONDITION, "final")
    await bedrock.release("slow")
    await the_one_file(bedrock, SMALL, await slow)


@pytest.mark.parametrize("parts", [False, True])
async def test_a_cancel_after_an_end_that_died_with_its_process_finds_the_file(
    bedrock: BedrockWithFake, parts: bool
) -> None:
    data = DATA if parts else SMALL
    session = await bedrock.start(len(data))
    method, query = ("POST", UPLOAD) if parts else ("PUT", "")
    await bedrock.strike_s3(method, "delay", query=query, name="slow", at="answer")
    slow = asyncio.create_task((in_chunks if parts else whole)(bedrock, session))
    await bedrock.happened("slow")
    slow.cancel()
    error = await refused(bedrock.uploads.cancel(session))
    assert (error.status, error.upload_status) == (Status.FAILED_PRECONDITION, "final")
    await the_one_file(bedrock, data, await bedrock.uploads.query(session))


@pytest.mark.parametrize(("method", "query"), [("POST", BEGIN), ("PUT", PART)])
@pytest.mark.parametrize("at", ["request", "answer"])
async def test_a_cancel_during_a_chunk_leaves_no_upload(
    bedrock: BedrockWithFake, method: str, query: str, at: str
) -> None:
    session = await bedrock.start(len(DATA))
    await bedrock.strike_s3(method, "delay", query=query, name="slow", at=at)
    slow = asyncio.create_task(bedrock.send(session, DATA[:GRANULARITY]))
    await bedrock.happened("slow")
    assert (await bedrock.uploads.cancel(session)).status is UploadStatus.CANCELLED
    await bedrock.release("slow")
    error = await refused(slow)
    assert (error.status, error.upload_status) == (Status.FAILED_PRECONDITION, "cancelled")
    await nothing_made(bedrock)
    assert len(left_of_session(bedrock)) == 1


@pytest.mark.parametrize("caller", [True, False])
async def test_an_expired_url(bedrock: BedrockWithFake, caller: bool) -> None:
    session = await bedrock.start(len(SMALL))
    ended = UploadSession(
        session.id, session.details, session.caller if caller else None, expired=caller
    )
    for attempt in (whole(bedrock, ended), bedrock.uploads.query(ended)):
        error = await refused(attempt)
        assert (error.status, error.upload_status) == (Status.FAILED_PRECONDITION, "final")
        assert "expired" in error.message


# --- abandoned ------------------------------------------------------------------------------------


def later(monkeypatch: pytest.MonkeyPatch, time: timedelta) -> None:
    """Moves the clock only of the search for abandoned uploads: signatures last 15 minutes."""

    class Later(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return datetime.now(UTC) + time

    monkeypatch.setattr("providers.bedrock.upload_target.datetime", Later)


async def test_an_abandoned_upload_is_aborted_when_the_next_begins(
    bedrock: BedrockWithFake, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bedrock.send(await bedrock.start(len(DATA)), DATA[:GRANULARITY])
    foreign = bedrock.begin_upload(f"{PREFIX}another-tools.bin")
    deeper = bedrock.begin_upload(f"{PREFIX}deeper/{'a' * 24}.bin")
    elsewhere = bedrock.begin_upload(f"elsewhere/{'a' * 24}.bin")
    later(monkeypatch, UPLOAD_LIFE + timedelta(minutes=1))
    session = await bedrock.start(len(DATA), session="s2")
    await bedrock.send(session, DATA[:GRANULARITY])
    assert {foreign, deeper, elsewhere} < set(await bedrock.objects("uploads"))
    assert len(await bedrock.objects("uploads")) == 4
    await bedrock.send(session, DATA[GRANULARITY : 2 * GRANULARITY], GRANULARITY)
    assert (await last_chunk(bedrock, session)).status is UploadStatus.FINAL


async def test_an_upload_that_may_still_be_finished_is_left_alone(
    bedrock: BedrockWithFake, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bedrock.send(await bedrock.start(len(DATA)), DATA[:GRANULARITY])
    later(monkeypatch, UPLOAD_LIFE - timedelta(minutes=1))
    await bedrock.send(await bedrock.start(len(DATA), session="s2"), DATA[:GRANULARITY])
    assert len(await bedrock.objects("uploads")) == 2


@pytest.mark.parametrize(("method", "query"), [("GET", rf"\b{BEGIN}\b"), ("DELETE", UPLOAD)])
async def test_without_the_permission_to_abort_uploads_go_on_and_it_is_logged(
    bedrock: BedrockWithFake,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    method: str,
    query: str,
) -> None:
    await bedrock.send(await bedrock.start(len(DATA)), DATA[:GRANULARITY])
    later(monkeypatch, UPLOAD_LIFE + timedelta(minutes=1))
    await bedrock.strike_s3(method, "status", query=query, status=403, code="AccessDenied", times=9)
    session = await bedrock.start(len(DATA), session="s2")
    await in_chunks(bedrock, session)
    warned = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert warned == ["abandoned uploads could not be aborted: PERMISSION_DENIED"]
