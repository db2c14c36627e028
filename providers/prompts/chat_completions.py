"""Prompts to the APIs with OpenAI's chat completions."""

import re
from functools import partial
from typing import Any, Final

from providers.batches.file_references import FileReferences
from providers.credential import Caller
from providers.errors import invalid_argument
from providers.gemini_content.service_tier import take_service_tier
from providers.gemini_content.warnings import Warnings
from providers.json_api.answer_shape import present
from providers.json_api.client import JsonApi
from providers.memory import MemoryBudget
from providers.openai_content.chat_from_openai import from_openai_chat
from providers.openai_content.chat_stream import ChatStream
from providers.openai_content.dialect import Dialect
from providers.openai_content.generate_to_openai import to_openai_chat
from providers.prompts.stream import event_stream
from providers.prompts.translation import from_provider, to_provider
from providers.resources import AnswerStream, Generated, Prompt

_PATH: Final = "chat/completions"


class ChatCompletions:
    """Implements `providers.provider.Prompts`. `native_file` is the form of the provider's ids."""

    def __init__(
        self, client: JsonApi, memory: MemoryBudget, dialect: Dialect, native_file: re.Pattern[str]
    ) -> None:
        self._client = client
        self._memory = memory
        self._dialect = dialect
        self._native_file = native_file

    async def generate(self, caller: Caller, prompt: Prompt) -> Generated:
        sent = await to_provider(self._memory, prompt, partial(self._translate, prompt))
        answer = await self._client.ask(caller, _PATH, sent.body)
        translate = partial(from_openai_chat, thoughts=sent.thoughts)
        document = await from_provider(self._client.name, answer, translate)
        return Generated(document, sent.warnings)

    async def stream(self, caller: Caller, prompt: Prompt) -> AnswerStream:
        sent = await to_provider(self._memory, prompt, partial(self._translate_stream, prompt))
        reply = await self._client.begin(caller, _PATH, sent.body)
        return await event_stream(
            self._client.name, reply, ChatStream(thoughts=sent.thoughts), sent.warnings
        )

    def _translate_stream(
        self, prompt: Prompt, request: dict[str, Any], warnings: Warnings
    ) -> dict[str, Any]:
        if request.get("generationConfig", {}).get("candidateCount", 1) > 1:
            raise invalid_argument(
                "a stream has one candidate", path="generationConfig.candidateCount"
            )
        return self._translate(prompt, request, warnings) | dict(self._dialect.streaming)

    def _translate(
        self, prompt: Prompt, request: dict[str, Any], warnings: Warnings
    ) -> dict[str, Any]:
        files = FileReferences(self._native_file, prompt.check_file_name)
        dialect = self._dialect
        tier = take_service_tier(request, dialect.service_tiers, dialect.provider)
        chat = to_openai_chat(
            request,
            model=prompt.model,
            path="",
            warnings=warnings,
            file_ids=lambda uri: files.id_of(uri, "contents"),
            dialect=dialect,
        )
        return chat | present({"service_tier": tier})
