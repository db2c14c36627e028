"""Uploads to Bedrock without faults: one object, with the metadata of the file."""

import pytest

from providers.body import Body, in_memory
from providers.credential import Caller, Credential
from providers.resource_names import decode_object_id
from providers.status import Status
from providers.upload import GRANULARITY, Chunk, UploadStart, UploadStatus
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
from tests.contract.bedrock_with_fake import CALLER, PREFIX, BedrockWithFake, refused
from tests.contract.provider_with_fake import Pieces, sha256
from tests.fakes.bedrock import TEMPORARY


async def test_one_chunk_is_one_put(bedrock: BedrockWithFake) -> None:
    session = await bedrock.start(len(SMALL))
    await the_one_file(bedrock, SMALL, await whole(bedrock, session))
    assert await bedrock.s3_calls("PUT", BEGIN) == await bedrock.s3_calls("POST") == []
    [put] = await bedrock.requests("PUT")
    assert (put["received"], put["declared_length"], put["chunked"]) == (1000, 1000, False)


async def test_chunks_are_parts_of_one_upload(bedrock: BedrockWithFake) -> None:
    await the_one_file(bedrock, DATA, await in_chunks(bedrock, await bedrock.start(len(DATA))))
    parts = [
        (put["query"][PART], put["received"], put["chunked"])
        for put in await bedrock.requests("PUT")
    ]
    assert parts == [
        ("1", GRANULARITY, False),
        ("2", GRANULARITY, False),
        ("3", 100, False),
    ]
    assert len(await bedrock.s3_calls("POST", BEGIN)) == 1


@pytest.mark.parametrize("in_parts", [False, True])
async def test_the_object_has_the_metadata_of_the_file(
    bedrock: BedrockWithFake, in_parts: bool
) -> None:
    said = {"name": "Quartalszahlen.pdf", "mime_type": "application/pdf"}
    session = await bedrock.start(None, **said)
    final = await (in_chunks if in_parts else whole)(bedrock, session)
    [name] = await bedrock.keys()
    assert name.endswith(".pdf")
    there = bedrock.head(PREFIX + name)
    # The fake S3 stores no type, so the request that starts the object is checked.
    begun = [*await bedrock.requests("POST"), *await bedrock.requests("PUT")][0]
    assert begun["headers"]["content-type"] == "application/pdf"
    assert there["Metadata"] == {"display-name": "Quartalszahlen.pdf"}
    assert final.file is not None
    assert final.file == await bedrock.files.get(CALLER, final.file.id)
    shown = (final.file.display_name, final.file.mime_type, final.file.create_time)
    assert shown == ("Quartalszahlen.pdf", there["ContentType"], there["LastModified"])


@pytest.mark.parametrize(
    "display_name",
    [
        "with spaces  and more ",
        " ",
        "Bericht für März, 報告 🎉",
        "=?UTF-8?B?eA==?=",
        "one\r\nx-amz-meta-two: line",
        "\x00\x7f\x85",
        '"quoted", <b>, %20, \\',
        "報" * 100,
    ],
)
async def test_a_display_name_is_any_text(bedrock: BedrockWithFake, display_name: str) -> None:
    file_id = await bedrock.upload(SMALL, display_name)
    assert (await bedrock.files.get(CALLER, file_id)).display_name == display_name
    [listed] = (await bedrock.files.list(CALLER, 10, None)).items
    assert listed.display_name == display_name


@pytest.mark.parametrize(("fits", "too_long"), [("a" * 2036, "a" * 2037), ("é" * 759, "é" * 760)])
async def test_a_display_name_that_s3_cannot_keep_is_refused_at_the_start(
    bedrock: BedrockWithFake, fits: str, too_long: str
) -> None:
    file_id = await bedrock.upload(SMALL, fits)
    assert (await bedrock.files.get(CALLER, file_id)).display_name == fits
    error = await refused(bedrock.start(len(SMALL), too_long))
    assert (error.status, error.path) == (Status.INVALID_ARGUMENT, "file.displayName")
    assert "2048" in error.message
    assert len(await bedrock.requests("PUT")) == 1


@pytest.mark.parametrize(
    "mime_type", ["text/plaîn", "text/plain\r\nx-amz-acl: public-read", "a\x00"]
)
async def test_a_type_that_cannot_be_a_header_is_refused_at_the_start(
    bedrock: BedrockWithFake, mime_type: str
) -> None:
    error = await refused(bedrock.start(len(SMALL), mime_type=mime_type))
    assert (error.status, error.path) == (Status.INVALID_ARGUMENT, "file.mimeType")


@pytest.mark.parametrize("size", [None, 0])
async def test_an_empty_file(bedrock: BedrockWithFake, size: int | None) -> None:
    session = await bedrock.start(size)
    await the_one_file(bedrock, b"", await bedrock.send(session, b"", finalize=True))


