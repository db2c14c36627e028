"""Uploads by every SDK: the bytes at the upstream are the bytes on the client's disk."""

from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.conftest import MIB, Ferry, Sdks
from tests.end_to_end.fake_client import CHUNKS_GO_UPSTREAM, GEMINI, FakeClient
from tests.end_to_end.pattern import pattern_bytes
from tests.end_to_end.sdk_process import (
    GO,
    JAVA,
    JAVA_1X,
    JAVASCRIPT,
    PYTHON_2X,
    PYTHON_NEWEST,
    PYTHON_NEWEST_ASYNC,
    Sdk,
    SdkError,
)

CHUNK = 8 * MIB
PYTHONS = (PYTHON_NEWEST, PYTHON_NEWEST_ASYNC, PYTHON_2X)
SDKS = (*PYTHONS, JAVASCRIPT, GO)
RETRYING = (*PYTHONS, GO)
"""JavaScript throws immediately if an answer is not a 200 (sdk-wire.md section 2)."""

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]


# --- sizes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("sdk", [*SDKS, JAVA, JAVA_1X], ids=str)
async def test_a_file_of_20_mib(
    sdks: Sdks, fake: FakeClient, sdk: Sdk, ferry: Ferry, twenty_mib: Path
) -> None:
    process = await sdks.get(sdk, fake.kind)
    file = await process.call("files.upload", path=str(twenty_mib), display_name="twenty")
    await fake.check_only_file(file, pattern_bytes(20 * MIB))
    # Go takes the type from its own table, with a character set.
    assert (file["displayName"], file["mimeType"].partition(";")[0]) == (
        "twenty",
        "image/png",
    )
    assert (file["state"], file["source"]) == ("ACTIVE", "UPLOADED")
    assert ferry.leaks() == []


@pytest.mark.parametrize("size", [CHUNK, 2 * CHUNK], ids=["8MiB", "16MiB"])
@pytest.mark.parametrize("sdk", SDKS, ids=str)
async def test_a_file_of_whole_chunks(
    sdks: Sdks, fake: FakeClient, sdk: Sdk, size: int, tmp_path: Path
) -> None:
    path = tmp_path / "whole.pdf"
    path.write_bytes(pattern_bytes(size))
    process = await sdks.get(sdk, fake.kind)
    await fake.check_only_file(
        await process.call("files.upload", path=str(path)), pattern_bytes(size)
    )


@pytest.mark.parametrize("sdk", [*SDKS, JAVA], ids=str)
async def test_a_file_of_one_chunk(sdks: Sdks, fake: FakeClient, sdk: Sdk) -> None:
    process = await sdks.get(sdk, fake.kind)
    file = await process.call("files.upload", size=12_345, mime_type="application/pdf")
    await fake.check_only_file(file, pattern_bytes(12_345))


@pytest.mark.parametrize("fake", ["openai"], indirect=True)
@pytest.mark.parametrize("sdk", [JAVA, JAVA_1X], ids=str)
async def test_java_never_finalizes_whole_chunks(sdks: Sdks, fake: FakeClient, sdk: Sdk) -> None:
    """A defect of that SDK, also with Google: it fails in the client, and no file is created."""
    process = await sdks.get(sdk, fake.kind)
    with pytest.raises(SdkError) as raised:
        await process.call("files.upload", size=CHUNK, mime_type="application/pdf")
    assert raised.value.code is None, "no answer of ours"
    assert (await fake.objects())["files"] == []


@pytest.mark.parametrize("sdk", [*PYTHONS, GO], ids=str)
async def test_an_empty_file(sdks: Sdks, fake: FakeClient, sdk: Sdk) -> None:
    process = await sdks.get(sdk, fake.kind)
    file = await process.call("files.upload", size=0, mime_type="application/pdf")
    await fake.check_only_file(file, pattern_bytes(0))


@pytest.mark.parametrize("size", [1000, CHUNK, 2 * CHUNK, 2 * CHUNK + 1])
async def test_go_sends_no_size_and_may_end_with_no_bytes(
    sdks: Sdks, fake: FakeClient, size: int
) -> None:
    process = await sdks.get(GO, fake.kind)
    file = await process.call("files.upload_reader", size=size, mime_type="application/pdf")
    await fake.check_only_file(file, pattern_bytes(size))


