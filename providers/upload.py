"""The types of the resumable upload, for the edge and the providers (gemini.md section 3)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from providers.body import Body
from providers.credential import Caller
from providers.resources import File

GRANULARITY: Final = 8 << 20
"""Bytes. Every SDK sends chunks of this size (sdk-wire.md section 2)."""


def suffix(name: str | None) -> str:
    """The suffix of a file's name, in lower case and with its dot; empty if there is none."""
    stem, dot, ending = (name or "").rpartition(".")
    return f".{ending.lower()}" if dot and stem else ""


class UploadStatus(StrEnum):
    """The value of `X-Goog-Upload-Status`; SDKs compare it case-sensitively."""

    ACTIVE = "active"
    FINAL = "final"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class UploadStart:
    """The start of an upload. `size` in bytes, None if it was not declared.

    `version`, `resource` and `document` are the version segment of the path, the rest of the path
    and the JSON body, unchanged, for a provider that is Google itself. `display_name` was chosen by
    the client, `file_name` is the name of the file on the client's disk. `expires_after` is the
    number of seconds after which the provider deletes the file, within `Provider.file_expiry`.
    `batch_input`: whether the file is the input of a batch, which `ResumableUploads` finds out.
    """

    display_name: str | None = None
    mime_type: str | None = None
    file_name: str | None = None
    size: int | None = None
    version: str = ""
    document: bytes = b""
    resource: str = "files"
    expires_after: int | None = None
    batch_input: bool = False


@dataclass(frozen=True, slots=True)
class StartedUpload:
    """`details` are what the provider needs again with every chunk; the upload URL seals them in.

    `needs_caller`: whether chunks are sent with the caller's credential, which is then sealed in
    the URL too. `headers` are further `X-Goog-Upload-*` headers of the provider.
    """

    details: Mapping[str, str] = field(repr=False)
    needs_caller: bool
    granularity: int | None = GRANULARITY
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UploadSession:
    """The content of an upload URL.

    `caller` is None after the session has ended; `tenant` is then still its owner.
    """

    id: str
    details: Mapping[str, str] = field(repr=False)
    caller: Caller | None
    expired: bool = False
    tenant: str = ""


@dataclass(frozen=True, slots=True)
class Chunk:
    """`offset` in bytes; None for a bare `finalize`, which carries no bytes.

    `body.length` is always known: the edge refuses a chunk without a Content-Length.
    """

    offset: int | None
    body: Body
    finalize: bool


@dataclass(frozen=True, slots=True)
class UploadProgress:
    """The answer to a chunk, a query or a cancel.

    `received` in bytes. The answer shows `file`, or `document`, which is the provider's own JSON in
    Gemini's shape. `headers` are further `X-Goog-Upload-*` headers of the provider. `repeated`: the
    upload had already ended before this request.
    """

    status: UploadStatus
    received: int | None = None
    file: File | None = None
    document: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    repeated: bool = False