async def test_a_file_of_unknown_size(bedrock: BedrockWithFake) -> None:
    await the_one_file(bedrock, DATA, await in_chunks(bedrock, await bedrock.start(None)))


@pytest.mark.parametrize("offset", [GRANULARITY, None])
async def test_an_end_without_bytes(bedrock: BedrockWithFake, offset: int | None) -> None:
    session = await bedrock.start(None)
    await bedrock.send(session, DATA[:GRANULARITY])
    final = await bedrock.uploads.send(session, Chunk(offset, in_memory(b""), finalize=True))
    await the_one_file(bedrock, DATA[:GRANULARITY], final)


@pytest.mark.parametrize("known", [True, False])
async def test_a_file_in_one_request_instead_of_a_resumable_upload(
    bedrock: BedrockWithFake, known: bool
) -> None:
    body = Body(Pieces(DATA), len(DATA) if known else None)
    start = UploadStart(display_name="a.txt", mime_type="text/plain")
    file = await bedrock.files.create(CALLER, "s1", start, body)
    [name] = await bedrock.keys()
    assert (decode_object_id(file.id), file.size) == (name, len(DATA))
    assert await bedrock.sha256_of(PREFIX + name) == sha256(DATA)
    assert await bedrock.objects("uploads") == []
    assert left_of_session(bedrock) == []


async def test_a_query_returns_what_has_arrived(bedrock: BedrockWithFake) -> None:
    session = await bedrock.start(len(DATA))
    assert (await bedrock.uploads.query(session)).received == 0
    await bedrock.send(session, DATA[: 2 * GRANULARITY])
    asked = await bedrock.uploads.query(session)
    assert (asked.status, asked.received) == (UploadStatus.ACTIVE, 2 * GRANULARITY)
    await the_one_file(bedrock, DATA, await last_chunk(bedrock, session))


async def test_chunks_go_through_any_replica(bedrock: BedrockWithFake) -> None:
    session = await bedrock.start(len(DATA))
    for offset in (0, GRANULARITY):
        bedrock.provider = bedrock.replica()
        await bedrock.send(session, DATA[offset : offset + GRANULARITY], offset)
    bedrock.provider = bedrock.replica()
    await the_one_file(bedrock, DATA, await last_chunk(bedrock, session))
    assert len(await bedrock.s3_calls("POST", BEGIN)) == 1


async def test_a_repeat_in_other_slices(bedrock: BedrockWithFake) -> None:
    session = await bedrock.start(len(DATA))
    await bedrock.send(session, DATA[:GRANULARITY])
    await bedrock.send(session, DATA[: 2 * GRANULARITY])
    await bedrock.send(session, DATA[GRANULARITY : 2 * GRANULARITY], GRANULARITY)
    final = await bedrock.send(session, DATA[GRANULARITY:], GRANULARITY, finalize=True)
    await the_one_file(bedrock, DATA, final)
    assert [query[PART] for query in await bedrock.s3_calls("PUT")] == ["1", "2", "3"]


@pytest.mark.parametrize("in_parts", [False, True])
async def test_a_repeat_of_the_last_chunk_gets_the_same_answer(
    bedrock: BedrockWithFake, in_parts: bool
) -> None:
    data = DATA if in_parts else SMALL
    session = await bedrock.start(len(data))
    final = await (in_chunks if in_parts else whole)(bedrock, session)
    again = await (last_chunk if in_parts else whole)(bedrock, session)
    bare = await bedrock.uploads.send(session, Chunk(None, in_memory(b""), finalize=True))
    asked = await bedrock.uploads.query(session)
    await the_one_file(bedrock, data, final, again, bare, asked)
    assert final.file == again.file == bare.file == asked.file
    error = await refused(bedrock.uploads.cancel(session))
    assert (error.status, error.upload_status) == (Status.FAILED_PRECONDITION, "final")


async def test_a_cancelled_upload_is_aborted_at_s3(bedrock: BedrockWithFake) -> None:
    session = await bedrock.start(len(DATA))
    await bedrock.send(session, DATA[:GRANULARITY])
    assert len(await bedrock.objects("uploads")) == 1
    assert (await bedrock.uploads.cancel(session)).status is UploadStatus.CANCELLED
    assert len(await bedrock.s3_calls("DELETE", UPLOAD)) == 1
    await nothing_made(bedrock)
    for attempt in (last_chunk(bedrock, session), bedrock.uploads.query(session)):
        error = await refused(attempt)
        assert (error.status, error.upload_status) == (Status.FAILED_PRECONDITION, "cancelled")


async def test_the_credential_of_a_session_may_be_temporary(bedrock: BedrockWithFake) -> None:
    bedrock.caller = Caller(Credential(api_key=TEMPORARY.api_key), "tenant")
    await the_one_file(bedrock, DATA, await in_chunks(bedrock, await bedrock.start(len(DATA))))