# --- what a file is called -----------------------------------------------------------------------

NAMES = ['Zürich, "quoted" 文件 🚢', "../a/b\\c", "line; filename=x", "100%25 & more", "it's"]


@pytest.mark.parametrize("sdk", [PYTHON_NEWEST, PYTHON_NEWEST_ASYNC, JAVASCRIPT, GO, JAVA], ids=str)
async def test_a_display_name_survives(sdks: Sdks, fake: FakeClient, sdk: Sdk) -> None:
    process = await sdks.get(sdk, fake.kind)
    for name in NAMES:
        file = await process.call(
            "files.upload", size=10, mime_type="application/jsonl", display_name=name
        )
        again = await process.call("files.get", name=file["name"])
        assert (file["displayName"], again["displayName"]) == (name, name)
    listed = await process.call("files.list", page_size=50)
    assert {file["displayName"] for file in listed["items"]} == set(NAMES)


@pytest.mark.parametrize(
    ("sdk", "name"),
    [
        *((sdk, 'it\'s "so".pdf') for sdk in SDKS),
        *((sdk, "Zürich 文件.pdf") for sdk in (PYTHON_NEWEST_ASYNC, GO)),
    ],
    ids=str,
)
async def test_a_file_of_any_name(
    sdks: Sdks, fake: FakeClient, sdk: Sdk, name: str, tmp_path: Path
) -> None:
    """The name is in a header, where the other SDKs put only ASCII, or fail."""
    (tmp_path / name).write_bytes(b"hello")
    process = await sdks.get(sdk, fake.kind)
    file = await process.call(
        "files.upload", path=str(tmp_path / name), mime_type="application/pdf"
    )
    await fake.check_only_file(file, b"hello")
    if fake.kind is not GEMINI:  # the others have no other name to show
        assert file["displayName"] == name


# --- without the Uploads API ---------------------------------------------------------------------


@pytest.mark.parametrize("fake", ["openai"], indirect=True)
@pytest.mark.parametrize("code", [404, 405])
@pytest.mark.parametrize("sdk", [PYTHON_NEWEST, GO], ids=str)
async def test_an_upstream_without_the_uploads_api(
    sdks: Sdks, fake: FakeClient, sdk: Sdk, code: int, twenty_mib: Path
) -> None:
    await fake.settings(uploads_api=False)
    if code == 405:
        await fake.arm({"path": "^/v1/uploads$"}, "status", status=405)
    process = await sdks.get(sdk, fake.kind)
    await fake.check_only_file(
        await process.call("files.upload", path=str(twenty_mib)), pattern_bytes(20 * MIB)
    )
    assert (await fake.objects())["uploads"] == []


@pytest.mark.parametrize("fake", ["openai"], indirect=True)
@pytest.mark.parametrize("sdk", [PYTHON_NEWEST, GO], ids=str)
async def test_a_file_that_the_uploads_api_rejects(
    sdks: Sdks, fake: FakeClient, sdk: Sdk, tmp_path: Path
) -> None:
    """OpenAI's API has no purpose there that a PDF could have."""
    path = tmp_path / "report.pdf"
    path.write_bytes(pattern_bytes(20 * MIB))
    process = await sdks.get(sdk, fake.kind)
    file = await process.call("files.upload", path=str(path))
    await fake.check_only_file(file, pattern_bytes(20 * MIB))
    assert await fake.requests(path="^/v1/uploads") == []


# --- errors at the upstream ----------------------------------------------------------------------

REFUSAL = {"error": {"message": "no more room", "status": "INVALID_ARGUMENT"}}
REFUSALS: dict[str, object] = {
    "bedrock": "<Error><Code>EntityTooLarge</Code><Message>no more room</Message></Error>"
}
"""Refusals other than `REFUSAL`, such as S3's XML."""

FAULTS: dict[str, dict[str, Any]] = {
    "503": {"kind": "status", "status": 503},
    "lost": {"kind": "lose_answer"},
    "reset": {"kind": "reset", "after_bytes": 3 * MIB},
    "early 500": {"kind": "reject_after", "status": 500, "after_bytes": 3 * MIB},
}


