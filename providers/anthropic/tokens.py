"""Anthropic's own count of a prompt's tokens."""

from functools import partial
from typing import Any, Final

from providers.batches.file_references import FileReferences
from providers.claude_content.api_version import OLD_VERSION
from providers.claude_content.generate_to_anthropic import to_anthropic_message
from providers.claude_content.options_to_anthropic import default_limit
from providers.credential import Caller
from providers.gemini_content.content_parts import any_end
from providers.gemini_content.unsupported import require_model
from providers.gemini_content.warnings import Warnings
from providers.json_api.client import JsonApi
from providers.memory import MemoryBudget
from providers.prompts.counting import count_in, to_counter
from providers.resources import Counted, Prompt

_PATH: Final = "v1/messages/count_tokens"
_FILES: Final = "v1/files"
# The other options of a message change no count, and are refused there.
_COUNTED: Final = frozenset(
    {"model", "messages", "system", "tools", "tool_choice", "thinking", "output_config"}
)


class AnthropicTokens:
    """Implements `providers.provider.Tokens`."""

    def __init__(self, client: JsonApi, memory: MemoryBudget, default_max_tokens: int) -> None:
        self._client = client
        self._memory = memory
        self._default_max_tokens = default_max_tokens

    async def count(self, caller: Caller, prompt: Prompt) -> Counted:
        files = FileReferences(prompt.file_of_uri)
        translate = partial(self._translate, prompt, files)
        sent = await to_counter(self._memory, "Anthropic", prompt, translate)
        async with files.explained(self._client, caller, _FILES):
            answer = await self._client.ask(caller, _PATH, sent.body)
        return Counted(count_in(answer, "input_tokens", self._client.name), sent.warnings)

    def _translate(
        self,
        prompt: Prompt,
        files: FileReferences,
        request: dict[str, Any],
        path: str,
        warnings: Warnings,
    ) -> dict[str, Any]:
        require_model(request, prompt.model, path, "Anthropic")
        params = to_anthropic_message(
            _with_limit(request, self._default_max_tokens),
            model=prompt.model,
            path=path,
            warnings=warnings,
            file_ids=files.id_of,
            default_max_tokens=self._default_max_tokens,
            api_version=OLD_VERSION,
            end_rule=any_end,
        )
        return {name: value for name, value in params.items() if name in _COUNTED}


def _with_limit(request: dict[str, Any], limit: int) -> dict[str, Any]:
    """A message needs a limit of its answer. It is not counted, so no warning is due."""
    config = request.get("generationConfig", {})
    return request | {
        "generationConfig": {"maxOutputTokens": default_limit(config, limit), **config}
    }
