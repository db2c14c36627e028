"""Every body for OpenAI is valid by the types of its SDK: `translate` checks each one.

Any piece of a request may be missing. Other tests check that refusals are right.
"""

from contextlib import suppress
from typing import Any, Final

import pytest
from hypothesis import given, settings

from providers.errors import FerryError
from tests.test_providers.test_gemini_content.conversations import conversations, pieces_of
from tests.test_providers.test_gemini_content.maximal_requests import GENERATE
from tests.test_providers.test_openai_content.translate import chat, model, translate, user

_OBJECT: Final = {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}, "required": ["a"]}
_IMAGE: Final = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}
_PDF: Final = {"inlineData": {"mimeType": "application/pdf", "data": "AAAA"}}
_WAV: Final = {"inlineData": {"mimeType": "audio/wav", "data": "AAAA"}}
_FILE: Final = {
    "fileData": {"mimeType": "application/pdf", "fileUri": "https://ferry/v1beta/files/known"}
}
# All fields with an equivalent at OpenAI, in one request.
_WHOLE: Final[dict[str, Any]] = {
    "systemInstruction": {"parts": [{"text": "a"}]},
    "contents": [
        user({"text": "a"}, _IMAGE, _PDF, _WAV, _FILE),
        model({"text": "b"}, {"functionCall": {"name": "f", "args": {"a": 1}}}),
        user({"functionResponse": {"name": "f", "response": {"n": 1}}}, {"text": "c"}),
    ],
    "tools": [{"functionDeclarations": [{"name": "f", "description": "d", "parameters": _OBJECT}]}],
    "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
    "generationConfig": {
        "temperature": 0.5,
        "topP": 0.5,
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
        "model",
        "messages",
        "tools",
        "tool_choice",
        "temperature",
        "top_p",
        "max_completion_tokens",
        "n",
        "presence_penalty",
        "frequency_penalty",
        "logprobs",
        "top_logprobs",
        "seed",
        "stop",
        "response_format",
        "reasoning_effort",
    }


@settings(deadline=None, max_examples=300)
@given(contents=conversations())
def test_conversations_that_gemini_accepts(contents: list[dict[str, Any]]) -> None:
    # Answers to one turn's calls that are spread over several turns are refused.
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
