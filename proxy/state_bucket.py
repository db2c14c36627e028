"""The state store in an S3 bucket, which replicas on several machines may share."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Self

from yarl import URL

from providers.aws.client import AwsClient
from providers.aws.folder import Folder
from providers.aws.s3 import METADATA_PREFIX, S3, StoredObject
from providers.aws.s3_parts import S3Parts
from providers.body import Body, TruncatedBody, in_memory
from providers.multipart_uploads import MultipartUpload
from providers.state import ObjectInfo
from providers.status import Status
from providers.stored_objects import STORE_CHECK
from providers.upstream import Reply, Upstream, UpstreamError
from proxy.aws import OwnS3
from proxy.bucket_errors import BucketRefusal, UnusableBucket, restate
from proxy.object_names import check_name, check_prefix, is_name
from proxy.spool import of_known_length

_IF_ABSENT: Final = {"If-None-Match": "*"}
_ALREADY_EXISTS: Final = (HTTPStatus.PRECONDITION_FAILED, HTTPStatus.CONFLICT)

_SSE: Final = "x-amz-server-side-encryption"
_KMS: Final = "aws:kms"

# User metadata, random for each create: if a response is lost, it shows who made the object.
_MARK: Final = "ferry-mark"


@dataclass(frozen=True, slots=True)
class BucketAddress:
    """`prefix` ends in a slash. `endpoint` None is AWS's own.

    `sse` is how S3 encrypts the objects: `AES256`, `aws:kms` or `aws:kms:KEY`; None is the bucket's
    own default.
    """

    bucket: str
    prefix: str
    endpoint: URL | None = None
    sse: str | None = None


class BucketState:
    """Implements `providers.state.State`. It owns everything under the address's prefix.

    `verify` must succeed before the first write. Raises UpstreamError.
    """

    def __init__(self, address: BucketAddress, upstream: Upstream) -> None:
        self._bucket = address.bucket
        self._prefix = address.prefix
        self._target = OwnS3(address.endpoint)
        self._encryption = _encryption(address.sse)
        self._s3 = S3(AwsClient("the state store", upstream, restate=restate))
        folder = Folder(address.bucket, address.prefix)
        self.multipart = _Parts(self._s3, self._target, folder, self.verify, self._encryption)
        self._verifying = asyncio.Lock()
        self._verified = False

    async def verify(self) -> None:
        """Checks once that objects cannot be overwritten. Raises UnusableBucket, UpstreamError."""
        async with self._verifying:
            if self._verified:
                return
            try:
                fit = await self._second_create_fails()
            except BucketRefusal as error:
                raise (UnusableBucket(error.code_of_s3) if error.permanent else error) from None
            if not fit:
                raise UnusableBucket("it ignores If-None-Match, so objects could be overwritten")
            self._verified = True

    async def create(self, name: str, body: Body) -> bool:
        key = self._key(name)
        await self.verify()
        async with of_known_length(body) as sized:
            return await self._create(key, sized)

    async def get(self, name: str) -> Body | None:
        try:
            reply = await self._s3.open(self._target, self._bucket, self._key(name))
        except BucketRefusal as error:
            if error.reason == "NoSuchKey":
                return None
            raise
        length = reply.headers.get("Content-Length")
        if length is None:
            await reply.aclose()
            raise UpstreamError(Status.UNAVAILABLE, "S3's answer has no Content-Length")
        return Body(_Content(reply), int(length))

    async def head(self, name: str) -> ObjectInfo | None:
        found = await self._s3.head(self._target, self._bucket, self._key(name))
        return None if found is None else _info(name, found)

    async def delete(self, name: str) -> None:
        await self._s3.delete(self._target, self._bucket, self._key(name))

    async def list(self, prefix: str, after: str = "") -> AsyncIterator[ObjectInfo]:
        asked = Folder(self._bucket, self._prefix + check_prefix(prefix))
        async for found in self._s3.each(self._target, asked, after and self._prefix + after):
            name = found.key.removeprefix(self._prefix)
            if is_name(name):  # other tools may leave objects there
                yield _info(name, found)

    def _key(self, name: str) -> str:
        return self._prefix + check_name(name)

    async def _create(self, key: str, body: Body) -> bool:
        mark, source = secrets.token_hex(16), _Source(body)
        headers = {**_IF_ABSENT, **self._encryption, f"{METADATA_PREFIX}{_MARK}": mark}
        try:
            sent = Body(source.chunks(), body.length)
            await self._s3.put(self._target, self._bucket, key, sent, headers)
        except UpstreamError as error:
            if _changed_nothing(error):
                raise
            # Perhaps only the response was lost. The object in the bucket, if any, shows it.
            found = await self._s3.head(self._target, self._bucket, key)
            if found is not None and found.metadata.get(_MARK) == mark:
                return True
            if found is None or not _already_exists(error):
                raise
            await source.drain(body.length)
            return False
        return True

    async def _second_create_fails(self) -> bool:
        """An object that remains after a failure is deleted later, by age."""
        name = STORE_CHECK.name(secrets.token_hex(16))
        created = [await self._create(self._key(name), in_memory(b"")) for _ in range(2)]
        await self.delete(name)
        return created == [True, False]


class _Parts(S3Parts):
    """Never overwrites an object, and takes bodies of unknown length."""

    def __init__(
        self,
        s3: S3,
        target: OwnS3,
        folder: Folder,
        verify: Callable[[], Awaitable[None]],
        encryption: Mapping[str, str],
    ) -> None:
        super().__init__(s3, target, folder, is_name, begin=encryption, complete=_IF_ABSENT)
        self._verify = verify

    async def begin(self, name: str, size: int | None = None) -> MultipartUpload:
        check_name(name)
        await self._verify()
        return await super().begin(name, size)

    async def put(self, upload: MultipartUpload, number: int, body: Body) -> None:
        async with of_known_length(body) as sized:
            await super().put(upload, number, sized)


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


def _encryption(sse: str | None) -> dict[str, str]:
    """The headers of an object, or of the start of an object in parts."""
    if sse is None:
        return {}
    if not sse.startswith(_KMS):
        return {_SSE: sse}
    key = sse.removeprefix(_KMS).removeprefix(":")
    return {_SSE: _KMS} | ({f"{_SSE}-aws-kms-key-id": key} if key else {})


def _info(name: str, found: StoredObject) -> ObjectInfo:
    if found.modified is None:
        raise UpstreamError(Status.UNAVAILABLE, "S3's answer lacks LastModified")
    return ObjectInfo(name, found.size, found.modified)


def _changed_nothing(error: UpstreamError) -> bool:
    refused = isinstance(error, BucketRefusal) and error.permanent and not _already_exists(error)
    return error.unsent or refused


def _already_exists(error: UpstreamError) -> bool:
    return error.upstream_status in _ALREADY_EXISTS
