"""Uploads to Anthropic in one chunk and in three, and the expected file."""

import base64
import hashlib

from providers.resource_names import FileKind, parse_file_id
from providers.upload import GRANULARITY, UploadProgress, UploadSession, UploadStatus
from tests.contract.anthropic_batching import download
from tests.contract.anthropic_with_fake import AnthropicWithFake
from tests.contract.provider_with_fake import data_of, sha256

DATA = data_of(2 * GRANULARITY + 100)
SMALL = DATA[:1000]

STAGED = "in.jsonl"
SENT = "a.pdf"


async def in_chunks(anthropic: AnthropicWithFake, session: UploadSession) -> UploadProgress:
    for offset in (0, GRANULARITY):
        progress = await anthropic.send(session, DATA[offset : offset + GRANULARITY], offset)
        assert (progress.status, progress.received) == (UploadStatus.ACTIVE, offset + GRANULARITY)
    return await last_chunk(anthropic, session)


async def last_chunk(anthropic: AnthropicWithFake, session: UploadSession) -> UploadProgress:
    return await anthropic.send(session, DATA[2 * GRANULARITY :], 2 * GRANULARITY, finalize=True)


async def whole(anthropic: AnthropicWithFake, session: UploadSession) -> UploadProgress:
    return await anthropic.send(session, SMALL, finalize=True)


async def the_one_file(anthropic: AnthropicWithFake, data: bytes, *ends: UploadProgress) -> None:
    """Every answer names the same file; it has these bytes, and there is no other."""
    [file] = (await anthropic.files.list(anthropic.caller, 10, None)).items
    parsed = parse_file_id(file.id)
    if parsed.kind is FileKind.STAGED:
        assert await download(anthropic, file.id) == data
        assert len(await anthropic.kept("staged-content/")) == 1
    else:
        assert await anthropic.objects("files") == [parsed.native]
        assert await anthropic.sha256_of(parsed.native) == sha256(data)
        assert await anthropic.kept("staged-content/") == []
    for end in ends:
        assert (end.status, end.received) == (UploadStatus.FINAL, len(data))
        assert end.file == file


async def no_file(anthropic: AnthropicWithFake) -> None:
    assert (await anthropic.files.list(anthropic.caller, 10, None)).items == []
    assert await anthropic.kept("staged") == []


async def left_of_session(anthropic: AnthropicWithFake) -> int:
    """The number of objects in the state store; an ended session has only its end."""
    return len(await anthropic.kept("uploads/")) + len(await anthropic.kept("parted/"))


def digest(data: bytes) -> str:
    """In the form of Gemini's `sha256Hash`."""
    return base64.b64encode(hashlib.sha256(data).digest()).decode()
