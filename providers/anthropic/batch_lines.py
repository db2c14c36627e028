"""The items of Anthropic's `requests`: translated from Gemini requests, or checked native lines."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from providers.batches.file_references import FileReferences
from providers.batches.line_formats import LineFormats, SeenTexts, check_custom_id
from providers.batches.request_table import RowKind, indexed_id
from providers.claude_content.api_version import OLD_VERSION, SAMPLING, needs_old_version
from providers.claude_content.generate_to_anthropic import to_anthropic_message
from providers.claude_content.prompt_cache import marked_for_cache
from providers.errors import invalid_argument, unimplemented
from providers.gemini_content.normalise import normalise_generate
from providers.gemini_content.warnings import Warnings
from providers.json_api.json_text import render_compact, render_json
from providers.json_api.unknown_members import refuse_unknown
from providers.prompt_cache import CacheLife
from providers.resources import BatchKind, FileOfUri, NewBatch, any_file

ENDPOINT: Final = "v1/messages"
NATIVE_FILE: Final = re.compile(r"file_[A-Za-z0-9]+")


# anthropic.md section 2
_CUSTOM_ID: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_MEMBERS: Final = ("custom_id", "params")
_FOREIGN: Final = frozenset({"body", "request"})
PARAMS: Final = frozenset(
    {
        # With every version of the API.
        *("cache_control", "container", "diagnostics", "inference_geo", "max_tokens", "messages"),
        *("metadata", "model", "output_config", "service_tier", "speed", "stop_sequences"),
        *("stream", "system", "thinking", "tool_choice", "tools", "user_profile_id"),
        "workspace_id",
        # With a header `anthropic-beta`.
        *("billing_policy", "compaction", "context_management", "fallback_credit_token"),
        *("fallbacks", "mcp_servers", "thread"),
        # With version 2023-06-01 only.
        *SAMPLING,
    }
)
"""The members of Messages params; a test compares them with the types of Anthropic's SDK."""


def require_generate(batch: NewBatch) -> None:
    """Raises UNIMPLEMENTED for a batch of embeddings."""
    if batch.kind is BatchKind.EMBED:
        raise unimplemented(
            "Anthropic has no embeddings, so client.batches.create_embeddings does not work "
            "with it; client.batches.create does"
        )


@dataclass(slots=True)
class BatchItems:
    """Notes which API version the items of one batch need, since a batch has one version.

    `needs_old_version` says whether any item can be sent only under 2023-06-01.
    """

    needs_old_version: bool = False

    def note(self, params: Mapping[str, Any]) -> None:
        self.needs_old_version = self.needs_old_version or needs_old_version(params)


class AnthropicTranslator:
    """Translates Gemini requests to Anthropic's items, whose custom ids name the job."""

    endpoint = ENDPOINT

    def __init__(
        self,
        model: str,
        job_id: str,
        items: BatchItems,
        default_max_tokens: int,
        file_of_uri: FileOfUri = any_file,
        cache: CacheLife | None = None,
    ) -> None:
        self.warnings = Warnings()
        self.files = FileReferences(file_of_uri)
        self._model = model
        self._job_id = job_id
        self._items = items
        self._default_max_tokens = default_max_tokens
        self._cache = cache

    def line(self, index: int, request: object, path: str) -> bytes:
        """The item for request `index`, which is at `path` in the client's input."""
        params = to_anthropic_message(
            normalise_generate(request, path),
            model=self._model,
            path=path,
            warnings=self.warnings,
            file_ids=self.files.id_of,
            default_max_tokens=self._default_max_tokens,
            # The batch is sent under the version that its items need, so the older one is allowed.
            api_version=OLD_VERSION,
        )
        self._items.note(params)
        marked = marked_for_cache(params, self._cache)
        return render_json({"custom_id": indexed_id(index, self._job_id), "params": marked})


class AnthropicLines:
    """`{"custom_id", "params"}`: sent unchanged, results keyed by custom id."""

    name = "anthropic"
    row_kind = RowKind.CUSTOM_ID
    endpoint = ENDPOINT

    def __init__(self, items: BatchItems) -> None:
        self._items = items
        self._ids = SeenTexts()

    def read(self, _: int, number: int, document: dict[str, Any]) -> tuple[None, bytes]:
        where = f"line {number}"
        refuse_unknown(document, _MEMBERS, f"{where}: ")
        custom_id = check_custom_id(document.get("custom_id"), self._ids, number, "custom_id")
        if not _CUSTOM_ID.fullmatch(custom_id):
            raise invalid_argument(
                "Anthropic takes 1 to 64 letters, digits, _ and -", path=f"{where}: custom_id"
            )
        params = document.get("params")
        if not isinstance(params, dict):
            raise invalid_argument("must be a JSON object", path=f"{where}: params")
        refuse_unknown(params, PARAMS, f"{where}: params.")
        if params.get("stream"):
            raise invalid_argument(
                "a batch cannot stream; leave it out", path=f"{where}: params.stream"
            )
        self._items.note(params)
        return None, render_compact(custom_id)


def is_anthropic_line(document: Mapping[str, Any]) -> bool:
    return "params" in document or ("custom_id" in document and not _FOREIGN & document.keys())


def line_formats(items: BatchItems) -> LineFormats:
    return LineFormats(AnthropicLines.name, is_anthropic_line, lambda: AnthropicLines(items))
