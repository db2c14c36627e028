"""Every body for Mistral is valid by its own models and by its rules: `translate` checks each one.

Any piece of a request may be missing. Other tests check that refusals are right.
"""

from contextlib import suppress
from typing import Any, Final

import pytest
from hypothesis import given, settings

from providers.errors import FerryError
from tests.test_providers.test_gemini_content.conversations import conversations, pieces_of
from tests.test_providers.test_gemini_content.maximal_requests import GENERATE
from tests.test_providers.test_mistral.translate import chat, translate
from tests.test_providers.test_openai_content.translate import model, user

_OBJECT: Final = {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}, "required": ["a"]}
_IMAGE: Final = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}
# All fields with an equivalent at Mistral, in one request.
_WHOLE: Final[dict[str, Any]] = {
    "systemInstruction": {"parts": [{"text": "a"}]},
    "contents": [
        user({"text": "a"}, _IMAGE),
        model({"text": "b"}, {"functionCall": {"name": "f", "args": {"a": 1}}}),
        user({"functionResponse": {"name": "f", "response": {"n": 1}}}),
        model({"text": "c"}),
        user({"text": "d"}),
    ],
    "tools": [{"functionDeclarations": [{"name": "f", "description": "d", "parameters": _OBJECT}]}],
    "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
    "generationConfig": {
        "temperature": 0.5,
        "topP": 0.5,
        "topK": 5,
        "maxOutputTokens": 9,
        "candidateCount": 2,
        "presencePenalty": 1,
        "frequencyPenalty": 1,
        "responseLogprobs": True,
        "logprobs": 2,
        "seed": 7,
        "stopSequences": ["s"],
        "responseMimeType": "application/json",
        "responseSchema": _OBJECT,
        "thinkingConfig": {"thinkingLevel": "LOW"},
    },
}


def test_all_supported_fields_in_one_request() -> None:
    assert chat(**_WHOLE).keys() == {
        "messages",
        "tools",
        "tool_choice",
        "temperature",
        "top_p",
        "top_k",
        "max_tokens",
        "n",
        "presence_penalty",
        "frequency_penalty",
        "logprobs",
        "top_logprobs",
        "random_seed",
        "stop",
        "response_format",
        "reasoning_effort",
    }


@settings(deadline=None, max_examples=300)
@given(contents=conversations())
def test_conversations_that_gemini_accepts(contents: list[dict[str, Any]]) -> None:
    # Text right after a response is refused, and answers that are spread over several turns.
    with suppress(FerryError):
        translate({"contents": contents})


@settings(deadline=None, max_examples=300)
@given(request=pieces_of(_WHOLE))
def test_any_combination_of_supported_fields(request: dict[str, Any]) -> None:
    with suppress(FerryError):
        translate(request)


@settings(deadline=None, max_examples=300)
@given(request=pieces_of(GENERATE))
def test_any_combination_of_geminis_fields(request: dict[str, Any]) -> None:
    with suppress(FerryError):
        translate(request)


@pytest.mark.parametrize("field", [name for name in GENERATE if name != "contents"])
def test_one_field_at_a_time(field: str) -> None:
    with suppress(FerryError):
        translate({field: GENERATE[field]})


@pytest.mark.parametrize("field", list(GENERATE["generationConfig"]))
def test_one_setting_at_a_time(field: str) -> None:
    with suppress(FerryError):
        translate({"generationConfig": {field: GENERATE["generationConfig"][field]}})
