"""Gemini's contents and systemInstruction -> Anthropic's messages (translation.md section 1)."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

import orjson

from providers.anthropic.media_to_anthropic import (
    to_anthropic_file_media,
    to_anthropic_inline_media,
)
from providers.anthropic.thought_signatures import thinking_block
from providers.anthropic.tools_to_anthropic import CALL_RULES
from providers.errors import invalid_argument
from providers.gemini_content.carried_parts import CarriedPart, carried_part, nothing_left
from providers.gemini_content.function_calls import Answer, OpenCalls
from providers.gemini_content.json_path import item, member
from providers.gemini_content.media import FileIds
from providers.gemini_content.warnings import Warnings

_ROLES: Final = {"user": "user", "model": "assistant"}

Block = dict[str, Any]
Turn = tuple[int, dict[str, Any]]


def to_anthropic_messages(
    request: dict[str, Any], *, path: str, warnings: Warnings, file_ids: FileIds
) -> list[dict[str, Any]]:
    """Translate the conversation of the normalised request at `path`.

    Turns of one role that follow one another become one message. Raises INVALID_ARGUMENT for what
    Anthropic has no place for, for a function call without its answer in the next turn or the
    other way round, and for a conversation that the model begins or ends.
    """
    contents, contents_path = request["contents"], member(path, "contents")
    _require_users_turns(contents, contents_path)
    conversation = _Conversation(contents_path, warnings, file_ids)
    messages = []
    for role, turns in groupby(enumerate(contents), key=lambda turn: turn[1]["role"]):
        content = conversation.read(role, list(turns))
        messages.append({"role": _ROLES[role], "content": content})
    return messages


def to_anthropic_system(
    request: dict[str, Any], path: str, warnings: Warnings
) -> dict[str, list[Block]]:
    """`{"system": [...]}` of the normalised request at `path`, or `{}` if it has none."""
    if "systemInstruction" not in request:
        return {}
    system_path = member(path, "systemInstruction")
    texts: list[Block] = []
    for part in _parts(request["systemInstruction"], system_path, warnings):
        if part.field != "text":
            raise invalid_argument(
                "Anthropic takes only text in a system instruction", path=part.path
            )
        texts += _text(part, warnings)
    return {"system": _something(texts, system_path)}


def _require_users_turns(contents: list[dict[str, Any]], path: str) -> None:
    if contents[0]["role"] == "model":
        raise invalid_argument("Anthropic wants the user to begin", path=item(path, 0))
    if contents[-1]["role"] == "model":
        raise invalid_argument(
            "Anthropic does not continue a turn of the model's; the last one must be the user's",
            path=item(path, len(contents) - 1),
        )


class _Conversation:
    """Reads the turns in their order; between them, it knows which calls wait for an answer."""

    def __init__(self, path: str, warnings: Warnings, file_ids: FileIds) -> None:
        self._path = path
        self._warnings = warnings
        self._file_ids = file_ids
        self._calls = OpenCalls(CALL_RULES)

    def read(self, role: str, turns: list[Turn]) -> list[Block]:
        """The content of the message that `turns`, all of `role`, become."""
        if role == "model":
            return [block for turn in turns for block in self._model_turn(*turn)]
        answers: list[CarriedPart] = []
        said: list[Block] = []
        for index, content in turns:
            turn_path = item(self._path, index)
            parts = list(_parts(content, turn_path, self._warnings))
            answered = [part for part in parts if part.field == "functionResponse"]
            blocks = [block for part in parts for block in self._user_blocks(part)]
            _something([*answered, *blocks], turn_path)
            answers += answered
            said += blocks
        # Anthropic wants every call answered in the next turn, before anything that is said.
        results = [_tool_result(answer) for answer in self._calls.answer(answers)]
        self._calls.require_all_answered()
        return results + said

    def _model_turn(self, index: int, content: dict[str, Any]) -> list[Block]:
        turn_path = item(self._path, index)
        blocks: list[Block] = []
        number = 0
        for place, part in enumerate(content["parts"]):
            block, rest = _without_thinking(part)
            blocks += [block] if block else []
            part_path = item(member(turn_path, "parts"), place)
            carried = rest and carried_part(rest, part_path, self._warnings, "Anthropic")
            if not carried:
                continue
            if carried.field == "functionCall":
                call = self._calls.open(carried, index, number)
                called = {"type": "tool_use", "id": call.id, "name": call.name, "input": call.args}
                blocks.append(called)
                number += 1
            elif carried.field == "text":
                blocks += _text(carried, self._warnings)
            else:
                raise invalid_argument(
                    "Anthropic takes only text and function calls in a turn of the model's",
                    path=carried.path,
                )
        return _something(blocks, turn_path)

    def _user_blocks(self, part: CarriedPart) -> list[Block]:
        match part.field:
            case "text":
                return _text(part, self._warnings)
            case "inlineData":
                return [to_anthropic_inline_media(part.value, part.path, self._warnings)]
            case "fileData":
                return [
                    to_anthropic_file_media(part.value, part.path, self._warnings, self._file_ids)
                ]
            case "functionResponse":
                return []
            case _:
                raise invalid_argument("a turn of the user's cannot call functions", path=part.path)


def _parts(content: dict[str, Any], path: str, warnings: Warnings) -> Iterator[CarriedPart]:
    for place, part in enumerate(content["parts"]):
        part_path = item(member(path, "parts"), place)
        carried = carried_part(part, part_path, warnings, "Anthropic")
        if carried is not None:
            yield carried


def _without_thinking(part: dict[str, Any]) -> tuple[Block | None, dict[str, Any]]:
    """Claude's thinking that a part of the model's carries, and what is left of the part."""
    block = thinking_block(part)
    if block is None:
        return None, part
    gone = {"thoughtSignature"}
    if "thought" in part:
        gone |= {"thought", "text"}
    return block, {field: value for field, value in part.items() if field not in gone}


def _text(part: CarriedPart, warnings: Warnings) -> list[Block]:
    """A text block; none for a text of nothing but white space, which Anthropic refuses."""
    if part.value.strip():
        return [{"type": "text", "text": part.value}]
    if part.value:
        warnings.drop(part.path)
    return []


def _something(blocks: list[Any], turn_path: str) -> list[Any]:
    if not blocks:
        raise nothing_left(member(turn_path, "parts"), "Anthropic")
    return blocks


def _tool_result(answer: Answer) -> Block:
    result: Block = {
        "type": "tool_result",
        "tool_use_id": answer.call_id,
        "content": orjson.dumps(answer.response).decode(),
    }
    # Gemini's word for what went wrong in the function.
    return result | {"is_error": True} if answer.response.get("error") is not None else result
