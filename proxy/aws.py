"""What AWS's own library provides: the list of regions, and the proxy's own keys."""

import asyncio
from collections.abc import Mapping
from functools import cache
from typing import Final

from aiobotocore.credentials import AioCredentials
from aiobotocore.session import AioSession
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConfigParseError,
    PartialCredentialsError,
    ProfileNotFound,
)
from botocore.loaders import create_loader

from providers.aws.keys import AwsKeys
from providers.errors import FerryError, failed_precondition, unavailable

_NONE = (
    "the proxy has no AWS credentials of its own: AWS's credential chain (environment, profile, "
    "web identity, instance role) found none"
)

# Errors that are temporary although AWS sends them with a status from 400 to 499.
TEMPORARY_REFUSALS: Final = frozenset(
    {
        "IDPCommunicationError",
        "RequestLimitExceeded",
        "RequestTimeout",
        "RequestTimeoutException",
        "Throttling",
        "ThrottlingException",
    }
)


@cache
def aws_regions() -> Mapping[str, str]:
    """The DNS suffix of each region that botocore lists.

    Read from its list of partitions: the list of endpoints by service takes 11 MiB.
    """
    # A session is not used: it requires the profile that AWS_PROFILE names.
    partitions = create_loader().load_data("partitions")["partitions"]
    return {
        region: partition["outputs"]["dnsSuffix"]
        for partition in partitions
        for region in partition["regions"]
        if not region.endswith("-global")  # a name for services that have no region
    }


class OwnAwsKeys:
    """Implements `providers.aws.keys.OwnKeys`: AWS's credential chain, run once, then refreshed."""

    def __init__(self) -> None:
        self._session = AioSession()
        self._found: AioCredentials | None = None
        self._one_at_a_time = asyncio.Lock()

    async def __call__(self) -> AwsKeys:
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


def _failed(error: Exception) -> FerryError:
    message = f"{_NONE} ({type(error).__name__})"
    return failed_precondition(message) if _is_permanent(error) else unavailable(message)


def _is_permanent(error: Exception) -> bool:
    """Whether a setting is wrong or STS refuses; an unreachable service is temporary."""
    if isinstance(error, ClientError):
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500))
        return 400 <= status < 500 and error.response["Error"].get("Code") not in TEMPORARY_REFUSALS
    return isinstance(error, ConfigParseError | PartialCredentialsError | ProfileNotFound)
