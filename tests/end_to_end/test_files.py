"""`files.list`, `get`, `delete` and `download` by every SDK."""

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientError, ClientSession

from tests.end_to_end.conftest import MIB, Ferry, Sdks
from tests.end_to_end.fake_client import BEDROCK, FakeClient
from tests.end_to_end.pattern import pattern_bytes
from tests.end_to_end.sdk_process import (
    GO,
    JAVA,
    JAVASCRIPT,
    PYTHON_2X,
    PYTHON_NEWEST,
    PYTHON_NEWEST_ASYNC,
    Sdk,
    SdkError,
    SdkProcess,
)
from tests.end_to_end.upload_client import UploadClient

SDKS = (PYTHON_NEWEST, PYTHON_NEWEST_ASYNC, PYTHON_2X, JAVASCRIPT, GO, JAVA)
EVERY_SDK = pytest.mark.parametrize("sdk", SDKS, ids=str)
ABSENT = {
    "gemini": (403, "PERMISSION_DENIED"),
    "openai": (404, "NOT_FOUND"),
    "anthropic": (404, "NOT_FOUND"),
    "mistral": (404, "NOT_FOUND"),
    "bedrock": (404, "NOT_FOUND"),
}
"""The answer for an unknown name; Google's says no more."""

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]


async def uploaded(process: SdkProcess, size: int = 10, **options: Any) -> dict[str, Any]:
    options = {"mime_type": "application/jsonl", "display_name": "a name", **options}
    file: dict[str, Any] = await process.call("files.upload", size=size, **options)
    return file


# --- get, delete ---------------------------------------------------------------------------------


@EVERY_SDK
async def test_a_file_is_found_by_name_and_by_uri(sdks: Sdks, fake: FakeClient, sdk: Sdk) -> None:
    process = await sdks.get(sdk, fake.kind)
    file = await uploaded(process)
    by_name = await process.call("files.get", name=file["name"])
    by_id = await process.call("files.get", name=file["name"].removeprefix("files/"))
    by_uri = await process.call("files.get", name=file["uri"])
    assert by_name == by_id == by_uri
    assert by_name["name"] == file["name"]
    assert (by_name["displayName"], int(by_name["sizeBytes"])) == ("a name", 10)


@EVERY_SDK
async def test_a_deleted_file_is_gone(sdks: Sdks, fake: FakeClient, sdk: Sdk) -> None:
    process = await sdks.get(sdk, fake.kind)
    by_name, by_uri = await uploaded(process), await uploaded(process)
    await process.call("files.delete", name=by_name["name"])
    await process.call("files.delete", name=by_uri["uri"])
    assert (await fake.objects())["files"] == []
    with pytest.raises(SdkError) as raised:
        await process.call("files.get", name=by_name["name"])
    assert (raised.value.code, raised.value.status) == ABSENT[fake.kind.name]
    assert (await process.call("files.list", page_size=10))["items"] == []


@pytest.mark.parametrize("fake", ["openai", "anthropic", "mistral", "bedrock"], indirect=True)
@EVERY_SDK
async def test_the_native_id_is_accepted_as_a_name(sdks: Sdks, fake: FakeClient, sdk: Sdk) -> None:
    process = await sdks.get(sdk, fake.kind)
    file = await uploaded(process, mime_type="application/pdf")
    native = fake.native_id(file["name"])
    assert (await process.call("files.get", name=f"files/{native}"))["name"] == file["name"]
    await process.call("files.delete", name=f"files/{native}")
    assert (await fake.objects())["files"] == []


@pytest.mark.parametrize("fake", ["openai"], indirect=True)
async def test_a_file_of_another_tool_can_be_read(
    sdks: Sdks, fake: FakeClient, http: ClientSession, tmp_path: Path
) -> None:
    native = await upload_natively(fake, http, b'{"a": 1}\n', "batch", "other tool.jsonl")
    process = await sdks.get(PYTHON_NEWEST, fake.kind)
    listed = await process.call("files.list", page_size=10)
    (file,) = listed["items"]
    assert (file["displayName"], int(file["sizeBytes"])) == ("other tool.jsonl", 9)
    assert fake.native_id(file["name"]) == native
    assert "mimeType" not in file, "a value that the provider lacks is not invented"
    path = tmp_path / "got"
    await process.call("files.download", name=file["name"], path=str(path))
    assert path.read_bytes() == b'{"a": 1}\n'


