"""OpenAI's uploads against the fake: one file with the right bytes, also after network faults."""

import time
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from providers.body import Body, TruncatedBody, in_memory
from providers.openai.upload_target import WHOLE_FILE_LIMIT
from providers.resource_names import parse_file_id
from providers.retries import ATTEMPTS
from providers.status import Status
from providers.upload import GRANULARITY, Chunk
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
from tests.contract.provider_with_fake import Pieces, refused, sha256

# --- when all is well -----------------------------------------------------------------------------


async def test_one_chunk_is_one_request(openai: OpenAIWithFake) -> None:
    session = await openai.start(len(SMALL))
    await the_one_file(openai, SMALL, await whole(openai, session))
    assert await openai.calls("POST") == ["files"]
    assert len(left_of_session(openai)) == 1


async def test_several_chunks_are_parts_of_one_upload(openai: OpenAIWithFake) -> None:
    final = await in_chunks(openai, await openai.start(len(DATA)))
    await the_one_file(openai, DATA, final)
    assert len(await openai.calls("POST", "uploads/.*/parts")) == 3
    assert len(left_of_session(openai)) == 1


@pytest.mark.parametrize("size", [None, len(DATA)])
async def test_without_the_uploads_api_parts_are_staged(
    openai: OpenAIWithFake, size: int | None
) -> None:
    openai.provider = openai.replica(staged=True)
    final = await in_chunks(openai, await openai.start(size))
    await the_one_file(openai, DATA, final)
    assert await openai.calls("POST") == ["files"]
    assert len(left_of_session(openai)) == 1


async def test_without_a_size_parts_are_staged(openai: OpenAIWithFake) -> None:
    final = await in_chunks(openai, await openai.start(None))
    await the_one_file(openai, DATA, final)
    assert await openai.calls("POST") == ["files"]


@pytest.mark.parametrize("status", [404, 405])
async def test_a_server_that_lacks_the_uploads_api_is_noticed(
    openai: OpenAIWithFake, status: int
) -> None:
    page = "<html>" + "no such page " * 10_000
    await openai.strike("POST", "uploads", "status", status=status, body=page)
    final = await in_chunks(openai, await openai.start(len(DATA)))
    await the_one_file(openai, DATA, final)
    assert await openai.calls("POST") == ["uploads", "files"]


@pytest.mark.parametrize("size", [None, len(DATA)])
async def test_a_purpose_that_the_uploads_api_lacks_is_uploaded_without_it(
    openai: OpenAIWithFake, size: int | None
) -> None:
    final = await in_chunks(openai, await openai.start(size, "a.pdf"))
    await the_one_file(openai, DATA, final)
    assert await openai.calls("POST") == ["files"]
    [native] = (await openai.native("files"))["data"]
    assert native["purpose"] == "user_data"


async def test_a_purpose_that_the_uploads_api_refuses(openai: OpenAIWithFake) -> None:
    said = {
        "error": {"message": "'vision' is not one of ['batch'] - 'purpose'", "param": "purpose"}
    }
    await openai.strike("POST", "uploads", "status", status=400, body=said)
    final = await in_chunks(openai, await openai.start(len(DATA)))
    await the_one_file(openai, DATA, final)
    assert await openai.calls("POST") == ["uploads", "files"]


async def test_any_other_refusal_of_an_upload_is_passed_on(openai: OpenAIWithFake) -> None:
    said = {"error": {"message": "no more room"}}
    await openai.strike("POST", "uploads", "status", status=400, body=said)
    error = await refused(in_chunks(openai, await openai.start(len(DATA))))
    assert (error.status, error.message) == (Status.INVALID_ARGUMENT, "openai: no more room")


async def test_more_than_fits_in_one_request_is_refused_early(openai: OpenAIWithFake) -> None:
    await openai.start(WHOLE_FILE_LIMIT, "a.pdf")
    error = await refused(openai.start(WHOLE_FILE_LIMIT + 1, "a.pdf"))
    assert (error.status, error.upload_status) == (Status.INVALID_ARGUMENT, "final")
    assert "user_data" in error.message

    # Only the first chunk shows that the Uploads API is missing.
    openai.provider = openai.replica(staged=True)
    session = await openai.start(WHOLE_FILE_LIMIT + 1)
    error = await refused(openai.send(session, DATA[:GRANULARITY]))
    assert (error.status, error.upload_status) == (Status.INVALID_ARGUMENT, "final")
    assert await openai.calls("POST") == []


