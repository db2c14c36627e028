"""Multipart uploads to a store: in parts, over several requests, through any replica."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from providers.body import Body
from providers.errors import FerryError, failed_precondition
from providers.limits import UPLOAD_PARTS
from providers.status import Status

# S3's rules (bedrock.md section 5). They hold in every store, so that all accept the same uploads.
SMALLEST_PART: Final = 5 << 20


@dataclass(frozen=True, slots=True)
class MultipartUpload:
    """An unfinished upload. These two strings are all that another replica needs to continue it."""

    name: str
    id: str


@dataclass(frozen=True, slots=True)
class Part:
    """`number` counts from 1; `size` in bytes."""

    number: int
    size: int


class UploadEnded(FerryError):
    """The upload is complete, was aborted, or never existed."""

    def __init__(self) -> None:
        super().__init__(Status.FAILED_PRECONDITION, "the upload has ended; start it again")


class MultipartUploads(Protocol):
    """The store keeps the parts; they become an object only when the upload is completed."""

    async def begin(self, name: str, size: int | None = None) -> MultipartUpload:
        """No other upload may use `name`; this makes a repeated `complete` harmless.

        `size` is what the object will have, if that is known: a store may refuse it early.
        """

    async def put(self, upload: MultipartUpload, number: int, body: Body) -> None:
        """Store part `number`, durable on return. A repeat must have the same bytes.

        An error of `body` passes through and leaves everything unchanged. Raises UploadEnded.
        """

    def parts(self, upload: MultipartUpload, after: int = 0) -> AsyncIterator[Part]:
        """The stored parts ordered by number, from `after` + 1. Raises UploadEnded."""

    async def complete(self, upload: MultipartUpload, size: int) -> None:
        """Make the object of all parts, which ends the upload. May be repeated.

        Raises FAILED_PRECONDITION if a part is missing, if the parts do not have `size` bytes
        together, or if one before the last is smaller than `SMALLEST_PART`. Raises UploadEnded if
        neither the upload nor the object exists.
        """

    async def abort(self, upload: MultipartUpload) -> None:
        """Remove the upload and its parts, if they exist; a finished object stays."""

    async def abort_before(self, time: datetime) -> None:
        """Abort every upload started before `time`."""

    def unlisted(self) -> AsyncIterator[MultipartUpload]:
        """The unfinished uploads whose parts the store does not list as objects."""


def check_number(number: int) -> int:
    if not 1 <= number <= UPLOAD_PARTS:
        raise ValueError(f"a part's number is 1 to {UPLOAD_PARTS}, not {number}")
    return number


def check_whole(parts: Sequence[Part], size: int) -> None:
    """Raises FAILED_PRECONDITION, see `MultipartUploads.complete`."""
    if [part.number for part in parts] != list(range(1, max(len(parts), 1) + 1)):
        raise failed_precondition("a part of the upload is missing")
    if (arrived := sum(part.size for part in parts)) != size:
        raise failed_precondition(f"{arrived} bytes of the upload have arrived, not {size}")
    if any(part.size < SMALLEST_PART for part in parts[:-1]):
        raise failed_precondition(f"a part before the last has under {SMALLEST_PART} bytes")
