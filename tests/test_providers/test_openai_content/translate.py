"""Translating a request as a batch does: normalised first, with OpenAI's files at hand."""

from typing import Any

import pytest
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming

from providers.errors import FerryError
from providers.gemini_content.normalise import normalise_generate
from providers.gemini_content.warnings import Warnings
from providers.openai.dialect import OPENAI_DIALECT
from providers.openai_content.dialect import Dialect
from providers.openai_content.generate_to_openai import to_openai_chat
from providers.status import Status
from tests.published_types import require_published

FILES = {"https://ferry/v1beta/files/known": "file-1"}


def chat(**request: Any) -> dict[str, Any]:
    """The chat completion for a request, of one user turn unless it has `contents`."""
    return translate(request)[0]


def dropped(**request: Any) -> str:
    """The warnings of the translation of a request."""
    return translate(request)[1]


def refusal(**request: Any) -> FerryError:
    with pytest.raises(FerryError) as refused:
        translate(request)
    assert refused.value.status == Status.INVALID_ARGUMENT
    return refused.value


def translate(
    request: dict[str, Any], dialect: Dialect = OPENAI_DIALECT
) -> tuple[dict[str, Any], str]:
    contents = [{"role": "user", "parts": [{"text": "Hello"}]}]
    warnings = Warnings()
    body = to_openai_chat(
        normalise_generate({"contents": contents} | request, "request"),
        model="gpt-test",
        path="request",
        warnings=warnings,
        file_ids=lambda uri, _: FILES.get(uri),
        dialect=dialect,
    )
    require_published(body, CompletionCreateParamsNonStreaming)
    return body, warnings.render()


def user(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "parts": list(parts)}


def model(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"role": "model", "parts": list(parts)}
