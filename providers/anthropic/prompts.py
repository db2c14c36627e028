"""Prompts to Claude over Anthropic's Messages."""

from functools import partial
from typing import Any, Final

from providers.anthropic.batch_lines import NATIVE_FILE
from providers.batches.file_references import FileReferences
from providers.claude_content.api_version import OLD_VERSION, needs_old_version
from providers.claude_content.generate_to_anthropic import to_anthropic_message
from providers.claude_content.message_from_anthropic import from_anthropic_message
from providers.claude_content.message_stream import MessageStream
from providers.claude_content.prompt_cache import marked_for_cache
from providers.credential import Caller
from providers.gemini_content.service_tier import take_service_tier
from providers.gemini_content.unsupported import require_model
from providers.gemini_content.warnings import Warnings
from providers.json_api.answer_shape import present
from providers.json_api.client import JsonApi
from providers.memory import MemoryBudget
from providers.prompt_cache import CacheLife, requested_cache
from providers.prompts.stream import event_stream
from providers.prompts.translation import from_provider, to_provider
from providers.resources import AnswerStream, Generated, Prompt

_PATH: Final = "v1/messages"
# Anthropic's other tier may be a faster one or not, which Gemini has no name for.
_SERVICE_TIERS: Final = {"STANDARD": "standard_only"}


class AnthropicPrompts:
    """Implements `providers.provider.Prompts`."""

    def __init__(
        self,
        client: JsonApi,
        memory: MemoryBudget,
        default_max_tokens: int,
        cache: CacheLife | None,
    ) -> None:
        self._client = client
        self._cache = cache
        self._memory = memory
        self._default_max_tokens = default_max_tokens

    async def generate(self, caller: Caller, prompt: Prompt) -> Generated:
        headers: dict[str, str] = {}
        translate = partial(self._translate, prompt, self._cache_of(caller), headers)
        sent = await to_provider(self._memory, prompt, translate)
        answer = await self._client.ask(caller, _PATH, sent.body, **headers)
        document = await from_provider(self._client.name, answer, from_anthropic_message)
        return Generated(document, sent.warnings)

    async def stream(self, caller: Caller, prompt: Prompt) -> AnswerStream:
        headers: dict[str, str] = {}
        translate = partial(self._translate_stream, prompt, self._cache_of(caller), headers)
        sent = await to_provider(self._memory, prompt, translate)
        reply = await self._client.begin(caller, _PATH, sent.body, **headers)
        return await event_stream(self._client.name, caller, reply, MessageStream(), sent.warnings)

    def _cache_of(self, caller: Caller) -> CacheLife | None:
        return requested_cache(caller) or self._cache

    def _translate_stream(
        self,
        prompt: Prompt,
        cache: CacheLife | None,
        headers: dict[str, str],
        request: dict[str, Any],
        warnings: Warnings,
    ) -> dict[str, Any]:
        return self._translate(prompt, cache, headers, request, warnings) | {"stream": True}

    def _translate(
        self,
        prompt: Prompt,
        cache: CacheLife | None,
        headers: dict[str, str],
        request: dict[str, Any],
        warnings: Warnings,
    ) -> dict[str, Any]:
        """Adds to `headers` what the request needs."""
        tier = take_service_tier(request, _SERVICE_TIERS, "Anthropic")
        require_model(request, prompt.model, "", "Anthropic")
        files = FileReferences(NATIVE_FILE, prompt.check_file_name)
        params = to_anthropic_message(
            request,
            model=prompt.model,
            path="",
            warnings=warnings,
            file_ids=lambda uri: files.id_of(uri, "contents"),
            default_max_tokens=self._default_max_tokens,
            api_version=OLD_VERSION,
        )
        if needs_old_version(params):
            headers["anthropic_version"] = OLD_VERSION
        return marked_for_cache(params, cache) | present({"service_tier": tier})
