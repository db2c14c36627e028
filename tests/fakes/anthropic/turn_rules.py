"""Checks the order of turns, and the files that they name.

translation.md section 1: consecutive turns of one role are merged; the first is the user's;
results of tools come first in the turn after their uses, all of them.
"""

from collections.abc import Callable, Iterator
from typing import Any

from ..shape import ShapeError
from .content_blocks import DOCUMENT_TYPES, IMAGE_TYPES
from .dialect import FILES_BETA, NEW, Dialect
from .models import Model
from .signatures import is_genuine

Turn = dict[str, Any]


def _wrong(path: str, why: str) -> ShapeError:
    return ShapeError("value", path, why)


def merge_turns(messages: list[Turn]) -> list[Turn]:
    """Consecutive turns of one role as one, each with a list of blocks."""
    merged: list[Turn] = []
    for message in messages:
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        if merged and merged[-1]["role"] == message["role"]:
            merged[-1]["content"] = merged[-1]["content"] + blocks
        else:
            merged.append({"role": message["role"], "content": blocks})
    return merged


def check_turns(asked: dict[str, Any], model: Model, dialect: Dialect) -> None:
    """Raises ShapeError, with paths into the merged turns."""
    turns: list[Turn] = asked["messages"]
    if turns[0]["role"] != "user":
        raise _wrong("messages[0].role", "the first message must be the user's")
    used: set[str] = set()
    expected: list[str] = []
    path = ""
    for index, turn in enumerate(turns):
        path = f"messages[{index}]"
        if turn["role"] == "user":
            _check_results(turn["content"], expected, path)
            if dialect.version == NEW:
                _check_citations(turn["content"], path)
            expected = []
        else:
            _check_thoughts(turn["content"], path)
            expected = _tool_uses(turn["content"], used, path)
    if expected:
        raise _wrong(path, f"`tool_use` ids without `tool_result`: {', '.join(expected)}")
    if turns[-1]["role"] == "assistant":
        _check_prefill(asked, turns[-1]["content"], model, path)
    elif asked.get("thinking", {}).get("type") == "enabled":
        check_kept_thought([turn["content"] for turn in turns], "tool_result")


def _tool_uses(blocks: list[Turn], used: set[str], path: str) -> list[str]:
    ids = [block["id"] for block in blocks if block["type"] == "tool_use"]
    kinds = [block["type"] for block in blocks]
    if ids and "text" in kinds[kinds.index("tool_use") :]:
        raise _wrong(path, f"`tool_use` ids without `tool_result` immediately after: {ids[0]}")
    if len(set(ids)) != len(ids) or used & set(ids):
        raise _wrong(path, "`tool_use` ids must be unique")
    used |= set(ids)
    return ids


def _check_results(blocks: list[Turn], expected: list[str], path: str) -> None:
    answered: list[str] = []
    for index, block in enumerate(blocks):
        if block["type"] != "tool_result":
            continue
        inner, native_id = f"{path}.content[{index}]", block["tool_use_id"]
        if len(answered) != index:
            raise _wrong(inner, "`tool_result` blocks must come first in their turn")
        if native_id not in expected or native_id in answered:
            raise _wrong(inner, f"unexpected `tool_use_id`: {native_id}")
        answered.append(native_id)
    missing = [native_id for native_id in expected if native_id not in answered]
    if missing:
        raise _wrong(path, f"`tool_use` ids without `tool_result`: {', '.join(missing)}")


def _check_citations(blocks: list[Turn], path: str) -> None:
    for index, block in enumerate(blocks):
        if block["type"] == "text" and block.get("citations"):
            raise _wrong(f"{path}.content[{index}].citations", "not permitted in a user message")


def _check_thoughts(blocks: list[Turn], path: str) -> None:
    for index, block in enumerate(blocks):
        if block["type"] in ("thinking", "redacted_thinking") and not is_genuine(block):
            raise _wrong(f"{path}.content[{index}]", f"Invalid `signature` in `{block['type']}`")


def check_kept_thought(turns: list[list[Turn]], result: str) -> None:
    """The thought of a turn that called tools must come back with their results.

    That is so where `thinking` has a budget: adaptive thinking needs no thought in any turn.
    """
    if not any(result in (block.get("type"), *block) for block in turns[-1]):
        return
    first = turns[-2][0]
    if not {"thinking", "redacted_thinking", "reasoningContent"} & {first.get("type"), *first}:
        raise _wrong(
            f"messages[{len(turns) - 2}].content[0]",
            "Expected `thinking` or `redacted_thinking`. When `thinking` is enabled, a final "
            "`assistant` message must start with a thinking block (preceding the last set of "
            "`tool_use` and `tool_result` blocks).",
        )


def _check_prefill(asked: dict[str, Any], blocks: list[Turn], model: Model, path: str) -> None:
    if not model.prefills:
        raise _wrong(path, "This model does not support assistant message prefill.")
    if asked.get("thinking", {}).get("type") in ("enabled", "adaptive"):
        raise _wrong(path, "a final assistant message is not permitted with thinking")
    text = blocks[-1].get("text", "")
    if text != text.rstrip():
        raise _wrong(path, "final assistant content cannot end with trailing whitespace")


def check_sources(turns: list[Turn], dialect: Dialect, media_type: Callable[[str], str]) -> None:
    """Require that every named file exists and has a type that its block takes."""
    for block in _media([block for turn in turns for block in turn["content"]]):
        source = block["source"]
        if source["type"] == "base64" and block["type"] == "image":
            _check_image(source)
        if source["type"] != "file":
            continue
        if not dialect.takes_files:
            raise _wrong("messages", f"sources of type `file` need anthropic-beta: {FILES_BETA}")
        wanted = IMAGE_TYPES if block["type"] == "image" else DOCUMENT_TYPES
        found = media_type(source["file_id"])
        if found not in wanted:
            raise _wrong("messages", f"a file of type {found} cannot be a block of {block['type']}")


def _check_image(source: Turn) -> None:
    starts = {"iVBORw0KGgo": "image/png", "/9j/": "image/jpeg", "R0lGOD": "image/gif"}
    for start, kind in starts.items():
        if source["data"].startswith(start) and source["media_type"] != kind:
            given = source["media_type"]
            raise _wrong("messages", f"Image does not match the provided media type {given}")


def _media(blocks: Any) -> Iterator[Turn]:
    """The images and documents among the blocks, and in the results and documents there."""
    for block in blocks if isinstance(blocks, list) else ():
        if block["type"] in ("image", "document"):
            yield block
            yield from _media(block["source"].get("content"))
        elif block["type"] == "tool_result":
            yield from _media(block.get("content"))
