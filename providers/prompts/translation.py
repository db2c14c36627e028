"""A prompt as a provider takes it, and the provider's answer in Gemini's shape."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from providers.gemini_content.normalise import normalise_generate
from providers.gemini_content.warnings import Warnings
from providers.json_api.answer_shape import UnreadableAnswer, unusable
from providers.json_api.json_text import (
    parse_clients_object,
    parse_object,
    render_compact,
    render_json,
)
from providers.json_api.read_in_memory import read_in_memory
from providers.long_work import off_loop_if_long
from providers.memory import MemoryBudget
from providers.resources import Prompt
from providers.upstream import invalid_answer

ToProvider: TypeAlias = Callable[[dict[str, Any], Warnings], dict[str, Any]]
"""Translates a normalised request. Raises INVALID_ARGUMENT with the JSON path."""
FromProvider: TypeAlias = Callable[[dict[str, Any]], dict[str, Any]]
"""Translates an answer. Raises UnreadableAnswer."""


@dataclass(frozen=True, slots=True)
class TranslatedPrompt:
    """`body` is the provider's JSON; `warnings` as `Warnings.render` writes them.

    `thoughts`: whether the prompt asks for the model's thoughts.
    """

    body: bytes = field(repr=False)
    warnings: str
    thoughts: bool = False


async def to_provider(
    memory: MemoryBudget, prompt: Prompt, translate: ToProvider
) -> TranslatedPrompt:
    """Raises INVALID_ARGUMENT before anything is sent."""

    def read() -> TranslatedPrompt:
        warnings = Warnings()
        request = normalise_generate(parse_clients_object(prompt.request), "")
        body = render_compact(translate(request, warnings))
        thinking = request.get("generationConfig", {}).get("thinkingConfig", {})
        return TranslatedPrompt(body, warnings.render(), thinking.get("includeThoughts", False))

    return await read_in_memory(memory, prompt.request, read)


async def from_provider(name: str, answer: bytes, translate: FromProvider) -> bytes:
    """The GenerateContentResponse as JSON. Raises UpstreamError; `name` is the provider's."""
    return await off_loop_if_long(answer, _from_provider, name, answer, translate)


def _from_provider(name: str, answer: bytes, translate: FromProvider) -> bytes:
    document = parse_object(answer)
    if document is None:
        raise invalid_answer(f"{name} did not answer with a JSON object")
    try:
        return render_json(translate(document))
    except UnreadableAnswer as error:
        raise unusable(error, name) from None
