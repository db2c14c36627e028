"""Bedrock's own count of a prompt's tokens, which it has for Claude's models."""

from base64 import b64encode
from functools import partial
from typing import Any, Final

from providers.aws.client import AwsClient
from providers.aws.target import AwsTarget, AwsTargets
from providers.bedrock.content.bedrock_models import InvocationType, claude_foundation_model
from providers.bedrock.content.generate_to_bedrock import to_bedrock
from providers.bedrock.content.generate_to_invoke_model import to_invoke_model
from providers.bedrock.jobs.job_media import Media
from providers.bedrock.runtime import invoke
from providers.credential import Caller
from providers.errors import unimplemented
from providers.gemini_content.content_parts import any_end
from providers.gemini_content.warnings import Warnings
from providers.json_api.json_text import render_compact
from providers.limits import UPSTREAM_ANSWER
from providers.memory import MemoryBudget
from providers.prompts.counting import count_in, to_counter
from providers.resources import Counted, Prompt
from providers.retries import Retries

_VERB: Final = "count-tokens"
# What a Converse request may have besides these changes no count, and is refused there.
_COUNTED: Final = frozenset({"messages", "system", "toolConfig", "additionalModelRequestFields"})


class BedrockTokens:
    """Implements `providers.provider.Tokens`."""

    def __init__(
        self, client: AwsClient, targets: AwsTargets, memory: MemoryBudget, retries: Retries
    ) -> None:
        self._client = client
        self._targets = targets
        self._memory = memory
        self._retries = retries

    async def count(self, caller: Caller, prompt: Prompt) -> Counted:
        # Bedrock counts under the bare id only, which has the tokenizer of all its profiles.
        model = claude_foundation_model(prompt.model)
        if model is None:
            raise unimplemented(
                f"Bedrock counts tokens for Claude's models only, by the id of the model or of "
                f"AWS's own profile of it, and {prompt.model} is no such id"
            )
        target = await self._targets.of(caller)
        translate = partial(self._translate, prompt, target)
        sent = await to_counter(self._memory, "Bedrock", prompt, translate)
        call = partial(invoke, self._client, target, model, _VERB, sent.body)
        async with await self._retries.unsent(call) as reply:
            answer = await reply.read(UPSTREAM_ANSWER)
        return Counted(count_in(answer, "inputTokens", self._client.name), sent.warnings)

    def _translate(
        self,
        prompt: Prompt,
        target: AwsTarget,
        request: dict[str, Any],
        path: str,
        warnings: Warnings,
    ) -> dict[str, Any]:
        media = Media(target.folder, None, prompt.file_of_uri)
        with warnings.apart() as recorded:
            invocation, body = to_bedrock(
                request,
                model=prompt.model,
                path=path,
                warnings=warnings,
                media_uri=media.uri,
                end_rule=any_end,
            )
        if "textFormat" in body.get("outputConfig", {}):
            # The model reads the schema too, and a counted Converse request cannot have one.
            body = to_invoke_model(
                request, model=prompt.model, path=path, warnings=warnings, end_rule=any_end
            )
            return _in_claudes_schema(body)
        warnings.add(recorded)
        if invocation is InvocationType.INVOKE_MODEL:
            return _in_claudes_schema(body)
        counted = {name: value for name, value in body.items() if name in _COUNTED}
        return {"input": {"converse": counted}}


def _in_claudes_schema(body: dict[str, Any]) -> dict[str, Any]:
    return {"input": {"invokeModel": {"body": b64encode(render_compact(body)).decode()}}}
