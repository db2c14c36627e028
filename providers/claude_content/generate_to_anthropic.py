"""Gemini's GenerateContentRequest -> the params of Anthropic's Messages."""

from typing import Any

from providers.claude_content.contents_to_anthropic import to_anthropic_messages
from providers.claude_content.options_to_anthropic import to_anthropic_options
from providers.claude_content.tools_to_anthropic import to_anthropic_tools
from providers.gemini_content.content_parts import EndRule, require_users_end
from providers.gemini_content.json_path import member
from providers.gemini_content.media import FileIds
from providers.gemini_content.unsupported import check_request_fields
from providers.gemini_content.warnings import Warnings


def to_anthropic_message(
    request: dict[str, Any],
    *,
    model: str,
    path: str,
    warnings: Warnings,
    file_ids: FileIds,
    default_max_tokens: int,
    api_version: str,
    end_rule: EndRule = require_users_end,
) -> dict[str, Any]:
    """Translate the normalised request (`normalise_generate`) at `path`.

    `model` is the batch's, unless the request names its own. `default_max_tokens` is used if
    maxOutputTokens is absent, with a warning that names it. The batch is sent under `api_version`.
    `file_ids` returns the native id of a file from its URI or name here, or None. Raises
    INVALID_ARGUMENT with the JSON path of the first field that cannot be sent to Anthropic without
    changing its meaning.
    """
    check_request_fields(request, path, warnings, "Anthropic")
    model = request.get("model", model).removeprefix("models/")
    options, thinking = to_anthropic_options(
        request.get("generationConfig", {}),
        member(path, "generationConfig"),
        warnings,
        model=model,
        api_version=api_version,
        default_max_tokens=default_max_tokens,
    )
    tools = to_anthropic_tools(request, path, warnings, model=model, thinking=thinking.requested)
    messages = to_anthropic_messages(
        request, path=path, warnings=warnings, file_ids=file_ids, end_rule=end_rule
    )
    return {"model": model} | messages | options | tools
