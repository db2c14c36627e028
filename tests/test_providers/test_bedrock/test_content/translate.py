"""Translates a request to Converse as a batch does, and checks the body by botocore's model."""

from typing import Any, Final

import pytest

from providers.bedrock.content.generate_to_converse import to_converse
from providers.errors import FerryError
from providers.gemini_content.normalise import normalise_generate
from providers.gemini_content.warnings import Warnings
from providers.status import Status
from tests.test_providers.test_bedrock.test_content.converse_shape import require_converse

# It accepts sampling parameters, budgets and adaptive thinking.
CLAUDE: Final = "us.anthropic.claude-opus-4-6-v1:0"
NEW_CLAUDE: Final = "global.anthropic.claude-opus-4-7-20260401-v1:0"
NOVA: Final = "us.amazon.nova-pro-v1:0"
OTHER: Final = "us.meta.llama4-maverick-17b-instruct-v1:0"
OPAQUE: Final = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3d4e5f6"
FILES: Final = {"https://ferry/v1beta/files/known": "s3://bucket/prefix/files/a"}


def converse(*, model: str = CLAUDE, **request: Any) -> dict[str, Any]:
    """The body for a request, of one user turn unless it has `contents`."""
    return translate(request, model)[0]


def dropped(*, model: str = CLAUDE, **request: Any) -> str:
    return translate(request, model)[1]


def refusal(*, model: str = CLAUDE, **request: Any) -> FerryError:
    with pytest.raises(FerryError) as refused:
        translate(request, model)
    assert refused.value.status == Status.INVALID_ARGUMENT
    return refused.value


def translate(request: dict[str, Any], model: str = CLAUDE) -> tuple[dict[str, Any], str]:
    warnings = Warnings()
    body = to_converse(
        normalise_generate({"contents": [user({"text": "Hello"})]} | request, "request"),
        model=model,
        path="request",
        warnings=warnings,
        media_uri=lambda uri, _: FILES.get(uri),
    )
    require_converse(body)
    return body, warnings.render()


def options(config: dict[str, Any], model: str = CLAUDE) -> dict[str, Any]:
    """The parameters for a GenerationConfig."""
    body = converse(model=model, generationConfig=config)
    return {name: value for name, value in body.items() if name != "messages"}


def user(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "parts": list(parts)}


def model_turn(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"role": "model", "parts": list(parts)}
