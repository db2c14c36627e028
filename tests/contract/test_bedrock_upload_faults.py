"""Uploads to Bedrock with faults of the network or of S3: one complete file, or none."""

from typing import Any

import pytest

from providers.body import Body, TruncatedBody
from providers.status import Status
from providers.upload import GRANULARITY, Chunk, UploadStart
from tests.contract.bedrock_uploading import (
    BEGIN,
    DATA,
    PART,
    SMALL,
    UPLOAD,
    in_chunks,
    last_chunk,
    nothing_made,
    the_one_file,
    whole,
)
from tests.contract.bedrock_with_fake import ATTEMPTS, CALLER, PREFIX, BedrockWithFake, refused
from tests.contract.provider_with_fake import Pieces, sha256

BUSY: dict[str, Any] = {"code": "SlowDown", "status": 503}
BROKEN: dict[str, Any] = {"code": "InternalError", "status": 500}
# bedrock.md section 5: a completion may fail so.
FAILED_COMPLETION: dict[str, Any] = {"code": "InternalError", "status": 200}

bad_moments = pytest.mark.parametrize(
    ("fault", "status"), [(BUSY, Status.RESOURCE_EXHAUSTED), (BROKEN, Status.UNAVAILABLE)]
)


@bad_moments
async def test_a_whole_file_that_s3_throttles_is_sent_again(
    bedrock: BedrockWithFake, fault: dict[str, Any], status: Status
) -> None:
    await bedrock.strike_s3("PUT", "status", **fault)
    session = await bedrock.start(len(SMALL))
    error = await refused(whole(bedrock, session))
    assert (error.status, error.upload_status, error.permanent) == (status, None, False)
    await nothing_made(bedrock)
    await the_one_file(bedrock, SMALL, await whole(bedrock, session))


@pytest.mark.parametrize("fault", ["lose_answer", "reset"])
async def test_a_lost_answer_to_a_whole_file_is_looked_up(
    bedrock: BedrockWithFake, fault: str
) -> None:
    await bedrock.strike_s3("PUT", fault)
    session = await bedrock.start(len(SMALL))
    await the_one_file(bedrock, SMALL, await whole(bedrock, session))
    assert len(await bedrock.requests("PUT")) == 1


async def test_a_lost_answer_that_cannot_be_looked_up_is_sent_again(
    bedrock: BedrockWithFake,
) -> None:
    await bedrock.strike_s3("PUT", "lose_answer")
    await bedrock.strike_s3("HEAD", "status", times=ATTEMPTS, **BROKEN)
    session = await bedrock.start(len(SMALL))
    error = await refused(whole(bedrock, session))
    assert (error.status, error.upload_status, error.permanent) == (Status.UNAVAILABLE, None, False)
    await the_one_file(bedrock, SMALL, await whole(bedrock, session))


async def test_a_whole_file_that_breaks_off_is_sent_again(bedrock: BedrockWithFake) -> None:
    await bedrock.strike_s3("PUT", "reset", after_bytes=500)
    session = await bedrock.start(len(SMALL))
    error = await refused(whole(bedrock, session))
    assert (error.status, error.upload_status, error.permanent) == (Status.UNAVAILABLE, None, False)
    await nothing_made(bedrock)
    await the_one_file(bedrock, SMALL, await whole(bedrock, session))


async def test_earlier_bytes_are_not_confused_with_a_chunk_that_breaks_off(
    bedrock: BedrockWithFake,
) -> None:
    """Of unknown size: the repeat may end elsewhere than the first attempt."""
    session = await bedrock.start(None)
    await bedrock.strike_s3("PUT", "lose_answer")
    await bedrock.strike_s3("HEAD", "status", times=ATTEMPTS, **BROKEN)
    await refused(whole(bedrock, session))
    await bedrock.strike_s3("PUT", "reset", after_bytes=10)
    shorter = SMALL[:500]
    await refused(bedrock.send(session, shorter, finalize=True))
    await the_one_file(bedrock, shorter, await bedrock.send(session, shorter, finalize=True))


@bad_moments
async def test_a_part_that_s3_throttles_is_sent_again(
    bedrock: BedrockWithFake, fault: dict[str, Any], status: Status
) -> None:
    await bedrock.strike_s3("PUT", "status", query=PART, **fault)
    session = await bedrock.start(len(DATA))
    error = await refused(bedrock.send(session, DATA[:GRANULARITY]))
    assert (error.status, error.upload_status, error.permanent) == (status, None, False)
    assert (await bedrock.uploads.query(session)).received == 0
    await the_one_file(bedrock, DATA, await in_chunks(bedrock, session))


