"""Lines of batch input and the answers to them, for APIs with OpenAI's lines and endpoints."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from providers.batches.file_batches.api import FileBatchApi
from providers.batches.file_references import FileReferences
from providers.batches.result_lines import line_with_answer
from providers.credential import Caller
from providers.json_api.client import JsonApi
from providers.json_api.json_text import parse_own_json, render_json, render_line
from providers.long_work import off_loop_if_long
from providers.openai_content.body_to_openai import known_endpoint
from providers.openai_content.result_from_openai import from_openai_line, plain_openai_line
from providers.own_batches.target import OwnLines
from providers.resources import BatchState


def chat_lines(client: JsonApi, api: FileBatchApi) -> OwnLines:
    async def check_files(caller: Caller, files: FileReferences) -> None:
        await files.check(client, caller, "files")

    return OwnLines(lambda _, batch: api.translator(batch), api.line_formats, check_files)


class ChatAnswers:
    """Implements `Answerer`; the format of a batch is the endpoint of its requests.

    `answer_limit` is in bytes.
    """

    id_member = "custom_id"
    error_head = b'{"error":'
    # No error says with certainty that no model has begun the request.
    not_begun: frozenset[str] = frozenset()

    def __init__(
        self, client: JsonApi, answer_limit: int, status_words: Mapping[BatchState, str]
    ) -> None:
        self.status_words = status_words
        self._client = client
        self._limit = answer_limit

    async def check(self, caller: Caller) -> None:
        """Only the server can tell whether headers and keys are right."""

    async def answer(self, caller: Caller, model: str, endpoint: str, line: bytes, /) -> bytes:
        record = await off_loop_if_long(line, parse_own_json, line)
        # Where the batch has the model, a line has none.
        body = {"model": model} | record["body"]
        sent = await off_loop_if_long(line, render_json, body)
        path = known_endpoint(endpoint).removeprefix("/v1/")
        async with await self._client.begin(caller, path, sent) as reply:
            output = await reply.read(self._limit)
        return await off_loop_if_long(output, self._render_result, record["custom_id"], output)

    def render_error(self, custom_id: str, code: int, message: str, /) -> bytes:
        error = {"message": message}
        response = {"status_code": code, "body": {"error": error}}
        return render_line({"error": error, "custom_id": custom_id, "response": response})

    def plain(self, line: dict[str, Any], endpoint: str, /) -> dict[str, Any] | None:
        return plain_openai_line(line, endpoint)

    def translate(self, line: dict[str, Any], endpoint: str, /) -> dict[str, Any]:
        return from_openai_line(line, endpoint)

    def _render_result(self, custom_id: str, output: bytes) -> bytes:
        def line_of(answer: dict[str, Any]) -> dict[str, Any]:
            # The id comes first, so it is known even for a line that is too long to parse.
            return {"custom_id": custom_id, "response": {"status_code": 200, "body": answer}}

        return line_with_answer(output, line_of, partial(self.render_error, custom_id))
