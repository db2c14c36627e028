"""Files at Bedrock: all objects below the prefix except those of batches."""

from email.header import Header
from typing import Any

import pytest

from providers.json_api.page_tokens import encode_page_token
from providers.resource_names import FileId, FileKind, object_file_id, result_file_id
from providers.resources import Download
from providers.status import Status
from tests.contract.bedrock_with_fake import CALLER, PREFIX, S3_URI, BedrockWithFake, refused
from tests.contract.provider_with_fake import data_of
from tests.fakes.s3 import FILES_BUCKET

FOREIGN = [
    "with space.txt",
    "a+b.txt",
    "100%25.txt",
    "reports/2026/März/報告 🎉.pdf",
    "'quoted' & <b>=?.txt",
    "~tilde.txt",
    "a//b.txt",
    ".hidden",
    "x" * 900,
]


async def names(bedrock: BedrockWithFake, page_size: int = 100) -> list[str]:
    return [file.id for file in (await bedrock.files.list(CALLER, page_size, None)).items]


async def read(opened: Download) -> bytes:
    try:
        return b"".join([chunk async for chunk in opened.body.chunks])
    finally:
        await opened.close()


# --- objects of other tools -----------------------------------------------------------------------


@pytest.mark.parametrize("key", FOREIGN)
async def test_another_tools_object_is_listed_and_can_be_read(
    bedrock: BedrockWithFake, key: str
) -> None:
    bedrock.other_tool.put(PREFIX + key, b"content")
    [listed] = (await bedrock.files.list(CALLER, 100, None)).items
    assert (listed.id, listed.size, listed.display_name) == (object_file_id(key), 7, None)
    for name in (listed.id, key):
        assert await bedrock.files.get(CALLER, name) == listed
        opened = await bedrock.files.download(CALLER, name)
        assert (await read(opened), opened.body.length) == (b"content", 7)
    await bedrock.files.delete(CALLER, listed.id)
    assert await bedrock.keys() == []
    for attempt in (
        bedrock.files.get(CALLER, listed.id),
        bedrock.files.delete(CALLER, listed.id),
        bedrock.files.download(CALLER, listed.id),
    ):
        assert (await refused(attempt)).status == Status.NOT_FOUND


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Header("Übersicht 報告", "utf-8").encode(), "Übersicht 報告"),
        ("=?ISO-8859-1?Q?M=E4rz?=", "März"),
        ("=?no-such-charset?Q?M=E4rz?=", "=?no-such-charset?Q?M=E4rz?="),
        ("=?UTF-8?B?eA", "=?UTF-8?B?eA"),
        ("plain", "plain"),
    ],
)
async def test_the_display_name_of_another_tool(
    bedrock: BedrockWithFake, value: str, shown: str
) -> None:
    """S3 encodes Unicode by RFC 2047."""
    bedrock.other_tool.s3.put_object(
        Bucket=FILES_BUCKET, Key=f"{PREFIX}a.txt", Body=b"", Metadata={"display-name": value}
    )
    assert (await bedrock.files.get(CALLER, "a.txt")).display_name == shown


async def test_other_objects_are_not_listed_as_files(bedrock: BedrockWithFake) -> None:
    put = bedrock.other_tool.put
    put(PREFIX, b"")
    put(f"{PREFIX}folder/", b"")
    put(f"{PREFIX}genai-ferry/{'0' * 32}/input/input.jsonl", b"{}")
    put(f"{PREFIX}up/../a.txt", b"")
    put("elsewhere/a.txt", b"")
    put("a/prefixed.txt", b"")
    put(f"{PREFIX}genai-ferry.txt", b"shown")
    assert await names(bedrock) == [object_file_id("genai-ferry.txt")]


@pytest.mark.parametrize(
    "name", ["..", "../a.txt", "up/../../a.txt", ".", "genai-ferry/x/input.jsonl", "", "x" * 1025]
)
async def test_a_reference_to_no_file_is_refused(bedrock: BedrockWithFake, name: str) -> None:
    bedrock.other_tool.put("a/a.txt", b"")
    for attempt in (
        bedrock.files.get(CALLER, name),
        bedrock.files.delete(CALLER, name),
        bedrock.files.download(CALLER, name),
    ):
        assert (await refused(attempt)).status == Status.INVALID_ARGUMENT
    assert await bedrock.requests("HEAD") == await bedrock.requests("DELETE") == []


@pytest.mark.parametrize("key", ["../a.txt", "up/../../a.txt"])
async def test_an_id_that_we_never_give_is_not_found(bedrock: BedrockWithFake, key: str) -> None:
    bedrock.other_tool.put("a/a.txt", b"")
    assert (
        await refused(bedrock.files.get(CALLER, object_file_id(key)))
    ).status == Status.NOT_FOUND
    # It was looked up only as a key below the prefix.
    assert await bedrock.calls("HEAD") == [f"{FILES_BUCKET}/{PREFIX}{object_file_id(key)}"]


async def test_objects_of_a_batch_are_not_files_by_their_id(bedrock: BedrockWithFake) -> None:
    key = f"genai-ferry/{'0' * 32}/input/input.jsonl"
    bedrock.other_tool.put(PREFIX + key, b"{}")
    for name in (key, object_file_id(key)):
        for attempt in (bedrock.files.get(CALLER, name), bedrock.files.delete(CALLER, name)):
            assert (await refused(attempt)).status == Status.INVALID_ARGUMENT
    assert await bedrock.keys() == [key]


