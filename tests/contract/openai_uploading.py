"""Uploads to OpenAI in one chunk and in three, and the expected file."""

from providers.resource_names import parse_file_id
from providers.upload import GRANULARITY, UploadProgress, UploadSession, UploadStatus
from tests.contract.openai_with_fake import OpenAIWithFake
from tests.contract.provider_with_fake import data_of, sha256

DATA = data_of(2 * GRANULARITY + 100)
SMALL = DATA[:1000]


async def in_chunks(openai: OpenAIWithFake, session: UploadSession) -> UploadProgress:
    for offset in (0, GRANULARITY):
        progress = await openai.send(session, DATA[offset : offset + GRANULARITY], offset)
        assert (progress.status, progress.received) == (
            UploadStatus.ACTIVE,
            offset + GRANULARITY,
        )
    return await last_chunk(openai, session)


async def last_chunk(openai: OpenAIWithFake, session: UploadSession) -> UploadProgress:
    return await openai.send(session, DATA[2 * GRANULARITY :], 2 * GRANULARITY, finalize=True)


async def whole(openai: OpenAIWithFake, session: UploadSession) -> UploadProgress:
    return await openai.send(session, SMALL, finalize=True)


async def the_one_file(openai: OpenAIWithFake, data: bytes, *ends: UploadProgress) -> None:
    """Every answer names the same file; it has these bytes, and there is no other."""
    [native] = await openai.objects("files")
    assert await openai.sha256_of(native) == sha256(data)
    for end in ends:
        assert (end.status, end.received) == (UploadStatus.FINAL, len(data))
        assert end.file is not None
        assert (parse_file_id(end.file.id).native, end.file.size) == (native, len(data))


def left_of_session(openai: OpenAIWithFake) -> list[str]:
    return [name for name in openai.state.objects if name.startswith("uploads/")]
