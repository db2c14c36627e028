"""Gemini's GenerateContentRequest -> the body of Converse, which is the same for every model."""

from dataclasses import dataclass
from typing import Any, Final

from providers.bedrock.content.bedrock_models import ModelFamily, model_family
from providers.bedrock.content.media_to_converse import ConverseMedia, MediaUri
from providers.bedrock.content.options_to_converse import to_converse_options
from providers.bedrock.content.tools_to_converse import CALL_RULES, to_converse_tools
from providers.claude_content.thought_signatures import thinking_block
from providers.errors import invalid_argument
from providers.gemini_content.content_parts import ContentPart, EndRule, require_users_end
from providers.gemini_content.function_calls import FunctionCall, FunctionResponse
from providers.gemini_content.json_path import member
from providers.gemini_content.merged_turns import Block, Message, merged_turns, system_texts
from providers.gemini_content.unsupported import check_request_fields, require_model
from providers.gemini_content.warnings import Warnings

_ROLES: Final = {"user": "user", "model": "assistant"}


def to_converse_messages(
    request: dict[str, Any],
    *,
    family: ModelFamily,
    path: str,
    warnings: Warnings,
    media_uri: MediaUri,
    end_rule: EndRule = require_users_end,
) -> dict[str, list[dict[str, Any]]]:
    """`messages`, and `system` if there is one, of the normalised request at `path`.

    Consecutive turns of one role become one message (translation.md section 1). Raises
    INVALID_ARGUMENT for what Converse cannot express, for a function call without an answer in the
    next turn or an answer without a call, for a conversation that the model begins, for a document
    without a text, and as `end_rule` does.
    """
    media = ConverseMedia(family, warnings, media_uri)
    writer = _ConverseBlocks(media, carries_thinking=family is ModelFamily.CLAUDE)
    messages = []
    for message in merged_turns(request, path, warnings, writer, end_rule):
        _require_words_on_documents(message)
        messages.append({"role": _ROLES[message.role], "content": message.content})
    return {"messages": messages} | system_texts(request, path, warnings, writer)


def _require_words_on_documents(message: Message) -> None:
    """A message with a document must have a text too (botocore: Message.content)."""
    kinds = {kind for block in message.content for kind in block}
    if "document" in kinds and "text" not in kinds:
        raise invalid_argument(
            "Bedrock needs a text beside a document", path=member(message.path, "parts")
        )


@dataclass(frozen=True)
class _ConverseBlocks:
    """Implements `providers.gemini_content.merged_turns.BlockWriter`."""

    reader: ConverseMedia
    carries_thinking: bool
    rules = CALL_RULES

    def text(self, words: str) -> Block:
        return {"text": words}

    def media(self, part: ContentPart) -> Block:
        return self.reader.block(part)

    def thinking(self, part: dict[str, Any]) -> Block | None:
        """Claude's own thoughts, which no other model can read."""
        block = thinking_block(part) if self.carries_thinking else None
        if block is None:
            return None
        if block["type"] == "redacted_thinking":
            return {"reasoningContent": {"redactedContent": block["data"]}}
        reasoning = {"text": block["thinking"], "signature": block["signature"]}
        return {"reasoningContent": {"reasoningText": reasoning}}

    def call(self, call: FunctionCall) -> Block:
        return {"toolUse": {"toolUseId": call.id, "name": call.name, "input": call.args}}

    def response(self, answer: FunctionResponse) -> Block:
        content: list[Block] = [{"json": answer.response}]
        for part in answer.media:
            block = self.media(part)
            if "audio" in block:  # botocore: ToolResultContentBlock has none
                raise invalid_argument("a function's response takes no audio", path=part.path)
            content.append(block)
        result: Block = {"toolUseId": answer.call_id, "content": content}
        if answer.response.get("error") is not None:
            result["status"] = "error"  # Gemini puts a failure of the function into `error`
        return {"toolResult": result}


def to_converse(
    request: dict[str, Any],
    *,
    model: str,
    path: str,
    warnings: Warnings,
    media_uri: MediaUri,
    end_rule: EndRule = require_users_end,
) -> dict[str, Any]:
    """Translate a normalised request (`normalise_generate`) that the client wrote at `path`.

    `model` is the batch's: the body does not name it, but some settings depend on it. Bytes are
    base64 text. `media_uri` gives the `s3://` URI of a file of this proxy. Raises INVALID_ARGUMENT
    with the JSON path of the first field that cannot be translated without a change of meaning.
    """
    require_model(request, model, path, "Bedrock")
    check_request_fields(request, path, warnings, "Bedrock")
    config_path = member(path, "generationConfig")
    options, thinking = to_converse_options(
        request.get("generationConfig", {}), config_path, warnings, model
    )
    tools = to_converse_tools(request, path, warnings, model=model, thinking=thinking)
    messages = to_converse_messages(
        request,
        family=model_family(model),
        path=path,
        warnings=warnings,
        media_uri=media_uri,
        end_rule=end_rule,
    )
    return messages | options | tools
