"""The state store's S3 client: aiobotocore signs every call and makes the small ones.

Calls with a body are sent through our own upstream to a URL that aiobotocore presigned, since
aiobotocore would buffer or hash the stream (bedrock.md section 5). Such a URL is a secret.
"""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Literal

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import BotoCoreError
from yarl import URL

from providers.body import Body
from providers.upstream import OutboundRequest, Reply, Upstream
from proxy.bucket_errors import BucketRefusal, UnusableBucket, mapped_errors
from proxy.object_names import check_name

if TYPE_CHECKING:
    from types_aiobotocore_s3.client import S3Client

# S3 checks the expiry only when a request begins. As long as the clock difference that S3 allows,
# so that a URL is not expired for a server whose clock is ahead of ours.
PRESIGNED_SECONDS: Final = 15 * 60

_ATTEMPTS: Final = 3
_CONNECT_SECONDS: Final = 10
_SILENCE_SECONDS: Final = 60
_CONNECTIONS: Final = 64

# At DEBUG these log every signature, and so every presigned URL.
for _name in ("botocore", "aiobotocore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class BucketAddress:
    """`prefix` ends in a slash. `endpoint` None is AWS's own."""

    bucket: str
    prefix: str
    endpoint: URL | None = None


class BucketClient:
    """Must be used only in the event loop in which it is opened."""

    def __init__(self, address: BucketAddress, upstream: Upstream) -> None:
        self.bucket = address.bucket
        self.prefix = address.prefix
        self._endpoint = address.endpoint
        self._upstream = upstream
        self._opened = AsyncExitStack()
        self._s3: S3Client | None = None

    async def open(self) -> None:
        """Makes no connection yet. Raises UnusableBucket."""
        client = get_session().create_client(
            "s3",
            endpoint_url=str(self._endpoint) if self._endpoint else None,
            config=_config(path_style=self._endpoint is not None),
        )
        try:
            self._s3 = await self._opened.enter_async_context(client)
        except (BotoCoreError, ValueError) as error:
            raise UnusableBucket(f"AWS's own settings are wrong ({type(error).__name__})") from None

    async def close(self) -> None:
        await self._opened.aclose()

    @property
    def s3(self) -> "S3Client":
        """For small calls, inside `mapped_errors`."""
        if self._s3 is None:
            raise RuntimeError("the bucket client is not open")
        return self._s3

    def key(self, name: str) -> str:
        return self.prefix + check_name(name)

    async def send(
        self,
        operation: Literal["put_object", "get_object", "upload_part"],
        parameters: Mapping[str, Any],
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
    ) -> Reply:
        """Sends an operation with a body. `headers` are the ones that `parameters` sign.

        Raises UpstreamError; the reply may be an error of S3.
        """
        with mapped_errors():
            url = await self.s3.generate_presigned_url(
                operation,
                Params={"Bucket": self.bucket, **parameters},
                ExpiresIn=PRESIGNED_SECONDS,
            )
        method = "GET" if operation == "get_object" else "PUT"
        return await self._upstream.send(
            OutboundRequest(method, URL(url, encoded=True), headers or {}, body)
        )

    async def head(self, key: str) -> Any | None:
        try:
            with mapped_errors():
                return await self.s3.head_object(Bucket=self.bucket, Key=key)
        except BucketRefusal as error:
            if error.http_status == HTTPStatus.NOT_FOUND:
                return None
            raise

    async def pages(
        self, operation: Literal["list_objects_v2", "list_multipart_uploads"], prefix: str
    ) -> AsyncIterator[Any]:
        """Lists every key that starts with `prefix`, which must begin with the store's prefix."""
        with mapped_errors():
            paginator = self.s3.get_paginator(operation)
            async for page in paginator.paginate(Bucket=self.bucket, Prefix=prefix):
                yield page


def _config(*, path_style: bool) -> AioConfig:
    return AioConfig(
        signature_version="s3v4",
        s3={"addressing_style": "path"} if path_style else None,
        # S3-compatible stores may lack the checksums that AWS added in 2025.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_SILENCE_SECONDS,
        max_pool_connections=_CONNECTIONS,
    )
