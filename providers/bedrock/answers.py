"""Answers to single requests from Bedrock's runtime, for batches that the proxy runs itself.

Lines of input and results have the formats of a job (bedrock.md section 3).
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from providers.aws.client import AwsClient
from providers.aws.target import AwsTargets
from providers.batches.result_lines import line_with_answer
from providers.bedrock.content.bedrock_models import InvocationType
from providers.bedrock.content.result_from_bedrock import (
    echoed,
    plain_bedrock_line,
    result_from_bedrock,
)
from providers.bedrock.runtime import WHOLE, invoke
from providers.credential import Caller
from providers.json_api.json_text import parse_own_json, render_json, render_line
from providers.long_work import off_loop_if_long
from providers.resources import BatchState

# AWS recommends this (bedrock.md section 2): Converse sends nothing until the model is done.
_SILENCE_SECONDS: Final = 3600.0
# A job's own status words (bedrock.md section 2).
_STATUS_WORDS: Final[Mapping[BatchState, str]] = {
    BatchState.PENDING: "Submitted",
    BatchState.RUNNING: "InProgress",
    BatchState.CANCELLING: "Stopping",
    BatchState.CANCELLED: "Stopped",
    BatchState.SUCCEEDED: "Completed",
}


class BedrockAnswers:
    """Implements `Answerer`; the format of a batch is its InvocationType.

    `answer_limit` is in bytes.
    """

    id_member = "recordId"
    error_head = b'{"error":'
    status_words = _STATUS_WORDS
    # Unverified: with these errors no model has begun the request (bedrock.md section 2).
    not_begun = frozenset({"ServiceUnavailableException", "ModelNotReadyException"})

    def __init__(self, client: AwsClient, targets: AwsTargets, answer_limit: int) -> None:
        self._client = client
        self._targets = targets
        self._limit = answer_limit

    async def check(self, caller: Caller) -> None:
        await self._targets.of(caller)

    async def answer(self, caller: Caller, model: str, invocation: str, line: bytes) -> bytes:
        record = await off_loop_if_long(line, parse_own_json, line)
        record_id, model_input = record["recordId"], record["modelInput"]
        sent = await off_loop_if_long(line, render_json, model_input)
        output = await self._invoke(caller, model, invocation, sent)
        return await off_loop_if_long(output, render_result, record_id, output, model_input)

    def render_error(self, record_id: str, code: int, message: str, /) -> bytes:
        return render_error(record_id, code, message)

    def plain(self, line: dict[str, Any], invocation: str, /) -> dict[str, Any] | None:
        return plain_bedrock_line(line, InvocationType(invocation))

    def translate(self, line: dict[str, Any], invocation: str, /) -> dict[str, Any]:
        return result_from_bedrock(line, InvocationType(invocation))

    async def _invoke(
        self, caller: Caller, model: str, invocation: str, model_input: bytes
    ) -> bytes:
        """`modelOutput` as JSON, from one attempt.

        Before sending, raises the errors of `AwsTargets`, which name no provider.
        """
        target = await self._targets.of(caller)
        verb = WHOLE[InvocationType(invocation)]
        async with await invoke(
            self._client, target, model, verb, model_input, _SILENCE_SECONDS
        ) as reply:
            return await reply.read(self._limit)


def render_result(record_id: str, output: bytes, model_input: object) -> bytes:
    """The result line of a record, with the parts of the request that are read."""

    def line_of(answer: dict[str, Any]) -> dict[str, Any]:
        # The id comes first, so it is known even for a line that is too long to parse.
        return {"recordId": record_id, "modelOutput": answer} | echoed(model_input)

    return line_with_answer(output, line_of, partial(render_error, record_id))


def render_error(record_id: str, code: int, message: str) -> bytes:
    error = {"errorCode": code, "errorMessage": message}
    return render_line({"error": error, "recordId": record_id})