async def upload_natively(
    fake: FakeClient, http: ClientSession, content: bytes, purpose: str, filename: str
) -> str:
    """Uploads a file without the proxy; returns its native id."""
    parts = (
        ('name="purpose"', purpose.encode()),
        (f'name="file"; filename="{filename}"', content),
    )
    body = b"".join(
        f"--b\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + data + b"\r\n"
        for head, data in parts
    )
    headers = {
        "Authorization": f"Bearer {fake.kind.key}",
        "Content-Type": "multipart/form-data; boundary=b",
    }
    async with http.post(
        f"{fake.base_url}/files", data=body + b"--b--\r\n", headers=headers
    ) as reply:
        assert reply.status == 200, await reply.text()
        return str((await reply.json())["id"])


# --- list ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("page_size", "pages"), [(1, 5), (2, 3), (5, 1), (50, 1)])
@EVERY_SDK
async def test_pages_of_a_list(
    sdks: Sdks, fake: FakeClient, sdk: Sdk, page_size: int, pages: int
) -> None:
    process = await sdks.get(sdk, fake.kind)
    names = [(await uploaded(process, size=n))["name"] for n in range(1, 6)]
    listed = await process.call("files.list", page_size=page_size)
    assert [file["name"] for file in listed["items"]] == in_the_order_of_lists(fake, names)
    assert listed["pages"] == pages


async def test_an_empty_list(sdks: Sdks, fake: FakeClient) -> None:
    process = await sdks.get(PYTHON_NEWEST, fake.kind)
    assert await process.call("files.list") == {"items": [], "pages": 1}


async def test_a_page_token_is_real(
    sdks: Sdks, fake: FakeClient, ferry: Ferry, http: ClientSession
) -> None:
    """It is a place in the list: new or deleted files before it do not change what follows."""
    process = await sdks.get(PYTHON_NEWEST, fake.kind)
    names = [(await uploaded(process))["name"] for _ in range(4)]
    client = UploadClient(ferry.base_url, fake.kind, http)

    async def page(**query: str) -> Any:
        url = f"{ferry.base_url}/v1beta/files"
        async with http.get(url, params=query, headers=client.authorised) as reply:
            return reply.status, await reply.json()

    status, first = await page(pageSize="2")
    assert status == 200
    in_order = in_the_order_of_lists(fake, names)
    assert [file["name"] for file in first["files"]] == in_order[:2]
    if fake.kind.name in ("openai", "anthropic"):
        # Google's tokens are not ours, and a new key can be anywhere in S3's list.
        await uploaded(process)
    if fake.kind is BEDROCK:
        await process.call("files.delete", name=in_order[0])
    status, second = await page(pageSize="2", pageToken=first["nextPageToken"])
    assert status == 200
    assert [file["name"] for file in second["files"]] == in_order[2:]
    assert "nextPageToken" not in second
    status, refused = await page(pageToken="not a token")
    assert (status, refused["error"]["status"]) == (400, "INVALID_ARGUMENT")


def in_the_order_of_lists(fake: FakeClient, made: list[str]) -> list[str]:
    """`made` in the order of lists: S3 lists by key, all others newest first."""
    return sorted(made, key=fake.native_id) if fake.kind is BEDROCK else made[::-1]


# --- download ------------------------------------------------------------------------------------


@pytest.mark.parametrize("fake", ["openai", "anthropic", "mistral", "bedrock"], indirect=True)
@EVERY_SDK
async def test_an_uploaded_file_comes_back(
    sdks: Sdks, fake: FakeClient, sdk: Sdk, tmp_path: Path
) -> None:
    process = await sdks.get(sdk, fake.kind)
    file = await uploaded(process, size=9 * MIB)
    by_name, by_file = tmp_path / "name", tmp_path / "file"
    name = file["downloadUri"] if sdk is GO else file["name"]
    await process.call("files.download", name=name, path=str(by_name))
    await process.call("files.download", file=file, path=str(by_file))
    wanted = hashlib.sha256(pattern_bytes(9 * MIB)).digest()
    assert hashlib.sha256(by_name.read_bytes()).digest() == wanted
    assert hashlib.sha256(by_file.read_bytes()).digest() == wanted


