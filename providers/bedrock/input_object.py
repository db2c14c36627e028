"""A file of requests in S3, which other tools may overwrite while it is read for a batch."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from providers.aws.s3 import S3
from providers.aws.target import AwsTarget
from providers.bedrock.object_files import key_of, no_such_file
from providers.errors import FerryError, NotFound
from providers.status import Status

_PRECONDITION_FAILED = 412


class InputObject:
    """Read several times, always with the content of the first time."""

    def __init__(self, s3: S3, target: AwsTarget, file_id: str) -> None:
        self._s3 = s3
        self._target = target
        self._file_id = file_id
        self._etag: str | None = None

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[AsyncIterator[bytes]]:
        """Raises NOT_FOUND, and ABORTED if the object was overwritten since it was first opened."""
        folder = self._target.folder
        key = key_of(self._file_id, folder)
        try:
            reply = await self._s3.open(self._target, folder.bucket, key, self._etag)
        except FerryError as error:
            raise self._explained(error) from None
        async with reply:
            self._etag = self._etag or reply.headers.get("ETag")
            yield reply.chunks()

    def _explained(self, error: FerryError) -> FerryError:
        if isinstance(error, NotFound):
            return no_such_file(self._file_id)
        if error.upstream_status == _PRECONDITION_FAILED:
            return FerryError(
                Status.ABORTED, "the file of requests was overwritten while it was read"
            )
        return error
