"""Errors of S3 with our own messages: botocore's may quote a signature or an address."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import aiohttp
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    PartialCredentialsError,
)

from providers.status import Status
from providers.upstream import Reply, UpstreamError
from proxy.aws import TEMPORARY_REFUSALS

_ERROR_BYTES: Final = 64 << 10
_CODE: Final = r"[A-Za-z0-9.]{1,64}"
_CODE_ELEMENT: Final = re.compile(rf"<Code>({_CODE})</Code>".encode())


class BucketRefusal(UpstreamError):
    """S3 answered with an error; `s3_code` is its name."""

    def __init__(self, http_status: int, s3_code: str) -> None:
        super().__init__(Status.UNAVAILABLE, f"the state store refused: {s3_code}")
        self.http_status: Final = http_status
        self.s3_code: Final = s3_code

    @property
    def persistent(self) -> bool:
        """Whether a retry cannot succeed until something is changed."""
        status = self.http_status
        if self.s3_code in TEMPORARY_REFUSALS:
            return False
        return status == 501 or (300 <= status < 500 and status not in (408, 409, 429))


class UnusableBucket(UpstreamError):
    """This bucket cannot be used as a state store; retries do not help."""

    def __init__(self, reason: str) -> None:
        super().__init__(Status.UNAVAILABLE, f"the bucket cannot keep the state: {reason}")


async def expect_success(reply: Reply) -> None:
    """Raises BucketRefusal for an error; does not read the body of a success."""
    if 200 <= reply.status < 300:
        return
    found = _CODE_ELEMENT.search(await reply.read(_ERROR_BYTES))
    raise BucketRefusal(reply.status, found[1].decode() if found else str(reply.status))


@contextmanager
def mapped_errors() -> Iterator[None]:
    """Maps botocore's errors to ours, which contain only S3's error code."""
    try:
        yield
    except ClientError as error:
        raise _refusal(error) from None
    except (NoCredentialsError, PartialCredentialsError):
        raise UnusableBucket("AWS's credential chain has no credentials for it") from None
    # botocore raises RuntimeError for credentials that it could not refresh in time.
    except (BotoCoreError, aiohttp.ClientError, TimeoutError, OSError, RuntimeError) as error:
        why = type(error).__name__
        raise UpstreamError(
            Status.UNAVAILABLE, f"the state store cannot be reached ({why})"
        ) from None


@contextmanager
def required_members() -> Iterator[None]:
    """Maps a missing member of a response to an error: S3-compatible servers may omit some."""
    try:
        yield
    except KeyError as missing:
        why = f"the state store's response has no {missing.args[0]}"
        raise UpstreamError(Status.UNAVAILABLE, why) from None


def _refusal(error: ClientError) -> BucketRefusal:
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500))
    return BucketRefusal(status, code if re.fullmatch(_CODE, code) else str(status))
