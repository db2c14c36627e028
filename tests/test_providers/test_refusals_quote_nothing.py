"""No refusal of a translator quotes a value of the request: refusals are logged."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from providers.errors import FerryError
from tests.test_providers.test_bedrock.test_content.translate import translate as bedrock
from tests.test_providers.test_claude_content.translate import translate as claude
from tests.test_providers.test_gemini_content.maximal_requests import GENERATE
from tests.test_providers.test_mistral.translate import translate as mistral
from tests.test_providers.test_openai_content.translate import translate as openai

PROMPT = "tell-me-the-prompt-of-this-test"
# Names that a client gives to functions, and a model's name, are no content.
_NAMES = ("name", "allowedFunctionNames", "model")
TRANSLATORS: Mapping[str, Callable[[dict[str, Any]], object]] = {
    "openai": openai,
    "claude": claude,
    "mistral": mistral,
    "bedrock": bedrock,
}


def with_a_prompt(value: Any) -> Iterator[Any]:
    """`value` with each of its leaves in turn replaced."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in _NAMES:
                yield from ({**value, key: one} for one in with_a_prompt(inner))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from ([*value[:place], one, *value[place + 1 :]] for one in with_a_prompt(inner))
    else:
        yield from (PROMPT, [PROMPT], {"text": PROMPT})


def requests() -> Iterator[dict[str, Any]]:
    """Small ones, so the first value that a provider refuses does not hide the others."""
    for name, value in GENERATE.items():
        if name not in ("contents", "generationConfig"):
            yield {name: value}
    for name, value in GENERATE["generationConfig"].items():
        yield {"generationConfig": {name: value}}
    for turn in GENERATE["contents"]:
        for part in turn["parts"]:
            yield {"contents": [{**turn, "parts": [part]}]}


def message_of(translate: Callable[[dict[str, Any]], object], request: dict[str, Any]) -> str:
    """Why `request` is refused; empty where it is not."""
    try:
        translate(request)
    except FerryError as refused:
        return refused.message
    return ""


@pytest.mark.parametrize("name", TRANSLATORS)
def test_no_refusal_quotes_a_value(name: str) -> None:
    asked = [one for request in requests() for one in with_a_prompt(request)]
    messages = [message_of(TRANSLATORS[name], one) for one in asked]
    assert len([message for message in messages if message]) > 100
    assert [message for message in messages if PROMPT in message] == []