@CHUNKS_GO_UPSTREAM
@pytest.mark.parametrize(
    ("sdk", "fault"),
    [
        *((PYTHON_NEWEST, fault) for fault in FAULTS),
        *((sdk, "reset") for sdk in RETRYING if sdk is not PYTHON_NEWEST),
    ],
    ids=str,
)
async def test_an_error_at_the_second_chunk(
    sdks: Sdks, fake: FakeClient, sdk: Sdk, fault: str, twenty_mib: Path
) -> None:
    struck = await fake.arm(fake.kind.part, nth=2, **FAULTS[fault])
    process = await sdks.get(sdk, fake.kind)
    file = await process.call("files.upload", path=str(twenty_mib))
    await fake.struck(struck)
    await fake.check_only_file(file, pattern_bytes(20 * MIB))


@CHUNKS_GO_UPSTREAM
async def test_javascript_raises_at_a_temporary_error(
    sdks: Sdks, fake: FakeClient, twenty_mib: Path
) -> None:
    """Without its `retryOptions`; the documentation says so."""
    struck = await fake.arm(fake.kind.part, nth=2, **FAULTS["503"])
    process = await sdks.get(JAVASCRIPT, fake.kind)
    with pytest.raises(SdkError) as raised:
        await process.call("files.upload", path=str(twenty_mib))
    await fake.struck(struck)
    assert raised.value.code == 503


@CHUNKS_GO_UPSTREAM
async def test_a_first_chunk_that_is_cut_off_twice(
    sdks: Sdks, fake: FakeClient, twenty_mib: Path
) -> None:
    for nth in (1, 2):
        await fake.arm(fake.kind.part, "reset", nth=nth, after_bytes=nth * MIB)
    process = await sdks.get(PYTHON_NEWEST, fake.kind)
    await fake.check_only_file(
        await process.call("files.upload", path=str(twenty_mib)), pattern_bytes(20 * MIB)
    )


@pytest.mark.parametrize(
    ("sdk", "fault"), [(PYTHON_NEWEST, "503"), *((sdk, "lost") for sdk in SDKS)], ids=str
)
async def test_an_error_at_the_end(
    sdks: Sdks, fake: FakeClient, sdk: Sdk, fault: str, twenty_mib: Path
) -> None:
    struck = await fake.arm(fake.kind.finish, **FAULTS[fault])
    process = await sdks.get(sdk, fake.kind)
    file = await process.call("files.upload", path=str(twenty_mib))
    await fake.struck(struck)
    await fake.check_only_file(file, pattern_bytes(20 * MIB))


@pytest.mark.parametrize(
    ("sdk", "fault"),
    [(PYTHON_NEWEST, "503"), (PYTHON_NEWEST_ASYNC, "reset"), *((sdk, "lost") for sdk in SDKS)],
    ids=str,
)
async def test_an_error_at_an_only_chunk(
    sdks: Sdks, fake: FakeClient, sdk: Sdk, fault: str, tmp_path: Path
) -> None:
    path = tmp_path / "one.pdf"
    path.write_bytes(pattern_bytes(5 * MIB))
    struck = await fake.arm(fake.kind.whole, **FAULTS[fault])
    process = await sdks.get(sdk, fake.kind)
    file = await process.call("files.upload", path=str(path))
    await fake.struck(struck)
    await fake.check_only_file(file, pattern_bytes(5 * MIB))


@CHUNKS_GO_UPSTREAM
@pytest.mark.parametrize("sdk", SDKS, ids=str)
async def test_a_refusal_is_reported_immediately(
    sdks: Sdks, fake: FakeClient, sdk: Sdk, twenty_mib: Path
) -> None:
    refusal = REFUSALS.get(fake.kind.name, REFUSAL)
    await fake.arm(fake.kind.part, "status", nth=2, status=413, body=refusal)
    process = await sdks.get(sdk, fake.kind)
    with pytest.raises(SdkError, match="no more room") as raised:
        await process.call("files.upload", path=str(twenty_mib))
    assert raised.value.code in (400, 413)
    chunks = [one for one in await fake.requests() if one["received"] >= CHUNK]
    assert len(chunks) == 2
