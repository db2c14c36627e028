"""One request at a time into a line of OpenAI's batch input, and its row of the request table."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import orjson

from providers.errors import invalid_argument
from providers.gemini_content.normalise import normalise_embed, normalise_generate
from providers.gemini_content.warnings import Warnings
from providers.held_json import render_held
from providers.openai.embed_to_openai import to_openai_embedding
from providers.openai.generate_to_openai import to_openai_chat
from providers.request_table import RowKind, indexed_id
from providers.resource_names import FileKind, file_id_of_uri, parse_file_id
from providers.resources import BatchKind

CHAT: Final = "/v1/chat/completions"
EMBEDDINGS: Final = "/v1/embeddings"
RESPONSES: Final = "/v1/responses"
_MAPPED_ENDPOINTS: Final = (CHAT, RESPONSES, EMBEDDINGS)

# Keys come back with every result and are held, all of one batch, while it is downloaded.
_KEY_BYTES: Final = 1000

ENDPOINT_OF: Final[Mapping[BatchKind, str]] = {
    BatchKind.GENERATE: CHAT,
    BatchKind.EMBED: EMBEDDINGS,
}


@dataclass(slots=True)
class RequestTranslator:
    """Gemini requests to OpenAI lines. `referenced` collects native file ids and where they stand.

    `model` is the batch's, without `models/`.
    """

    model: str
    kind: BatchKind
    warnings: Warnings = field(default_factory=Warnings)
    referenced: dict[str, str] = field(default_factory=dict)

    @property
    def endpoint(self) -> str:
        return ENDPOINT_OF[self.kind]

    def line(self, index: int, request: object, path: str) -> bytes:
        """The input line of request `index`, that the client wrote at `path`."""
        return orjson.dumps(
            {
                "custom_id": indexed_id(index),
                "method": "POST",
                "url": self.endpoint,
                "body": self._body(request, path),
            },
            option=orjson.OPT_APPEND_NEWLINE,
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
        )

    def _file_id(self, uri: str, path: str) -> str | None:
        found = file_id_of_uri(uri)
        if found is None:
            return None
        file_id = parse_file_id(found)
        if file_id.kind is not FileKind.NATIVE:
            return None
        self.referenced.setdefault(file_id.native, path)
        return file_id.native


def parse_line(number: int, line: bytes) -> dict[str, Any]:
    """A line as a JSON object. Raises INVALID_ARGUMENT with its number."""
    try:
        document = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        what = f"not JSON: {error.msg} at column {error.colno}"
        raise invalid_argument(what, path=f"line {number}") from None
    if not isinstance(document, dict):
        raise invalid_argument("not a JSON object", path=f"line {number}")
    return document


class _Seen:
    """Which texts there were, whatever their length: the digest of each is kept."""

    def __init__(self) -> None:
        self._digests: set[bytes] = set()

    def add(self, text: str) -> bool:
        """Whether this is the first of its kind."""
        count = len(self._digests)
        self._digests.add(hashlib.blake2b(text.encode(), digest_size=16).digest())
        return len(self._digests) > count


class LineFormat(Protocol):
    """Checks the lines of one file, all in one format."""

    name: str
    row_kind: RowKind
    endpoint: str

    def read(self, index: int, number: int, document: dict[str, Any], /) -> tuple[bytes, bytes]:
        """The line to send in place of request `index`, and its row of the request table.

        Raises INVALID_ARGUMENT with the line's number and the JSON path.
        """


class GeminiLines:
    """`{"key", "request"}`, or a bare request (translation.md section 7)."""

    name = "gemini"
    row_kind = RowKind.KEY

    def __init__(self, translator: RequestTranslator) -> None:
        self._translator = translator
        self._keys = _Seen()
        self.endpoint = translator.endpoint

    def read(self, index: int, number: int, document: dict[str, Any]) -> tuple[bytes, bytes]:
        where = f"line {number}"
        if "request" not in document:
            request, path, key = document, where, None
        else:
            unknown = next((k for k in document if k not in ("key", "request")), None)
            if unknown is not None:
                raise invalid_argument("unknown field", path=f"{where}: {unknown}")
            request, path, key = document["request"], f"{where}: request", document.get("key")
        key = self._key(key, number)
        return self._translator.line(index, request, path), render_held(key)

    def _key(self, key: object, number: int) -> str:
        if key is None:
            key = str(number)
        path = f"line {number}: key"
        if not isinstance(key, str):
            raise invalid_argument("a key is a string", path=path)
        if len(key.encode()) > _KEY_BYTES:
            raise invalid_argument(f"a key has at most {_KEY_BYTES} bytes", path=path)
        if not self._keys.add(key):
            raise invalid_argument(f"the key {key[:80]!r} stands on another line too", path=path)
        return key


class OpenAILines:
    """`{"custom_id", "method", "url", "body"}`; they go as they are, results keyed by custom id."""

    name = "openai"
    row_kind = RowKind.CUSTOM_ID

    def __init__(self, model: str, kind: BatchKind) -> None:
        self._model = model
        self._kind = kind
        self._ids = _Seen()
        self.endpoint = ""

    def read(self, _: int, number: int, document: dict[str, Any]) -> tuple[bytes, bytes]:
        where = f"line {number}"
        custom_id, body = document.get("custom_id"), document.get("body")
        if not isinstance(custom_id, str) or not 0 < len(custom_id.encode()) <= _KEY_BYTES:
            raise invalid_argument(
                f"a string of 1 to {_KEY_BYTES} bytes is needed", path=f"{where}: custom_id"
            )
        if not self._ids.add(custom_id):
            raise invalid_argument("stands on another line too", path=f"{where}: custom_id")
        if not isinstance(body, dict):
            raise invalid_argument("a JSON object is needed", path=f"{where}: body")
        if body.get("model") != self._model:
            raise invalid_argument(
                f"is not {self._model!r}, the model in the call", path=f"{where}: body.model"
            )
        # Either would fail the whole batch, once it is made (openai.md section 5).
        if document.get("method") != "POST":
            raise invalid_argument('must be "POST"', path=f"{where}: method")
        if body.get("stream"):
            raise invalid_argument("a batch streams no answers", path=f"{where}: body.stream")
        self._check_url(document.get("url"), f"{where}: url")
        return b"", render_held(custom_id)

    def _check_url(self, url: object, path: str) -> None:
        if url not in _MAPPED_ENDPOINTS:
            known = ", ".join(_MAPPED_ENDPOINTS)
            raise invalid_argument(f"results are known for {known} only", path=path)
        if self.endpoint and url != self.endpoint:
            raise invalid_argument(f"differs from line 1's, {self.endpoint}", path=path)
        self.endpoint = str(url)
        if (self._kind is BatchKind.EMBED) != (url == EMBEDDINGS):
            raise invalid_argument(f"is no endpoint of a {self._kind}", path=path)


def format_name(document: Mapping[str, Any]) -> str:
    """Which format a line is in (translation.md section 7)."""
    if "params" in document or "modelInput" in document or "recordId" in document:
        return "another provider's"
    if "custom_id" in document or "body" in document:
        return OpenAILines.name
    return GeminiLines.name