@pytest.mark.parametrize("fault", ["lose_answer", "reset"])
async def test_a_part_whose_answer_is_lost_is_in_the_file_once(
    bedrock: BedrockWithFake, fault: str
) -> None:
    await bedrock.strike_s3("PUT", fault, query=PART, after_bytes=10)
    session = await bedrock.start(len(DATA))
    error = await refused(bedrock.send(session, DATA[:GRANULARITY]))
    assert (error.status, error.upload_status, error.permanent) == (Status.UNAVAILABLE, None, False)
    await the_one_file(bedrock, DATA, await in_chunks(bedrock, session))


async def test_the_stored_part_of_a_failed_chunk_is_not_sent_twice(
    bedrock: BedrockWithFake,
) -> None:
    await bedrock.strike_s3("PUT", "status", query=PART, nth=2, **BUSY)
    session = await bedrock.start(len(DATA))
    two = DATA[: 2 * GRANULARITY]
    await refused(bedrock.send(session, two))
    assert (await bedrock.uploads.query(session)).received == GRANULARITY
    await bedrock.send(session, two)
    assert [query[PART] for query in await bedrock.s3_calls("PUT")] == ["1", "2", "2"]
    await the_one_file(bedrock, DATA, await last_chunk(bedrock, session))


async def test_a_start_that_fails_once_is_tried_again(bedrock: BedrockWithFake) -> None:
    await bedrock.strike_s3("POST", "status", query=BEGIN, times=2, **BUSY)
    await the_one_file(bedrock, DATA, await in_chunks(bedrock, await bedrock.start(len(DATA))))
    assert len(await bedrock.s3_calls("POST", BEGIN)) == 3


async def test_a_start_that_keeps_failing_creates_nothing(bedrock: BedrockWithFake) -> None:
    await bedrock.strike_s3("POST", "status", query=BEGIN, times=3, **BUSY)
    session = await bedrock.start(len(DATA))
    error = await refused(bedrock.send(session, DATA[:GRANULARITY]))
    assert (error.status, error.upload_status, error.permanent) == (
        Status.RESOURCE_EXHAUSTED,
        None,
        False,
    )
    await nothing_made(bedrock)
    await the_one_file(bedrock, DATA, await in_chunks(bedrock, session))


# --- the end of an upload in parts ----------------------------------------------------------------


@pytest.mark.parametrize("fault", ["lose_answer", "truncate"])
async def test_a_lost_answer_to_complete_creates_no_second_file(
    bedrock: BedrockWithFake, fault: str
) -> None:
    await bedrock.strike_s3("POST", fault, query=UPLOAD)
    await the_one_file(bedrock, DATA, await in_chunks(bedrock, await bedrock.start(len(DATA))))


async def test_a_completed_upload_is_found_by_the_repeat(bedrock: BedrockWithFake) -> None:
    """Every answer is lost, and the calls after the completion fail too."""
    await bedrock.strike_s3("POST", "lose_answer", query=UPLOAD)
    await bedrock.strike_s3("HEAD", "status", times=ATTEMPTS, **BROKEN)
    session = await bedrock.start(len(DATA))
    error = await refused(in_chunks(bedrock, session))
    assert (error.status, error.upload_status) == (Status.UNAVAILABLE, None)
    await the_one_file(bedrock, DATA, await last_chunk(bedrock, session))


async def test_a_completion_that_fails_with_the_status_200_is_tried_again(
    bedrock: BedrockWithFake,
) -> None:
    await bedrock.strike_s3("POST", "status", query=UPLOAD, **FAILED_COMPLETION)
    await the_one_file(bedrock, DATA, await in_chunks(bedrock, await bedrock.start(len(DATA))))
    assert len(await bedrock.s3_calls("POST", UPLOAD)) == 2


async def test_a_completion_that_keeps_failing_creates_no_file(bedrock: BedrockWithFake) -> None:
    await bedrock.strike_s3("POST", "status", query=UPLOAD, times=ATTEMPTS, **FAILED_COMPLETION)
    session = await bedrock.start(len(DATA))
    error = await refused(in_chunks(bedrock, session))
    assert (error.status, error.upload_status, error.permanent) == (Status.UNAVAILABLE, None, False)
    assert "InternalError" in error.message
    assert await bedrock.keys() == []
    await the_one_file(bedrock, DATA, await last_chunk(bedrock, session))


