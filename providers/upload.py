"""The resumable upload as the edge and a provider speak of it (gemini.md section 3)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from providers.body import Body
from providers.credential import Caller
from providers.resources import File

GRANULARITY: Final = 8 << 20
"""Bytes. Every SDK sends chunks of this size (sdk-wire.md section 2)."""


_BATCH_SUFFIXES: Final = frozenset({".jsonl", ".ndjson", ".json"})


def is_batch_input(start: "UploadStart") -> bool:
    """Whether an upload is the input of a batch: by name, or by type (`jsonl` alone is one too)."""
    if {suffix(start.display_name), suffix(start.file_name)} & _BATCH_SUFFIXES:
        return True
    mime_type = (start.mime_type or "").partition(";")[0].strip().lower()
    return "json" in mime_type or mime_type == "text/plain"


def suffix(name: str | None) -> str:
    """The suffix of a file's name in lower case, with its dot; empty where there is none."""
    stem, dot, ending = (name or "").rpartition(".")
    return f".{ending.lower()}" if dot and stem else ""


class UploadStatus(StrEnum):
    """The value of `X-Goog-Upload-Status`; SDKs compare it case-sensitively."""

    ACTIVE = "active"
    FINAL = "final"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class UploadStart:
    """What a start says of the file. `size` in bytes, None when not declared.

    `version`, `document` and `resource` are the path's version segment, the JSON body and what
    follows the version, as they came, for a provider that is Google itself. `display_name` was
    given by the client, `file_name` is the name of the file on the client's disk. `expires_after`
    is in how many seconds the provider shall delete the file, within `Provider.file_expiry`.
    """

    display_name: str | None = None
    mime_type: str | None = None
    file_name: str | None = None
    size: int | None = None
    version: str = ""
    document: bytes = b""
    resource: str = "files"
    expires_after: int | None = None


@dataclass(frozen=True, slots=True)
class StartedUpload:
    """What a provider wants back with every chunk, to be sealed into the upload URL.

    `needs_caller`: whether chunks are sent with the caller's credential, which then travels
    sealed too. `headers` are `X-Goog-Upload-*` headers of the provider's own.
    """

    details: Mapping[str, str] = field(repr=False)
    needs_caller: bool
    granularity: int | None = GRANULARITY
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UploadSession:
    """An upload URL, opened. `caller` is None once the session has ended; `tenant` is whose it is
    all the same.
    """

    id: str
    details: Mapping[str, str] = field(repr=False)
    caller: Caller | None
    expired: bool = False
    tenant: str = ""


@dataclass(frozen=True, slots=True)
class Chunk:
    """`offset` in bytes; None for a bare `finalize`, which carries no bytes.

    `body.length` is always known: a chunk without a Content-Length is refused at the edge.
    """

    offset: int | None
    body: Body
    finalize: bool


@dataclass(frozen=True, slots=True)
class UploadProgress:
    """The answer to a chunk, a query or a cancel.

    `received` in bytes. `file` is ours to render; `document` is the provider's own JSON, already
    in Gemini's shape. `headers` are `X-Goog-Upload-*` headers of the provider's own.
    """

    status: UploadStatus
    received: int | None = None
    file: File | None = None
    document: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
