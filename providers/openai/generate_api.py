"""Which of OpenAI's APIs answers a prompt."""

from dataclasses import replace
from enum import StrEnum
from typing import Any

from providers.openai.dialect import RESPONSES_DIALECT
from providers.openai_content.dialect import Dialect
from providers.openai_content.reasoning_signatures import reasoning_item
from providers.prompts.openai_prompts import ChooseApis, chat_completions, responses


class GenerateApi(StrEnum):
    """AUTO: chat completions, or responses for a request that only they can carry whole."""

    AUTO = "auto"
    CHAT = "chat"
    RESPONSES = "responses"


def apis_of(setting: GenerateApi, dialect: Dialect) -> ChooseApis:
    """`dialect` has the server's rules for chat completions."""
    chat = chat_completions(dialect)
    response = responses(replace(RESPONSES_DIALECT, schema_rule=dialect.schema_rule))
    match setting:
        case GenerateApi.AUTO:
            return lambda request: (response, chat) if _has_thoughts(request) else (chat, response)
        case GenerateApi.CHAT:
            return lambda _: (chat,)
        case GenerateApi.RESPONSES:
            return lambda _: (response,)


def _has_thoughts(request: dict[str, Any]) -> bool:
    """Whether the normalised request asks for thoughts, or gives OpenAI's own back.

    A chat completion would go without them.
    """
    thinking = request.get("generationConfig", {}).get("thinkingConfig", {})
    parts = (part for content in request["contents"] for part in content["parts"])
    return "includeThoughts" in thinking or any(reasoning_item(part) for part in parts)