@pytest.mark.parametrize(
    ("body", "times"),
    [
        ("", 1),
        ("no XML", ATTEMPTS),
        ("<CompleteMultipartUploadResult>", ATTEMPTS),
        ('<!DOCTYPE x [<!ENTITY e "e">]><x>&e;</x>', ATTEMPTS),
    ],
    ids=["nothing", "no XML", "half", "entities"],
)
async def test_an_invalid_answer_is_s3s_fault(
    bedrock: BedrockWithFake, body: str, times: int
) -> None:
    await bedrock.strike_s3("POST", "status", query=UPLOAD, status=200, body=body, times=times)
    session = await bedrock.start(len(DATA))
    error = await refused(in_chunks(bedrock, session))
    assert (error.status, error.upload_status) == (Status.UNAVAILABLE, None)
    await the_one_file(bedrock, DATA, await last_chunk(bedrock, session))


@pytest.mark.parametrize(
    ("method", "query", "body"),
    [
        ("POST", BEGIN, "<InitiateMultipartUploadResult/>"),
        (
            "GET",
            UPLOAD,
            "<ListPartsResult><Part><PartNumber>x</PartNumber></Part></ListPartsResult>",
        ),
        ("GET", UPLOAD, "<ListPartsResult><IsTruncated>true</IsTruncated></ListPartsResult>"),
    ],
)
async def test_an_answer_without_a_required_field_is_s3s_fault(
    bedrock: BedrockWithFake, method: str, query: str, body: str
) -> None:
    await bedrock.strike_s3(method, "status", query=query, status=200, body=body)
    session = await bedrock.start(len(DATA))
    error = await refused(in_chunks(bedrock, session))
    assert (error.status, error.upload_status) == (Status.UNAVAILABLE, None)
    await the_one_file(bedrock, DATA, await in_chunks(bedrock, session))


async def test_an_upload_that_another_aborted_has_ended(bedrock: BedrockWithFake) -> None:
    session = await bedrock.start(len(DATA))
    await bedrock.send(session, DATA[: 2 * GRANULARITY])
    bedrock.abort_all()
    error = await refused(last_chunk(bedrock, session))
    assert (error.status, error.permanent) == (Status.FAILED_PRECONDITION, True)
    assert "start it again" in error.message
    await nothing_made(bedrock)


# --- what a client does wrong ---------------------------------------------------------------------


async def test_a_client_that_sends_too_little_creates_no_file(bedrock: BedrockWithFake) -> None:
    session = await bedrock.start(len(SMALL) + 1)
    short = Chunk(0, Body(Pieces(SMALL), len(SMALL) + 1), finalize=True)
    with pytest.raises(TruncatedBody):
        await bedrock.uploads.send(session, short)
    await nothing_made(bedrock)


@pytest.mark.parametrize("declared", [len(DATA) - 1, len(DATA) + 1])
async def test_a_total_other_than_declared_creates_no_file(
    bedrock: BedrockWithFake, declared: int
) -> None:
    session = await bedrock.start(declared)
    error = await refused(in_chunks(bedrock, session))
    assert (error.status, error.upload_status) == (Status.FAILED_PRECONDITION, "final")
    assert str(declared) in error.message
    assert await bedrock.keys() == []


async def test_an_offset_ahead_of_what_has_arrived(bedrock: BedrockWithFake) -> None:
    session = await bedrock.start(len(DATA))
    error = await refused(last_chunk(bedrock, session))
    assert (error.status, error.upload_status) == (Status.FAILED_PRECONDITION, "final")
    await nothing_made(bedrock)


@pytest.mark.parametrize("size", [0, 100, GRANULARITY])
async def test_a_body_without_a_length_is_staged_slice_by_slice(
    bedrock: BedrockWithFake, size: int
) -> None:
    body = Body(Pieces(DATA[:size]), None)
    file = await bedrock.files.create(CALLER, "s1", UploadStart(), body)
    assert file.size == size
    [name] = await bedrock.keys()
    assert await bedrock.sha256_of(PREFIX + name) == sha256(DATA[:size])
    assert await bedrock.objects("uploads") == []
    assert bedrock.state.objects == {}


async def test_a_file_in_one_request_that_breaks_off_is_not_created(
    bedrock: BedrockWithFake,
) -> None:
    await bedrock.strike_s3("PUT", "status", query=f"{PART}=2", **BUSY)
    body = Body(Pieces(DATA), None)
    error = await refused(bedrock.files.create(CALLER, "s1", UploadStart(), body))
    assert error.status == Status.RESOURCE_EXHAUSTED
    await nothing_made(bedrock)
    assert bedrock.state.objects == {}
