"""Gemini's contents and systemInstruction -> OpenAI's messages (translation.md section 1)."""

from typing import Any, Final

from providers.errors import invalid_argument
from providers.gemini_content.content_parts import ContentPart, content_parts, without_thinking
from providers.gemini_content.function_calls import FunctionCall, FunctionResponse, PendingCalls
from providers.gemini_content.json_path import member
from providers.gemini_content.media import FileIds
from providers.gemini_content.turns import PlacedPart, Turn, joined_turns, placed_parts
from providers.gemini_content.warnings import Warnings
from providers.json_api.json_text import render_json
from providers.openai_content.dialect import Dialect
from providers.openai_content.media_to_openai import to_openai_file_media, to_openai_inline_media
from providers.openai_content.server_reasoning import CALL, add_empty_reasoning

_RESPONSE: Final = "functionResponse"


def to_openai_messages(
    request: dict[str, Any],
    *,
    path: str,
    warnings: Warnings,
    file_ids: FileIds,
    dialect: Dialect,
) -> list[dict[str, Any]]:
    """Translate the conversation of the normalised request at `path`.

    Raises INVALID_ARGUMENT for content that the provider cannot take, for a function call without a
    response, for a response without a call, and as the dialect's rules do.
    """
    contents, contents_path = request["contents"], member(path, "contents")
    dialect.end_rule(contents, contents_path, dialect.provider)
    conversation = _Conversation(warnings, file_ids, dialect)
    if "systemInstruction" in request:
        conversation.add_system(request["systemInstruction"], member(path, "systemInstruction"))
    for turn in joined_turns(request, path, warnings):
        conversation.add_turn(turn)
    conversation.calls.require_all_answered()
    add_empty_reasoning(conversation.messages)
    return conversation.messages


class _Conversation:
    """The messages so far, and the calls that wait for a response."""

    def __init__(self, warnings: Warnings, file_ids: FileIds, dialect: Dialect) -> None:
        self._warnings = warnings
        self._file_ids = file_ids
        self._dialect = dialect
        self.calls = PendingCalls(dialect.calls, warnings)
        self.messages: list[dict[str, Any]] = []

    def add_system(self, content: dict[str, Any], path: str) -> None:
        # "system" instead of "developer", because every model and compatible server accepts it.
        parts = self._parts(placed_parts(content, path), path)
        text = self._texts(parts, "a system instruction")
        self.messages.append({"role": "system", "content": text})

    def add_turn(self, turn: Turn) -> None:
        if turn.role == "model":
            self.calls.require_all_answered()
            self._add(self._model_turn(turn), member(turn.path, "parts"))
        else:
            self._add_user(turn)

    def _model_turn(self, turn: Turn) -> dict[str, Any]:
        """With the provider's own thoughts, if it takes them back."""
        thoughts: list[dict[str, Any]] = []
        rest: list[PlacedPart] = []
        beside: dict[str, dict[str, Any]] = {}
        for part in turn.parts:
            thought = self._dialect.own_thought(part.fields)
            if thought is None:
                rest.append(part)
                continue
            thoughts.append(thought)
            beside[member(part.path, "functionCall")] = thought.get(CALL, {})
            fields = without_thinking(part.fields)
            rest += [PlacedPart(fields, part.path)] if fields else []
        parts = self._parts(rest, turn.path) if rest or not thoughts else []
        message = self._assistant(parts, turn.index, beside)
        return message | self._dialect.write_thoughts(thoughts) if thoughts else message

    def _assistant(
        self, parts: list[ContentPart], turn: int, beside: dict[str, dict[str, Any]]
    ) -> dict[str, Any]:
        """`beside` are members of the calls, by their paths."""
        message: dict[str, Any] = {"role": "assistant"}
        said = [part for part in parts if part.field != "functionCall"]
        called = [part for part in parts if part.field == "functionCall"]
        if said:
            message["content"] = self._texts(said, "a model's turn")
        if called:
            opened = [self.calls.add(part, turn, number) for number, part in enumerate(called)]
            message["tool_calls"] = [
                _tool_call(call) | beside.get(call.path, {}) for call in opened
            ]
        return message

    def _add_user(self, turn: Turn) -> None:
        contents = [self._parts(parts, turn.path) for parts in turn.contents if parts]
        # The responses to a turn's calls must be right after it, before other content.
        answers = [part for parts in contents for part in parts if part.field == _RESPONSE]
        self.messages += [_tool_message(answer) for answer in self.calls.match(answers)]
        for parts in contents:
            said = [part for part in parts if part.field != _RESPONSE]
            if said:
                self.calls.require_all_answered()
                content = [self._user_content(part) for part in said]
                self._add({"role": "user", "content": self._content(content)}, said[0].path)

    def _add(self, message: dict[str, Any], path: str) -> None:
        before = self.messages[-1]["role"] if self.messages else None
        self._dialect.message_rule(before, message, path)
        self.messages.append(message)

    def _user_content(self, part: ContentPart) -> dict[str, Any]:
        match part.field:
            case "text":
                return _text(part)
            case "inlineData":
                return to_openai_inline_media(part.value, part.path, self._warnings, self._dialect)
            case "fileData":
                return to_openai_file_media(
                    part.value, part.path, self._warnings, self._file_ids, self._dialect
                )
            case _:
                raise invalid_argument("a user's turn cannot call functions", path=part.path)

    def _parts(self, parts: list[PlacedPart], path: str) -> list[ContentPart]:
        return content_parts(parts, path, self._warnings, self._dialect.provider)

    def _texts(self, parts: list[ContentPart], place: str) -> str | list[dict[str, Any]]:
        for part in parts:
            if part.field != "text":
                raise invalid_argument(
                    f"{self._dialect.provider} takes only text in {place}", path=part.path
                )
        return self._content([_text(part) for part in parts])

    def _content(self, parts: list[dict[str, Any]]) -> str | list[dict[str, Any]]:
        """A single text becomes a string, because not every compatible server takes a list."""
        if len(parts) == 1:
            return parts[0]["text"] if parts[0]["type"] == "text" else parts
        if any(part["type"] != "text" for part in parts):
            return parts
        return self._dialect.write_texts(parts)


def _tool_call(call: FunctionCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": render_json(call.args).decode()}
    return {"id": call.id, "type": "function", "function": function}


def _tool_message(answer: FunctionResponse) -> dict[str, Any]:
    content = render_json(answer.response).decode()
    return {"role": "tool", "tool_call_id": answer.call_id, "content": content}


def _text(part: ContentPart) -> dict[str, Any]:
    return {"type": "text", "text": part.value}
