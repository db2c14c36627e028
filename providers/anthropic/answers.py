"""Answers to single items of a batch, for batches that the proxy runs itself.

Items and results have the formats of Anthropic's own batches (anthropic.md sections 2 and 4).
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from providers.anthropic.batch_lines import (
    ENDPOINT,
    AnthropicTranslator,
    BatchItems,
    line_formats,
    require_generate,
)
from providers.anthropic.results import from_anthropic_line, plain_anthropic_line
from providers.batches.file_references import FileReferences
from providers.batches.result_lines import line_with_answer
from providers.claude_content.api_version import OLD_VERSION, needs_old_version
from providers.claude_content.error_types import type_of_http
from providers.credential import Caller
from providers.json_api.client import JsonApi
from providers.json_api.json_text import parse_own_json, render_json, render_line
from providers.long_work import off_loop_if_long
from providers.own_batches.target import OwnLines
from providers.prompt_cache import CacheLife, requested_cache
from providers.resources import BatchState, NewBatch

_STATUS_WORDS: Final[Mapping[BatchState, str]] = {
    BatchState.PENDING: "in_progress",
    BatchState.RUNNING: "in_progress",
    BatchState.CANCELLING: "canceling",
    BatchState.CANCELLED: "ended",
    BatchState.SUCCEEDED: "ended",
}


def own_lines(client: JsonApi, default_max_tokens: int, cache: CacheLife | None) -> OwnLines:
    """`cache`: the cache for which prompts are marked if their client says nothing."""

    def translator(caller: Caller, batch: NewBatch) -> AnthropicTranslator:
        require_generate(batch)
        return AnthropicTranslator(
            batch.model,
            "",
            BatchItems(),
            default_max_tokens,
            batch.file_of_uri,
            requested_cache(caller) or cache,
        )

    async def check_files(caller: Caller, files: FileReferences) -> None:
        await files.check(client, caller, "v1/files")

    return OwnLines(translator, lambda _: line_formats(BatchItems()), check_files)


class AnthropicAnswers:
    """Implements `Answerer`; the only format is that of Messages. `answer_limit` is in bytes."""

    id_member = "custom_id"
    error_head = b'{"result":'
    status_words = _STATUS_WORDS
    # Unverified: that no model has begun a request that is answered like this.
    not_begun = frozenset({"overloaded_error"})

    def __init__(self, client: JsonApi, answer_limit: int) -> None:
        self._client = client
        self._limit = answer_limit

    async def check(self, caller: Caller) -> None:
        """Only Anthropic can tell whether headers and keys are right."""

    async def answer(self, caller: Caller, _model: str, _form: str, line: bytes, /) -> bytes:
        item = await off_loop_if_long(line, parse_own_json, line)
        params = item["params"]
        sent = await off_loop_if_long(line, render_json, params)
        headers = {"anthropic_version": OLD_VERSION} if needs_old_version(params) else {}
        async with await self._client.begin(caller, ENDPOINT, sent, **headers) as reply:
            output = await reply.read(self._limit)
        return await off_loop_if_long(output, self._render_result, item["custom_id"], output)

    def render_error(self, custom_id: str, code: int, message: str, /) -> bytes:
        envelope = {"type": "error", "error": {"type": type_of_http(code), "message": message}}
        return render_line(
            {"result": {"type": "errored", "error": envelope}, "custom_id": custom_id}
        )

    def plain(self, line: dict[str, Any], _form: str, /) -> dict[str, Any] | None:
        return plain_anthropic_line(line)

    def translate(self, line: dict[str, Any], _form: str, /) -> dict[str, Any]:
        return from_anthropic_line(line)

    def _render_result(self, custom_id: str, output: bytes) -> bytes:
        def line_of(message: dict[str, Any]) -> dict[str, Any]:
            # The id comes first, so it is known even for a line that is too long to parse.
            return {"custom_id": custom_id, "result": {"type": "succeeded", "message": message}}

        return line_with_answer(output, line_of, partial(self.render_error, custom_id))