# --- pages ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("page_size", "page_limit"),
    [(1, None), (3, None), (5, None), (100, None), (1, 1), (3, 1), (100, 1), (3, 3), (100, 3)],
)
async def test_pages_are_full_despite_hidden_files(
    bedrock: BedrockWithFake, page_size: int, page_limit: int | None
) -> None:
    """No page with a token is empty, and every file is on one page."""
    shown = [f"{number}.txt" for number in (0, 1, 5, 6, 7)]
    for key in (*shown, "2/", "3/", "4/", "genai-ferry/a", "genai-ferry/b", "zzz/"):
        bedrock.other_tool.put(PREFIX + key, b"x")
    await bedrock.post("/_fake/settings", {"page_limit": page_limit})
    seen: list[str] = []
    sizes: list[int] = []
    token: str | None = None
    while not sizes or token:
        page = await bedrock.files.list(CALLER, page_size, token)
        seen += [file.id for file in page.items]
        sizes.append(len(page.items))
        token = page.next_page_token
    assert seen == [object_file_id(key) for key in shown]
    assert all(size == page_size for size in sizes[:-1])
    assert sizes[-1] > 0


async def test_an_empty_prefix_is_an_empty_page(bedrock: BedrockWithFake) -> None:
    page = await bedrock.files.list(CALLER, 10, None)
    assert (list(page.items), page.next_page_token) == ([], None)


async def test_the_whole_bucket_may_be_the_prefix(bedrock: BedrockWithFake) -> None:
    bedrock.provider = bedrock.replica(s3_uri=f"s3://{FILES_BUCKET}/")
    bedrock.other_tool.put("a.txt", b"x")
    assert await names(bedrock) == [object_file_id("a.txt")]
    file_id = await bedrock.upload(b"y", "b.txt")
    assert sorted(await names(bedrock)) == sorted([object_file_id("a.txt"), file_id])


@pytest.mark.parametrize("token", ["!", "====", "a b", encode_page_token("\x00")])
async def test_an_invalid_page_token(bedrock: BedrockWithFake, token: str) -> None:
    error = await refused(bedrock.files.list(CALLER, 10, token))
    assert (error.status, error.path) == (Status.INVALID_ARGUMENT, "pageToken")
    assert await bedrock.requests("GET") == []


async def test_a_file_that_vanishes_while_it_is_listed(bedrock: BedrockWithFake) -> None:
    for key in ("a", "b", "c"):
        bedrock.other_tool.put(PREFIX + key, b"x")
    await bedrock.strike_s3("HEAD", "status", status=404)
    assert len(await names(bedrock)) == 2


# --- what is not there ----------------------------------------------------------------------------


async def test_a_missing_file_is_not_found(bedrock: BedrockWithFake) -> None:
    for name in ("none.txt", object_file_id("none.txt"), str(FileId(FileKind.NATIVE, "none"))):
        for attempt in (
            bedrock.files.get(CALLER, name),
            bedrock.files.delete(CALLER, name),
            bedrock.files.download(CALLER, name),
        ):
            assert (await refused(attempt)).status == Status.NOT_FOUND
    assert await bedrock.requests("DELETE") == []


async def test_results_of_a_missing_batch(bedrock: BedrockWithFake) -> None:
    for batch_id in ("abcdefghijkl", f"immediate-{'0' * 26}"):
        for attempt in (
            bedrock.files.get(CALLER, result_file_id(batch_id)),
            bedrock.files.delete(CALLER, result_file_id(batch_id)),
            bedrock.files.download(CALLER, result_file_id(batch_id)),
        ):
            assert (await refused(attempt)).status == Status.NOT_FOUND


async def test_the_error_for_a_missing_bucket_says_so(bedrock: BedrockWithFake) -> None:
    bedrock.provider = bedrock.replica(s3_uri=S3_URI.replace(FILES_BUCKET, "no-such-bucket"))
    for attempt in (
        bedrock.files.list(CALLER, 10, None),
        bedrock.files.download(CALLER, "a.txt"),
        bedrock.upload(b"x", "a.txt"),
    ):
        error = await refused(attempt)
        assert (error.status, error.reason) == (Status.NOT_FOUND, "NoSuchBucket")
        assert "NoSuchBucket" in error.message


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"status": 403, "code": "AccessDenied"}, Status.PERMISSION_DENIED),
        ({"status": 503, "code": "SlowDown"}, Status.RESOURCE_EXHAUSTED),
        ({"status": 500, "code": "InternalError"}, Status.UNAVAILABLE),
        ({"status": 200, "body": "no XML"}, Status.UNAVAILABLE),
        ({"status": 200, "body": "<L><Contents><Size>1</Size></Contents></L>"}, Status.UNAVAILABLE),
    ],
    ids=str,
)
async def test_a_list_that_fails(
    bedrock: BedrockWithFake, fault: dict[str, Any], status: Status
) -> None:
    await bedrock.strike_s3("GET", "status", times=9, **fault)
    error = await refused(bedrock.files.list(CALLER, 10, None))
    assert error.status == status


async def test_a_download_that_breaks_off_never_ends_cleanly(bedrock: BedrockWithFake) -> None:
    data = data_of(1 << 20)
    bedrock.other_tool.put(f"{PREFIX}a.bin", data)
    await bedrock.strike_s3("GET", "truncate", after_bytes=5000)
    opened = await bedrock.files.download(CALLER, "a.bin")
    error = await refused(read(opened))
    assert error.status == Status.UNAVAILABLE
