"""Gemini's GenerateContentRequest -> the body of OpenAI's /v1/chat/completions."""

from collections.abc import Iterator
from typing import Any

from providers.errors import invalid_argument
from providers.gemini_content.json_path import member
from providers.gemini_content.media import FileIds
from providers.gemini_content.unsupported import check_request_fields, require_model
from providers.gemini_content.warnings import Warnings
from providers.openai_content.contents_to_openai import to_openai_messages
from providers.openai_content.dialect import Dialect
from providers.openai_content.options_to_openai import to_openai_options
from providers.openai_content.tools_to_openai import to_openai_tools


def to_openai_chat(
    request: dict[str, Any],
    *,
    model: str,
    path: str,
    warnings: Warnings,
    file_ids: FileIds,
    dialect: Dialect,
) -> dict[str, Any]:
    """Translate the normalised request (`normalise_generate`) at `path`.

    `model` is the batch's. `file_ids` returns the native id of a file from its URI or name here, or
    None. Raises INVALID_ARGUMENT with the JSON path of the first field that cannot be sent to the
    provider without changing its meaning.
    """
    require_model(request, model, path, dialect.provider)
    check_request_fields(request, path, warnings, dialect.provider)
    config, config_path = request.get("generationConfig", {}), member(path, "generationConfig")
    options = to_openai_options(config, config_path, warnings, dialect)
    tools = to_openai_tools(request, path, warnings, dialect)
    messages = to_openai_messages(
        request, path=path, warnings=warnings, file_ids=file_ids, dialect=dialect
    )
    if options.get("response_format") == {"type": "json_object"}:
        field = "responseMimeType" if "responseMimeType" in config else "responseFormat"
        _require_mention_of_json(messages, member(config_path, field), dialect.provider)
    return {"model": model.removeprefix("models/"), "messages": messages} | options | tools


def _require_mention_of_json(messages: list[dict[str, Any]], path: str, provider: str) -> None:
    if not any("json" in text.lower() for text in _texts(messages)):
        raise invalid_argument(
            f"without a schema {provider} requires the word JSON in the prompt; add it, or give "
            "responseSchema",
            path=path,
        )


def _texts(messages: list[dict[str, Any]]) -> Iterator[str]:
    for message in messages:
        content = message.get("content", "")
        if isinstance(content, str):
            yield content
        else:
            yield from (part["text"] for part in content if part["type"] == "text")
