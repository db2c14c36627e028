"""At every provider a text or JSON file is the input of a batch only if its first line is one's."""

from contextlib import suppress
from typing import Any

import pytest

from providers.errors import FerryError
from providers.limits import FIRST_LINE
from providers.provider import Provider
from providers.resource_names import FileKind, decode_letter
from providers.status import Status
from providers.upload import GRANULARITY, Chunk, UploadStart, UploadStatus
from tests.contract.anthropic_with_fake import AnthropicWithFake
from tests.contract.bedrock_with_fake import BedrockWithFake
from tests.contract.mistral_with_fake import MistralWithFake
from tests.contract.openai_with_fake import OpenAIWithFake
from tests.contract.provider_with_fake import ProviderWithFake, body_of, gemini_lines, refused

LINES = gemini_lines("a", "b")
NOTES = b"some notes\n" + LINES
DOCUMENT = b'{"name": "a document", "items": [1, 2]}'


@pytest.fixture(params=["openai", "anthropic", "mistral", "bedrock"])
def work(request: pytest.FixtureRequest) -> ProviderWithFake:
    found: ProviderWithFake = request.getfixturevalue(request.param)
    return found


async def is_batch_input(work: ProviderWithFake, file_id: str) -> bool:
    """As the provider sees it."""
    made = decode_letter(file_id)
    assert made is not None
    letter, native = made
    match work:
        case AnthropicWithFake():
            return letter == FileKind.STAGED
        case BedrockWithFake():
            return native.endswith(".jsonl")
        case OpenAIWithFake() | MistralWithFake():
            file = await work.native(f"files/{native}")
            named = str(file["filename"]).endswith(".jsonl")
            assert named == (file["purpose"] == "batch")
            return named
    raise AssertionError(work)


KINDS = pytest.mark.parametrize(
    ("data", "said", "expected"),
    [
        (LINES, {"name": "a.txt", "mime_type": "text/plain"}, True),
        (NOTES, {"name": "notes.txt", "mime_type": "text/plain"}, False),
        (LINES, {"name": "a.json"}, True),
        (DOCUMENT, {"name": "a", "mime_type": "application/json"}, False),
        (DOCUMENT, {"name": "a.ndjson"}, True),
    ],
    ids=["lines as text", "notes", "lines as json", "a document", "lines by name"],
)


@KINDS
async def test_in_one_chunk(
    work: ProviderWithFake, data: bytes, said: dict[str, Any], expected: bool
) -> None:
    file_id = await work.upload(data, **said)
    assert await is_batch_input(work, file_id) == expected
    file = await work.files.get(work.caller, file_id)
    assert (file.display_name, file.size) == (said["name"], len(data))
    if "mime_type" in said:
        assert file.mime_type == said["mime_type"]


@KINDS
async def test_in_one_request(
    work: ProviderWithFake, data: bytes, said: dict[str, Any], expected: bool
) -> None:
    start = UploadStart(said["name"], said.get("mime_type"))
    file = await work.files.create(work.caller, "s1", start, body_of(data))
    assert await is_batch_input(work, file.id) == expected


def replicas(work: ProviderWithFake) -> tuple[Provider, Provider]:
    match work:
        case AnthropicWithFake() | BedrockWithFake() | OpenAIWithFake() | MistralWithFake():
            return work.replica(), work.replica()
    raise AssertionError(work)


@pytest.mark.parametrize("size_is_known", [True, False])
@pytest.mark.parametrize(("first", "expected"), [(LINES, True), (NOTES, False)])
async def test_in_chunks_through_several_replicas(
    work: ProviderWithFake, first: bytes, expected: bool, size_is_known: bool
) -> None:
    """Only the first chunk decides; every replica goes on with what it decided."""
    data = first + b"\n" * (GRANULARITY - len(first)) + LINES
    size = len(data) if size_is_known else None
    session = await work.start(size, "a.txt", mime_type="text/plain")
    one, other = replicas(work)
    asked = await one.uploads.query(session)
    assert (asked.status, asked.received) == (UploadStatus.ACTIVE, 0)
    for provider in (one, other):  # a repeat changes nothing
        sent = Chunk(0, body_of(data[:GRANULARITY]), finalize=False)
        await provider.uploads.send(session, sent)
    assert (await other.uploads.query(session)).received == GRANULARITY
    last = Chunk(GRANULARITY, body_of(data[GRANULARITY:]), finalize=True)
    final = await other.uploads.send(session, last)
    assert final.file is not None
    assert final.file.size == len(data)
    assert await is_batch_input(work, final.file.id) == expected


async def test_a_first_line_longer_than_what_is_read(work: ProviderWithFake) -> None:
    line = gemini_lines("x" * (2 * FIRST_LINE))
    file_id = await work.upload(line, "a.txt", mime_type="text/plain")
    assert await is_batch_input(work, file_id)


async def test_an_empty_file(bedrock: BedrockWithFake) -> None:
    session = await bedrock.start(None, "a.txt", mime_type="text/plain")
    final = await bedrock.uploads.send(session, Chunk(None, body_of(b""), finalize=True))
    assert final.file is not None
    assert not await is_batch_input(bedrock, final.file.id)


async def test_it_can_be_cancelled_before_its_first_chunk(work: ProviderWithFake) -> None:
    session = await work.start(len(NOTES), "a.txt", mime_type="text/plain")
    progress = await work.uploads.cancel(session)
    assert progress.status is UploadStatus.CANCELLED
    error = await refused(work.send(session, NOTES, finalize=True))
    assert error.status == Status.FAILED_PRECONDITION


async def test_a_later_chunk_cannot_come_first(work: ProviderWithFake) -> None:
    session = await work.start(None, "a.txt", mime_type="text/plain")
    error = await refused(work.send(session, LINES, GRANULARITY, finalize=True))
    assert error.status == Status.FAILED_PRECONDITION
    assert "0 bytes have been received" in error.message


async def test_a_last_chunk_whose_answer_was_lost(work: ProviderWithFake) -> None:
    """The repeat makes no second file, although the name was chosen with the first chunk."""
    session = await work.start(len(NOTES), "a.txt", mime_type="text/plain")
    method = "PUT" if isinstance(work, BedrockWithFake) else "POST"
    await work.strike(method, ".*", "lose_answer")
    files = []
    for _ in range(2):
        with suppress(FerryError):
            files.append((await work.send(session, NOTES, finalize=True)).file)
    assert files[-1] is not None
    listed = await work.files.list(work.caller, 10, None)
    assert [file.id for file in listed.items] == [files[-1].id]


async def test_the_expiry_of_a_batch_input_is_refused_by_its_first_line(
    anthropic: AnthropicWithFake,
) -> None:
    session = await anthropic.start(len(LINES), "a.txt", mime_type="text/plain", expires_after=9000)
    error = await refused(anthropic.send(session, LINES, finalize=True))
    assert error.status == Status.INVALID_ARGUMENT
    session = await anthropic.start(
        len(NOTES), "a.txt", "s2", mime_type="text/plain", expires_after=9000
    )
    assert (await anthropic.send(session, NOTES, finalize=True)).file is not None
