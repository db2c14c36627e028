"""The state store in an S3 bucket, which replicas on several machines may share."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Final, Self

from providers.body import Body, TruncatedBody, in_memory
from providers.state import ObjectInfo
from providers.upstream import Reply, Upstream, UpstreamError
from proxy.bucket_client import BucketAddress, BucketClient
from proxy.bucket_errors import (
    BucketRefusal,
    UnusableBucket,
    expect_success,
    mapped_errors,
    required_members,
)
from proxy.object_names import check_prefix, is_name
from proxy.parted_bucket import BucketParts
from proxy.spool import of_known_length

_ONLY_IF_ABSENT: Final = "*"
_ALREADY_EXISTS: Final = (HTTPStatus.PRECONDITION_FAILED, HTTPStatus.CONFLICT)

# User metadata, random for each create: if a response is lost, it shows who made the object.
_MARK: Final = "ferry-mark"


class BucketState:
    """Implements `providers.state.State`. It owns everything under the address's prefix.

    `prove` must succeed before the first write. Raises UpstreamError.
    """

    def __init__(self, address: BucketAddress, upstream: Upstream) -> None:
        self._client = BucketClient(address, upstream)
        self.parted = BucketParts(self._client, self.prove)
        self._proving = asyncio.Lock()
        self._proved = False

    async def open(self) -> None:
        await self._client.open()

    async def close(self) -> None:
        await self._client.close()

    async def prove(self) -> None:
        """Checks once that objects cannot be overwritten. Raises UnusableBucket, UpstreamError."""
        async with self._proving:
            if self._proved:
                return
            try:
                fit = await self._second_create_fails()
            except BucketRefusal as error:
                raise (UnusableBucket(error.s3_code) if error.persistent else error) from None
            if not fit:
                raise UnusableBucket("it ignores If-None-Match, so objects could be overwritten")
            self._proved = True

    async def create(self, name: str, body: Body) -> bool:
        key = self._client.key(name)
        await self.prove()
        async with of_known_length(body) as sized:
            return await self._create(key, sized)

    async def get(self, name: str) -> Body | None:
        reply = await self._client.send("get_object", {"Key": self._client.key(name)})
        try:
            await expect_success(reply)
            with required_members():
                return Body(_Content(reply), int(reply.headers["Content-Length"]))
        except BaseException as error:
            await reply.aclose()
            if isinstance(error, BucketRefusal) and error.s3_code == "NoSuchKey":
                return None
            raise

    async def head(self, name: str) -> ObjectInfo | None:
        found = await self._client.head(self._client.key(name))
        with required_members():
            return found and ObjectInfo(name, found["ContentLength"], found["LastModified"])

    async def delete(self, name: str) -> None:
        key = self._client.key(name)
        with mapped_errors():
            await self._client.s3.delete_object(Bucket=self._client.bucket, Key=key)

    async def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        ours = self._client.prefix
        async for page in self._client.pages("list_objects_v2", ours + check_prefix(prefix)):
            for found in page.get("Contents", ()):
                with required_members():
                    name = found["Key"].removeprefix(ours)
                    info = ObjectInfo(name, found["Size"], found["LastModified"])
                if is_name(name):  # other tools may leave objects there
                    yield info

    async def _create(self, key: str, body: Body) -> bool:
        mark, source = secrets.token_hex(16), _Source(body)
        try:
            await self._put(key, mark, Body(source.chunks(), body.length))
        except UpstreamError as error:
            if _changed_nothing(error):
                raise
            # Perhaps only the response was lost. The object in the bucket, if any, shows it.
            found = await self._client.head(key)
            if found is not None and found["Metadata"].get(_MARK) == mark:
                return True
            if found is None or not _already_exists(error):
                raise
            await source.drain(body.length)
            return False
        return True

    async def _put(self, key: str, mark: str, body: Body) -> None:
        parameters = {"Key": key, "IfNoneMatch": _ONLY_IF_ABSENT, "Metadata": {_MARK: mark}}
        headers = {"If-None-Match": _ONLY_IF_ABSENT, f"x-amz-meta-{_MARK}": mark}
        async with await self._client.send("put_object", parameters, headers, body) as reply:
            await expect_success(reply)

    async def _second_create_fails(self) -> bool:
        """An object that remains after a failure is deleted later, by age."""
        name = f"proof/{secrets.token_hex(16)}"
        created = [await self._create(self._client.key(name), in_memory(b"")) for _ in range(2)]
        await self.delete(name)
        return created == [True, False]


class _Source:
    """The source of a request's body. S3 may respond before it has read everything; then `drain`
    reads the rest, since a stream that is cut into several bodies continues where this one ends.
    """

    def __init__(self, body: Body) -> None:
        self._chunks = aiter(body.chunks)
        self._size = 0

    async def chunks(self) -> AsyncIterator[bytes]:
        async for chunk in self._chunks:
            self._size += len(chunk)
            yield chunk

    async def drain(self, length: int | None) -> None:
        async for _ in self.chunks():
            pass
        if self._size != length:
            raise TruncatedBody(f"a body of {length} bytes had {self._size}")


class _Content:
    """A reply's body. Closing it closes the reply, even if nothing was read."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self._chunks = aiter(reply.chunks())

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        try:
            return await anext(self._chunks)
        except BaseException:
            await self.aclose()
            raise

    async def aclose(self) -> None:
        await self._reply.aclose()


def _changed_nothing(error: UpstreamError) -> bool:
    refused = isinstance(error, BucketRefusal) and error.persistent and not _already_exists(error)
    return error.unsent or refused


def _already_exists(error: UpstreamError) -> bool:
    return isinstance(error, BucketRefusal) and error.http_status in _ALREADY_EXISTS
