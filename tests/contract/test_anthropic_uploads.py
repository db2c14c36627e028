"""Uploads for Anthropic: one file with the right bytes, also after network faults.

The input of a batch is in the store, in each of its forms; other files are at Anthropic.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from providers.body import Body, TruncatedBody, in_memory
from providers.resource_names import parse_file_id
from providers.state import State
from providers.status import Status
from providers.upload import GRANULARITY, Chunk, UploadStart
from providers.uploads.staged_files import StagedFiles
from tests.contract.anthropic_uploading import (
    DATA,
    SENT,
    SMALL,
    STAGED,
    digest,
    in_chunks,
    last_chunk,
    left_of_session,
    no_file,
    the_one_file,
    whole,
)
from tests.contract.anthropic_with_fake import STATE_LIFE, AnthropicWithFake, anthropic_with_fake
from tests.contract.provider_with_fake import Pieces, body_of, refused


@pytest.fixture
async def anthropic(state: State) -> AsyncIterator[AnthropicWithFake]:
    async with anthropic_with_fake(state) as provider_with_fake:
        yield provider_with_fake


# --- when all is well -----------------------------------------------------------------------------


async def test_the_input_of_a_batch_is_kept_in_the_state_store(
    anthropic: AnthropicWithFake,
) -> None:
    session = await anthropic.start(len(SMALL), STAGED, mime_type="jsonl")
    final = await whole(anthropic, session)
    await the_one_file(anthropic, SMALL, final)
    assert final.file is not None
    assert (final.file.display_name, final.file.mime_type) == (STAGED, "jsonl")
    assert (final.file.size, final.file.sha256) == (len(SMALL), digest(SMALL))
    assert final.file.create_time is not None
    assert final.file.expiration_time is not None
    assert final.file.expiration_time - final.file.create_time == STATE_LIFE > timedelta(0)
    assert await anthropic.calls("POST") == []
    assert await left_of_session(anthropic) == 1


async def test_any_other_file_goes_to_anthropic(anthropic: AnthropicWithFake) -> None:
    session = await anthropic.start(len(SMALL), SENT, mime_type="application/pdf")
    final = await whole(anthropic, session)
    await the_one_file(anthropic, SMALL, final)
    assert final.file is not None
    assert (final.file.downloadable, final.file.sha256) == (False, None)
    native = await anthropic.native(f"files/{parse_file_id(final.file.id).native}")
    assert native["filename"].endswith(f"-{SENT}")
    assert native["mime_type"] == "application/pdf"
    assert await anthropic.calls("POST") == ["files"]
    assert await left_of_session(anthropic) == 1


@pytest.mark.parametrize("mime_type", ["pdf", "a/b\r\nX-Ours: 1", "ä/b"])
async def test_an_invalid_content_type_is_not_sent(
    anthropic: AnthropicWithFake, mime_type: str
) -> None:
    session = await anthropic.start(len(SMALL), SENT, mime_type=mime_type)
    final = await whole(anthropic, session)
    assert final.file is not None
    assert final.file.mime_type == mime_type
    native = await anthropic.native(f"files/{parse_file_id(final.file.id).native}")
    assert native["mime_type"] == "application/octet-stream"


@pytest.mark.parametrize(("name", "size"), [(STAGED, None), (SENT, len(DATA))])
async def test_chunks_go_through_any_replica(
    anthropic: AnthropicWithFake, name: str, size: int | None
) -> None:
    session = await anthropic.start(size, name)
    for offset in (0, GRANULARITY):
        anthropic.provider = anthropic.replica()
        await anthropic.send(session, DATA[offset : offset + GRANULARITY], offset)
    anthropic.provider = anthropic.replica()
    final = await last_chunk(anthropic, session)
    await the_one_file(anthropic, DATA, final)
    assert final.file is not None
    assert final.file.sha256 is None
    assert await left_of_session(anthropic) == 1


@pytest.mark.parametrize("size", [None, 0])
@pytest.mark.parametrize("name", [STAGED, SENT])
async def test_an_empty_file(anthropic: AnthropicWithFake, name: str, size: int | None) -> None:
    session = await anthropic.start(size, name)
    await the_one_file(anthropic, b"", await anthropic.send(session, b"", finalize=True))


@pytest.mark.parametrize("offset", [GRANULARITY, None])
async def test_an_end_without_bytes(anthropic: AnthropicWithFake, offset: int | None) -> None:
    session = await anthropic.start(None, STAGED)
    await anthropic.send(session, DATA[:GRANULARITY])
    final = await anthropic.uploads.send(session, Chunk(offset, in_memory(b""), finalize=True))
    await the_one_file(anthropic, DATA[:GRANULARITY], final)


async def test_a_repeat_in_other_slices(anthropic: AnthropicWithFake) -> None:
    session = await anthropic.start(len(DATA), STAGED)
    await anthropic.send(session, DATA[:GRANULARITY])
    await anthropic.send(session, DATA[: 2 * GRANULARITY])
    await anthropic.send(session, DATA[GRANULARITY : 2 * GRANULARITY], GRANULARITY)
    final = await anthropic.send(session, DATA[GRANULARITY:], GRANULARITY, finalize=True)
    await the_one_file(anthropic, DATA, final)


async def test_a_repeat_of_the_last_chunk_gets_the_same_answer(
    anthropic: AnthropicWithFake,
) -> None:
    session = await anthropic.start(len(DATA), STAGED)
    final = await in_chunks(anthropic, session)
    again = await last_chunk(anthropic, session)
    asked = await anthropic.uploads.query(session)
    await the_one_file(anthropic, DATA, final, again, asked)
    for attempt in (anthropic.send(session, DATA[:GRANULARITY]), anthropic.uploads.cancel(session)):
        error = await refused(attempt)
        assert (error.status, error.upload_status) == (Status.FAILED_PRECONDITION, "final")


@pytest.mark.parametrize(
    ("size", "known"), [(0, False), (len(SMALL), False), (len(SMALL), True), (len(DATA), False)]
)
@pytest.mark.parametrize("name", [STAGED, SENT])
async def test_a_file_in_one_request(
    anthropic: AnthropicWithFake, name: str, size: int, known: bool
) -> None:
    body = Body(Pieces(DATA[:size]), size if known else None)
    start = UploadStart(display_name=name)
    made = await anthropic.files.create(anthropic.caller, "s1", start, body)
    assert made.size == size
    assert made.sha256 == (digest(DATA[:size]) if known and name == STAGED else None)
    await the_one_file(anthropic, DATA[:size])
    assert await left_of_session(anthropic) == 0


# --- a bad moment ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [STAGED, SENT])
async def test_a_client_that_sends_too_little_creates_no_file(
    anthropic: AnthropicWithFake, name: str
) -> None:
    session = await anthropic.start(len(SMALL) + 1, name)
    short = Chunk(0, Body(Pieces(SMALL), len(SMALL) + 1), finalize=True)
    with pytest.raises(TruncatedBody):
        await anthropic.uploads.send(session, short)
    await no_file(anthropic)
    full = Chunk(0, body_of(SMALL + b"!"), finalize=True)
    await the_one_file(anthropic, SMALL + b"!", await anthropic.uploads.send(session, full))


@pytest.mark.parametrize("name", [STAGED, SENT])
async def test_a_client_that_disconnects(anthropic: AnthropicWithFake, name: str) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield DATA[:GRANULARITY]
        raise ConnectionResetError

    start = UploadStart(display_name=name)
    for body in (Body(broken(), None), Body(broken(), len(DATA))):
        with pytest.raises(ConnectionResetError):
            await anthropic.files.create(anthropic.caller, "s1", start, body)
        await no_file(anthropic)
        assert await anthropic.kept() == []


async def test_content_without_a_record_is_not_a_file_yet(anthropic: AnthropicWithFake) -> None:
    """What remains after a crash between the two; the repeat completes it."""
    session = await anthropic.start(len(SMALL), STAGED)
    made = (await whole(anthropic, session)).file
    assert made is not None
    await anthropic.lose("staged/")
    await anthropic.lose("uploads/")
    for attempt in (
        anthropic.files.get(anthropic.caller, made.id),
        anthropic.files.download(anthropic.caller, made.id),
        anthropic.files.delete(anthropic.caller, made.id),
    ):
        assert (await refused(attempt)).status == Status.NOT_FOUND
    assert (await anthropic.files.list(anthropic.caller, 10, None)).items == []
    await the_one_file(anthropic, SMALL, await whole(anthropic, session))


@pytest.mark.parametrize("fault", [{"kind": "status"}, {"kind": "reset", "after_bytes": 500}])
async def test_a_repeat_completes_what_failed_after_the_last_part(
    anthropic: AnthropicWithFake, fault: dict[str, Any]
) -> None:
    """By then the parts are one object, and its upload has ended."""
    session = await anthropic.start(len(DATA), SENT)
    await anthropic.strike("POST", "files", **fault)
    error = await refused(in_chunks(anthropic, session))
    assert (error.status, error.upload_status, error.permanent) == (Status.UNAVAILABLE, None, False)
    assert (await anthropic.uploads.query(session)).received == len(DATA)
    await the_one_file(anthropic, DATA, await last_chunk(anthropic, session))
    assert await left_of_session(anthropic) == 1


async def test_a_crash_after_the_parts_were_joined(
    anthropic: AnthropicWithFake, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await anthropic.start(len(DATA), STAGED)
    with monkeypatch.context() as crash:
        crash.setattr(StagedFiles, "record", None)
        with pytest.raises(TypeError):
            await in_chunks(anthropic, session)
    await the_one_file(anthropic, DATA, await last_chunk(anthropic, session))


# --- endings, and several at once -----------------------------------------------------------------


@pytest.mark.parametrize("name", [STAGED, SENT])
async def test_a_cancelled_upload_leaves_nothing(anthropic: AnthropicWithFake, name: str) -> None:
    session = await anthropic.start(len(DATA), name)
    await anthropic.send(session, DATA[:GRANULARITY])
    assert (await anthropic.uploads.cancel(session)).status == "cancelled"
    for attempt in (
        anthropic.send(session, DATA[GRANULARITY : 2 * GRANULARITY], GRANULARITY),
        anthropic.uploads.query(session),
        anthropic.uploads.cancel(session),
    ):
        error = await refused(attempt)
        assert (error.status, error.upload_status) == (Status.FAILED_PRECONDITION, "cancelled")
    await no_file(anthropic)
    assert await left_of_session(anthropic) == 1


async def test_an_upload_that_the_store_no_longer_has(anthropic: AnthropicWithFake) -> None:
    """The sweep of another replica deleted it as abandoned."""
    session = await anthropic.start(len(DATA), STAGED)
    await anthropic.send(session, DATA[:GRANULARITY])
    await anthropic.state.multipart.abort_before(datetime.now(UTC) + timedelta(days=1))
    for attempt in (
        anthropic.send(session, DATA[GRANULARITY : 2 * GRANULARITY], GRANULARITY),
        anthropic.uploads.query(session),
    ):
        error = await refused(attempt)
        assert (error.status, error.permanent) == (Status.FAILED_PRECONDITION, True)
    await no_file(anthropic)


@pytest.mark.parametrize("name", [STAGED, SENT])
async def test_two_concurrent_ends_are_one_file(anthropic: AnthropicWithFake, name: str) -> None:
    session = await anthropic.start(len(SMALL), name)
    ends = await asyncio.gather(*(whole(anthropic, session) for _ in range(4)))
    await the_one_file(anthropic, SMALL, *ends)


@pytest.mark.parametrize("name", [STAGED, SENT])
async def test_two_concurrent_ends_of_parts_are_one_file(
    anthropic: AnthropicWithFake, name: str
) -> None:
    session = await anthropic.start(len(DATA), name)
    await anthropic.send(session, DATA[: 2 * GRANULARITY])
    ends = await asyncio.gather(*(last_chunk(anthropic, session) for _ in range(4)))
    await the_one_file(anthropic, DATA, *ends)
    assert await left_of_session(anthropic) == 1


async def test_two_concurrent_first_chunks_are_one_upload(anthropic: AnthropicWithFake) -> None:
    session = await anthropic.start(len(DATA), STAGED)
    sends = (anthropic.send(session, DATA[:GRANULARITY]) for _ in range(3))
    for progress in await asyncio.gather(*sends):
        assert progress.received == GRANULARITY
    await anthropic.send(session, DATA[GRANULARITY : 2 * GRANULARITY], GRANULARITY)
    await the_one_file(anthropic, DATA, await last_chunk(anthropic, session))
    assert await left_of_session(anthropic) == 1
