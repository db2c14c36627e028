"""Prompts to Claude over Anthropic's Messages."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, Final, TypeVar

from providers.anthropic.client import BETA_HEADER
from providers.batches.file_references import FileReferences
from providers.claude_content.api_version import OLD_VERSION, needs_old_version
from providers.claude_content.generate_to_anthropic import to_anthropic_message
from providers.claude_content.message_from_anthropic import from_anthropic_message
from providers.claude_content.message_stream import MessageStream
from providers.claude_content.prompt_cache import marked_for_cache
from providers.credential import Caller
from providers.errors import FerryError
from providers.gemini_content.service_tier import take_service_tier
from providers.gemini_content.unsupported import require_model
from providers.gemini_content.warnings import Warnings
from providers.json_api.answer_shape import present
from providers.json_api.client import JsonApi
from providers.json_api.redaction import secret_removed
from providers.memory import MemoryBudget
from providers.prompt_cache import CacheLife, requested_cache
from providers.prompts.stream import event_stream
from providers.prompts.translation import (
    ToProvider,
    TranslatedPrompt,
    from_provider,
    to_provider,
)
from providers.resources import AnswerStream, Generated, Prompt

_PATH: Final = "v1/messages"
_FILES: Final = "v1/files"
# Of the refusal of a thought whose conversation was changed, and what lets Anthropic leave it out
# (anthropic.md section 4).
_CHANGED: Final = "bound to a different conversation"
_BINDING_BETA: Final = "thinking-binding-controls-2026-08-01"
_DROP: Final = {"block_binding": {"prefix_mismatch_behavior": "drop_block"}}

T = TypeVar("T")
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
        sent, answer = await self._asked(caller, translation, translation.whole, self._client.ask)
        with secret_removed(caller):
            document = await from_provider(self._client.name, answer, from_anthropic_message)
        return Generated(document, sent.warnings)

    async def stream(self, caller: Caller, prompt: Prompt) -> AnswerStream:
        translation = self._translation(caller, prompt)
        call = self._client.begin
        sent, reply = await self._asked(caller, translation, translation.streamed, call)
        return await event_stream(self._client.name, caller, reply, MessageStream(), sent.warnings)

    async def _asked(
        self,
        caller: Caller,
        translation: "_Translation",
        translate: ToProvider,
        call: Callable[..., Awaitable[T]],
    ) -> tuple[TranslatedPrompt, T]:
        """The prompt as it was sent, and the result of `call`.

        If Anthropic refuses thoughts because their conversation was changed, the prompt is sent
        once more, with the order to leave them out.
        """
        sent = await to_provider(self._memory, translation.prompt, translate)
        async with translation.files.explained(self._client, caller, _FILES):
            try:
                return sent, await call(caller, _PATH, sent.body, **translation.headers)
            except FerryError as error:
                if error.upstream_status != HTTPStatus.BAD_REQUEST or _CHANGED not in error.message:
                    raise
            translation.drops_thoughts = True
            sent = await to_provider(self._memory, translation.prompt, translate)
            caller = _with_beta(caller, _BINDING_BETA)
            return sent, await call(caller, _PATH, sent.body, **translation.headers)

    def _translation(self, caller: Caller, prompt: Prompt) -> "_Translation":
        cache = requested_cache(caller) or self._cache
        return _Translation(prompt, cache, self._default_max_tokens)


def _with_beta(caller: Caller, beta: str) -> Caller:
    betas = [given for given in (caller.headers.get(BETA_HEADER), beta) if given]
    return replace(caller, headers={**caller.headers, BETA_HEADER: ",".join(betas)})


@dataclass(slots=True)
class _Translation:
    """Of one prompt. `headers` are what the call needs besides the body.

    `drops_thoughts`: whether Anthropic is to leave out the thoughts of a changed conversation.
    """

    prompt: Prompt
    cache: CacheLife | None
    default_max_tokens: int
    headers: dict[str, str] = field(default_factory=dict)
    drops_thoughts: bool = False
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
        if self.drops_thoughts:
            # Those models think adaptively if the request does not say.
            params["thinking"] = params.get("thinking", {"type": "adaptive"}) | _DROP
            warnings.drop("contents[*].parts[*].thoughtSignature")
        return marked_for_cache(params, self.cache) | present({"service_tier": tier})
