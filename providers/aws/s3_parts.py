"""S3's multipart uploads; S3 knows which parts have arrived.

S3 refuses a part without a length (bedrock.md section 5).
"""

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from http import HTTPStatus

from providers.aws.folder import Folder
from providers.aws.s3 import S3
from providers.aws.target import S3Target
from providers.body import Body
from providers.errors import FerryError, NotFound
from providers.multipart_uploads import (
    MultipartUpload,
    Part,
    UploadEnded,
    check_number,
    check_whole,
)


class S3Parts:
    """Implements `providers.multipart_uploads.MultipartUploads` below `folder`.

    `is_ours` says which names may be ours: other uploads are never aborted. Uploads begin with the
    headers `begin`, and objects are completed with the headers `complete`.
    """

    def __init__(
        self,
        s3: S3,
        target: S3Target,
        folder: Folder,
        is_ours: Callable[[str], bool],
        begin: Mapping[str, str] | None = None,
        complete: Mapping[str, str] | None = None,
    ) -> None:
        self._s3 = s3
        self._target = target
        self._folder = folder
        self._is_ours = is_ours
        self._begin = begin or {}
        self._complete = complete or {}

    async def begin(
        self,
        name: str,
        size: int | None = None,  # noqa: ARG002 - of any size
    ) -> MultipartUpload:
        key = self._folder.prefix + name
        upload = await self._s3.begin(self._target, self._folder.bucket, key, self._begin)
        return MultipartUpload(name, upload)

    async def put(self, upload: MultipartUpload, number: int, body: Body) -> None:
        try:
            await self._s3.put_part(*self._of(upload), check_number(number), body)
        except FerryError as error:
            raise _ended(error) from None

    async def parts(self, upload: MultipartUpload, after: int = 0) -> AsyncIterator[Part]:
        async for part, _ in self._listed(upload, after):
            yield part

    async def complete(self, upload: MultipartUpload, size: int) -> None:
        try:
            listed = [found async for found in self._listed(upload)]
            check_whole([part for part, _ in listed], size)
            etags = [etag for _, etag in listed]
            try:
                await self._s3.complete(*self._of(upload), etags, self._complete)
            except FerryError as error:
                raise _ended(error) from None
        except UploadEnded:
            key = self._folder.prefix + upload.name
            if await self._s3.head(self._target, self._folder.bucket, key) is None:
                raise
        except FerryError as error:
            if error.upstream_status != HTTPStatus.PRECONDITION_FAILED:
                raise
            await self.abort(upload)  # the object already exists

    async def abort(self, upload: MultipartUpload) -> None:
        await self._s3.abort(*self._of(upload))

    async def abort_before(self, time: datetime) -> None:
        async for upload, begun in self._unfinished():
            if begun is not None and begun < time:
                await self.abort(upload)

    async def unlisted(self) -> AsyncIterator[MultipartUpload]:
        async for upload, _ in self._unfinished():
            yield upload

    async def _unfinished(self) -> AsyncIterator[tuple[MultipartUpload, datetime | None]]:
        async for found in self._s3.uploads(self._target, self._folder):
            name = found.key.removeprefix(self._folder.prefix)
            if self._is_ours(name):
                yield MultipartUpload(name, found.id), found.begun

    async def _listed(
        self, upload: MultipartUpload, after: int = 0
    ) -> AsyncIterator[tuple[Part, str]]:
        try:
            async for found in self._s3.parts(*self._of(upload), after):
                yield found
        except FerryError as error:
            raise _ended(error) from None

    def _of(self, upload: MultipartUpload) -> tuple[S3Target, str, str, str]:
        return self._target, self._folder.bucket, self._folder.prefix + upload.name, upload.id


def _ended(error: FerryError) -> FerryError:
    """S3 answers NoSuchUpload once an upload is completed or aborted."""
    return UploadEnded() if isinstance(error, NotFound) else error
