"""Files at OpenAI against the fake: names, pages, downloads, and uploads in one request."""

from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from providers.body import Body, TruncatedBody
from providers.credential import Caller, Credential
from providers.json_api.page_tokens import decode_page_token
from providers.openai.client import openai_client
from providers.openai.upload_target import OpenAIUploadTarget
from providers.resource_names import native_file_id, parse_file_id
from providers.resources import File
from providers.status import Status
from providers.upload import GRANULARITY, UploadStart
from providers.uploads.native_files import FileRecords
from providers.uploads.resumable import ResumableUploads
from tests.contract.openai_with_fake import CALLER, SECRET, OpenAIWithFake, inline
from tests.contract.provider_with_fake import (
    Pieces,
    body_of,
    data_of,
    gemini_lines,
    refused,
    sha256,
)

DATA = data_of(2 * GRANULARITY + 100)
SMALL = DATA[:1000]


async def download(openai: OpenAIWithFake, file_id: str) -> bytes:
    opened = await openai.files.download(CALLER, file_id)
    try:
        data = b"".join([chunk async for chunk in opened.body.chunks])
        assert opened.body.length == len(data)
        return data
    finally:
        await opened.close()


async def native_file(openai: OpenAIWithFake, file: File) -> dict[str, Any]:
    found: dict[str, Any] = await openai.native(f"files/{parse_file_id(file.id).native}")
    return found


# --- one file -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["plain.jsonl", 'a "quoted" name', "schön 漢字.txt", "a/b\\c", "x.JSONL", ".jsonl"]
)
@pytest.mark.parametrize("mime_type", ["jsonl", "text/plain", "image/png", None])
async def test_a_file_keeps_its_names(
    openai: OpenAIWithFake, name: str, mime_type: str | None
) -> None:
    start = UploadStart(display_name=name, mime_type=mime_type, size=len(SMALL))
    made = await openai.files.create(CALLER, "s1", start, body_of(SMALL))
    assert made == await openai.files.get(CALLER, made.id)
    assert (made.display_name, made.mime_type, made.size) == (name, mime_type, len(SMALL))


async def test_a_file_is_read_by_each_of_its_names(openai: OpenAIWithFake) -> None:
    data = gemini_lines("a", "b")
    file_id = await openai.upload(data, "in.jsonl")
    native = parse_file_id(file_id).native
    assert await openai.files.get(CALLER, native) == await openai.files.get(CALLER, file_id)
    assert await download(openai, file_id) == await download(openai, native) == data
    await openai.files.delete(CALLER, native)
    assert (await refused(openai.files.get(CALLER, file_id))).status == Status.NOT_FOUND
    assert [name for name in openai.state.objects if name.startswith("files/")] == []


async def test_another_tools_file(openai: OpenAIWithFake) -> None:
    file_id = await openai.upload(SMALL, "mine.txt")
    for name in openai.state.objects:
        await openai.state.delete(name)
    file = await openai.files.get(CALLER, file_id)
    assert (file.display_name or "").endswith("-mine.txt")
    assert file.mime_type is None


async def test_another_callers_files_are_not_found(openai: OpenAIWithFake) -> None:
    file_id = await openai.upload(SMALL, "a.jsonl")
    other = Caller(Credential(api_key="sk-another"), "other")
    assert (await refused(openai.files.get(other, file_id))).status == Status.NOT_FOUND
    assert (await openai.files.list(other, 10, None)).items == []


async def test_a_file_that_openai_never_lets_download(openai: OpenAIWithFake) -> None:
    file_id = await openai.upload(SMALL, "a.bin")
    assert not (await openai.files.get(CALLER, file_id)).downloadable
    assert (await refused(openai.files.download(CALLER, file_id))).status == Status.INVALID_ARGUMENT


@pytest.mark.parametrize("after", [0, 500])
async def test_a_truncated_download_never_ends_cleanly(openai: OpenAIWithFake, after: int) -> None:
    file_id = await openai.upload(gemini_lines(*"abcdefgh"), "in.jsonl")
    await openai.strike("GET", "files/[^/]+/content", "truncate", after_bytes=after)
    assert (await refused(download(openai, file_id))).status == Status.UNAVAILABLE


async def test_the_key_is_in_no_error(openai: OpenAIWithFake) -> None:
    body = {"error": {"message": f"no such key: {SECRET}", "code": f"key {SECRET}"}}
    await openai.strike("GET", "files/file-a", "status", status=401, body=body)
    error = await refused(openai.files.get(CALLER, "file-a"))
    assert (error.status, error.message) == (Status.UNAUTHENTICATED, "openai: no such key: ***")
    assert error.request_id
    assert SECRET not in repr(CALLER)


# --- lists ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("page_limit", [None, 2])
@pytest.mark.parametrize("page_size", [1, 3, 100])
async def test_a_list_shows_only_the_users_own_files(
    openai: OpenAIWithFake, page_size: int, page_limit: int | None
) -> None:
    mine = [await openai.upload(b"x", f"{n}.txt", f"s{n}") for n in range(2)]
    for _ in range(3):
        created = await openai.batches.create(CALLER, inline("a"))
        await openai.move(created.id, "completed")
    mine += [await openai.upload(b"x", f"{n}.txt", f"s{n}") for n in range(2, 5)]
    await openai.post("/_fake/settings", {"page_limit": page_limit})
    seen: list[str] = []
    token: str | None = None
    while True:
        page = await openai.files.list(CALLER, page_size, token)
        seen += [file.id for file in page.items]
        token = page.next_page_token
        if token is None:
            break
        assert len(page.items) == page_size
    assert seen == mine[::-1]


