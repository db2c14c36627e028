"""Files, batches, models and prompts as all providers describe them to the rest of the proxy."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

from providers.body import Body
from providers.resource_names import file_id_of_uri, is_written_by_us
from providers.status import Status


class FileState(StrEnum):
    PROCESSING = "PROCESSING"
    ACTIVE = "ACTIVE"
    FAILED = "FAILED"


class FileSource(StrEnum):
    UPLOADED = "UPLOADED"
    GENERATED = "GENERATED"


@dataclass(frozen=True, slots=True)
class File:
    """A file. What the provider does not know is None, and left out of the answer. `size` in bytes.

    `id` is the last segment of its resource name (`files/{id}`); `sha256` in base64.
    """

    id: str
    display_name: str | None = None
    mime_type: str | None = None
    size: int | None = None
    create_time: datetime | None = None
    expiration_time: datetime | None = None
    sha256: str | None = None
    state: FileState = FileState.ACTIVE
    source: FileSource = FileSource.UPLOADED
    error: str | None = None
    downloadable: bool = False


class BatchState(StrEnum):
    """The values of `metadata.state`. CANCELLING has no BATCH_ form: SDKs would warn about it."""

    PENDING = "BATCH_STATE_PENDING"
    RUNNING = "BATCH_STATE_RUNNING"
    CANCELLING = "JOB_STATE_CANCELLING"
    SUCCEEDED = "BATCH_STATE_SUCCEEDED"
    FAILED = "BATCH_STATE_FAILED"
    CANCELLED = "BATCH_STATE_CANCELLED"
    EXPIRED = "BATCH_STATE_EXPIRED"

    @property
    def terminal(self) -> bool:
        return self not in (BatchState.PENDING, BatchState.RUNNING, BatchState.CANCELLING)


class BatchKind(StrEnum):
    GENERATE = "GenerateContentBatch"
    EMBED = "EmbedContentBatch"


@dataclass(frozen=True, slots=True)
class Counts:
    total: int
    succeeded: int
    failed: int

    @property
    def pending(self) -> int:
        return max(0, self.total - self.succeeded - self.failed)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a batch did not succeed, or why one of its requests has no answer.

    `message` is the reason that the provider gave, if it gave one.
    """

    status: Status
    message: str


@dataclass(frozen=True, slots=True)
class ResultFile:
    """The results as a file; `id` as in `File.id`."""

    id: str


class ResultForm(StrEnum):
    """The form in which a batch's results are downloaded."""

    GEMINI = "gemini"
    NATIVE = "native"


async def nothing_to_close() -> None:
    pass


Close = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class InlineResults:
    """Rendered JSON objects `{"response"|"error", "metadata"?}`, in request order.

    `close` releases the memory that is reserved for them.
    """

    items: Sequence[bytes] = field(repr=False)
    close: Close = nothing_to_close


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch; `id` is the unchanged native id (`batches/{id}`).

    `warnings` lists what its creation dropped or filled in, as `Warnings.render` writes it.

    `failure` says why it did not succeed: it failed, was cancelled, expired, or was ended by the
    provider before every request was answered. `output` may have results nevertheless.
    """

    id: str
    kind: BatchKind
    state: BatchState
    native_status: str
    model: str | None = None
    display_name: str | None = None
    create_time: datetime | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    counts: Counts | None = None
    output: ResultFile | InlineResults | None = None
    failure: Failure | None = None
    warnings: str = ""


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    items: Sequence[T]
    next_page_token: str | None = None


@dataclass(frozen=True, slots=True)
class Download:
    """The content of a file as a stream; `close` ends the calls that it comes from."""

    body: Body
    mime_type: str
    close: Close = nothing_to_close


@dataclass(frozen=True, slots=True)
class InlineRequest:
    """One request of an inline batch; `path` is its JSON path in the body of the creation.

    `request` and `metadata` (an object of strings, or null) are JSON text: parsed, they would take
    up to ten times the memory while the batch is created.
    """

    request: bytes
    metadata: bytes
    path: str


FileOfUri = Callable[[str, str], str | None]
"""The id of the file here that a `fileUri` names, from the URI and its JSON path.

