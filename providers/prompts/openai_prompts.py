"""Prompts to chat completions and responses, of OpenAI and of servers with the same APIs."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeAlias, TypeVar

from providers.batches.file_references import FileReferences
from providers.credential import Caller
from providers.errors import FerryError, invalid_argument
from providers.gemini_content.service_tier import take_service_tier
from providers.gemini_content.warnings import Warnings
from providers.json_api.answer_shape import present
from providers.json_api.client import JsonApi
from providers.json_api.redaction import secret_removed
from providers.memory import MemoryBudget
from providers.openai_content.chat_from_openai import from_openai_chat
from providers.openai_content.chat_stream import ChatStream
from providers.openai_content.chat_to_responses import to_responses
from providers.openai_content.dialect import Dialect
from providers.openai_content.generate_to_openai import to_openai_chat
from providers.openai_content.response_stream import ResponseStream
from providers.openai_content.responses_from_openai import from_openai_response
from providers.prompts.stream import StreamReader, event_stream
from providers.prompts.translation import (
    FromProvider,
    ToProvider,
    TranslatedPrompt,
    from_provider,
    to_provider,
)
from providers.resources import AnswerStream, Generated, Prompt

_FILES: Final = "files"
# The statuses with which a server refuses what only another API can carry.
_REFUSED: Final = (400, 404, 405)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class OpenAIApi:
    """One API. `write` gives the body of a chat completion in `dialect` the form of this API.

    `from_answer` and `reader` translate an answer, for a prompt that asks for thoughts or not.
    `is_elsewhere`: whether another API may carry a prompt that was refused so.
    """

    path: str
    dialect: Dialect
    write: Callable[[dict[str, Any]], dict[str, Any]]
    from_answer: Callable[[bool], FromProvider]
    reader: Callable[[bool], StreamReader[bytes]]
    is_elsewhere: Callable[[FerryError], bool]


def chat_completions(dialect: Dialect) -> OpenAIApi:
    return OpenAIApi(
        "chat/completions",
        dialect,
        dict,
        lambda thoughts: partial(from_openai_chat, thoughts=thoughts),
        lambda thoughts: ChatStream(thoughts=thoughts),
        # The model has only responses, or takes functions only there. OpenAI names them then.
        lambda error: error.upstream_status in _REFUSED and "v1/responses" in error.message,
    )


def responses(dialect: Dialect) -> OpenAIApi:
    return OpenAIApi(
        "responses",
        dialect,
        to_responses,
        lambda thoughts: partial(from_openai_response, thoughts=thoughts),
        lambda thoughts: ResponseStream(thoughts=thoughts),
        # The model shows no thoughts, the account may not see them, or the server has no such API.
        lambda error: error.upstream_status in _REFUSED,
    )


ChooseApis: TypeAlias = Callable[[dict[str, Any]], Sequence[OpenAIApi]]
"""The APIs that may carry a normalised request: the first, and others if that one cannot."""


class OpenAIPrompts:
    """Implements `providers.provider.Prompts`."""

    def __init__(self, client: JsonApi, memory: MemoryBudget, apis: ChooseApis) -> None:
        self._client = client
        self._memory = memory
        self._apis = apis

    async def generate(self, caller: Caller, prompt: Prompt) -> Generated:
        translation = _Translation(prompt, self._apis)
        call = partial(self._client.ask, caller)
        sent, answer = await self._asked(caller, translation, translation.to_single, call)
        translate = translation.api.from_answer(sent.thoughts)
        with secret_removed(caller):
            document = await from_provider(self._client.name, answer, translate)
        return Generated(document, sent.warnings)

    async def stream(self, caller: Caller, prompt: Prompt) -> AnswerStream:
        translation = _Translation(prompt, self._apis)
        call = partial(self._client.begin, caller)
        sent, reply = await self._asked(caller, translation, translation.to_stream, call)
        reader = translation.api.reader(sent.thoughts)
        return await event_stream(self._client.name, caller, reply, reader, sent.warnings)

    async def _asked(
        self,
        caller: Caller,
        translation: "_Translation",
        translate: ToProvider,
        call: Callable[[str, bytes], Awaitable[T]],
    ) -> tuple[TranslatedPrompt, T]:
        """The prompt as it was sent, and what `call` gave, from an API that did not refuse it."""
        sent = await to_provider(self._memory, translation.prompt, translate)
        while True:
            try:
                async with translation.files.explained(self._client, caller, _FILES):
                    return sent, await call(translation.api.path, sent.body)
            except FerryError as error:
                if not (translation.others and translation.api.is_elsewhere(error)):
                    raise
                try:
                    sent = await to_provider(self._memory, translation.prompt, translate)
                except FerryError:
                    raise error from None


@dataclass(slots=True)
class _Translation:
    """Of one prompt. A translation that succeeds sets `api`, and `others` for the next one."""

    prompt: Prompt
    apis: ChooseApis
    api: OpenAIApi = field(init=False)
    others: Sequence[OpenAIApi] = ()
    files: FileReferences = field(init=False)

    def __post_init__(self) -> None:
        self.files = FileReferences(self.prompt.file_of_uri)

    def to_single(self, request: dict[str, Any], warnings: Warnings) -> dict[str, Any]:
        return self.to_api(request, warnings) | dict(self.api.dialect.single)

    def to_stream(self, request: dict[str, Any], warnings: Warnings) -> dict[str, Any]:
        if request.get("generationConfig", {}).get("candidateCount", 1) > 1:
            raise invalid_argument(
                "a stream has one candidate", path="generationConfig.candidateCount"
            )
        return self.to_api(request, warnings) | dict(self.api.dialect.streaming)

    def to_api(self, request: dict[str, Any], warnings: Warnings) -> dict[str, Any]:
        apis = self.others or self.apis(request)
        rules = apis[0].dialect
        tier = take_service_tier(request, rules.service_tiers, rules.provider)
        return self._by_one_of(apis, request, warnings) | present({"service_tier": tier})

    def _by_one_of(
        self, apis: Sequence[OpenAIApi], request: dict[str, Any], warnings: Warnings
    ) -> dict[str, Any]:
        """Raises the refusal of the first API if none can carry the request."""
        first, *others = apis
        try:
            return self._write(first, others, request, warnings)
        except FerryError:
            while others:
                api = others.pop(0)
                with suppress(FerryError):
                    return self._write(api, others, request, warnings)
            raise

    def _write(
        self,
        api: OpenAIApi,
        others: Sequence[OpenAIApi],
        request: dict[str, Any],
        warnings: Warnings,
    ) -> dict[str, Any]:
        with warnings.apart() as recorded:
            chat = to_openai_chat(
                request,
                model=self.prompt.model,
                path="",
                warnings=warnings,
                file_ids=self.files.id_of,
                dialect=api.dialect,
            )
        warnings.add(recorded)
        self.api, self.others = api, others
        return api.write(chat)
