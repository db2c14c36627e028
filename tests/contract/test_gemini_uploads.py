"""Gemini's uploads against the fake, also with network faults."""

import hashlib
from collections.abc import AsyncIterator

import orjson
import pytest

from providers.body import Body, TruncatedBody, in_memory
from providers.credential import Caller, Credential
from providers.errors import FerryError
from providers.state import ObjectInfo, StateError
from providers.status import Status
from providers.upload import Chunk, UploadSession, UploadStart, UploadStatus
from tests.contract.gemini_with_fake import CHUNK, GeminiWithFake, gemini_with_fake
from tests.contract.provider_with_fake import data_of
from tests.memory_state import MemoryState

DATA = data_of(4 * CHUNK)
SHA256 = hashlib.sha256(DATA).hexdigest()
HALF = 2 * CHUNK
NOTE = {"uploads/s1/ask-first": b""}


@pytest.fixture
async def google() -> AsyncIterator[GeminiWithFake]:
    async with gemini_with_fake() as provider_with_fake:
        yield provider_with_fake


async def failure(
    google: GeminiWithFake, session: UploadSession, data: bytes, offset: int = 0, **how: bool
) -> FerryError:
    with pytest.raises(FerryError) as caught:
        await google.send(session, data, offset, **how)
    return caught.value


async def first_half(google: GeminiWithFake, size: int | None = len(DATA)) -> UploadSession:
    session = await google.start(size)
    assert (await google.send(session, DATA[:HALF])).status is UploadStatus.ACTIVE
    return session


class FailingState(MemoryState):
    """Fails for good."""

    async def head(self, name: str) -> ObjectInfo | None:
        raise StateError(Status.FAILED_PRECONDITION, f"no disk for {name}")

    async def delete(self, name: str) -> None:
        raise StateError(Status.FAILED_PRECONDITION, f"no disk for {name}")


async def test_an_upload_needs_no_state_store(google: GeminiWithFake) -> None:
    google.provider = google.replica(FailingState())
    session = await first_half(google)
    final = await google.send(session, DATA[HALF:], HALF, finalize=True)
    assert final.status is UploadStatus.FINAL
    assert await google.sha256(final) == SHA256


# --- when all is well ---------------------------------------------------------------------------


async def test_an_upload_in_chunks(google: GeminiWithFake) -> None:
    document = b'{"file": {"display_name": "dn", "name": "files/mine"}}'
    session = await google.start(
        len(DATA), mime_type="application/jsonl", file_name="a.jsonl", document=document
    )
    for offset in range(0, 3 * CHUNK, CHUNK):
        progress = await google.send(session, DATA[offset : offset + CHUNK], offset)
        assert (progress.status, progress.received) == (UploadStatus.ACTIVE, offset + CHUNK)
    final = await google.send(session, DATA[3 * CHUNK :], 3 * CHUNK, finalize=True)
    assert final.status is UploadStatus.FINAL
    file = orjson.loads(final.document or b"")["file"]
    assert (file["name"], file["displayName"]) == ("files/mine", "dn")
    assert file["mimeType"] == "application/jsonl"
    assert await google.sha256(final) == SHA256
    assert google.state.objects == {}


async def test_chunks_have_an_exact_length_and_no_key(google: GeminiWithFake) -> None:
    session = await first_half(google)
    await google.send(session, DATA[HALF:], HALF, finalize=True)
    start, *chunks = await google.requests()
    assert start["credential_sha256"] == hashlib.sha256(b"AIzaCaller").hexdigest()
    assert start["headers"]["user-agent"] == "sdk"
    assert [chunk["declared_length"] for chunk in chunks] == [HALF, HALF]
    assert not any(chunk["chunked"] or chunk["credential_sha256"] for chunk in chunks)


async def test_an_empty_file(google: GeminiWithFake) -> None:
    final = await google.send(await google.start(0), b"", finalize=True)
    assert await google.sha256(final) == hashlib.sha256().hexdigest()


@pytest.mark.parametrize("offset", [len(DATA), None])
async def test_an_end_without_bytes(google: GeminiWithFake, offset: int | None) -> None:
    session = await google.start(None)
    await google.send(session, DATA)
    final = await google.uploads.send(session, Chunk(offset, in_memory(b""), finalize=True))
    assert await google.sha256(final) == SHA256


async def test_a_query_at_each_stage(google: GeminiWithFake) -> None:
    session = await first_half(google)
    progress = await google.uploads.query(session)
    assert (progress.status, progress.received) == (UploadStatus.ACTIVE, HALF)
    final = await google.send(session, DATA[HALF:], HALF, finalize=True)
    assert (await google.uploads.query(session)).document == final.document


async def test_a_cancelled_upload_accepts_nothing_more(google: GeminiWithFake) -> None:
    session = await first_half(google)
    assert (await google.uploads.cancel(session)).status is UploadStatus.CANCELLED
    for attempt in (
        google.send(session, DATA[HALF:], HALF, finalize=True),
        google.uploads.query(session),
        google.uploads.cancel(session),
    ):
        with pytest.raises(FerryError) as caught:
            await attempt
        assert caught.value.status == Status.FAILED_PRECONDITION
        assert caught.value.upload_status == "cancelled"


