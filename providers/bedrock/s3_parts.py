"""S3's multipart uploads of one caller as parted objects; S3 knows which parts have arrived.

S3 refuses a part without a length (bedrock.md section 5).
"""

import logging
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from providers.aws.folder import Folder
from providers.aws.s3 import S3
from providers.aws.target import AwsTarget
from providers.bedrock.object_files import is_new_name
from providers.body import Body
from providers.errors import FerryError, NotFound
from providers.parted_objects import Part, PartedUpload, UploadEnded, check_number, check_whole

_log: Final = logging.getLogger("genai_ferry.bedrock")


class S3Parts:
    """Implements `providers.parted_objects.PartedObjects` below `folder`.

    Objects are created with `headers`. An upload not finished within `life` is abandoned.
    """

    def __init__(
        self, s3: S3, target: AwsTarget, folder: Folder, headers: Mapping[str, str], life: timedelta
    ) -> None:
        self._s3 = s3
        self._target = target
        self._folder = folder
        self._headers = headers
        self._life = life

    async def begin(self, name: str) -> PartedUpload:
        await self._abort_abandoned()
        key = self._folder.prefix + name
        upload = await self._s3.begin(self._target, self._folder.bucket, key, self._headers)
        return PartedUpload(name, upload)

    async def put(self, upload: PartedUpload, number: int, body: Body) -> None:
        try:
            await self._s3.put_part(*self._of(upload), check_number(number), body)
        except FerryError as error:
            raise _ended(error) from None

    async def parts(self, upload: PartedUpload, after: int = 0) -> AsyncIterator[Part]:
        async for part, _ in self._listed(upload, after):
            yield part

    async def complete(self, upload: PartedUpload, size: int) -> None:
        try:
            listed = [found async for found in self._listed(upload)]
            check_whole([part for part, _ in listed], size)
            try:
                await self._s3.complete(*self._of(upload), [etag for _, etag in listed])
            except FerryError as error:
                raise _ended(error) from None
        except UploadEnded:
            key = self._folder.prefix + upload.name
            if await self._s3.head(self._target, self._folder.bucket, key) is None:
                raise

    async def abort(self, upload: PartedUpload) -> None:
        await self._s3.abort(*self._of(upload))

    async def abort_before(self, time: datetime) -> None:
        for begun in await self._s3.uploads(self._target, self._folder):
            name = begun.key.removeprefix(self._folder.prefix)
            if is_new_name(name) and begun.begun is not None and begun.begun < time:
                await self.abort(PartedUpload(name, begun.id))

    async def _abort_abandoned(self) -> None:
        try:
            await self.abort_before(datetime.now(UTC) - self._life)
        except FerryError as error:
            # The keys may lack this permission; a lifecycle rule of the bucket does the same.
            _log.warning("abandoned uploads could not be aborted: %s", error.status.name)

    async def _listed(
        self, upload: PartedUpload, after: int = 0
    ) -> AsyncIterator[tuple[Part, str]]:
        try:
            async for found in self._s3.parts(*self._of(upload), after):
                yield found
        except FerryError as error:
            raise _ended(error) from None

    def _of(self, upload: PartedUpload) -> tuple[AwsTarget, str, str, str]:
        return self._target, self._folder.bucket, self._folder.prefix + upload.name, upload.id


def _ended(error: FerryError) -> FerryError:
    """S3 answers NoSuchUpload once an upload is completed or aborted."""
    return UploadEnded() if isinstance(error, NotFound) else error
