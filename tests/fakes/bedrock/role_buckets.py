"""S3 as Bedrock reaches it: over HTTP, signed with the key of the job's role."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from aiohttp import web
from botocore.exceptions import ClientError
from yarl import URL

from ..aws_keys import OF_THE_ROLE, REGION
from ..blob import PIECE, Blob, BlobStore

if TYPE_CHECKING:
    from types_aiobotocore_s3.client import S3Client


class OutOfReach(Exception):
    """The role cannot read or write what a job names; the text says why."""


@dataclass(frozen=True)
class S3Location:
    bucket: str
    key: str

    @classmethod
    def of(cls, uri: str) -> "S3Location":
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return cls(bucket, key)

    @property
    def is_folder(self) -> bool:
        return not self.key or self.key.endswith("/")

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


class RoleBuckets:
    def __init__(self, s3_url: URL, blobs: BlobStore) -> None:
        self._s3_url = s3_url
        self._blobs = blobs
        self._client: S3Client | None = None

    async def running(self, _: web.Application) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            client = get_session().create_client(
                "s3",
                region_name=REGION,
                endpoint_url=str(self._s3_url),
                aws_access_key_id=OF_THE_ROLE.access_key_id,
                aws_secret_access_key=OF_THE_ROLE.secret_access_key,
                aws_session_token=OF_THE_ROLE.session_token,
                config=AioConfig(
                    s3={"addressing_style": "path"}, request_checksum_calculation="when_required"
                ),
            )
            self._client = await stack.enter_async_context(client)
            yield

    @property
    def _s3(self) -> "S3Client":
        assert self._client is not None
        return self._client

    async def check_bucket(self, location: S3Location) -> None:
        """Raises OutOfReach."""
        try:
            await self._s3.head_bucket(Bucket=location.bucket)
        except ClientError as error:
            raise _out_of_reach(location, error) from None

    async def sizes(self, location: S3Location) -> dict[str, int]:
        """Of every object whose key begins with that of `location`; raises OutOfReach."""
        pages = self._s3.get_paginator("list_objects_v2")
        found: dict[str, int] = {}
        try:
            async for page in pages.paginate(Bucket=location.bucket, Prefix=location.key):
                found |= {item["Key"]: item["Size"] for item in page.get("Contents", ())}
        except ClientError as error:
            raise _out_of_reach(location, error) from None
        return found

    async def download(self, location: S3Location) -> Blob:
        """Raises OutOfReach."""
        try:
            answer = await self._s3.get_object(Bucket=location.bucket, Key=location.key)
        except ClientError as error:
            raise _out_of_reach(location, error) from None
        with self._blobs.writing() as writer:
            async for piece in answer["Body"].iter_chunks(PIECE):
                writer.write(piece)
            return writer.finish()

    async def upload(self, location: S3Location, blob: Blob) -> None:
        """Raises OutOfReach."""
        try:
            with blob.path.open("rb") as body:
                await self._s3.put_object(Bucket=location.bucket, Key=location.key, Body=body)
        except ClientError as error:
            raise _out_of_reach(location, error) from None


def _out_of_reach(location: S3Location, error: ClientError) -> OutOfReach:
    return OutOfReach(f"The role cannot reach {location}: {error.response['Error']['Code']}")
