"""The typed operations that requests are read into, and their possible outcomes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from providers.body import Body
from providers.provider import RelayedRequest
from providers.resources import Batch, CreatedBatch, Download, File, NewBatch, Page, ResultForm
from providers.upload import Chunk, UploadProgress, UploadStart
from providers.upstream import Reply


@dataclass(frozen=True, slots=True)
class StartUpload:
    session_id: str
    start: UploadStart


@dataclass(frozen=True, slots=True)
class SendChunk:
    chunk: Chunk


@dataclass(frozen=True, slots=True)
class QueryUpload:
    pass


@dataclass(frozen=True, slots=True)
class CancelUpload:
    pass


@dataclass(frozen=True, slots=True)
class CreateFile:
    """A whole file in one request: the raw and multipart protocols."""

    session_id: str
    start: UploadStart
    body: Body


@dataclass(frozen=True, slots=True)
class ListFiles:
    page_size: int
    page_token: str | None


@dataclass(frozen=True, slots=True)
class GetFile:
    id: str


@dataclass(frozen=True, slots=True)
class DeleteFile:
    id: str


@dataclass(frozen=True, slots=True)
class DownloadFile:
    id: str
    form: ResultForm


@dataclass(frozen=True, slots=True)
class CreateBatch:
    batch: NewBatch


@dataclass(frozen=True, slots=True)
class ListBatches:
    page_size: int
    page_token: str | None


@dataclass(frozen=True, slots=True)
class GetBatch:
    id: str


@dataclass(frozen=True, slots=True)
class CancelBatch:
    id: str


@dataclass(frozen=True, slots=True)
class DeleteBatch:
    id: str


@dataclass(frozen=True, slots=True)
class Relayed:
    request: RelayedRequest


Operation = (
    StartUpload
    | SendChunk
    | QueryUpload
    | CancelUpload
    | CreateFile
    | ListFiles
    | GetFile
    | DeleteFile
    | DownloadFile
    | CreateBatch
    | ListBatches
    | GetBatch
    | CancelBatch
    | DeleteBatch
    | Relayed
)


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
class Done:
    """The operation is done and returns nothing: `{}`."""


@dataclass(frozen=True, slots=True)
class FilePage:
    page: Page[File]


@dataclass(frozen=True, slots=True)
class BatchPage:
    page: Page[Batch]


Outcome = (
    Started
    | UploadProgress
    | FileCreated
    | File
    | FilePage
    | Batch
    | BatchPage
    | CreatedBatch
    | Download
    | Done
    | Reply
)