@pytest.mark.parametrize(
    ("fake", "why"),
    [("openai", "user_data"), ("anthropic", "not downloadable")],
    indirect=["fake"],
)
async def test_a_file_that_the_provider_does_not_let_download(
    sdks: Sdks, fake: FakeClient, why: str, tmp_path: Path
) -> None:
    process = await sdks.get(PYTHON_NEWEST, fake.kind)
    file = await uploaded(process, mime_type="application/pdf")
    assert "downloadUri" not in file
    with pytest.raises(SdkError, match=why) as raised:
        await process.call("files.download", name=file["name"], path=str(tmp_path / "got"))
    assert raised.value.code == 400


@pytest.mark.parametrize("fake", ["gemini"], indirect=True)
@pytest.mark.parametrize("sdk", [sdk for sdk in SDKS if sdk is not GO], ids=str)
async def test_googles_generated_file(
    sdks: Sdks, fake: FakeClient, sdk: Sdk, tmp_path: Path
) -> None:
    """Not with Go, which cuts Google's `files/batch-...` at the hyphen (sdk-wire.md, 8)."""
    process = await sdks.get(sdk, fake.kind)
    path = tmp_path / "requests.jsonl"
    request = {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}
    path.write_text(json.dumps({"key": "one", "request": request}) + "\n")
    source = await process.call("files.upload", path=str(path), mime_type="application/jsonl")
    job = await process.call("batches.create", model="gemini-2.5-flash", src=source["name"])
    while job["state"] != "JOB_STATE_SUCCEEDED":  # the fake advances by one state at each get
        job = await process.call("batches.get", name=job["name"])
    results = await process.call("files.get", name=job["dest"]["fileName"])
    by_name, by_file = tmp_path / "name", tmp_path / "file"
    await process.call("files.download", name=results["name"], path=str(by_name))
    await process.call("files.download", file=results, path=str(by_file))
    assert by_name.read_bytes() == by_file.read_bytes()
    assert json.loads(by_name.read_bytes())["key"] == "one"


@pytest.mark.parametrize("kind", ["truncate", "cut_chunks"])
@pytest.mark.parametrize(
    ("fake", "content"),
    [("openai", "/content$"), ("bedrock", "^/ferry-files/.")],
    indirect=["fake"],
)
async def test_a_download_that_breaks_off_never_ends_cleanly(
    sdks: Sdks,
    fake: FakeClient,
    content: str,
    kind: str,
    ferry: Ferry,
    http: ClientSession,
    tmp_path: Path,
) -> None:
    process = await sdks.get(PYTHON_NEWEST, fake.kind)
    file = await uploaded(process, size=4 * MIB)
    client = UploadClient(ferry.base_url, fake.kind, http)
    match = {"method": "GET", "path": content}
    await fake.arm(match, kind, after_bytes=MIB)
    async with http.get(file["downloadUri"], headers=client.authorised) as reply:
        assert reply.status == 200
        with pytest.raises(ClientError):
            await reply.read()
    await fake.arm(match, kind, after_bytes=MIB)
    with pytest.raises(SdkError):
        await process.call("files.download", name=file["name"], path=str(tmp_path / "got"))


@pytest.mark.parametrize("fake", ["openai"], indirect=True)
async def test_a_client_that_disconnects_during_a_download_ends_it_upstream(
    sdks: Sdks, fake: FakeClient, ferry: Ferry, http: ClientSession
) -> None:
    process = await sdks.get(PYTHON_NEWEST, fake.kind)
    file = await uploaded(process, size=64 * MIB)
    client = UploadClient(ferry.base_url, fake.kind, http)
    reply = await http.get(file["downloadUri"], headers=client.authorised)
    assert len(await reply.content.readexactly(MIB)) == MIB
    reply.close()
    await fake.ended(path="/content$", outcome="client_gone")


# --- together ------------------------------------------------------------------------------------


async def test_many_concurrent_uploads(sdks: Sdks, fake: FakeClient) -> None:
    """Several SDKs at the same time, each in a process of its own."""
    processes = [await sdks.get(sdk, fake.kind) for sdk in SDKS]

    async def upload_and_delete(process: SdkProcess) -> None:
        for size in (1, 9 * MIB):
            file = await uploaded(process, size=size)
            assert int((await process.call("files.get", name=file["name"]))["sizeBytes"]) == size
            await process.call("files.delete", name=file["name"])

    await asyncio.gather(*map(upload_and_delete, processes))
    assert (await fake.objects())["files"] == []
