"""Prompts to Claude over Anthropic's Messages."""

from dataclasses import dataclass, field
from typing import Any, Final

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
from providers.json_api.redaction import secret_removed
from providers.memory import MemoryBudget
from providers.prompt_cache import CacheLife, requested_cache
from providers.prompts.stream import event_stream
from providers.prompts.translation import from_provider, to_provider
from providers.resources import AnswerStream, Generated, Prompt

_PATH: Final = "v1/messages"
_FILES: Final = "v1/files"
# Anthropic's other tier, `auto`, is priority if there is capacity: Gemini has no such tier.
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
        translation = self._translation(caller, prompt)
        sent = await to_provider(self._memory, prompt, translation.whole)
        async with translation.files.explained(self._client, caller, _FILES):
            answer = await self._client.ask(caller, _PATH, sent.body, **translation.headers)
        with secret_removed(caller):
            document = await from_provider(self._client.name, answer, from_anthropic_message)
        return Generated(document, sent.warnings)

    async def stream(self, caller: Caller, prompt: Prompt) -> AnswerStream:
        translation = self._translation(caller, prompt)
        sent = await to_provider(self._memory, prompt, translation.streamed)
        async with translation.files.explained(self._client, caller, _FILES):
            reply = await self._client.begin(caller, _PATH, sent.body, **translation.headers)
        return await event_stream(self._client.name, caller, reply, MessageStream(), sent.warnings)

    def _translation(self, caller: Caller, prompt: Prompt) -> "_Translation":
        cache = requested_cache(caller) or self._cache
        return _Translation(prompt, cache, self._default_max_tokens)


@dataclass(slots=True)
class _Translation:
    """Of one prompt. `headers` are what the call needs besides the body."""

    prompt: Prompt
    cache: CacheLife | None
    default_max_tokens: int
    headers: dict[str, str] = field(default_factory=dict)
    files: FileReferences = field(init=False)

    def __post_init__(self) -> None:
        self.files = FileReferences(self.prompt.file_of_uri)

    def streamed(self, request: dict[str, Any], warnings: Warnings) -> dict[str, Any]:
        return self.whole(request, warnings) | {"stream": True}

    def whole(self, request: dict[str, Any], warnings: Warnings) -> dict[str, Any]:
        tier = take_service_tier(request, _SERVICE_TIERS, "Anthropic")
        require_model(request, self.prompt.model, "", "Anthropic")
        params = to_anthropic_message(
            request,
            model=self.prompt.model,
            path="",
            warnings=warnings,
            file_ids=self.files.id_of,
            default_max_tokens=self.default_max_tokens,
            api_version=OLD_VERSION,
        )
        if needs_old_version(params):
            self.headers["anthropic_version"] = OLD_VERSION
        return marked_for_cache(params, self.cache) | present({"service_tier": tier})
