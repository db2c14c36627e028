"""What a bucket must support before anything is stored in it."""

import asyncio
import socket

import pytest
from yarl import URL

from providers.state import write
from providers.upstream import UpstreamError
from proxy.bucket_errors import UnusableBucket
from proxy.state_bucket import BucketAddress
from tests.buckets import FakeS3, new_prefix, opened
from tests.fakes.s3 import OVERWRITING_BUCKET, SECRET_ACCESS_KEY


@pytest.fixture
def prefix() -> str:
    return new_prefix()


async def test_the_check_of_a_bucket_leaves_no_object(s3: FakeS3, prefix: str) -> None:
    async with opened(s3.address(prefix)) as state:
        await asyncio.gather(state.verify(), state.verify())
        await write(state, "a", b"")
        assert [info.name async for info in state.list("")] == ["a"]
    puts = [r for r in await s3.requests(f"{prefix}proof/") if r["method"] == "PUT"]
    assert [r["status"] for r in puts] == [200, 412]


async def test_a_bucket_that_overwrites_objects_is_refused(s3: FakeS3, prefix: str) -> None:
    async with opened(s3.address(prefix, OVERWRITING_BUCKET)) as state:
        with pytest.raises(UnusableBucket, match="If-None-Match"):
            await state.verify()
        with pytest.raises(UnusableBucket, match="If-None-Match"):
            await write(state, "a", b"x")
        with pytest.raises(UnusableBucket, match="If-None-Match"):
            await state.multipart.begin("a")
        assert [info async for info in state.list("")] == []


async def test_a_missing_bucket_is_refused(s3: FakeS3, prefix: str) -> None:
    async with opened(s3.address(prefix, "no-such-bucket")) as state:
        with pytest.raises(UnusableBucket, match="NoSuchBucket"):
            await state.verify()


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("AWS_SECRET_ACCESS_KEY", "another", "SignatureDoesNotMatch"),
        ("AWS_ACCESS_KEY_ID", "AKIAANOTHER", "InvalidAccessKeyId"),
        ("AWS_ACCESS_KEY_ID", None, "credentials"),
    ],
)
async def test_unusable_credentials_are_refused(
    s3: FakeS3,
    prefix: str,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str | None,
    reason: str,
) -> None:
    if value is None:
        monkeypatch.delenv(variable)
    else:
        monkeypatch.setenv(variable, value)
    async with opened(s3.address(prefix)) as state:
        with pytest.raises(UnusableBucket, match=reason) as caught:
            await state.verify()
    assert SECRET_ACCESS_KEY not in str(caught.value)


async def test_unusable_settings_of_aws_are_refused(
    s3: FakeS3, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    async with opened(s3.address(prefix)) as state:
        with pytest.raises(UnusableBucket, match="ProfileNotFound"):
            await state.verify()


async def test_an_unreachable_bucket_may_come_back(s3: FakeS3, prefix: str) -> None:
    async with opened(s3.address(prefix)) as state:
        away = {"path": prefix, "times": 20}
        await s3.arm(away, "status", body="away")
        with pytest.raises(UpstreamError) as caught:
            await state.verify()
        assert not isinstance(caught.value, UnusableBucket)
        await s3.post("reset", {})
        assert await write(state, "a", b"x")


async def test_an_endpoint_without_a_listener_is_unavailable(s3: FakeS3, prefix: str) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        endpoint = URL(f"http://127.0.0.1:{unheard.getsockname()[1]}")
        async with opened(BucketAddress("bucket", prefix, endpoint)) as state:
            with pytest.raises(UpstreamError) as caught:
                await state.verify()
            assert not isinstance(caught.value, UnusableBucket)
            with pytest.raises(UpstreamError):
                await state.get("a")