async def test_a_finished_upload_accepts_nothing_more(google: GeminiWithFake) -> None:
    session = await google.start(len(DATA))
    final = await google.send(session, DATA, finalize=True)
    assert (await google.send(session, DATA, finalize=True)).document == final.document
    error = await failure(google, session, DATA[:HALF])
    assert (error.status, error.permanent) == (Status.FAILED_PRECONDITION, True)
    with pytest.raises(FerryError) as caught:
        await google.uploads.cancel(session)
    assert (caught.value.status, caught.value.code) == (Status.FAILED_PRECONDITION, 400)
    assert (caught.value.provider, caught.value.upstream_status) == ("google", 400)


# --- the network, or Google, has a bad moment -----------------------------------------------------


async def test_a_lost_answer_is_hidden_from_the_client(google: GeminiWithFake) -> None:
    session = await google.start(len(DATA))
    await google.strike("upload", "lose_answer")
    assert (await google.send(session, DATA[:HALF])).received == HALF
    await google.strike("upload, finalize", "lose_answer")
    final = await google.send(session, DATA[HALF:], HALF, finalize=True)
    assert await google.sha256(final) == SHA256
    assert await google.commands() == ["start", "upload", "query", "upload, finalize", "query"]


async def test_a_repeated_chunk_is_stored_once(google: GeminiWithFake) -> None:
    session = await first_half(google)
    assert (await google.send(session, DATA[:HALF])).received == HALF
    assert (await google.send(session, DATA[:CHUNK])).received == HALF
    final = await google.send(session, DATA[HALF:], HALF, finalize=True)
    assert await google.sha256(final) == SHA256


async def test_a_repeated_last_chunk_returns_the_same_file(google: GeminiWithFake) -> None:
    session = await first_half(google)
    final = await google.send(session, DATA[HALF:], HALF, finalize=True)
    again = await google.send(session, DATA[HALF:], HALF, finalize=True)
    assert again.document == final.document
    assert len((await google.get("/_fake/objects"))["files"]) == 1


@pytest.mark.parametrize("arrived", [CHUNK, CHUNK + 100])
async def test_a_chunk_that_broke_off_is_continued_by_its_repeat(
    google: GeminiWithFake, arrived: int
) -> None:
    session = await google.start(len(DATA))
    await google.strike("upload, finalize", "reset", after_bytes=arrived)
    error = await failure(google, session, DATA, finalize=True)
    assert (error.code, error.permanent, error.upload_status) == (503, False, None)
    assert google.state.objects == NOTE
    final = await google.send(session, DATA, finalize=True)
    assert await google.sha256(final) == SHA256
    assert google.state.objects == {}
    offsets = [
        request["headers"].get("x-goog-upload-offset") for request in await google.requests()
    ]
    assert offsets == [None, "0", None, None, str(CHUNK)]


async def test_a_chunk_that_did_not_arrive_is_sent_again_whole(google: GeminiWithFake) -> None:
    session = await first_half(google)
    await google.strike("upload, finalize", "reset", after_bytes=100)
    error = await failure(google, session, DATA[HALF:], HALF, finalize=True)
    assert (error.code, error.permanent) == (503, False)
    final = await google.send(session, DATA[HALF:], HALF, finalize=True)
    assert await google.sha256(final) == SHA256


@pytest.mark.parametrize("code", [500, 503, 429, 408])
async def test_a_temporary_error_leaves_the_upload_unchanged(
    google: GeminiWithFake, code: int
) -> None:
    session = await google.start(len(DATA))
    await google.strike("upload, finalize", "status", status=code)
    error = await failure(google, session, DATA, finalize=True)
    assert (error.code, error.permanent, error.upload_status) == (code, False, None)
    final = await google.send(session, DATA, finalize=True)
    assert await google.sha256(final) == SHA256


async def test_an_answer_before_the_chunk_has_arrived(google: GeminiWithFake) -> None:
    session = await google.start(len(DATA))
    await google.strike("upload, finalize", "reject_after", after_bytes=100, status=503)
    error = await failure(google, session, DATA, finalize=True)
    assert (error.code, error.permanent) == (503, False)
    final = await google.send(session, DATA, finalize=True)
    assert await google.sha256(final) == SHA256


@pytest.mark.parametrize("kind", ["reset", "reject_after"])
@pytest.mark.parametrize("arrived", [0, 1, CHUNK - 1, CHUNK, 3 * CHUNK + 5, len(DATA)])
async def test_three_attempts_are_enough_wherever_a_chunk_breaks_off(
    google: GeminiWithFake, kind: str, arrived: int
) -> None:
    """As SDKs retry: the same bytes at the same offset, as long as there is no upload status."""
    session = await google.start(len(DATA))
    await google.strike("upload, finalize", kind, after_bytes=arrived)
    for _ in range(2):
        try:
            final = await google.send(session, DATA, finalize=True)
            break
        except FerryError as error:
            if error.permanent:
                raise
    else:
        final = await google.send(session, DATA, finalize=True)
    assert await google.sha256(final) == SHA256
    assert google.state.objects == {}