@pytest.mark.parametrize("size", [None, 0])
async def test_an_empty_file(openai: OpenAIWithFake, size: int | None) -> None:
    session = await openai.start(size)
    await the_one_file(openai, b"", await openai.send(session, b"", finalize=True))


@pytest.mark.parametrize("offset", [GRANULARITY, None])
async def test_an_end_without_bytes(openai: OpenAIWithFake, offset: int | None) -> None:
    session = await openai.start(None)
    await openai.send(session, DATA[:GRANULARITY])
    final = await openai.uploads.send(session, Chunk(offset, in_memory(b""), finalize=True))
    await the_one_file(openai, DATA[:GRANULARITY], final)


async def test_chunks_go_through_any_replica(openai: OpenAIWithFake) -> None:
    session = await openai.start(len(DATA))
    for offset in (0, GRANULARITY):
        openai.provider = openai.replica()
        await openai.send(session, DATA[offset : offset + GRANULARITY], offset)
    openai.provider = openai.replica()
    await the_one_file(openai, DATA, await last_chunk(openai, session))


async def test_a_repeat_in_other_slices(openai: OpenAIWithFake) -> None:
    session = await openai.start(len(DATA))
    await openai.send(session, DATA[:GRANULARITY])
    await openai.send(session, DATA[: 2 * GRANULARITY])
    await openai.send(session, DATA[GRANULARITY : 2 * GRANULARITY], GRANULARITY)
    final = await openai.send(session, DATA[GRANULARITY:], GRANULARITY, finalize=True)
    await the_one_file(openai, DATA, final)
    assert len(await openai.calls("POST", "uploads/.*/parts")) == 3


async def test_a_repeat_of_the_last_chunk_gets_the_same_answer(openai: OpenAIWithFake) -> None:
    session = await openai.start(len(DATA))
    final = await in_chunks(openai, session)
    again = await last_chunk(openai, session)
    bare = await openai.uploads.send(session, Chunk(None, in_memory(b""), finalize=True))
    asked = await openai.uploads.query(session)
    await the_one_file(openai, DATA, final, again, bare, asked)
    assert final.file == again.file == asked.file
    for attempt in (
        openai.send(session, DATA[:GRANULARITY]),
        openai.send(session, DATA[GRANULARITY:], GRANULARITY + 1, finalize=True),
        openai.uploads.cancel(session),
    ):
        error = await refused(attempt)
        assert (error.status, error.upload_status) == (Status.FAILED_PRECONDITION, "final")


# --- the network, or OpenAI, has a bad moment -----------------------------------------------------


async def test_a_lost_answer_to_a_file_creates_no_second(openai: OpenAIWithFake) -> None:
    await openai.strike("POST", "files", "lose_answer")
    session = await openai.start(len(SMALL))
    await the_one_file(openai, SMALL, await whole(openai, session))


