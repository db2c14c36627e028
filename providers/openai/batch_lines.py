"""The lines of OpenAI's batch input: translated from Gemini requests, or checked native ones."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from providers.batches.file_references import referenced_file
from providers.batches.line_formats import LineFormats, SeenTexts, check_custom_id
from providers.batches.request_table import RowKind, indexed_id
from providers.errors import invalid_argument
from providers.gemini_content.normalise import normalise_embed, normalise_generate
from providers.gemini_content.warnings import Warnings
from providers.json_api.json_text import render_compact, render_json
from providers.json_api.unknown_members import refuse_unknown
from providers.openai_content.embed_to_openai import to_openai_embedding
from providers.openai_content.generate_to_openai import to_openai_chat
from providers.openai_content.schema_rules import SchemaRule, any_schema
from providers.resources import BatchKind, CheckFileName, any_file_name

NATIVE_FILE: Final = re.compile(r"file-[A-Za-z0-9_-]+")
CHAT: Final = "/v1/chat/completions"
EMBEDDINGS: Final = "/v1/embeddings"
RESPONSES: Final = "/v1/responses"
_MAPPED_ENDPOINTS: Final = (CHAT, RESPONSES, EMBEDDINGS)

# translation.md section 7
_MEMBERS: Final = frozenset({"custom_id", "body"})
_FOREIGN: Final = frozenset({"params", "recordId", "modelInput"})
_ALL_MEMBERS: Final = ("custom_id", "method", "url", "body")
# In characters. Unverified: OpenAI documents no limit; this is the longest that was seen.
_LONGEST_ID: Final = 512
# openai.md section 4
_MOST_EMBEDDINGS: Final = 50_000

ENDPOINT_OF: Final[Mapping[BatchKind, str]] = {
    BatchKind.GENERATE: CHAT,
    BatchKind.EMBED: EMBEDDINGS,
}


@dataclass(slots=True)
class OpenAITranslator:
    """Translates Gemini requests to OpenAI lines. `model` is the batch's, without `models/`.

    `referenced` collects the native ids of files, each with the JSON path of its request.
    """

    model: str
    kind: BatchKind
    check_file_name: CheckFileName = any_file_name
    schema_rule: SchemaRule = any_schema
    warnings: Warnings = field(default_factory=Warnings)
    referenced: dict[str, str] = field(default_factory=dict)

    @property
    def endpoint(self) -> str:
        return ENDPOINT_OF[self.kind]

    def line(self, index: int, request: object, path: str) -> bytes:
        """The input line for request `index`, which is at `path` in the client's input."""
        return render_json(
            {
                "custom_id": indexed_id(index),
                "method": "POST",
                "url": self.endpoint,
                "body": self._body(request, path),
            }
        )

    def _body(self, request: object, path: str) -> dict[str, Any]:
        if self.kind is BatchKind.EMBED:
            normalised = normalise_embed(request, path)
            return to_openai_embedding(
                normalised, model=self.model, path=path, warnings=self.warnings
            )
        return to_openai_chat(
            normalise_generate(request, path),
            model=self.model,
            path=path,
            warnings=self.warnings,
            file_ids=lambda uri: self._file_id(uri, path),
            schema_rule=self.schema_rule,
        )

    def _file_id(self, uri: str, path: str) -> str | None:
        file_id = referenced_file(uri, path, NATIVE_FILE, self.check_file_name)
        if file_id is not None:
            self.referenced.setdefault(file_id, path)
        return file_id


class OpenAILines:
    """`{"custom_id", "method", "url", "body"}`: sent unchanged, results keyed by custom id."""

    name = "openai"
    row_kind = RowKind.CUSTOM_ID

    def __init__(self, model: str, kind: BatchKind) -> None:
        self._model = model
        self._kind = kind
        self._ids = SeenTexts()
        self._embeddings = 0
        self.endpoint = ""

    def read(self, _: int, number: int, document: dict[str, Any]) -> tuple[None, bytes]:
        """Check a line, and refuse what would make the whole batch fail at OpenAI."""
        where = f"line {number}"
        refuse_unknown(document, _ALL_MEMBERS, f"{where}: ")
        custom_id = check_custom_id(document.get("custom_id"), self._ids, number, "custom_id")
        if len(custom_id) > _LONGEST_ID:
            raise invalid_argument(
                f"must have at most {_LONGEST_ID} characters", path=f"{where}: custom_id"
            )
        if document.get("method") != "POST":
            raise invalid_argument('must be "POST"', path=f"{where}: method")
        self._check_url(document.get("url"), f"{where}: url")
        self._check_body(document.get("body"), f"{where}: body")
        return None, render_compact(custom_id)

    def _check_body(self, body: object, path: str) -> None:
        if not isinstance(body, dict):
            raise invalid_argument("must be a JSON object", path=path)
        if body.get("model") != self._model:
            raise invalid_argument(
                f"is not {self._model!r}, the model in the call", path=f"{path}.model"
            )
        if "stream" in body:
            raise invalid_argument("a batch cannot stream; leave it out", path=f"{path}.stream")
        texts = body.get("input") if self._kind is BatchKind.EMBED else None
        several = isinstance(texts, list) and not all(isinstance(text, int) for text in texts)
        self._embeddings += len(texts) if isinstance(texts, list) and several else 1
        if self._embeddings > _MOST_EMBEDDINGS and self._kind is BatchKind.EMBED:
            raise invalid_argument(
                f"OpenAI takes at most {_MOST_EMBEDDINGS} inputs in all requests of a batch",
                path=f"{path}.input",
            )

    def _check_url(self, url: object, path: str) -> None:
        if url not in _MAPPED_ENDPOINTS:
            known = ", ".join(_MAPPED_ENDPOINTS)
            raise invalid_argument(f"must be one of {known}", path=path)
        if self.endpoint and url != self.endpoint:
            raise invalid_argument(f"differs from line 1, which has {self.endpoint}", path=path)
        self.endpoint = str(url)
        if (self._kind is BatchKind.EMBED) != (url == EMBEDDINGS):
            raise invalid_argument(f"is not an endpoint for a {self._kind}", path=path)


def is_openai_line(document: Mapping[str, Any]) -> bool:
    """Whether a line has members of OpenAI's format and none of another provider's."""
    return bool(_MEMBERS & document.keys()) and not _FOREIGN & document.keys()


def line_formats(model: str, kind: BatchKind) -> LineFormats:
    return LineFormats(OpenAILines.name, is_openai_line, lambda: OpenAILines(model, kind))
