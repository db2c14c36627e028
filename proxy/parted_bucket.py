"""Objects that are written in parts, in a bucket: S3's multipart uploads.

ListParts says which parts have arrived; the proxy keeps no record of its own.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from providers.body import Body
from providers.json_api.page_tokens import leading_on
from providers.parted_objects import Part, PartedUpload, UploadEnded, check_number, check_whole
from proxy.bucket_client import BucketClient
from proxy.bucket_errors import BucketRefusal, expect_success, mapped_errors, required_members
from proxy.object_names import is_name
from proxy.spool import of_known_length

if TYPE_CHECKING:
    from types_aiobotocore_s3.type_defs import CompletedPartTypeDef


class BucketParts:
    """Implements `providers.parted_objects.PartedObjects`; an upload's id is S3's own."""

    def __init__(self, client: BucketClient, prove: Callable[[], Awaitable[None]]) -> None:
        self._client = client
        self._prove = prove

    async def begin(self, name: str) -> PartedUpload:
        key = self._client.key(name)
        await self._prove()
        with mapped_errors():
            begun = await self._client.s3.create_multipart_upload(
                Bucket=self._client.bucket, Key=key
            )
        with required_members():
            return PartedUpload(name, begun["UploadId"])

    async def put(self, upload: PartedUpload, number: int, body: Body) -> None:
        parameters = {**self._of(upload), "PartNumber": check_number(number)}
        async with of_known_length(body) as sized:
            async with await self._client.send("upload_part", parameters, body=sized) as reply:
                try:
                    await expect_success(reply)
                except BucketRefusal as refused:
                    raise _ended(refused) or refused from None

    async def parts(self, upload: PartedUpload, after: int = 0) -> AsyncIterator[Part]:
        async for listed in self._listed(upload, after):
            yield _part(listed)

    async def complete(self, upload: PartedUpload, size: int) -> None:
        try:
            listed = [part async for part in self._listed(upload)]
            check_whole([_part(part) for part in listed], size)
            await self._complete(upload, [_completed(part) for part in listed])
        except UploadEnded:
            if not await self._exists(upload):
                raise
        except BucketRefusal as refused:
            if refused.http_status != HTTPStatus.PRECONDITION_FAILED:
                raise
            await self.abort(upload)  # the object already exists

    async def abort(self, upload: PartedUpload) -> None:
        with suppress(UploadEnded):
            await self._small("abort_multipart_upload", upload)

    async def abort_before(self, time: datetime) -> None:
        prefix = self._client.prefix
        async for page in self._client.pages("list_multipart_uploads", prefix):
            for begun in page.get("Uploads", ()):
                with required_members():
                    name, initiated = begun["Key"].removeprefix(prefix), begun["Initiated"]
                    found = PartedUpload(name, begun["UploadId"])
                if is_name(name) and initiated < time:
                    await self.abort(found)

    async def _listed(self, upload: PartedUpload, after: int = 0) -> AsyncIterator[Any]:
        marker: str | None = str(after)
        while marker is not None:
            page = await self._small("list_parts", upload, PartNumberMarker=int(marker))
            for listed in page.get("Parts", ()):
                yield listed
            following = str(page.get("NextPartNumberMarker", marker))
            marker = leading_on("S3", marker, following if page.get("IsTruncated") else None)

    async def _complete(self, upload: PartedUpload, parts: "list[CompletedPartTypeDef]") -> None:
        """Raises BucketRefusal also for an error inside a 200, which botocore detects."""
        await self._small(
            "complete_multipart_upload", upload, MultipartUpload={"Parts": parts}, IfNoneMatch="*"
        )

    async def _exists(self, upload: PartedUpload) -> bool:
        return await self._client.head(self._client.key(upload.name)) is not None

    async def _small(self, operation: str, upload: PartedUpload, **parameters: Any) -> Any:
        """Raises UploadEnded, UpstreamError."""
        call = getattr(self._client.s3, operation)
        try:
            with mapped_errors():
                return await call(Bucket=self._client.bucket, **self._of(upload), **parameters)
        except BucketRefusal as refused:
            raise _ended(refused) or refused from None

    def _of(self, upload: PartedUpload) -> dict[str, Any]:
        return {"Key": self._client.key(upload.name), "UploadId": upload.id}


def _ended(refused: BucketRefusal) -> UploadEnded | None:
    return UploadEnded() if refused.s3_code == "NoSuchUpload" else None


def _part(listed: Any) -> Part:
    with required_members():
        return Part(listed["PartNumber"], listed["Size"])


def _completed(listed: Any) -> "CompletedPartTypeDef":
    with required_members():
        return {"PartNumber": listed["PartNumber"], "ETag": listed["ETag"]}
