"""Gemini's contents and systemInstruction -> Anthropic's messages (translation.md section 1)."""

from dataclasses import dataclass
from typing import Any, Final

from providers.claude_content.media_to_anthropic import (
    to_anthropic_file_media,
    to_anthropic_inline_media,
)
from providers.claude_content.thought_signatures import thinking_block
from providers.claude_content.tools_to_anthropic import CALL_RULES
from providers.gemini_content.content_parts import ContentPart, EndRule, require_users_end
from providers.gemini_content.function_calls import FunctionCall, FunctionResponse
from providers.gemini_content.media import FileIds
from providers.gemini_content.merged_turns import Block, merged_turns, system_texts
from providers.gemini_content.warnings import Warnings
from providers.json_api.json_text import render_json

_ROLES: Final = {"user": "user", "model": "assistant"}


def to_anthropic_messages(
    request: dict[str, Any],
    *,
    path: str,
    warnings: Warnings,
    file_ids: FileIds,
    end_rule: EndRule = require_users_end,
) -> dict[str, list[dict[str, Any]]]:
    """`messages`, and `system` if there is one, of the normalised request at `path`.

    Consecutive turns of one role become one message. Raises INVALID_ARGUMENT as `merged_turns`
    does.
    """
    writer = _AnthropicBlocks(warnings, file_ids)
    messages = [
        {"role": _ROLES[message.role], "content": message.content}
        for message in merged_turns(request, path, warnings, writer, end_rule)
    ]
    return {"messages": messages} | system_texts(request, path, warnings, writer)


@dataclass(frozen=True)
class _AnthropicBlocks:
    """Implements `providers.gemini_content.merged_turns.BlockWriter`."""

    warnings: Warnings
    file_ids: FileIds
    rules = CALL_RULES

    def text(self, words: str) -> Block:
        return {"type": "text", "text": words}

    def media(self, part: ContentPart) -> Block:
        if part.field == "inlineData":
            return to_anthropic_inline_media(part.value, part.path, self.warnings)
        return to_anthropic_file_media(part.value, part.path, self.warnings, self.file_ids)

    def thinking(self, part: dict[str, Any]) -> Block | None:
        return thinking_block(part)

    def call(self, call: FunctionCall) -> Block:
        return {"type": "tool_use", "id": call.id, "name": call.name, "input": call.args}

    def response(self, answer: FunctionResponse) -> Block:
        words = render_json(answer.response).decode()
        media = [self.media(part) for part in answer.media]
        result: Block = {
            "type": "tool_result",
            "tool_use_id": answer.call_id,
            "content": [self.text(words), *media] if media else words,
        }
        # Gemini's key for an error in the function.
        failed = answer.response.get("error") is not None
        return result | {"is_error": True} if failed else result
