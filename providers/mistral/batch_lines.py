"""The lines of Mistral's batch input: translated from Gemini requests, or checked native ones."""

from collections.abc import Mapping
from typing import Any, Final

from providers.batches.file_references import FileReferences
from providers.batches.line_formats import LineFormats, SeenTexts, check_custom_id
from providers.batches.request_table import RowKind, indexed_id
from providers.gemini_content.warnings import Warnings
from providers.json_api.json_text import render_compact, render_json
from providers.json_api.unknown_members import refuse_unknown
from providers.limits import Limit
from providers.mistral.dialect import MISTRAL_DIALECT
from providers.openai_content.body_to_openai import ENDPOINT_OF, check_native_body, to_openai_body
from providers.resources import BatchKind, NewBatch

_MEMBERS: Final = ("custom_id", "body")
_FOREIGN: Final = frozenset({"params", "request"})
# In characters. Unverified: Mistral documents no limit.
ID_LIMIT: Final = Limit(512, "characters", "a line's `custom_id` at Mistral")


class MistralTranslator:
    """Translates Gemini requests to lines. The job has the model, so a line has none."""

    def __init__(self, batch: NewBatch) -> None:
        self.endpoint = ENDPOINT_OF[batch.kind]
        self.warnings = Warnings()
        self._batch = batch
        self.files = FileReferences(batch.file_of_uri)

    def line(self, index: int, request: object, path: str) -> bytes:
        """The input line for request `index`, which is at `path` in the client's input."""
        body = to_openai_body(
            request,
            self._batch.kind,
            model=self._batch.model,
            path=path,
            warnings=self.warnings,
            file_ids=self.files.id_of,
            dialect=MISTRAL_DIALECT,
        )
        del body["model"]
        return render_json({"custom_id": indexed_id(index), "body": body})


class MistralLines:
    """`{"custom_id", "body"}`: sent unchanged, results keyed by custom id."""

    name = "mistral"
    row_kind = RowKind.CUSTOM_ID

    def __init__(self, model: str, kind: BatchKind) -> None:
        self.endpoint = ENDPOINT_OF[kind]
        self._model = model
        self._ids = SeenTexts()

    def read(self, _: int, number: int, document: dict[str, Any]) -> tuple[None, bytes]:
        where = f"line {number}: "
        refuse_unknown(document, _MEMBERS, where)
        custom_id = check_custom_id(
            document.get("custom_id"), self._ids, number, "custom_id", ID_LIMIT
        )
        check_native_body(document.get("body"), self._model, f"{where}body", self._model)
        return None, render_compact(custom_id)


def is_mistral_line(document: Mapping[str, Any]) -> bool:
    return "body" in document or ("custom_id" in document and not _FOREIGN & document.keys())


def line_formats(batch: NewBatch) -> LineFormats:
    return LineFormats(
        MistralLines.name, is_mistral_line, lambda: MistralLines(batch.model, batch.kind)
    )
