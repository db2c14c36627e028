from typing import Any

import pytest

from providers.bedrock.content.generate_to_invoke_model import to_invoke_model
from providers.errors import FerryError
from providers.gemini_content.normalise import normalise_generate
from providers.gemini_content.warnings import Warnings
from providers.status import Status
from tests.test_providers.test_bedrock.test_content.translate import (
    CLAUDE,
    NEW_CLAUDE,
    NOVA,
    OPAQUE,
    user,
)
from tests.test_providers.test_claude_content.translate import require_message

_HI = user({"text": "Hello"})


def _translate(request: dict[str, Any], model: str = CLAUDE) -> tuple[dict[str, Any], str]:
    warnings = Warnings()
    body = to_invoke_model(
        normalise_generate({"contents": [_HI]} | request, "request"),
        model=model,
        path="request",
        warnings=warnings,
    )
    anthropics = {name: value for name, value in body.items() if name != "anthropic_version"}
    require_message(anthropics | {"model": model}, "2023-06-01")
    return body, warnings.render()


def _refusal(request: dict[str, Any], model: str = CLAUDE) -> FerryError:
    with pytest.raises(FerryError) as refused:
        _translate(request, model)
    assert refused.value.status == Status.INVALID_ARGUMENT
    return refused.value


@pytest.mark.parametrize("request_", [{}, {"model": CLAUDE}, {"model": f"models/{CLAUDE}"}])
def test_a_message_without_model(request_: dict[str, Any]) -> None:
    assert _translate(request_) == (
        {
            "anthropic_version": "bedrock-2023-05-31",
            "max_tokens": 4096,
            "messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}],
        },
        "request.generationConfig.maxOutputTokens=4096;count=1",
    )


def test_functions_and_options_are_claudes_own() -> None:
    body, _ = _translate(
        {
            "tools": [{"functionDeclarations": [{"name": "f"}]}],
            "toolConfig": {"functionCallingConfig": {"mode": "ANY"}},
            "generationConfig": {"temperature": 0.5, "topK": 3},
            "serviceTier": "FLEX",
        }
    )
    schema = {"type": "object", "properties": {}}
    assert body["tools"] == [{"name": "f", "input_schema": schema}]
    assert body["tool_choice"] == {"type": "any"}
    assert (body["temperature"], body["top_k"]) == (0.5, 3)
    assert body.keys().isdisjoint({"model", "stream", "service_tier"})


@pytest.mark.parametrize(
    "uri", ["https://ferry/v1beta/files/known", "https://example.com/a.pdf", "files/a"]
)
def test_no_file_is_read(uri: str) -> None:
    media = {"fileData": {"fileUri": uri, "mimeType": "application/pdf"}}
    error = _refusal({"contents": [_HI, user({"text": "a"}, media)]})
    assert error.path == "request.contents[1].parts[1].fileData"


def test_values_that_claude_refuses_are_refused() -> None:
    error = _refusal({"generationConfig": {"temperature": 0.5}}, NEW_CLAUDE)
    assert error.path == "request.generationConfig.temperature"


def test_one_model_per_job() -> None:
    assert _refusal({"model": NEW_CLAUDE}).path == "request.model"


@pytest.mark.parametrize("model", [NOVA, OPAQUE])
def test_no_other_models_schema(model: str) -> None:
    assert _refusal({}, model).path == "request"
