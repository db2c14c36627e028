"""Files at Mistral against the fake: names, pages, downloads, and uploads in chunks."""

import pytest

from providers.credential import Caller, Credential
from providers.resource_names import native_file_id, parse_file_id
from providers.status import Status
from providers.upload import GRANULARITY, UploadStart, UploadStatus
from tests.contract.mistral_with_fake import (
    CALLER,
    SECRET,
    MistralWithFake,
    from_file,
    inline,
)
from tests.contract.provider_with_fake import body_of, data_of, gemini_lines, refused, sha256

DATA = data_of(2 * GRANULARITY + 100)
SMALL = DATA[:1000]


async def download(mistral: MistralWithFake, file_id: str) -> bytes:
    opened = await mistral.files.download(CALLER, file_id)
    try:
        return b"".join([chunk async for chunk in opened.body.chunks])
    finally:
        await opened.close()


@pytest.mark.parametrize("name", ["plain.jsonl", 'a "quoted" name', "schön 漢字.txt", "a/b\\c"])
@pytest.mark.parametrize("mime_type", ["jsonl", "image/png", None])
async def test_a_file_keeps_its_names(
    mistral: MistralWithFake, name: str, mime_type: str | None
) -> None:
    start = UploadStart(display_name=name, mime_type=mime_type, size=len(SMALL))
    made = await mistral.files.create(CALLER, "s1", start, body_of(SMALL))
    assert made == await mistral.files.get(CALLER, made.id)
    assert (made.display_name, made.mime_type, made.size) == (name, mime_type, len(SMALL))
    assert made.create_time is not None


@pytest.mark.parametrize(
    ("name", "purpose"), [("a.jsonl", "batch"), ("a.json", "ocr"), ("a.pdf", "ocr")]
)
async def test_a_files_purpose(mistral: MistralWithFake, name: str, purpose: str) -> None:
    native = parse_file_id(await mistral.upload(SMALL, name)).native
    assert (await mistral.native(f"files/{native}"))["purpose"] == purpose


async def test_another_tools_file_has_mistrals_names(mistral: MistralWithFake) -> None:
    file_id = await mistral.upload(gemini_lines("a"), "mine.jsonl")
    for name in mistral.state.objects:
        await mistral.state.delete(name)
    file = await mistral.files.get(CALLER, file_id)
    assert (file.display_name or "").endswith("-mine.jsonl")
    assert file.mime_type == "application/jsonl"
    assert await download(mistral, parse_file_id(file_id).native) == gemini_lines("a")


async def test_another_callers_files_are_not_found(mistral: MistralWithFake) -> None:
    file_id = await mistral.upload(SMALL, "a.jsonl")
    other = Caller(Credential(api_key=SECRET[::-1]), "other")
    assert (await refused(mistral.files.get(other, file_id))).status == Status.NOT_FOUND
    assert (await mistral.files.list(other, 10, None)).items == []


@pytest.mark.parametrize("name", ["nosuch", "file-abc", native_file_id("file-abc")])
async def test_a_name_that_mistral_gives_to_no_file(mistral: MistralWithFake, name: str) -> None:
    for attempt in (
        mistral.files.get(CALLER, name),
        mistral.files.download(CALLER, name),
        mistral.files.delete(CALLER, name),
        mistral.batches.create(CALLER, from_file(name)),
    ):
        error = await refused(attempt)
        assert error.status == Status.NOT_FOUND
        assert error.message == (
            "mistral: nothing has this name: path.file_id: Input should be a valid UUID"
        )


async def test_an_invalid_key(mistral: MistralWithFake) -> None:
    other = Caller(Credential(api_key="no key"), "other")
    error = await refused(mistral.files.list(other, 10, None))
    assert (error.status, error.message) == (Status.UNAUTHENTICATED, "mistral: Unauthorized")


async def test_a_truncated_download_never_ends_cleanly(mistral: MistralWithFake) -> None:
    file_id = await mistral.upload(SMALL, "a.pdf")
    await mistral.strike("GET", "files/[^/]+/content", "truncate", after_bytes=500)
    assert (await refused(download(mistral, file_id))).status == Status.UNAVAILABLE