None for an address that is not of a proxy like this one. Raises NOT_FOUND for a file that can only
be another provider's, and INVALID_ARGUMENT for one that no provider could read, with the path.
"""


def any_file(uri: str, _path: str) -> str | None:
    """Accepts every address that a proxy writes; for use with a single provider."""
    return file_id_of_uri(uri) if is_written_by_us(uri) else None


@dataclass(frozen=True, slots=True)
class NewBatch:
    """The creation of a batch, as a client requests it.

    `source` is the requests, or the id of the file that contains them. `fingerprint` is a digest of
    the whole creation: a repeat has the same one, another creation with the same
    `idempotency_key` has not; by default it is unique. `file_of_uri` reads every `fileUri` of
    the requests. `client_left` is set if the client leaves a creation that runs on.
    """

    model: str
    kind: BatchKind
    source: Sequence[InlineRequest] | str = field(repr=False)
    display_name: str | None = None
    idempotency_key: str | None = field(default=None, repr=False)
    fingerprint: str = field(default_factory=lambda: secrets.token_hex(16))
    file_of_uri: FileOfUri = field(default=any_file, repr=False)
    client_left: asyncio.Event = field(default_factory=asyncio.Event, repr=False, compare=False)


# --- models --------------------------------------------------------------------------------------


class Action(StrEnum):
    """What can be done with a model, in the words of Google's `supportedGenerationMethods`."""

    GENERATE = "generateContent"
    STREAM = "streamGenerateContent"
    COUNT = "countTokens"
    EMBED = "embedContent"
    BATCH = "batchGenerateContent"


@dataclass(frozen=True, slots=True)
class Model:
    """A model; `id` is what other calls take as its name (`models/{id}`).

    What the provider does not say is None, and left out of the answer. `thinking`: whether it can
    think before it answers.
    """

    id: str
    display_name: str | None = None
    description: str | None = None
    input_token_limit: int | None = None
    output_token_limit: int | None = None
    actions: Sequence[Action] | None = None
    temperature: int | float | None = None
    thinking: bool | None = None


# --- single requests -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Prompt:
    """A request for `model`: a GenerateContentRequest, or a CountTokensRequest.

    `request` is its JSON text, as the client wrote it. `file_of_uri` reads each `fileUri`.
    """

    model: str
    request: bytes = field(repr=False)
    file_of_uri: FileOfUri = field(default=any_file, repr=False)


@dataclass(frozen=True, slots=True)
class Generated:
    """A GenerateContentResponse as JSON text.

    `warnings` lists what of the prompt was dropped or filled in, as `Warnings.render` writes it.
    """

    document: bytes = field(repr=False)
    warnings: str = ""


class EmbedForm(StrEnum):
    """The calls for embeddings, of one content and of several."""

    ONE = "embedContent"
    MANY = "batchEmbedContents"


@dataclass(frozen=True, slots=True)
class EmbedRequest:
    """Contents to embed with `model`. `document` is the call's body, as the client wrote it."""

    model: str
    form: EmbedForm
    document: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Embedded:
    """One embedding for each request, in their order: JSON lists of numbers.

    `tokens` is None if the provider does not count them. `close` releases the memory that is
    reserved for the embeddings. `warnings` as in Generated.
    """

    vectors: Sequence[bytes] = field(repr=False)
    tokens: int | None
    warnings: str = ""
    close: Close = nothing_to_close


@dataclass(frozen=True, slots=True)
class Counted:
    """How many tokens a prompt is; `warnings` as in Generated."""

    total: int
    warnings: str = ""


@dataclass(frozen=True, slots=True)
class AnswerStream:
    """A model's answer while it is written: chunks, each a GenerateContentResponse as JSON text.

    `chunks` raises FerryError if the provider fails or breaks off. `close` ends its call.
    """

    chunks: AsyncGenerator[bytes, None] = field(repr=False)
    warnings: str = ""
    close: Close = nothing_to_close
