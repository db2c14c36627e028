"""What an immediate job is: its id, its record, how far it is."""

import hashlib
import re
from base64 import b32hexencode
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from providers.batches.request_table import RowKind
from providers.errors import FerryError, not_found
from providers.resources import BatchKind, BatchState

# Unlike the ids of any provider's batches.
_ID: Final = re.compile(r"immediate-[0-9a-v]{26}")


def job_id_of(creation_key: str) -> str:
    """The id derived from `creation_key`."""
    digest = hashlib.sha256(creation_key.encode()).digest()[:16]
    return "immediate-" + b32hexencode(digest).decode().rstrip("=").lower()


def is_immediate(batch_id: str) -> bool:
    return _ID.fullmatch(batch_id) is not None


@dataclass(frozen=True, slots=True)
class JobKey:
    tenant: str
    job_id: str

    def __str__(self) -> str:
        return f"{self.tenant}/{self.job_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRequest:
    """What is asked of a job; `invocation` is the name of the format of its lines."""

    model: str
    display_name: str | None = None
    kind: BatchKind
    invocation: str
    warnings: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord(JobRequest):
    """A job as it was created, with `count` records; `rows` is the kind of its request table.

    `creation` distinguishes the objects of each attempt to create the job. `ambient`: whether the
    proxy's own credential pays for it.
    """

    rows: RowKind
    count: int
    created: datetime
    creation: str
    ambient: bool


@dataclass(frozen=True, slots=True)
class JobState:
    """How far a job is, or how it ended: then `output` is the number of its results' object."""

    state: BatchState
    started: datetime | None
    ended: datetime | None
    succeeded: int
    failed: int
    output: int | None


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the input; `size` is in bytes."""

    records: range
    size: int


def no_job(job_id: str) -> FerryError:
    return not_found(f"batches/{job_id} was not found")
