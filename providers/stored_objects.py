"""The table of what the proxy keeps in its state store. A name outside it is never written.

Names and meanings of rows stay: later versions read what earlier ones stored.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

# The longest segment of a name that every store takes.
_SEGMENT_LENGTH: Final = 254


class Life(Enum):
    """When the sweep deletes an object, counted from its creation."""

    UPLOAD = auto()
    """When the URL of its upload has expired."""

    STATE = auto()
    """After the state's time to live."""

    LONGER = auto()
    """Later than any record that names it, so that no record is found without its data.

    In a bucket, an object that was written in parts is as old as the start of its upload.
    """

    UNLIMITED = auto()


@dataclass(frozen=True, slots=True)
class Row:
    """`prefix` ends in a slash, except for the one object that is a row by itself.

    `listed_by` says what lists the objects besides the sweep; empty if nothing does. `by_tenant`:
    the second segment after the prefix is the tenant.
    """

    prefix: str
    holds: str
    life: Life
    listed_by: str = ""
    by_tenant: bool = False

    def name(self, *segments: str) -> str:
        """A segment that is too long, such as the encoded id of some servers, becomes several."""
        joined = "/".join(segments)
        return self.prefix + "/".join(map(_divided, joined.split("/")))


SALT: Final = Row("salt", "the random bytes from which tenants are derived", Life.UNLIMITED)
UPLOADS: Final = Row(
    "uploads/",
    "an upload session: its key, where its parts go, parts that wait, how it ended",
    Life.UPLOAD,
    listed_by="the end of the session",
)
MULTIPART: Final = Row(
    "parted/",
    "the parts of an unfinished object, if the store has no multipart uploads",
    Life.UPLOAD,
    listed_by="the upload itself",
)
FILES: Final = Row("files/", "what a provider has no field for, of an uploaded file", Life.STATE)
STAGED: Final = Row(
    "staged/",
    "the record of a file that the proxy keeps itself",
    Life.STATE,
    listed_by="the tenant's list of files",
    by_tenant=True,
)
STAGED_CONTENT: Final = Row(
    "staged-content/", "the content of such a file", Life.LONGER, by_tenant=True
)
TABLES: Final = Row("batches/", "a batch's table from index to key or metadata", Life.STATE)
RECORDS: Final = Row("records/", "what a provider does not store about a batch", Life.STATE)
METADATA: Final = Row("metadata/", "the metadata that a server dropped from a batch", Life.STATE)
IDEMPOTENCY: Final = Row(
    "idempotency/",
    "the attempt and the batch of an idempotency key, for a day",
    Life.STATE,
    by_tenant=True,
)
LOST: Final = Row(
    "lost/", "the key of a creation without one, whose client may repeat it in a minute", Life.STATE
)
# Without its marker, a batch that the provider keeps would show up again.
DELETED: Final = Row(
    "tombstones/", "markers of deleted batches and results that the provider keeps", Life.UNLIMITED
)
# A file or a batch without its owner's record would belong to no tenant.
OWNED: Final = Row(
    "owned/",
    "which tenant made a file or a batch, empty",
    Life.UNLIMITED,
    listed_by="the tenant's lists of files and batches",
    by_tenant=True,
)
IMMEDIATE: Final = Row(
    "immediate/",
    "an immediate batch as it was created",
    Life.STATE,
    listed_by="the tenant's list of batches",
    by_tenant=True,
)
IMMEDIATE_OPEN: Final = Row(
    "immediate-open/",
    "markers of unfinished immediate batches on the proxy's own credential; heartbeats of owners",
    Life.STATE,
    listed_by="the periodic look for work",
    by_tenant=True,
)
IMMEDIATE_WORK: Final = Row(
    "immediate-work/",
    "the input, leases, answers and results of an immediate batch",
    Life.LONGER,
    listed_by="the run of the batch",
    by_tenant=True,
)
IMMEDIATE_ENDED: Final = Row(
    "immediate-ended/", "how an immediate batch ended", Life.LONGER, by_tenant=True
)
STORE_CHECK: Final = Row(
    "proof/",
    "objects to check that a store works, and that a bucket overwrites none",
    Life.STATE,
    listed_by="`genai-ferry check --online`",
)
COUNTED: Final = Row(
    "counted/", "markers that the figures of a batch were counted, empty", Life.STATE
)

UNFINISHED: Final = Row(
    "unfinished/", "the bytes of unfinished uploads, as one replica counted them", Life.UPLOAD
)

TABLE: Final = (
    SALT,
    UPLOADS,
    MULTIPART,
    FILES,
    STAGED,
    STAGED_CONTENT,
    TABLES,
    RECORDS,
    METADATA,
    IDEMPOTENCY,
    LOST,
    DELETED,
    OWNED,
    IMMEDIATE,
    IMMEDIATE_OPEN,
    IMMEDIATE_WORK,
    IMMEDIATE_ENDED,
    COUNTED,
    STORE_CHECK,
    UNFINISHED,
)
_BY_PREFIX: Final[Mapping[str, Row]] = {row.prefix: row for row in TABLE}


def _divided(segment: str) -> str:
    starts = range(0, len(segment), _SEGMENT_LENGTH)
    return "/".join(segment[start : start + _SEGMENT_LENGTH] for start in starts)


def row_of(name: str) -> Row | None:
    first, slash, _ = name.partition("/")
    return _BY_PREFIX.get(first + slash)


# How much of a tenant is in the id of an upload session and of an upload in parts.
TENANT_MARK: Final = 16
_MARKED_ID: Final = TENANT_MARK + 32


def tenant_in(name: str) -> str:
    """The beginning of the tenant that an object belongs to; empty if its name does not say it."""
    row = row_of(name)
    if row is None:
        return ""
    first, _, rest = name.removeprefix(row.prefix).partition("/")
    if row.by_tenant:
        return rest.partition("/")[0][:TENANT_MARK]
    if row in (UPLOADS, MULTIPART):
        random_part = first.partition("-")[0]
        return first[:TENANT_MARK] if len(random_part) == _MARKED_ID else ""
    return ""


def check_written(name: str) -> None:
    """Raises ValueError for a name outside the table."""
    if row_of(name) is None:
        raise ValueError(f"the name {name!r} is not in the table of stored objects")


def check_listed(prefix: str) -> None:
    """Raises ValueError for objects that only the sweep may list; it lists all at once."""
    row = row_of(prefix)
    if prefix and not (row and row.listed_by):
        raise ValueError(f"the table of stored objects lets nothing list {prefix!r}")
