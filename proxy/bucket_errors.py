"""Errors of the bucket with our own messages: S3's may quote what was signed, or an address."""

import re
from typing import Final

from providers.errors import FerryError, NotFound
from providers.status import Status
from providers.upstream import UpstreamError

_CODE: Final = re.compile(r"[A-Za-z0-9.]{1,64}")


class BucketRefusal(UpstreamError):
    """S3 answered with an error. `code_of_s3` is its name, or else the HTTP status."""

    def __init__(self, refused: FerryError) -> None:
        named = _CODE.fullmatch(refused.reason or "")
        self.code_of_s3: Final = named[0] if named else str(refused.upstream_status)
        super().__init__(
            refused.status,
            f"the state store refused: {self.code_of_s3}",
            reason=refused.reason,
            upstream_status=refused.upstream_status,
            retry_after=refused.retry_after,
        )

    @property
    def permanent(self) -> bool:
        """A conflict with another request passes. A redirect says that the address is wrong."""
        if self.status is Status.ABORTED:
            return False
        return super().permanent or 300 <= (self.upstream_status or 0) < 400


class AbsentFromBucket(BucketRefusal, NotFound):
    """An object or an upload does not exist."""


def restate(refused: FerryError) -> BucketRefusal:
    return (AbsentFromBucket if isinstance(refused, NotFound) else BucketRefusal)(refused)


class UnusableBucket(UpstreamError):
    """This bucket cannot be used as a state store; retries do not help."""

    def __init__(self, reason: str) -> None:
        message = f"the bucket cannot keep the state: {reason}"
        super().__init__(Status.FAILED_PRECONDITION, message, unsent=True)
