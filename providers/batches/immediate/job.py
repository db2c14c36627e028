"""What an immediate job is: its id, its record, how it ended."""

import hashlib
import re
from base64 import b32hexencode
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from providers.batches.request_table import RowKind
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


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job as it was created, with `count` records; `rows` is the kind of its request table.

    `invocation` is the name of the format of its lines. `creation` distinguishes the objects of
    each attempt to create the job. `ambient`: whether the proxy's own credential pays for it.
    """

    model: str
    display_name: str | None
    kind: BatchKind
    invocation: str
    rows: RowKind
    count: int
    created: datetime
    creation: str
    ambient: bool
    warnings: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """The number of records with a result, and of those with an error."""

    answered: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Ending:
    """How a job ended. `output` is the number of the object with its results."""

    state: BatchState
    started: datetime
    ended: datetime
    succeeded: int
    failed: int
    output: int
