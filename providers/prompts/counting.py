"""A prompt as a provider counts it, and the provider's count."""

from collections.abc import Callable
from typing import Any, TypeAlias

from providers.gemini_content.count_request import normalise_count
from providers.gemini_content.warnings import Warnings
from providers.json_api.answer_shape import count_or_none
from providers.json_api.json_text import parse_clients_object, parse_object, render_compact
from providers.json_api.read_in_memory import read_in_memory
from providers.memory import MemoryBudget
from providers.prompts.translation import TranslatedPrompt
from providers.resources import Prompt
from providers.upstream import invalid_answer

ToCounter: TypeAlias = Callable[[dict[str, Any], str, Warnings], dict[str, Any]]
"""Translates a normalised GenerateContentRequest that the client wrote at a JSON path."""


async def to_counter(
    memory: MemoryBudget, provider: str, prompt: Prompt, translate: ToCounter
) -> TranslatedPrompt:
    """`prompt` is a CountTokensRequest; `provider` is the name that refusals use.

    Raises INVALID_ARGUMENT before anything is sent.
    """

    def read() -> TranslatedPrompt:
        warnings = Warnings()
        body = parse_clients_object(prompt.request)
        request, path = normalise_count(body, prompt.model, provider)
        sent = render_compact(translate(request, path, warnings))
        return TranslatedPrompt(sent, warnings.render())

    return await read_in_memory(memory, prompt.request, read)


def count_in(answer: bytes, member: str, name: str) -> int:
    """The count in an answer of the provider `name`. Raises UpstreamError if it has none."""
    count = count_or_none((parse_object(answer) or {}).get(member))
    if count is None:
        raise invalid_answer(f"{name} did not answer with a count of tokens")
    return count
