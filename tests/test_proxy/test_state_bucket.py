"""What is specific to a bucket; the rest is in `tests/contract/`."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from providers.body import Body, TruncatedBody, close, in_memory
from providers.errors import FerryError
from providers.multipart_uploads import SMALLEST_PART, MultipartUpload, UploadEnded
from providers.retries import ATTEMPTS
from providers.state import StateError, read, write
from providers.status import Status
from providers.upstream import UpstreamError
from proxy.bounded_state import BoundedState
from proxy.bucket_errors import BucketRefusal
from proxy.state_bucket import BucketState
from tests.buckets import FakeS3, new_prefix, opened
from tests.fakes.s3 import BUCKET, SECRET_ACCESS_KEY

MIB = 1 << 20
FIRST, LAST = b"a" * SMALLEST_PART, b"end"


@pytest.fixture
def prefix() -> str:
    return new_prefix()


@pytest.fixture
async def state(s3: FakeS3, prefix: str) -> AsyncIterator[BucketState]:
    async with opened(s3.address(prefix)) as state:
        await state.verify()
        yield state


def put(prefix: str) -> dict[str, object]:
    return {"method": "PUT", "path": prefix}


def connections_in_use(state: BucketState) -> bool:
    return bool(state._s3._client._upstream._session.connector._acquired)  # type: ignore[attr-defined]


def error(code: str) -> str:
    return f"<Error><Code>{code}</Code><Message>armed by a test</Message></Error>"


# --- what goes over the wire -----------------------------------------------------------------


async def test_a_body_streams_with_its_exact_length(
    s3: FakeS3, state: BucketState, prefix: str
) -> None:
    async def source() -> AsyncIterator[bytes]:
        yield b"x" * MIB
        await s3.received(f"{prefix}a", MIB)  # before the rest of the body exists
        yield b"y"

    assert await state.create("a", Body(source(), MIB + 1))
    [sent] = await s3.requests(f"{prefix}a")
    assert (sent["declared_length"], sent["chunked"]) == (MIB + 1, False)


async def test_a_body_of_unknown_length_is_sent_with_its_length(
    s3: FakeS3, state: BucketState, prefix: str
) -> None:
    assert await state.create("a", Body(in_memory(b"x" * MIB).chunks, None))
    [sent] = await s3.requests(f"{prefix}a")
    assert (sent["declared_length"], sent["chunked"]) == (MIB, False)


async def test_no_signature_is_logged_or_shown(
    s3: FakeS3, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with opened(s3.address(prefix)) as state:
        await write(state, "a", b"x")
        await read(state, "a")
        await s3.arm(put(prefix), "reset", after_bytes=0)
        with pytest.raises(FerryError) as caught:
            await write(state, "b", b"x")
    said = caplog.text + repr(caught.value) + repr(caught.value.__cause__)
    assert "X-Amz-Signature" not in said
    assert "Signature=" not in said
    assert SECRET_ACCESS_KEY not in said


async def test_lists_continue_over_pages(s3: FakeS3, state: BucketState) -> None:
    names = [f"x/{number}" for number in range(5)]
    for name in names:
        await write(state, name, b"")
    upload = await state.multipart.begin("files/x")
    for number, content in enumerate([FIRST, FIRST, LAST], 1):
        await state.multipart.put(upload, number, in_memory(content))
    await s3.post("settings", {"page_limit": 2})
    try:
        assert [info.name async for info in state.list("x/")] == names
        assert [part.number async for part in state.multipart.parts(upload)] == [1, 2, 3]
        await state.multipart.complete(upload, 2 * SMALLEST_PART + len(LAST))
    finally:
        await s3.post("settings", {"page_limit": None})


async def test_other_objects_in_the_bucket_are_kept(s3: FakeS3, prefix: str) -> None:
    """Keys under a longer prefix, and keys that are not valid names, belong to others."""
    async with opened(s3.address(f"{prefix}Odd/")) as other:
        await write(other, "a", b"")
        theirs = await other.multipart.begin("b")
        async with opened(s3.address(prefix)) as state:
            assert [info async for info in state.list("")] == []
            await state.multipart.abort_before(datetime.now(UTC) + timedelta(minutes=1))
        assert [part async for part in other.multipart.parts(theirs)] == []


async def test_unread_content_is_freed(s3: FakeS3, state: BucketState) -> None:
    await write(state, "a", b"x" * (8 * MIB))
    body = await state.get("a")
    assert body is not None
    await close(body)
    assert not connections_in_use(state)


# --- lost responses --------------------------------------------------------------------------


async def test_a_create_whose_answer_is_lost_is_a_create(
    s3: FakeS3, state: BucketState, prefix: str
) -> None:
    await s3.arm(put(prefix), "lose_answer")
    assert await write(state, "a", b"x")
    assert not await write(state, "a", b"y")
    assert await read(state, "a") == b"x"


async def test_a_create_that_never_arrived_is_an_error(
    s3: FakeS3, state: BucketState, prefix: str
) -> None:
    await s3.arm(put(prefix), "reset", after_bytes=0)
    with pytest.raises(UpstreamError):
        await write(state, "a", b"x")
    await write(state, "b", b"another's")
    await s3.arm(put(prefix), "reset", after_bytes=0)
    with pytest.raises(UpstreamError):
        await write(state, "b", b"x")
    assert await write(state, "a", b"x")


async def test_a_part_whose_answer_is_lost_has_arrived(
    s3: FakeS3, state: BucketState, prefix: str
) -> None:
    upload = await state.multipart.begin("files/x")
    await s3.arm(put(prefix), "lose_answer")
    with pytest.raises(UpstreamError):
        await state.multipart.put(upload, 1, in_memory(LAST))
    assert [part.number async for part in state.multipart.parts(upload)] == [1]


async def listed(state: BucketState) -> None:
    _ = [info async for info in state.list("")]


INCOMPLETE: Mapping[str, tuple[str, str, Callable[[BucketState], Awaitable[object]]]] = {
    "head": ("HEAD", "", lambda state: state.head("a")),
    "list": (
        "GET",
        "<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>",
        listed,
    ),
    "begin": ("POST", "<R/>", lambda state: state.multipart.begin("files/x")),
}


@pytest.mark.parametrize(("method", "body", "call"), INCOMPLETE.values(), ids=INCOMPLETE)
async def test_an_answer_without_a_member_is_the_stores_fault(
    s3: FakeS3,
    state: BucketState,
    method: str,
    body: str,
    call: Callable[[BucketState], Awaitable[object]],
) -> None:
    await s3.arm({"method": method, "path": "."}, "status", status=200, body=body)
    with pytest.raises(UpstreamError, match="S3's answer lacks "):
        await call(state)


async def test_an_object_without_a_length_is_the_stores_fault(
    s3: FakeS3, state: BucketState, prefix: str
) -> None:
    await write(state, "a", b"x")
    await s3.arm({"method": "GET", "path": prefix}, "cut_chunks", after_bytes=1)
    with pytest.raises(UpstreamError, match="has no Content-Length"):
        await state.get("a")
    assert not connections_in_use(state)


@pytest.mark.parametrize(
    ("marker", "reason"),
    [
        ("", "lacks NextPartNumberMarker"),
        ("<NextPartNumberMarker>0</NextPartNumberMarker>", "same page"),
    ],
)
async def test_a_list_of_parts_that_never_ends_is_refused(
    s3: FakeS3, state: BucketState, prefix: str, marker: str, reason: str
) -> None:
    upload = await state.multipart.begin("files/x")
    page = f"<ListPartsResult><IsTruncated>true</IsTruncated>{marker}</ListPartsResult>"
    await s3.arm({"method": "GET", "path": prefix}, "status", status=200, body=page)
    with pytest.raises(UpstreamError, match=reason):
        _ = [part async for part in state.multipart.parts(upload)]


async def whole(state: BucketState) -> MultipartUpload:
    upload = await state.multipart.begin("files/x")
    await state.multipart.put(upload, 1, in_memory(LAST))
    return upload


def complete(prefix: str) -> dict[str, object]:
    return {"method": "POST", "path": prefix, "query": "uploadId="}


async def test_a_completion_whose_answer_is_lost_finds_the_object(
    s3: FakeS3, state: BucketState, prefix: str
) -> None:
    upload = await whole(state)
    await s3.arm(complete(prefix), "lose_answer")
    await state.multipart.complete(upload, len(LAST))
    assert await read(state, "files/x") == LAST


async def test_a_completion_with_status_200_and_an_error_is_an_error(
    s3: FakeS3, state: BucketState, prefix: str
) -> None:
    upload = await whole(state)
    match = {**complete(prefix), "times": 3}
    await s3.arm(match, "status", status=200, body=error("InternalError"))
    with pytest.raises(BucketRefusal, match="InternalError"):
        await state.multipart.complete(upload, len(LAST))
    assert await state.head("files/x") is None
    await state.multipart.complete(upload, len(LAST))
    assert await read(state, "files/x") == LAST


async def test_a_completion_that_finds_neither_upload_nor_object_has_ended(
    s3: FakeS3, state: BucketState, prefix: str
) -> None:
    upload = await whole(state)
    await s3.arm(complete(prefix), "status", status=404, body=error("NoSuchUpload"))
    with pytest.raises(UploadEnded):
        await state.multipart.complete(upload, len(LAST))


async def test_a_download_that_breaks_off_is_reported(
    s3: FakeS3, state: BucketState, prefix: str
) -> None:
    await write(state, "a", b"x" * MIB)
    await s3.arm({"method": "GET", "path": prefix}, "truncate", after_bytes=1000)
    body = await state.get("a")
    assert body is not None
    with pytest.raises(UpstreamError):
        async for _ in body.chunks:
            pass


# --- refusals --------------------------------------------------------------------------------


async def test_a_concurrent_create_may_be_a_conflict(
    s3: FakeS3, state: BucketState, prefix: str
) -> None:
    conflict = {"status": 409, "body": error("ConditionalRequestConflict")}
    await s3.arm(put(prefix), "status", **conflict)
    with pytest.raises(BucketRefusal):
        await write(state, "a", b"x")
    await write(state, "a", b"another's")
    await s3.arm(put(prefix), "status", **conflict)
    assert not await write(state, "a", b"x")


@pytest.mark.parametrize("chunks", [3, 4, 5])
async def test_after_a_refusal_during_a_body_the_rest_is_read(
    s3: FakeS3, state: BucketState, prefix: str, chunks: int
) -> None:
    await write(state, "a", b"another's")
    early = {"status": 412, "body": error("PreconditionFailed")}
    await s3.arm(put(prefix), "reject_after", after_bytes=MIB, **early)
    read_to_end = False

    async def source() -> AsyncIterator[bytes]:
        nonlocal read_to_end
        for _ in range(chunks):
            yield b"x" * MIB
        read_to_end = True

    create = state.create("a", Body(source(), 4 * MIB))
    if chunks == 4:
        assert not await create
    else:
        with pytest.raises(TruncatedBody):
            await create
    assert read_to_end or chunks == 5


@pytest.mark.parametrize(
    ("status", "code"), [(500, "InternalError"), (503, "SlowDown"), (409, "OperationAborted")]
)
async def test_a_temporary_refusal_is_unavailable(
    s3: FakeS3, state: BucketState, prefix: str, status: int, code: str
) -> None:
    await s3.arm(put(prefix), "status", status=status, body=error(code))
    with pytest.raises(StateError, match=code) as caught:
        await write(BoundedState(state), "files/a", b"x")
    assert (caught.value.status, caught.value.provider) == (Status.UNAVAILABLE, None)
    assert await write(state, "files/a", b"x")


async def test_a_refused_get_is_an_error(s3: FakeS3, state: BucketState, prefix: str) -> None:
    match = {"method": "GET", "path": prefix, "times": ATTEMPTS}
    await s3.arm(match, "status", body="no XML at all")
    with pytest.raises(BucketRefusal, match="503"):
        await state.get("a")


# --- encryption ------------------------------------------------------------------------------

_KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd"


@pytest.mark.parametrize(
    ("sse", "kind", "key"),
    [
        ("AES256", "AES256", None),
        ("aws:kms", "aws:kms", None),
        (f"aws:kms:{_KEY}", "aws:kms", _KEY),
    ],
)
async def test_objects_are_encrypted_as_the_setting_says(
    s3: FakeS3, prefix: str, sse: str, kind: str, key: str | None
) -> None:
    async with opened(replace(s3.address(prefix), sse=sse)) as state:
        await write(state, "owned/whole", b"x")
        upload = await state.multipart.begin("owned/parts")
        await state.multipart.put(upload, 1, in_memory(b"x"))
        await state.multipart.complete(upload, 1)
        for name in ("owned/whole", "owned/parts"):
            reply = await state._s3.open(state._target, BUCKET, f"{prefix}{name}")
            async with reply:
                assert reply.headers["x-amz-server-side-encryption"] == kind
                found = reply.headers.get("x-amz-server-side-encryption-aws-kms-key-id")
                assert key is None or found == key


async def test_without_the_setting_the_bucket_decides(s3: FakeS3, prefix: str) -> None:
    async with opened(s3.address(prefix)) as state:
        await write(state, "owned/whole", b"x")
        async with await state._s3.open(state._target, BUCKET, f"{prefix}owned/whole") as reply:
            assert reply.headers.get("x-amz-server-side-encryption", "AES256") == "AES256"
