"""What every state store promises about multipart uploads (providers/multipart_uploads.py)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from providers.body import Body, TruncatedBody, in_memory
from providers.errors import FerryError
from providers.multipart_uploads import SMALLEST_PART, MultipartUpload, UploadEnded
from providers.state import State, read, write
from providers.status import Status
from proxy.quotas import Quotas, Usage
from proxy.sweep import sweep
from tests.contract.conftest import Replicas

NAME = "files/x"
FIRST, SECOND, LAST = b"a" * SMALLEST_PART, b"b" * SMALLEST_PART, b"end"
WHOLE = FIRST + SECOND + LAST
LARGE = 1 << 40


async def numbers(state: State, upload: MultipartUpload, after: int = 0) -> list[int]:
    return [part.number async for part in state.multipart.parts(upload, after)]


async def begun(state: State, *parts: bytes) -> MultipartUpload:
    upload = await state.multipart.begin(NAME)
    for number, content in enumerate(parts, 1):
        await state.multipart.put(upload, number, in_memory(content))
    return upload


async def test_parts_arrive_in_any_order_through_any_replica(replicas: Replicas) -> None:
    one, other = await replicas.another(), await replicas.another()
    upload = await one.multipart.begin(NAME)
    await other.multipart.put(upload, 3, in_memory(LAST))
    await one.multipart.put(upload, 1, in_memory(FIRST))
    await other.multipart.put(upload, 2, in_memory(SECOND))
    found = [(part.number, part.size) async for part in one.multipart.parts(upload)]
    assert found == [(1, SMALLEST_PART), (2, SMALLEST_PART), (3, len(LAST))]
    assert await numbers(one, upload, after=1) == [2, 3]
    assert await numbers(one, upload, after=3) == []
    await other.multipart.complete(upload, len(WHOLE))
    assert await read(one, NAME, len(WHOLE)) == WHOLE


async def test_an_object_does_not_exist_before_its_completion(state: State) -> None:
    upload = await begun(state, FIRST, LAST)
    assert await state.head(NAME) is None
    assert NAME not in [info.name async for info in state.list("")]
    await state.multipart.complete(upload, len(FIRST + LAST))
    assert [info.name async for info in state.list("")] == [NAME]


async def test_a_repeated_part_is_harmless(state: State) -> None:
    upload = await begun(state, FIRST, LAST)
    await state.multipart.put(upload, 1, in_memory(FIRST))
    await state.multipart.complete(upload, len(FIRST + LAST))
    assert await read(state, NAME, len(WHOLE)) == FIRST + LAST


async def test_a_body_of_unknown_length_is_a_part(state: State) -> None:
    upload = await state.multipart.begin(NAME)
    await state.multipart.put(upload, 1, Body(in_memory(LAST).chunks, None))
    await state.multipart.complete(upload, len(LAST))
    assert await read(state, NAME) == LAST


async def test_an_empty_object_has_one_empty_part(state: State) -> None:
    upload = await begun(state, b"")
    await state.multipart.complete(upload, 0)
    assert await read(state, NAME) == b""


async def test_a_body_that_fails_is_no_part(state: State) -> None:
    failure = ConnectionResetError("client")

    async def source() -> AsyncIterator[bytes]:
        yield b"begun"
        raise failure

    upload = await state.multipart.begin(NAME)
    with pytest.raises(ConnectionResetError) as caught:
        await state.multipart.put(upload, 1, Body(source(), 100))
    assert caught.value is failure
    with pytest.raises(TruncatedBody):
        await state.multipart.put(upload, 1, Body(in_memory(b"short").chunks, 100))
    assert await numbers(state, upload) == []


async def test_a_completion_may_be_repeated_through_any_replica(replicas: Replicas) -> None:
    one, other = await replicas.another(), await replicas.another()
    upload = await begun(one, FIRST, LAST)
    for store in (one, other, one):
        await store.multipart.complete(upload, len(FIRST + LAST))
    assert await read(other, NAME, len(WHOLE)) == FIRST + LAST


async def test_concurrent_completions_all_succeed(replicas: Replicas) -> None:
    stores = [await replicas.another() for _ in range(3)]
    upload = await begun(stores[0], FIRST, LAST)
    await asyncio.gather(*[store.multipart.complete(upload, len(FIRST + LAST)) for store in stores])
    assert await read(stores[0], NAME, len(WHOLE)) == FIRST + LAST


@pytest.mark.parametrize(
    ("parts", "size", "reason"),
    [
        ({1: FIRST, 3: LAST}, len(FIRST + LAST), "missing"),
        ({2: LAST}, len(LAST), "missing"),
        ({}, 0, "missing"),
        ({1: FIRST, 2: LAST}, len(FIRST), "have arrived"),
        ({1: FIRST, 2: LAST}, len(WHOLE), "have arrived"),
        ({1: LAST, 2: FIRST}, len(FIRST + LAST), "before the last"),
    ],
    ids=["gap", "no first", "none", "too many bytes", "too few bytes", "small part"],
)
async def test_an_incomplete_object_is_not_completed(
    state: State, parts: dict[int, bytes], size: int, reason: str
) -> None:
    upload = await state.multipart.begin(NAME)
    for number, content in parts.items():
        await state.multipart.put(upload, number, in_memory(content))
    with pytest.raises(FerryError, match=reason) as caught:
        await state.multipart.complete(upload, size)
    assert caught.value.status == Status.FAILED_PRECONDITION
    assert await state.head(NAME) is None
    assert await numbers(state, upload) == sorted(parts)


async def test_an_existing_object_is_never_overwritten(state: State) -> None:
    upload = await begun(state, LAST)
    await write(state, NAME, b"first")
    await state.multipart.complete(upload, len(LAST))
    assert await read(state, NAME) == b"first"
    with pytest.raises(UploadEnded):
        await numbers(state, upload)


async def test_an_aborted_upload_has_ended(state: State) -> None:
    upload = await begun(state, LAST)
    for _ in range(2):
        await state.multipart.abort(upload)
    with pytest.raises(UploadEnded):
        await numbers(state, upload)
    with pytest.raises(UploadEnded):
        await state.multipart.put(upload, 1, in_memory(LAST))
    with pytest.raises(UploadEnded):
        await state.multipart.complete(upload, len(LAST))
    assert [info async for info in state.list("")] == []


async def test_an_abort_does_not_delete_a_completed_object(state: State) -> None:
    upload = await begun(state, LAST)
    await state.multipart.complete(upload, len(LAST))
    await state.multipart.abort(upload)
    assert await read(state, NAME) == LAST
    with pytest.raises(UploadEnded):
        await state.multipart.put(upload, 2, in_memory(LAST))


async def test_a_completion_is_not_repeated_after_the_object_is_deleted(state: State) -> None:
    upload = await begun(state, LAST)
    await state.multipart.complete(upload, len(LAST))
    await state.delete(NAME)
    with pytest.raises(UploadEnded):
        await state.multipart.complete(upload, len(LAST))


async def test_an_unknown_upload_has_ended(state: State) -> None:
    with pytest.raises(UploadEnded):
        await numbers(state, MultipartUpload(NAME, "0" * 32))


async def test_only_old_uploads_are_swept(state: State) -> None:
    upload = await begun(state, LAST)
    now, minute = datetime.now(UTC), timedelta(minutes=1)
    await state.multipart.abort_before(now - minute)
    assert await numbers(state, upload) == [1]
    for _ in range(2):
        await state.multipart.abort_before(now + minute)
    with pytest.raises(UploadEnded):
        await numbers(state, upload)


async def test_a_sweep_counts_every_part_of_an_unfinished_upload(state: State) -> None:
    """Whether the store lists the parts as objects or not."""
    tenant = "0123456789abcdef" * 2
    name = f"staged-content/anthropic/{tenant}/1"
    upload = await state.multipart.begin(name)
    for number in (1, 7):
        await state.multipart.put(upload, number, in_memory(LAST))
    size = len(LAST + LAST)
    usage = Usage(Quotas(LARGE, size, 1))
    await count(state, usage)
    assert usage.total == size
    usage.admit(name, 0)
    with pytest.raises(FerryError, match="FERRY_TENANT_STATE_BYTES"):
        usage.admit(name, 1)
    await state.multipart.abort(upload)
    await count(state, usage)
    assert usage.total == 0


async def count(state: State, usage: Usage) -> None:
    census = usage.census()
    await sweep(state, datetime.now(UTC), timedelta(1), timedelta(1), kept_one=census.count)
    census.end()


@pytest.mark.parametrize("number", [0, -1, 10_001])
async def test_a_number_beyond_the_bounds_is_refused(state: State, number: int) -> None:
    upload = await state.multipart.begin(NAME)
    with pytest.raises(ValueError, match="number"):
        await state.multipart.put(upload, number, in_memory(LAST))


async def test_the_last_number_sorts_last(state: State) -> None:
    upload = await state.multipart.begin(NAME)
    for number in (10_000, 9_999, 1):
        await state.multipart.put(upload, number, in_memory(LAST))
    assert await numbers(state, upload) == [1, 9_999, 10_000]


@pytest.mark.parametrize("name", ["", "../a", "A", "a//b"])
async def test_an_invalid_name_is_refused(state: State, name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        await state.multipart.begin(f"files/{name}")