async def test_a_chunk_whose_beginning_google_already_has(google: GeminiWithFake) -> None:
    """Its beginning arrived without a record: Google refuses the offset and gets the rest."""
    session = await google.start(len(DATA))
    await google.send(session, DATA[:CHUNK])
    try:
        final = await google.send(session, DATA, finalize=True)
    except FerryError as error:
        # Too much had been read when the refusal arrived.
        if error.permanent:
            raise
        final = await google.send(session, DATA, finalize=True)
    assert await google.sha256(final) == SHA256


async def test_a_failed_query_is_repeated_with_the_next_chunk(
    google: GeminiWithFake,
) -> None:
    session = await google.start(len(DATA))
    await google.strike("upload", "lose_answer")
    await google.strike("query", "status", status=500)
    error = await failure(google, session, DATA[:HALF])
    assert (error.code, error.permanent, error.upload_status) == (503, False, None)
    assert google.state.objects == NOTE
    assert (await google.send(session, DATA[:HALF])).received == HALF
    assert google.state.objects == {}
    final = await google.send(session, DATA[HALF:], HALF, finalize=True)
    assert await google.sha256(final) == SHA256


async def test_a_client_that_disconnected_can_continue(google: GeminiWithFake) -> None:
    session = await google.start(len(DATA))
    short = Body(in_memory(DATA[: CHUNK + 100]).chunks, len(DATA))
    with pytest.raises(TruncatedBody):
        await google.uploads.send(session, Chunk(0, short, finalize=True))
    received = (await google.uploads.query(session)).received or 0
    assert received in (0, CHUNK)
    final = await google.send(session, DATA[received:], received, finalize=True)
    assert await google.sha256(final) == SHA256


# --- what is wrong for good -----------------------------------------------------------------------


async def test_an_offset_beyond_what_google_has(google: GeminiWithFake) -> None:
    session = await google.start(None)
    await google.send(session, DATA[:CHUNK])
    for finalize in (True, False):
        error = await failure(google, session, DATA[HALF:], HALF, finalize=finalize)
        assert (error.code, error.permanent) == (400, True)
        assert str(HALF) in error.message
        assert str(CHUNK) in error.message


async def test_an_end_that_arrives_too_early(google: GeminiWithFake) -> None:
    session = await first_half(google)
    for offset in (None, HALF):
        with pytest.raises(FerryError) as caught:
            await google.uploads.send(session, Chunk(offset, in_memory(b""), finalize=True))
        assert (caught.value.code, caught.value.permanent) == (400, True)


async def test_a_chunk_that_is_no_multiple_of_the_granularity(google: GeminiWithFake) -> None:
    session = await google.start(None)
    error = await failure(google, session, DATA[:1000])
    assert (error.code, error.permanent, error.provider) == (400, True, "google")
    assert str(CHUNK) in error.message


async def test_a_session_that_google_has_forgotten(google: GeminiWithFake) -> None:
    session = await google.start(None)
    [upload] = (await google.get("/_fake/objects"))["uploads"]
    await google.post(f"/_fake/uploads/{upload}", {"status": "expired"})
    error = await failure(google, session, DATA)
    assert (error.code, error.status, error.permanent) == (404, Status.NOT_FOUND, True)


@pytest.mark.parametrize(
    ("credential", "code", "reason"),
    [
        (Credential(), 403, None),
        (Credential(api_key="wrong"), 400, "API_KEY_INVALID"),
        (Credential(bearer="wrong"), 400, "API_KEY_INVALID"),
    ],
)
async def test_a_start_that_google_refuses(
    google: GeminiWithFake, credential: Credential, code: int, reason: str | None
) -> None:
    with pytest.raises(FerryError) as caught:
        await google.uploads.start(Caller(credential, "t"), UploadStart(size=1, version="v1"))
    assert (caught.value.code, caught.value.reason) == (code, reason)


async def test_a_start_during_a_temporary_error(google: GeminiWithFake) -> None:
    await google.strike("start", "status", status=500)
    with pytest.raises(FerryError) as caught:
        await google.start(1)
    assert caught.value.code == 500


async def test_googles_url_is_never_shown(
    google: GeminiWithFake, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        session = await google.start(len(DATA))
        [upload] = (await google.get("/_fake/objects"))["uploads"]
        assert upload in session.details["url"]
        await google.strike("upload, finalize", "reset", after_bytes=CHUNK)
        error = await failure(google, session, DATA, finalize=True)
    assert upload not in f"{session!r} {error!r} {error.__context__!r}"
    # The fake logs its requests, in the same process.
    ours = [record for record in caplog.records if record.name != "aiohttp.access"]
    assert not any(upload in record.getMessage() for record in ours)