@pytest.mark.parametrize("seconds", [-600, 600])
async def test_a_lost_answer_after_a_clock_step_creates_no_second(
    openai: OpenAIWithFake, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    """The clock was wrong by ten minutes at the start, and was corrected since."""
    wrong = SimpleNamespace(time=lambda: time.time() + seconds)
    with monkeypatch.context() as patched:
        patched.setattr("providers.uploads.posted_files.time", wrong)
        session = await openai.start(len(SMALL))
    await openai.strike("POST", "files", "lose_answer")
    await the_one_file(openai, SMALL, await whole(openai, session))


async def test_an_upload_does_not_expire_by_a_clock_step(
    openai: OpenAIWithFake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenAI keeps it for an hour of its own time; ours is ten minutes ahead at the end."""
    session = await openai.start(len(DATA))
    await openai.send(session, DATA[:GRANULARITY])
    ahead = SimpleNamespace(time=lambda: time.time() + 3600 + 599)
    monkeypatch.setattr("providers.openai.upload_target.time", ahead)
    await the_one_file(openai, DATA, await in_chunks(openai, session))


async def test_a_lost_answer_that_cannot_be_looked_up_at_once(openai: OpenAIWithFake) -> None:
    await openai.strike("POST", "files", "lose_answer")
    await openai.strike("GET", "files", "status", status=500, times=ATTEMPTS)
    session = await openai.start(len(SMALL))
    error = await refused(whole(openai, session))
    assert (error.status, error.upload_status) == (Status.UNAVAILABLE, None)
    await the_one_file(openai, SMALL, await whole(openai, session))
    assert await openai.calls("POST") == ["files"]


@pytest.mark.parametrize("fault", [{"kind": "lose_answer"}, {"kind": "reset", "after_bytes": 500}])
async def test_a_lost_file_is_found_after_many_newer_ones(
    openai: OpenAIWithFake, fault: dict[str, Any]
) -> None:
    await openai.post("/_fake/settings", {"page_limit": 1})
    session = await openai.start(len(SMALL))
    await openai.strike("POST", "files", **fault)
    await openai.strike("GET", "files", "status", status=500, times=ATTEMPTS)
    await refused(whole(openai, session))
    lost = await openai.objects("files")
    for number in range(3):
        await openai.upload(b"another", "b.bin", f"other-{number}")
    final = await whole(openai, session)
    assert final.file is not None
    assert lost in ([], [parse_file_id(final.file.id).native])
    assert len(await openai.objects("files")) == 4


async def test_a_repeat_completes_a_chunk_that_broke_off(openai: OpenAIWithFake) -> None:
    await openai.strike("POST", "files", "reset", after_bytes=500)
    session = await openai.start(len(SMALL))
    error = await refused(whole(openai, session))
    assert (error.status, error.upload_status) == (Status.UNAVAILABLE, None)
    await the_one_file(openai, SMALL, await whole(openai, session))


async def test_a_client_that_sends_too_little_creates_no_file(openai: OpenAIWithFake) -> None:
    session = await openai.start(len(SMALL) + 1)
    short = Chunk(0, Body(Pieces(SMALL), len(SMALL) + 1), finalize=True)
    with pytest.raises(TruncatedBody):
        await openai.uploads.send(session, short)
    assert await openai.objects("files") == []


@pytest.mark.parametrize("call", ["uploads", "uploads/[^/]+/parts"])
@pytest.mark.parametrize(
    "fault",
    [{"kind": "lose_answer"}, {"kind": "status", "status": 500}, {"kind": "reset"}],
    ids=lambda fault: str(fault["kind"]),
)
async def test_a_part_that_failed_is_sent_again(
    openai: OpenAIWithFake, call: str, fault: dict[str, Any]
) -> None:
    await openai.strike("POST", call, **fault, after_bytes=10)
    session = await openai.start(len(DATA))
    error = await refused(openai.send(session, DATA[:GRANULARITY]))
    assert (error.status, error.upload_status, error.permanent) == (Status.UNAVAILABLE, None, False)
    assert (await openai.uploads.query(session)).received == 0
    await the_one_file(openai, DATA, await in_chunks(openai, session))


@pytest.mark.parametrize(
    ("call", "malformed"),
    [
        ("uploads", {"id": 5, "expires_at": 2**40}),
        ("uploads", {"id": "up/../../files", "expires_at": 2**40}),
        ("uploads", {"id": "upload_1", "expires_at": "soon"}),
        ("uploads", {"id": "upload_1", "expires_at": True}),
        ("uploads/[^/]+/parts", {"id": ["part_1"]}),
    ],
)
async def test_an_invalid_answer_to_a_start_creates_nothing(
    openai: OpenAIWithFake, call: str, malformed: dict[str, Any]
) -> None:
    body = orjson.dumps(malformed).decode()
    await openai.strike("POST", call, "status", status=200, body=body, read_body=True)
    session = await openai.start(len(DATA))
    error = await refused(openai.send(session, DATA[:GRANULARITY]))
    assert (error.status, error.upload_status) == (Status.UNAVAILABLE, None)
    assert (await openai.uploads.query(session)).received == 0
    await the_one_file(openai, DATA, await in_chunks(openai, session))


async def test_a_lost_file_is_found_among_invalid_files(openai: OpenAIWithFake) -> None:
    await openai.strike("POST", "files", "lose_answer")
    listed = {"data": [{"id": "file-1", "created_at": "today"}], "has_more": False}
    body = orjson.dumps(listed).decode()
    await openai.strike("GET", "files", "status", status=200, body=body)
    session = await openai.start(len(SMALL))
    error = await refused(whole(openai, session))
    assert (error.status, error.upload_status) == (Status.UNAVAILABLE, None)
    await the_one_file(openai, SMALL, await whole(openai, session))


async def test_the_stored_part_of_a_failed_chunk_is_not_sent_twice(openai: OpenAIWithFake) -> None:
    await openai.strike("POST", "uploads/[^/]+/parts", "status", nth=2, status=503)
    session = await openai.start(len(DATA))
    two = DATA[: 2 * GRANULARITY]
    await refused(openai.send(session, two))
    assert (await openai.uploads.query(session)).received == GRANULARITY
    await openai.send(session, two)
    assert len(await openai.calls("POST", "uploads/.*/parts")) == 3
    await the_one_file(openai, DATA, await last_chunk(openai, session))


async def test_a_lost_answer_to_complete_creates_no_second_file(openai: OpenAIWithFake) -> None:
    await openai.strike("POST", "uploads/[^/]+/complete", "lose_answer")
    await the_one_file(openai, DATA, await in_chunks(openai, await openai.start(len(DATA))))


async def test_a_completed_upload_is_found_by_the_repeat(openai: OpenAIWithFake) -> None:
    await openai.strike("POST", "uploads/[^/]+/complete", "lose_answer")
    await openai.strike("GET", "files", "status", status=503, times=ATTEMPTS)
    session = await openai.start(len(DATA))
    error = await refused(in_chunks(openai, session))
    assert (error.status, error.upload_status) == (Status.UNAVAILABLE, None)
    await the_one_file(openai, DATA, await last_chunk(openai, session))


async def test_a_refused_file_is_not_confused_with_one_of_the_same_name(
    openai: OpenAIWithFake,
) -> None:
    """Another tool's file has the same name and size; ours was refused and not created."""
    await openai.upload(SMALL, "a.bin", "first")
    for name in [name for name in openai.state.objects if name.startswith("files/")]:
        await openai.state.delete(name)
    await openai.strike("POST", "files", "status", status=400)
    error = await refused(whole(openai, await openai.start(len(SMALL))))
    assert (error.status, error.permanent) == (Status.INVALID_ARGUMENT, True)


async def test_another_sessions_file_of_the_same_name_is_never_taken(
    openai: OpenAIWithFake,
) -> None:
    """It has the same size too, and its replica died before it recorded the file."""
    await openai.upload(SMALL[::-1], "a.bin", "first")
    for name in [name for name in openai.state.objects if name.startswith("files/")]:
        await openai.state.delete(name)
    await openai.strike("POST", "files", "reset", after_bytes=500)
    session = await openai.start(len(SMALL))
    await refused(whole(openai, session))
    final = await whole(openai, session)
    assert final.file is not None
    assert await openai.sha256_of(parse_file_id(final.file.id).native) == sha256(SMALL)


@pytest.mark.parametrize("answer", [{}, {"id": None}, [], "no json", {"error": "x"}])
@pytest.mark.parametrize(
    "call", ["files", "uploads", "uploads/[^/]+/parts", "uploads/[^/]+/complete"]
)
async def test_an_invalid_answer_is_the_upstreams_fault(
    openai: OpenAIWithFake, call: str, answer: Any
) -> None:
    if call == "files":
        session, attempt = await openai.start(len(SMALL)), whole
    else:
        session, attempt = await openai.start(len(DATA)), in_chunks
    await openai.strike("POST", call, "status", status=200, body=answer)
    error = await refused(attempt(openai, session))
    assert error.status == Status.UNAVAILABLE
