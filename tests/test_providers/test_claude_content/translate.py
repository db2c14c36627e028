"""Translating a request as a batch does: normalised first, with Anthropic's files at hand."""

from collections.abc import Mapping
from typing import Any, Final

import pytest
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming

from providers.claude_content.generate_to_anthropic import to_anthropic_message
from providers.errors import FerryError
from providers.gemini_content.normalise import normalise_generate
from providers.gemini_content.warnings import Warnings
from providers.status import Status
from tests.published_types import require_published

FILES: Final = {"https://ferry/v1beta/files/known": "file_1"}
DEFAULT_MAX_TOKENS: Final = 4096
# It accepts sampling parameters, budgets and adaptive thinking.
MODEL: Final = "claude-opus-4-6"

# Fields of the Messages API in its version 2023-06-01 that the SDK's types no longer have, because
# later versions of the API refuse them (https://docs.anthropic.com/en/api/versioning).
_OLD_VERSION: Final = "2023-06-01"
_OLD_FIELDS: Final[Mapping[str, object]] = {"temperature": float, "top_p": float, "top_k": int}


def require_message(params: dict[str, Any], api_version: str) -> None:
    """Fails for values that Anthropic's own types do not allow, under `api_version`."""
    old = _OLD_FIELDS if api_version == _OLD_VERSION else {}
    for name in old.keys() & params.keys():
        require_published(params[name], old[name])
    rest = {name: value for name, value in params.items() if name not in old}
    require_published(rest, MessageCreateParamsNonStreaming)


def message(**request: Any) -> dict[str, Any]:
    """The params for a request, of one user turn unless it has `contents`."""
    return translate(request)[0]


def dropped(**request: Any) -> str:
    """The warnings of the translation of a request, except that of max_tokens."""
    request["generationConfig"] = {"maxOutputTokens": 9999} | request.get("generationConfig", {})
    return translate(request)[1]


def refusal(*, under: dict[str, str] | None = None, **request: Any) -> FerryError:
    with pytest.raises(FerryError) as refused:
        translate(request, **(under or {}))
    assert refused.value.status == Status.INVALID_ARGUMENT
    return refused.value


def translate(
    request: dict[str, Any], *, model: str = MODEL, api_version: str = "2023-06-01"
) -> tuple[dict[str, Any], str]:
    contents = [{"role": "user", "parts": [{"text": "Hello"}]}]
    warnings = Warnings()
    params = to_anthropic_message(
        normalise_generate({"contents": contents} | request, "request"),
        model=model,
        path="request",
        warnings=warnings,
        file_ids=lambda uri, _: FILES.get(uri),
        default_max_tokens=DEFAULT_MAX_TOKENS,
        api_version=api_version,
    )
    require_message(params, api_version)
    return params, warnings.render()


def options(
    config: dict[str, Any], *, model: str = MODEL, api_version: str = "2023-06-01"
) -> dict[str, Any]:
    """The parameters for a GenerationConfig."""
    params, _ = translate({"generationConfig": config}, model=model, api_version=api_version)
    return {name: value for name, value in params.items() if name not in ("model", "messages")}


def user(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "parts": list(parts)}


def model_turn(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"role": "model", "parts": list(parts)}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}
