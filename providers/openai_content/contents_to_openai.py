"""Gemini's contents and systemInstruction -> OpenAI's messages (translation.md section 1)."""

from typing import Any

from providers.errors import invalid_argument
from providers.gemini_content.content_parts import ContentPart, content_parts, require_users_end
from providers.gemini_content.function_calls import FunctionCall, FunctionResponse, PendingCalls
from providers.gemini_content.json_path import item, member
from providers.gemini_content.media import FileIds
from providers.gemini_content.warnings import Warnings
from providers.json_api.json_text import render_json
from providers.openai_content.media_to_openai import to_openai_file_media, to_openai_inline_media
from providers.openai_content.tools_to_openai import CALL_RULES


def to_openai_messages(
    request: dict[str, Any], *, path: str, warnings: Warnings, file_ids: FileIds
) -> list[dict[str, Any]]:
    """Translate the conversation of the normalised request at `path`.

    Raises INVALID_ARGUMENT for content that OpenAI cannot take, for a function call without a
    response, for a response without a call, and for a conversation that ends with the model's turn.
    """
    contents, contents_path = request["contents"], member(path, "contents")
    require_users_end(contents, contents_path, "OpenAI")
    messages = _system(request, path, warnings)
    calls = PendingCalls(CALL_RULES)
    for turn, content in enumerate(contents):
        parts = content_parts(content, item(contents_path, turn), warnings, "OpenAI")
        if content["role"] == "model":
            calls.require_all_answered()
            messages.append(_assistant(parts, turn, calls))
        else:
            messages += _user(parts, calls, warnings, file_ids)
    calls.require_all_answered()
    return messages


def _system(request: dict[str, Any], path: str, warnings: Warnings) -> list[dict[str, Any]]:
    if "systemInstruction" not in request:
        return []
    system_path = member(path, "systemInstruction")
    parts = content_parts(request["systemInstruction"], system_path, warnings, "OpenAI")
    # "system" instead of "developer", because every model and compatible server accepts it.
    return [{"role": "system", "content": _texts(parts, "a system instruction")}]


def _assistant(parts: list[ContentPart], turn: int, calls: PendingCalls) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant"}
    said = [part for part in parts if part.field != "functionCall"]
    called = [part for part in parts if part.field == "functionCall"]
    if said:
        message["content"] = _texts(said, "a model's turn")
    if called:
        opened = [calls.add(part, turn, number) for number, part in enumerate(called)]
        message["tool_calls"] = [_tool_call(call) for call in opened]
    return message


def _user(
    parts: list[ContentPart], calls: PendingCalls, warnings: Warnings, file_ids: FileIds
) -> list[dict[str, Any]]:
    # OpenAI requires the responses to a turn's calls right after it, before other content.
    answers = calls.match([part for part in parts if part.field == "functionResponse"])
    messages = [_tool_message(answer) for answer in answers]
    said = [part for part in parts if part.field != "functionResponse"]
    if said:
        calls.require_all_answered()
        content = [_user_content(part, warnings, file_ids) for part in said]
        messages.append({"role": "user", "content": _plain_if_text(content)})
    return messages


def _tool_call(call: FunctionCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": render_json(call.args).decode()}
    return {"id": call.id, "type": "function", "function": function}


def _tool_message(answer: FunctionResponse) -> dict[str, Any]:
    content = render_json(answer.response).decode()
    return {"role": "tool", "tool_call_id": answer.call_id, "content": content}


def _user_content(part: ContentPart, warnings: Warnings, file_ids: FileIds) -> dict[str, Any]:
    match part.field:
        case "text":
            return _text(part)
        case "inlineData":
            return to_openai_inline_media(part.value, part.path, warnings)
        case "fileData":
            return to_openai_file_media(part.value, part.path, warnings, file_ids)
        case _:
            raise invalid_argument("a user's turn cannot call functions", path=part.path)


def _texts(parts: list[ContentPart], place: str) -> str | list[dict[str, Any]]:
    for part in parts:
        if part.field != "text":
            raise invalid_argument(f"OpenAI takes only text in {place}", path=part.path)
    return _plain_if_text([_text(part) for part in parts])


def _text(part: ContentPart) -> dict[str, Any]:
    return {"type": "text", "text": part.value}


def _plain_if_text(content: list[dict[str, Any]]) -> str | list[dict[str, Any]]:
    """A single text becomes a string, because not every compatible server takes a list."""
    if len(content) == 1 and content[0]["type"] == "text":
        text: str = content[0]["text"]
        return text
    return content
