"""Files for Anthropic: one list from two, downloads, and lost answers."""

import gc
from typing import Any

import pytest

from providers.json_api.page_tokens import encode_page_token
from providers.resource_names import FileId, FileKind, parse_file_id
from providers.status import Status
from providers.upload import UploadStart
from tests.contract.anthropic_batching import download
from tests.contract.anthropic_uploading import SENT, SMALL, STAGED
from tests.contract.anthropic_with_fake import (
    CALLER,
    OTHER,
    SECRET,
    AnthropicWithFake,
)
from tests.contract.provider_with_fake import body_of, gemini_lines, refused


async def ids(anthropic: AnthropicWithFake, page_size: int = 100) -> list[str]:
    """Every file of the list; all pages except the last are full."""
    seen: list[str] = []
    token: str | None = None
    while True:
        page = await anthropic.files.list(CALLER, page_size, token)
        seen += [file.id for file in page.items]
        token = page.next_page_token
        if token is None:
            return seen
        assert 0 < len(page.items) <= page_size


# --- one file -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["plain.pdf", 'a "quoted" name', "schön 漢字.txt.pdf", "a/b\\c", "?*<>|:", "n" * 400]
)
@pytest.mark.parametrize("mime_type", ["application/pdf", "pdf", None])
async def test_a_file_keeps_its_names(
    anthropic: AnthropicWithFake, name: str, mime_type: str | None
) -> None:
    """Also those that Anthropic refuses."""
    start = UploadStart(display_name=name, mime_type=mime_type, size=len(SMALL))
    made = await anthropic.files.create(CALLER, "s1", start, body_of(SMALL))
    assert made == await anthropic.files.get(CALLER, made.id)
    assert made in (await anthropic.files.list(CALLER, 10, None)).items
    expected = mime_type or "application/octet-stream"
    assert (made.display_name, made.mime_type) == (name, expected)


@pytest.mark.parametrize("name", [STAGED, SENT])
async def test_a_file_is_deleted_with_its_records(anthropic: AnthropicWithFake, name: str) -> None:
    file_id = await anthropic.upload(SMALL, name)
    await anthropic.lose("uploads/")
    await anthropic.files.delete(CALLER, file_id)
    for attempt in (
        anthropic.files.get(CALLER, file_id),
        anthropic.files.delete(CALLER, file_id),
        anthropic.files.download(CALLER, file_id),
    ):
        assert (await refused(attempt)).status == Status.NOT_FOUND
    assert await anthropic.kept() == []
    assert await anthropic.objects("files") == []


async def test_a_native_id_is_accepted_as_a_name(anthropic: AnthropicWithFake) -> None:
    file_id = await anthropic.upload(SMALL, SENT)
    native = parse_file_id(file_id).native
    assert await anthropic.files.get(CALLER, native) == await anthropic.files.get(CALLER, file_id)
    await anthropic.files.delete(CALLER, native)
    assert (await refused(anthropic.files.get(CALLER, file_id))).status == Status.NOT_FOUND


async def test_another_tools_file(anthropic: AnthropicWithFake) -> None:
    file_id = await anthropic.upload(SMALL, SENT, mime_type="application/pdf")
    await anthropic.lose("")
    file = await anthropic.files.get(CALLER, file_id)
    assert (file.display_name or "").endswith(f"-{SENT}")
    assert file.mime_type == "application/pdf"


async def test_a_file_that_anthropic_never_lets_download(anthropic: AnthropicWithFake) -> None:
    file_id = await anthropic.upload(SMALL, SENT)
    error = await refused(anthropic.files.download(CALLER, file_id))
    assert (error.status, error.upstream_status) == (Status.INVALID_ARGUMENT, 400)
    assert "not downloadable" in error.message


