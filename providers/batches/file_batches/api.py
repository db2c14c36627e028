"""What a provider supplies so that `FileBatchTarget` can offer batches on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from providers.batches.checked_input import InputLimits
from providers.batches.file_batches.failures import BatchFailures
from providers.batches.file_references import FileReferences
from providers.batches.line_formats import LineFormats, RequestTranslator
from providers.credential import Caller
from providers.gemini_content.warnings import Warnings
from providers.json_api.client import Answer
from providers.resources import Batch, NewBatch


class FileBatchTranslator(RequestTranslator, Protocol):
    @property
    def warnings(self) -> Warnings: ...

    @property
    def files(self) -> FileReferences: ...


@dataclass(frozen=True, slots=True)
class NewFileBatch:
    """`input_file` is a native id, `endpoint` the provider's endpoint of all requests."""

    input_file: str
    endpoint: str
    model: str
    metadata: Mapping[str, str]


class FileBatchApi(Protocol):
    """A provider's batches.

    `folder` is their path. `id_member` is the member of a line that names its request.
    `input_advice` says how a client uploads a file so that the provider takes it as input.
    """

    folder: str
    id_member: str
    limits: InputLimits
    input_advice: str

    def translator(self, batch: NewBatch) -> FileBatchTranslator: ...

    def line_formats(self, batch: NewBatch) -> LineFormats: ...

    def document(self, new: NewFileBatch) -> dict[str, Any]:
        """The body of the call that creates a batch."""

    async def made(self, native: Answer, metadata: Mapping[str, str], /) -> Answer:
        """A batch that was just created, with the metadata that was sent."""

    async def find(self, caller: Caller, batch_id: str) -> Answer:
        """A batch with its metadata. Raises NOT_FOUND, also for one that was deleted."""

    async def page(
        self, caller: Caller, page_size: int, page_token: str | None
    ) -> tuple[list[Answer], str | None]:
        """Batches with their metadata, newest first, and the token of the next page."""

    async def newest(self, caller: Caller) -> Sequence[Answer]:
        """As many of the newest batches as the provider lists at once."""

    async def newest_inputs(self, caller: Caller) -> Sequence[Answer]:
        """As many of the newest input files as the provider lists at once."""

    async def delete(self, caller: Caller, native: Answer, /) -> None:
        """Delete the batch itself; its files are already gone."""

    def batch(self, native: Answer) -> Batch:
        """Without results."""

    def input_files(self, native: Answer) -> list[str]:
        """The native ids of its input files, in the order of their requests."""

    def result_files(self, native: Answer) -> list[str]:
        """The native ids of its result files."""

    def plain(self, native: Answer, line: dict[str, Any]) -> dict[str, Any] | None:
        """As `translate`, in less time, if the answer is one text; None for any other line."""

    def translate(self, native: Answer, line: dict[str, Any]) -> dict[str, Any]:
        """One line of a result file as `{"response"}` or `{"error"}`; never raises."""

    def failures(self, native: Answer) -> BatchFailures: ...
