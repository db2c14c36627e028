"""OpenAI's own count of a prompt's tokens."""

from functools import partial
from typing import Any, Final

from providers.batches.file_references import FileReferences
from providers.credential import Caller
from providers.errors import FerryError, unimplemented
from providers.gemini_content.warnings import Warnings
from providers.json_api.client import JsonApi
from providers.json_api.json_text import parse_object
from providers.json_api.redaction import secret_removed
from providers.memory import MemoryBudget
from providers.openai_content.chat_to_responses import to_responses
from providers.openai_content.dialect import Dialect
from providers.openai_content.failures import refuse_error
from providers.openai_content.generate_to_openai import to_openai_chat
from providers.prompts.counting import count_in, to_counter
from providers.resources import Counted, Prompt

_PATH: Final = "responses/input_tokens"
_FILES: Final = "files"
_COUNT: Final = "input_tokens"
# What a request to /v1/responses may have besides these changes no count, and is refused there.
_COUNTED: Final = frozenset({"model", "input", "tools", "tool_choice", "text", "reasoning"})

_NO_SUCH_CALL: Final = (404, 405)
_NO_SUCH_MODEL: Final = "model_not_found"


class OpenAITokens:
    """Implements `providers.provider.Tokens`.

    OpenAI counts only requests to /v1/responses. A warning says so, because a chat completion is
    written around the same text in another way.
    """

    def __init__(self, client: JsonApi, memory: MemoryBudget, dialect: Dialect) -> None:
        self._client = client
        self._memory = memory
        self._dialect = dialect

    async def count(self, caller: Caller, prompt: Prompt) -> Counted:
        files = FileReferences(prompt.file_of_uri)
        translate = partial(self._translate, prompt, files)
        sent = await to_counter(self._memory, self._dialect.provider, prompt, translate)
        try:
            async with files.explained(self._client, caller, _FILES):
                answer = await self._client.ask(caller, _PATH, sent.body)
        except FerryError as error:
            if error.upstream_status not in _NO_SUCH_CALL or error.reason == _NO_SUCH_MODEL:
                raise
            raise unimplemented(
                f"{self._client.name} has no count of tokens: it answered "
                f"{error.upstream_status} to POST {_PATH}"
            ) from None
        with secret_removed(caller):
            refuse_error(parse_object(answer) or {}, _COUNT)
        return Counted(count_in(answer, _COUNT, self._client.name), sent.warnings)

    def _translate(
        self,
        prompt: Prompt,
        files: FileReferences,
        request: dict[str, Any],
        path: str,
        warnings: Warnings,
    ) -> dict[str, Any]:
        chat = to_openai_chat(
            request,
            model=prompt.model,
            path=path,
            warnings=warnings,
            file_ids=files.id_of,
            dialect=self._dialect,
        )
        warnings.fill("totalTokens", "the count of the same request to /v1/responses")
        return {name: value for name, value in to_responses(chat).items() if name in _COUNTED}