async def test_a_file_that_anthropic_lets_download(anthropic: AnthropicWithFake) -> None:
    file_id = await anthropic.upload(SMALL, SENT, mime_type="application/pdf")
    native = parse_file_id(file_id).native
    await anthropic.post(f"/_fake/uploads/{native}", {"downloadable": True})
    assert (await anthropic.files.get(CALLER, file_id)).downloadable
    opened = await anthropic.files.download(CALLER, file_id)
    assert (opened.mime_type, opened.body.length) == ("application/pdf", len(SMALL))
    await opened.close()
    assert await download(anthropic, file_id) == SMALL
    await anthropic.strike("GET", "files/[^/]+/content", "truncate", after_bytes=500)
    assert (await refused(download(anthropic, file_id))).status == Status.UNAVAILABLE


async def test_a_file_that_expired_at_anthropic(anthropic: AnthropicWithFake) -> None:
    file_id = await anthropic.upload(SMALL, SENT)
    await anthropic.post(f"/_fake/uploads/{parse_file_id(file_id).native}", {"status": "expired"})
    assert (await refused(anthropic.files.get(CALLER, file_id))).status == Status.NOT_FOUND


async def test_a_staged_file_belongs_to_its_tenant(anthropic: AnthropicWithFake) -> None:
    file_id = await anthropic.upload(gemini_lines("a"), STAGED)
    for attempt in (
        anthropic.files.get(OTHER, file_id),
        anthropic.files.delete(OTHER, file_id),
        anthropic.files.download(OTHER, file_id),
    ):
        assert (await refused(attempt)).status == Status.NOT_FOUND
    assert (await anthropic.files.list(OTHER, 10, None)).items == []
    assert await download(anthropic, file_id) == gemini_lines("a")


async def test_a_staged_file_deleted_while_it_is_read(anthropic: AnthropicWithFake) -> None:
    file_id = await anthropic.upload(SMALL, STAGED)
    opened = await anthropic.files.download(CALLER, file_id)
    await anthropic.files.delete(CALLER, file_id)
    assert b"".join([chunk async for chunk in opened.body.chunks]) == SMALL
    await opened.close()


async def test_a_record_whose_content_is_gone(anthropic: AnthropicWithFake) -> None:
    """The sweep deletes the content first, since it is older."""
    file_id = await anthropic.upload(SMALL, STAGED)
    await anthropic.lose("staged-content/")
    assert (await refused(anthropic.files.download(CALLER, file_id))).status == Status.NOT_FOUND
    await anthropic.files.delete(CALLER, file_id)
    assert await ids(anthropic) == []


async def test_an_unknown_staged_id(anthropic: AnthropicWithFake) -> None:
    """An id is part of a name in the store, and these names have rules."""
    for staged_id in ("A", "..a", "~", "a=b", "x" * 500):
        file_id = str(FileId(FileKind.STAGED, staged_id))
        assert (await refused(anthropic.files.get(CALLER, file_id))).status == Status.NOT_FOUND


async def test_results_of_no_batch(anthropic: AnthropicWithFake) -> None:
    file_id = str(FileId(FileKind.RESULTS, "msgbatch_none"))
    for attempt in (
        anthropic.files.get(CALLER, file_id),
        anthropic.files.download(CALLER, file_id),
    ):
        assert (await refused(attempt)).status == Status.NOT_FOUND


async def test_the_key_is_in_no_error(anthropic: AnthropicWithFake) -> None:
    body = {"error": {"message": f"no such key: {SECRET}", "type": f"key {SECRET}"}}
    await anthropic.strike("GET", "files/file_a", "status", status=401, body=body)
    error = await refused(anthropic.files.get(CALLER, "file_a"))
    assert (error.status, error.message) == (Status.UNAUTHENTICATED, "anthropic: no such key: ***")
    assert error.request_id
    assert SECRET not in repr((CALLER, anthropic.provider))


# --- the two lists --------------------------------------------------------------------------------


