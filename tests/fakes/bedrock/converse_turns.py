"""The order of messages in a conversation and their allowed content.

botocore's documentation of Message and ContentBlock; translation.md section 1 (results of tools
come first and answer every use; thinking comes back as it was given).
"""

import re
from typing import Any

from ..anthropic.signatures import is_genuine
from ..shape import ShapeError
from .models import Model
from .sentences import ModelError

Block = dict[str, Any]
DOCUMENT_NAME = re.compile(r"[a-zA-Z0-9()\[\]-]+(?: [a-zA-Z0-9()\[\]-]+)*")
MOST_IMAGES, MOST_DOCUMENTS = 20, 5
OF_THE_USER = ("image", "document", "video", "audio", "toolResult", "guardContent", "searchResult")
OF_THE_ASSISTANT = ("toolUse", "reasoningContent", "citationsContent")
MEDIA = ("image", "document", "video", "audio")


def check_turns(messages: list[Block], model: Model, *, has_tools: bool) -> None:
    """Raises ShapeError, ModelError."""
    if messages[0]["role"] != "user":
        raise ShapeError(
            "value", "messages[0].role", "A conversation must start with a user message"
        )
    used: list[str] = []
    for index, message in enumerate(messages):
        path = f"messages[{index}]"
        _check_role(messages, index, path)
        blocks = message["content"]
        if not blocks:
            raise ShapeError("value", f"{path}.content", "The content is empty.")
        for position, block in enumerate(blocks):
            _check_block(block, message["role"], model, f"{path}.content[{position}]")
        _check_counts(blocks, path)
        _check_calls(blocks, model, path)
        if message["role"] == "user":
            _check_results(blocks, used, path)
        used = [block["toolUse"]["toolUseId"] for block in blocks if "toolUse" in block]
        if not has_tools and any("toolUse" in b or "toolResult" in b for b in blocks):
            raise ModelError(
                "The toolConfig field must be defined when using toolUse and toolResult blocks."
            )
    _check_end(messages[-1], used, model)


def _check_role(messages: list[Block], index: int, path: str) -> None:
    role = messages[index]["role"]
    if role == "system":
        raise ModelError("This model does not take messages of the role system.")
    if index and messages[index - 1]["role"] == role:
        raise ShapeError(
            "value", f"{path}.role", "Roles must alternate between user and assistant."
        )


def _check_block(block: Block, role: str, model: Model, path: str) -> None:
    [kind] = block
    if kind in (OF_THE_ASSISTANT if role == "user" else OF_THE_USER):
        raise ShapeError("value", f"{path}.{kind}", f"not permitted in a message of the {role}")
    if kind in MEDIA and kind not in model.media:
        raise ModelError(f"This model doesn't support the {kind} content block.")
    if kind == "text" and not block["text"].strip():
        raise ShapeError("value", f"{path}.text", "The text field is blank.")
    if kind == "document" and not DOCUMENT_NAME.fullmatch(block["document"]["name"]):
        message = "only letters, digits, single spaces, hyphens, parentheses, square brackets"
        raise ShapeError("value", f"{path}.document.name", message)
    if kind == "reasoningContent":
        _check_thought(block["reasoningContent"], model, path)


def _check_thought(content: Block, model: Model, path: str) -> None:
    if model.claude is None:
        return
    if "redactedContent" in content:
        thought = {"type": "redacted_thinking", "data": content["redactedContent"]}
    else:
        given = content["reasoningText"]
        signature = given.get("signature", "")
        thought = {"type": "thinking", "thinking": given["text"], "signature": signature}
    if not is_genuine(thought):
        raise ShapeError("value", path, "Invalid `signature` in the reasoning content")


def _check_counts(blocks: list[Block], path: str) -> None:
    documents = sum("document" in block for block in blocks)
    if sum("image" in block for block in blocks) > MOST_IMAGES or documents > MOST_DOCUMENTS:
        raise ShapeError("value", f"{path}.content", "too many images or documents")
    if documents and not any("text" in block for block in blocks):
        raise ShapeError("value", f"{path}.content", "a document must come with a text")


def _check_calls(blocks: list[Block], model: Model, path: str) -> None:
    """Claude takes no text between a call and its result in the next turn."""
    kinds = [kind for block in blocks for kind in block]
    if model.claude and "toolUse" in kinds and "text" in kinds[kinds.index("toolUse") :]:
        message = "`tool_use` ids were found without `tool_result` blocks immediately after"
        raise ShapeError("value", f"{path}.content", message)


def _check_results(blocks: list[Block], used: list[str], path: str) -> None:
    positions = [position for position, block in enumerate(blocks) if "toolResult" in block]
    answered = [blocks[position]["toolResult"]["toolUseId"] for position in positions]
    if positions != list(range(len(positions))):
        raise ShapeError("value", f"{path}.content", "toolResult blocks must come first")
    if sorted(answered) != sorted(used):
        message = f"Expected toolResult blocks for the toolUseIds {used}, got {answered}"
        raise ShapeError("value", f"{path}.content", message)


def _check_end(message: Block, used: list[str], model: Model) -> None:
    if used:
        raise ShapeError("value", "messages", "The last toolUse blocks have no toolResult.")
    if message["role"] == "assistant" and model.claude and not model.claude.prefills:
        raise ModelError("This model does not support assistant message prefill.")
    if message["role"] == "assistant" and "text" in message["content"][-1]:
        text = message["content"][-1]["text"]
        if text != text.rstrip():
            raise ModelError("final assistant content cannot end with trailing whitespace")
