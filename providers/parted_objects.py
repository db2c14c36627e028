"""Objects that reach the state store in parts, over several requests and through any replica."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from providers.body import Body
from providers.errors import FerryError, failed_precondition

# S3's rules (bedrock.md section 5), which hold in every store, so that none takes what one refuses.
SMALLEST_PART: Final = 5 << 20
MOST_PARTS: Final = 10_000


@dataclass(frozen=True, slots=True)
class PartedUpload:
    """An object on its way. Another replica goes on with it from these two strings."""

    name: str
    id: str


@dataclass(frozen=True, slots=True)
class Part:
    """`number` counts from 1; `size` in bytes."""

    number: int
    size: int


class UploadEnded(FerryError):
    """Nothing can be done with this upload any more: it is complete, aborted, or never was."""

    def __init__(self) -> None:
        super().__init__("FAILED_PRECONDITION", "the upload has ended; start it again")


class PartedObjects(Protocol):
    """What has arrived is on record in the store, and is no object before it is complete."""

    async def begin(self, name: str) -> PartedUpload:
        """`name` is one that nothing else creates: it makes a repeated `complete` harmless."""

    async def put(self, upload: PartedUpload, number: int, body: Body) -> None:
        """Part `number`, durable on return. A repeat has the same bytes, and either stays. What
        `body` raises passes through, and then nothing has changed. Raises UploadEnded.
        """

    def parts(self, upload: PartedUpload, after: int = 0) -> AsyncIterator[Part]:
        """What has arrived, in the order of numbers, from `after` + 1 on. Raises UploadEnded."""

    async def complete(self, upload: PartedUpload, size: int) -> None:
        """See that the object of all parts is there; the upload has ended then. May be repeated.

        Raises FAILED_PRECONDITION where the parts are not these `size` bytes without a gap, each
        but the last of `SMALLEST_PART` or more, and UploadEnded where there is neither the upload
        nor the object.
        """

    async def abort(self, upload: PartedUpload) -> None:
        """Gone afterwards with its parts, whether it was there or not; a made object stays."""

    async def abort_before(self, time: datetime) -> None:
        """Abort every upload begun before `time`."""


def check_number(number: int) -> int:
    if not 1 <= number <= MOST_PARTS:
        raise ValueError(f"a part's number is 1 to {MOST_PARTS}, not {number}")
    return number


def check_whole(parts: Sequence[Part], size: int) -> None:
    """Raises FAILED_PRECONDITION, see `PartedObjects.complete`."""
    if [part.number for part in parts] != list(range(1, max(len(parts), 1) + 1)):
        raise failed_precondition("a part of the upload is missing")
    if (arrived := sum(part.size for part in parts)) != size:
        raise failed_precondition(f"{arrived} bytes of the upload have arrived, not {size}")
    if any(part.size < SMALLEST_PART for part in parts[:-1]):
        raise failed_precondition(f"a part before the last has under {SMALLEST_PART} bytes")