@pytest.mark.parametrize("beta", [True, False])
@pytest.mark.parametrize("page_limit", [None, 2])
@pytest.mark.parametrize("page_size", [1, 2, 3, 4, 5, 6, 100])
async def test_every_file_is_listed_once_newest_first(
    anthropic: AnthropicWithFake, page_size: int, page_limit: int | None, beta: bool
) -> None:
    sent, staged = [], []
    for number in range(3):
        sent.append(await anthropic.upload(SMALL, SENT, f"sent-{number}"))
        staged.append(await anthropic.upload(SMALL, STAGED, f"staged-{number}"))
    await anthropic.post("/_fake/settings", {"page_limit": page_limit, "beta_file_list": beta})
    assert await ids(anthropic, page_size) == staged[::-1] + sent[::-1]


async def test_changes_between_two_pages(anthropic: AnthropicWithFake) -> None:
    staged = [await anthropic.upload(SMALL, STAGED, f"s{number}") for number in range(4)]
    page = await anthropic.files.list(CALLER, 2, None)
    await anthropic.files.delete(CALLER, staged[2])
    await anthropic.upload(SMALL, STAGED, "new")
    following = await anthropic.files.list(CALLER, 2, page.next_page_token)
    assert [file.id for file in [*page.items, *following.items]] == staged[::-1]


@pytest.mark.parametrize("page", ["a+b/c==", "x" * 2000, "&limit=1"])
async def test_any_cursor_of_anthropic_continues_the_list(
    anthropic: AnthropicWithFake, page: str
) -> None:
    answer = {"data": [{"id": "file_a"}], "next_page": page}
    await anthropic.strike("GET", "files", "status", status=200, body=answer)
    token = (await anthropic.files.list(CALLER, 1, None)).next_page_token
    await anthropic.strike("GET", "files", "status", status=200, body={"data": []})
    assert (await anthropic.files.list(CALLER, 1, token)).next_page_token is None
    [_, asked] = (await anthropic.get("/_fake/requests", {"path": "^/v1/files$"}))["requests"]
    assert asked["query"] == {"limit": "1", "page": page}


async def test_a_token_of_another_list(anthropic: AnthropicWithFake) -> None:
    order = {"data": [{"id": "msgbatch_a"}], "has_more": True, "last_id": "msgbatch_a"}
    await anthropic.strike("GET", "messages/batches", "status", status=200, body=order)
    of_batches = (await anthropic.batches.list(CALLER, 1, None)).next_page_token
    for number in range(2):
        await anthropic.upload(SMALL, STAGED, f"s{number}")
    of_files = (await anthropic.files.list(CALLER, 1, None)).next_page_token
    assert of_batches is not None
    assert of_files is not None
    for attempt in (
        anthropic.files.list(CALLER, 2, "%%%"),
        anthropic.files.list(CALLER, 2, of_batches),
        anthropic.batches.list(CALLER, 2, of_files),
    ):
        error = await refused(attempt)
        assert (error.status, error.path) == (Status.INVALID_ARGUMENT, "pageToken")


@pytest.mark.parametrize("place", ["s.x", "s." + "f" * 31, "s." + "%" * 4094, "s." + "F" * 30])
async def test_a_place_that_the_proxy_never_named_does_not_reach_the_store(
    anthropic: AnthropicWithFake, place: str
) -> None:
    error = await refused(anthropic.files.list(CALLER, 2, encode_page_token(place)))
    assert (error.status, error.path) == (Status.INVALID_ARGUMENT, "pageToken")


@pytest.mark.parametrize("data", ["no list", [1], [{}], [{"id": "x"}, {}], {"id": "x"}])
async def test_an_invalid_list_is_the_upstreams_fault(
    anthropic: AnthropicWithFake, data: Any
) -> None:
    for path in ("files", "messages/batches"):
        await anthropic.strike("GET", path, "status", status=200, body={"data": data})
    for listing in (anthropic.files.list, anthropic.batches.list):
        assert (await refused(listing(CALLER, 10, None))).status == Status.UNAVAILABLE
    gc.collect()  # what was never awaited is reported now
