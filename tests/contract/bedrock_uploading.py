"""Uploads to Bedrock's S3 in one chunk and in three, and the expected file."""

from providers.resource_names import decode_object_id
from providers.upload import GRANULARITY, UploadProgress, UploadSession, UploadStatus
from tests.contract.bedrock_with_fake import PREFIX, BedrockWithFake
from tests.contract.provider_with_fake import data_of, sha256

DATA = data_of(2 * GRANULARITY + 100)
SMALL = DATA[:1000]

# A parameter that only the requests of a multipart upload have (bedrock.md section 5).
BEGIN = "uploads"
PART = "partNumber"
UPLOAD = "uploadId"


async def in_chunks(bedrock: BedrockWithFake, session: UploadSession) -> UploadProgress:
    for offset in (0, GRANULARITY):
        progress = await bedrock.send(session, DATA[offset : offset + GRANULARITY], offset)
        assert (progress.status, progress.received) == (UploadStatus.ACTIVE, offset + GRANULARITY)
    return await last_chunk(bedrock, session)


async def last_chunk(bedrock: BedrockWithFake, session: UploadSession) -> UploadProgress:
    return await bedrock.send(session, DATA[2 * GRANULARITY :], 2 * GRANULARITY, finalize=True)


async def whole(bedrock: BedrockWithFake, session: UploadSession) -> UploadProgress:
    return await bedrock.send(session, SMALL, finalize=True)


async def the_one_file(bedrock: BedrockWithFake, data: bytes, *ends: UploadProgress) -> None:
    """Every answer names the same file; it has these bytes, and no upload is open.

    Only the end of the session is still stored.
    """
    [name] = await bedrock.keys()
    assert await bedrock.sha256_of(PREFIX + name) == sha256(data)
    for end in ends:
        assert (end.status, end.received) == (UploadStatus.FINAL, len(data))
        assert end.file is not None
        assert (decode_object_id(end.file.id), end.file.size) == (name, len(data))
    assert await bedrock.objects("uploads") == []
    assert len(left_of_session(bedrock)) == 1


async def nothing_made(bedrock: BedrockWithFake) -> None:
    assert await bedrock.keys() == []
    assert await bedrock.objects("uploads") == []


def left_of_session(bedrock: BedrockWithFake) -> list[str]:
    return [name for name in bedrock.state.objects if name.startswith("uploads/")]