@pytest.mark.parametrize("data", ["no list", [1], [{}], {"id": "x"}])
async def test_an_invalid_list_is_the_upstreams_fault(openai: OpenAIWithFake, data: Any) -> None:
    await openai.strike("GET", "files", "status", status=200, body={"data": data})
    assert (await refused(openai.files.list(CALLER, 10, None))).status == Status.UNAVAILABLE


async def test_a_server_that_returns_more_than_requested(openai: OpenAIWithFake) -> None:
    data = [{"id": f"file-{n}", "filename": f"{n}"} for n in range(5)]
    await openai.strike("GET", "files", "status", status=200, body={"data": data, "has_more": True})
    page = await openai.files.list(CALLER, 2, None)
    assert [file.display_name for file in page.items] == ["0", "1"]
    assert decode_page_token(page.next_page_token or "") == "file-1"


async def test_a_token_of_another_kind(openai: OpenAIWithFake) -> None:
    error = await refused(openai.files.list(CALLER, 2, "%%%"))
    assert (error.status, error.path) == (Status.INVALID_ARGUMENT, "pageToken")


# --- a file in one request ------------------------------------------------------------------------


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("size", [0, 1000, GRANULARITY, len(DATA)])
async def test_a_file_of_any_size(openai: OpenAIWithFake, size: int, known: bool) -> None:
    body = Body(Pieces(DATA[:size]), size if known else None)
    made = await openai.files.create(CALLER, "s1", UploadStart(display_name="a"), body)
    assert made.size == size
    [native] = await openai.objects("files")
    assert await openai.sha256_of(native) == sha256(DATA[:size])
    assert [name for name in openai.state.objects if name.startswith("uploads/")] == []


def of_small_files(openai: OpenAIWithFake) -> ResumableUploads:
    """Uploads at a provider that accepts at most 1,000 bytes in one request."""
    client = openai_client("openai", openai.url / "v1", openai.upstream)
    records = FileRecords("openai", openai.state)
    target = OpenAIUploadTarget(client, openai.state, records, staged=False)
    target.whole_limit = 1000
    return ResumableUploads(target, openai.state)


async def test_a_file_too_large_for_one_request_is_copied_in_parts(
    openai: OpenAIWithFake,
) -> None:
    uploads = of_small_files(openai)
    await uploads.create(CALLER, "s1", UploadStart(display_name="a.png"), body_of(DATA))
    [native] = await openai.objects("files")
    assert await openai.sha256_of(native) == sha256(DATA)
    assert len(await openai.calls("POST", "uploads/.*/parts")) == 3


async def test_the_parts_of_a_failed_file_are_cancelled(openai: OpenAIWithFake) -> None:
    await openai.strike("POST", "uploads/[^/]+/parts", "status", nth=2, status=500)
    attempt = of_small_files(openai).create(
        CALLER, "s1", UploadStart(display_name="a.png"), body_of(DATA)
    )
    assert (await refused(attempt)).status == Status.UNAVAILABLE
    assert len(await openai.calls("POST", "uploads/.*/cancel")) == 1
    assert openai.state.objects == {}


@pytest.mark.parametrize("declared", [999, 1001])
async def test_a_body_of_another_length_than_declared(
    openai: OpenAIWithFake, declared: int
) -> None:
    body = Body(Pieces(SMALL), declared)
    with pytest.raises(TruncatedBody):
        await openai.files.create(CALLER, "s1", UploadStart(display_name="a"), body)
    assert await openai.objects("files") == []
    assert openai.state.objects == {}


async def test_a_client_that_disconnects(openai: OpenAIWithFake) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield DATA[:GRANULARITY]
        raise ConnectionResetError

    for body in (Body(broken(), None), Body(broken(), len(DATA))):
        with pytest.raises(ConnectionResetError):
            await openai.files.create(CALLER, "s1", UploadStart(display_name="a"), body)
        assert await openai.objects("files") == []
        assert openai.state.objects == {}


async def test_a_lost_answer_creates_no_second_upload(openai: OpenAIWithFake) -> None:
    await openai.strike("POST", "files", "lose_answer")
    start = UploadStart(display_name="a")
    made = await openai.files.create(CALLER, "s1", start, body_of(SMALL))
    assert [parse_file_id(made.id).native] == await openai.objects("files")
    assert (await native_file(openai, made))["filename"].endswith("-a")


async def test_a_reason_why_a_file_cannot_be_read_shows_no_key(openai: OpenAIWithFake) -> None:
    broken = {"id": "file-1", "status": "error", "status_details": f"{SECRET}: {'x' * 100_000}"}
    body = orjson.dumps(broken).decode()
    await openai.strike("GET", "files/file-1", "status", status=200, body=body)
    error = (await openai.files.get(CALLER, native_file_id("file-1"))).error
    assert error is not None
    assert error.startswith("***: x")
    assert len(error) <= 500
