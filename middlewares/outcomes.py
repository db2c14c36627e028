"""What the operations have made, for `response_rewrite` to render."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from providers.resources import (
    AnswerStream,
    Batch,
    Counted,
    Download,
    Embedded,
    EmbedForm,
    File,
    Generated,
    Model,
    Page,
)
from providers.upload import UploadProgress
from providers.upstream import Reply


@dataclass(frozen=True, slots=True)
class Started:
    """An upload that was started; its chunks are sent to `url`."""

    url: str = field(repr=False)
    granularity: int | None
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FileCreated:
    file: File


@dataclass(frozen=True, slots=True)
class BatchCreated:
    """The warnings of a new batch are also sent in a header."""

    batch: Batch


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of resources; the answer calls their list `member`."""

    member: str
    page: Page[File] | Page[Batch] | Page[Model]


@dataclass(frozen=True, slots=True)
class EmbeddingsMade:
    """`form` is that of the call."""

    form: EmbedForm
    embedded: Embedded


class StreamForm(StrEnum):
    """How a stream is written: server-sent events, or one JSON list."""

    EVENTS = "sse"
    LIST = "json"


@dataclass(frozen=True, slots=True)
class Streamed:
    answer: AnswerStream
    form: StreamForm


# None: the operation is done and returns nothing.
Whole = (
    Started
    | UploadProgress
    | FileCreated
    | File
    | Batch
    | BatchCreated
    | Listed
    | Model
    | Download
    | Generated
    | Counted
    | EmbeddingsMade
    | Reply
    | None
)
Outcome = Whole | Streamed