async def test_a_deleted_file(mistral: MistralWithFake) -> None:
    file_id = await mistral.upload(SMALL, "a.pdf")
    await mistral.files.delete(CALLER, file_id)
    assert (await refused(mistral.files.get(CALLER, file_id))).status == Status.NOT_FOUND
    assert await mistral.objects("files") == []
    assert [name for name in mistral.state.objects if name.startswith("files/")] == []


# --- lists ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("page_limit", [None, 2])
@pytest.mark.parametrize("page_size", [1, 3, 100])
async def test_a_list_shows_only_the_users_own_files(
    mistral: MistralWithFake, page_size: int, page_limit: int | None
) -> None:
    mine = [await mistral.upload(b"x", f"{n}.txt", f"s{n}") for n in range(2)]
    for _ in range(3):
        await mistral.ended(inline("a", "please fail"))
    mine += [await mistral.upload(b"x", f"{n}.txt", f"s{n}") for n in range(2, 5)]
    await mistral.post("/_fake/settings", {"page_limit": page_limit})
    seen: list[str] = []
    token: str | None = None
    while True:
        page = await mistral.files.list(CALLER, page_size, token)
        seen += [file.id for file in page.items]
        token = page.next_page_token
        if token is None:
            break
        assert len(page.items) == page_size
    assert seen == mine[::-1]


@pytest.mark.parametrize("token", ["%%%", "bm8", "MS4yLjM", "LTEuMA"])
async def test_not_a_page_token(mistral: MistralWithFake, token: str) -> None:
    error = await refused(mistral.files.list(CALLER, 2, token))
    assert (error.status, error.path) == (Status.INVALID_ARGUMENT, "pageToken")


# --- uploads --------------------------------------------------------------------------------------


async def in_chunks(mistral: MistralWithFake, size: int | None) -> str:
    session = await mistral.start(size, "a.pdf")
    for offset in (0, GRANULARITY):
        progress = await mistral.send(session, DATA[offset : offset + GRANULARITY], offset)
        assert progress.status is UploadStatus.ACTIVE
    last = await mistral.send(session, DATA[2 * GRANULARITY :], 2 * GRANULARITY, finalize=True)
    assert last.file is not None
    return last.file.id


@pytest.mark.parametrize("size", [len(DATA), None])
async def test_chunks_become_one_file(mistral: MistralWithFake, size: int | None) -> None:
    file_id = await in_chunks(mistral, size)
    assert await mistral.objects("files") == [parse_file_id(file_id).native]
    assert await mistral.sha256_of(parse_file_id(file_id).native) == sha256(DATA)


async def test_another_sessions_file_of_the_same_name_is_never_taken(
    mistral: MistralWithFake,
) -> None:
    """It has the same size too, and its replica died before it recorded the file."""
    await mistral.upload(SMALL[::-1], "a.pdf", "first")
    for name in [name for name in mistral.state.objects if name.startswith("files/")]:
        await mistral.state.delete(name)
    await mistral.strike("POST", "files", "reset", after_bytes=500)
    session = await mistral.start(len(SMALL), "a.pdf")
    await refused(mistral.send(session, SMALL, finalize=True))
    final = await mistral.send(session, SMALL, finalize=True)
    assert final.file is not None
    assert await mistral.sha256_of(parse_file_id(final.file.id).native) == sha256(SMALL)


@pytest.mark.parametrize("fault", ["lose_answer", "status"])
async def test_a_file_whose_answer_was_lost_is_made_once(
    mistral: MistralWithFake, fault: str
) -> None:
    await mistral.upload(SMALL, "a.pdf", "earlier")
    session = await mistral.start(len(SMALL), "a.pdf")
    await mistral.strike("POST", "files", fault)
    if fault == "status":  # 500 by default: nothing was made
        assert (await refused(mistral.send(session, SMALL, finalize=True))).status in (
            Status.UNAVAILABLE,
            Status.INTERNAL,
        )
    first = await mistral.send(session, SMALL, finalize=True)
    again = await mistral.send(session, SMALL, finalize=True)
    assert first.file == again.file
    assert len(await mistral.objects("files")) == 2
