"""The lines of OpenAI's batch input: translated from Gemini requests, or checked native ones."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from providers.batches.file_references import FileReferences
from providers.batches.line_formats import LineFormats, SeenTexts, check_custom_id
from providers.batches.request_table import RowKind, indexed_id
from providers.errors import invalid_argument
from providers.gemini_content.warnings import Warnings
from providers.json_api.json_text import render_compact, render_json
from providers.json_api.unknown_members import refuse_unknown
from providers.limits import Limit
from providers.openai.dialect import OPENAI_DIALECT
from providers.openai_content.body_to_openai import (
    CHAT,
    EMBEDDINGS,
    ENDPOINT_OF,
    RESPONSES,
    check_native_body,
    to_openai_body,
)
from providers.openai_content.dialect import Dialect
from providers.resources import BatchKind, FileOfUri, any_file

NATIVE_FILE: Final = re.compile(r"file-[A-Za-z0-9_-]+")
_MAPPED_ENDPOINTS: Final = (CHAT, RESPONSES, EMBEDDINGS)

# translation.md section 7
_MEMBERS: Final = frozenset({"custom_id", "body"})
_FOREIGN: Final = frozenset({"params", "recordId", "modelInput", "request"})
_ALL_MEMBERS: Final = ("custom_id", "method", "url", "body")
# Of a url, in a message.
_SHOWN: Final = 80
# In characters. Unverified: OpenAI documents no limit; this is the longest that was seen.
ID_LIMIT: Final = Limit(512, "characters", "a line's `custom_id` at OpenAI")
# openai.md section 4
EMBEDDINGS_LIMIT: Final = Limit(50_000, "inputs", "all requests of a batch of embeddings at OpenAI")


class OpenAITranslator:
    """Translates Gemini requests to OpenAI lines. `model` is the batch's, without `models/`.

    `dialect` has the server's rules.
    """

    def __init__(
        self,
        model: str,
        kind: BatchKind,
        file_of_uri: FileOfUri = any_file,
        dialect: Dialect = OPENAI_DIALECT,
    ) -> None:
        self.endpoint = ENDPOINT_OF[kind]
        self.warnings = Warnings()
        self.files = FileReferences(file_of_uri)
        self._model = model
        self._kind = kind
        self._dialect = dialect

    def line(self, index: int, request: object, path: str) -> bytes:
        """The input line for request `index`, which is at `path` in the client's input."""
        body = to_openai_body(
            request,
            self._kind,
            model=self._model,
            path=path,
            warnings=self.warnings,
            file_ids=self.files.id_of,
            dialect=self._dialect,
        )
        custom_id = indexed_id(index)
        return render_json(
            {"custom_id": custom_id, "method": "POST", "url": self.endpoint, "body": body}
        )


class OpenAILines:
    """`{"custom_id", "method", "url", "body"}`: sent unchanged, results keyed by custom id.

    `endpoint_of` is the dialect's.
    """

    name = "openai"
    row_kind = RowKind.CUSTOM_ID

    def __init__(
        self, model: str, kind: BatchKind, endpoint_of: Callable[[str], str] = str
    ) -> None:
        self._model = model
        self._kind = kind
        self._endpoint_of = endpoint_of
        self._ids = SeenTexts()
        self._embeddings = 0
        self.endpoint = ""

    def read(self, _: int, number: int, document: dict[str, Any]) -> tuple[None, bytes]:
        """Check a line, and refuse what would make the whole batch fail at OpenAI."""
        where = f"line {number}"
        refuse_unknown(document, _ALL_MEMBERS, f"{where}: ")
        custom_id = check_custom_id(
            document.get("custom_id"), self._ids, number, "custom_id", ID_LIMIT
        )
        if document.get("method") != "POST":
            raise invalid_argument('must be "POST"', path=f"{where}: method")
        self._check_url(document.get("url"), f"{where}: url")
        self._check_body(document.get("body"), f"{where}: body")
        return None, render_compact(custom_id)

    def _check_body(self, native: object, path: str) -> None:
        body = check_native_body(native, self._model, path)
        texts = body.get("input") if self._kind is BatchKind.EMBED else None
        several = isinstance(texts, list) and not all(isinstance(text, int) for text in texts)
        self._embeddings += len(texts) if isinstance(texts, list) and several else 1
        if self._embeddings > EMBEDDINGS_LIMIT and self._kind is BatchKind.EMBED:
            raise invalid_argument(
                f"OpenAI takes at most {EMBEDDINGS_LIMIT} inputs in all requests of a batch",
                path=f"{path}.input",
            )

    def _check_url(self, url: object, path: str) -> None:
        endpoint = self._endpoint_of(url) if isinstance(url, str) else None
        if endpoint not in _MAPPED_ENDPOINTS:
            known = ", ".join(_MAPPED_ENDPOINTS)
            raise invalid_argument(f"must be one of {known}", path=path)
        if self.endpoint and url != self.endpoint:
            first = self.endpoint[:_SHOWN]
            raise invalid_argument(f"differs from line 1, which has {first}", path=path)
        self.endpoint = str(url)
        if (self._kind is BatchKind.EMBED) != (endpoint == EMBEDDINGS):
            raise invalid_argument(f"is not an endpoint for a {self._kind}", path=path)


def is_openai_line(document: Mapping[str, Any]) -> bool:
    """Whether a line has members of OpenAI's format and none of another provider's."""
    return bool(_MEMBERS & document.keys()) and not _FOREIGN & document.keys()


def line_formats(
    model: str, kind: BatchKind, endpoint_of: Callable[[str], str] = str
) -> LineFormats:
    native = partial(OpenAILines, model, kind, endpoint_of)
    return LineFormats(OpenAILines.name, is_openai_line, native)
