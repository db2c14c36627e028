"""What AWS's own library provides: regions, the proxy's own keys, and where the bucket is.

Importing the library takes a fifth of the start, so it is imported where it is used.
"""

import asyncio
import logging
import os
from collections.abc import Mapping
from functools import cache, cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import orjson
from yarl import URL

from providers.aws.keys import AwsKeys
from providers.aws.target import public_bucket
from providers.errors import FerryError, failed_precondition, unavailable
from providers.upstream import UpstreamError
from proxy.bucket_errors import UnusableBucket

if TYPE_CHECKING:
    from aiobotocore.credentials import AioCredentials
    from aiobotocore.session import AioSession

_NONE = (
    "the proxy has no AWS credentials of its own: AWS's credential chain (environment, profile, "
    "web identity, instance role) found none"
)

# Errors that are temporary although AWS sends them with a status from 400 to 499.
_TEMPORARY_REFUSALS: Final = frozenset(
    {
        "IDPCommunicationError",
        "RequestLimitExceeded",
        "RequestTimeout",
        "RequestTimeoutException",
        "Throttling",
        "ThrottlingException",
    }
)

# S3's usual region. A client of AWS's library takes it too if no setting of AWS names another.
_REGION: Final = "us-east-1"
_DNS_SUFFIX: Final = "amazonaws.com"

# At DEBUG these log keys and every signature, and so every presigned URL.
for _name in ("botocore", "aiobotocore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


@cache
def aws_regions() -> Mapping[str, str]:
    """The DNS suffix of each region that botocore lists.

    Read from its list of partitions: the list of endpoints by service takes 11 MiB.
    """
    # Read without botocore, which takes a fifth of a second to import. Its session would also
    # require the profile that AWS_PROFILE names.
    data = files("botocore").joinpath("data", "partitions.json").read_bytes()
    partitions = orjson.loads(data)["partitions"]
    return {
        region: partition["outputs"]["dnsSuffix"]
        for partition in partitions
        for region in partition["regions"]
        if not region.endswith("-global")  # a name for services that have no region
    }


def _new_session() -> "AioSession":
    # aiobotocore takes 9 MiB, and only a proxy with AWS keys of its own needs it.
    from aiobotocore.session import AioSession  # noqa: PLC0415

    return AioSession()


class OwnAwsKeys:
    """Implements `providers.aws.keys.KeySource`: AWS's chain, run once, then refreshed."""

    def __init__(self, session: "AioSession | None" = None) -> None:
        self._session = session or _new_session()
        self._found: AioCredentials | None = None
        self._one_at_a_time = asyncio.Lock()

    async def __call__(self) -> AwsKeys:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        # Errors of the chain may quote what it read. If STS refuses, it raises ClientError; if
        # expired keys cannot be renewed, it raises RuntimeError.
        try:
            async with self._one_at_a_time:
                self._found = self._found or await self._session.get_credentials()
            frozen = await self._found.get_frozen_credentials() if self._found else None
        except (BotoCoreError, ClientError, OSError, RuntimeError) as error:
            raise _failed(error) from None
        if frozen is None or not frozen.access_key or not frozen.secret_key:
            raise failed_precondition(_NONE)
        return AwsKeys(frozen.access_key, frozen.secret_key, frozen.token)


class OwnS3:
    """Implements `providers.aws.target.S3Target` from AWS's own settings, read at the first use."""

    def __init__(self, endpoint: URL | None) -> None:
        self._endpoint = endpoint
        self._session = _new_session()
        self._keys = OwnAwsKeys(self._session)

    async def keys(self) -> AwsKeys:
        """Raises UnusableBucket, UpstreamError."""
        try:
            return await self._keys()
        except FerryError as error:
            if error.permanent:
                raise UnusableBucket(error.message) from None
            raise UpstreamError(error.status, error.message, unsent=True) from None

    @cached_property
    def region(self) -> str:
        return self._setting("region") or _REGION

    def bucket_url(self, bucket: str) -> URL:
        if self._endpoint_url is not None:
            return self._endpoint_url.joinpath(bucket)
        return public_bucket(self._public_host, bucket)

    @cached_property
    def _endpoint_url(self) -> URL | None:
        if self._endpoint is not None or self._setting("ignore_configured_endpoint_urls"):
            return self._endpoint
        profile = self._session.get_scoped_config()  # `_setting` has read it without an error
        services = self._session.full_config.get("services", {}).get(profile.get("services"), {})
        configured = (
            os.environ.get("AWS_ENDPOINT_URL_S3")
            or os.environ.get("AWS_ENDPOINT_URL")
            or services.get("s3", {}).get("endpoint_url")
            or profile.get("endpoint_url")
        )
        return URL(configured) if configured else None

    @cached_property
    def _public_host(self) -> str:
        fips = "-fips" if self._setting("use_fips_endpoint") else ""
        dualstack = ".dualstack" if self._setting("use_dualstack_endpoint") else ""
        suffix = aws_regions().get(self.region, _DNS_SUFFIX)
        return f"s3{fips}{dualstack}.{self.region}.{suffix}"

    def _setting(self, name: str) -> Any:
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415

        try:
            return self._session.get_config_variable(name)
        except (BotoCoreError, ValueError) as error:
            why = f"AWS's own settings are wrong ({type(error).__name__})"
            raise UnusableBucket(why) from None


def _failed(error: Exception) -> FerryError:
    message = f"{_NONE} ({type(error).__name__})"
    return failed_precondition(message) if _is_permanent(error) else unavailable(message)


def _is_permanent(error: Exception) -> bool:
    """Whether a setting is wrong or STS refuses; an unreachable service is temporary."""
    from botocore.exceptions import (  # noqa: PLC0415
        ClientError,
        ConfigParseError,
        PartialCredentialsError,
        ProfileNotFound,
    )

    if isinstance(error, ClientError):
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500))
        code = error.response.get("Error", {}).get("Code")
        return 400 <= status < 500 and code not in _TEMPORARY_REFUSALS
    return isinstance(error, ConfigParseError | PartialCredentialsError | ProfileNotFound)
