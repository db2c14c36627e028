"""Gemini's turns -> messages, for schemas in which messages of user and model must alternate.

Such a schema needs consecutive turns of one role as one message, no blank texts, and function
responses at the start of the next message. A `BlockWriter` writes the schema's content blocks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from providers.errors import invalid_argument
from providers.gemini_content.content_parts import (
    ContentPart,
    EndRule,
    carried_parts,
    content_part,
    require_content,
    require_users_end,
    without_thinking,
)
from providers.gemini_content.function_calls import (
    CallRules,
    FunctionCall,
    FunctionResponse,
    PendingCalls,
)
from providers.gemini_content.json_path import item, member
from providers.gemini_content.turns import PlacedPart, Turn, joined_turns, placed_parts
from providers.gemini_content.warnings import Warnings

Block: TypeAlias = dict[str, Any]


class BlockWriter(Protocol):
    """Writes the content blocks of one schema; `rules` name its provider and the calls it takes."""

    @property
    def rules(self) -> CallRules: ...

    def text(self, words: str, /) -> Block: ...

    def media(self, part: ContentPart, /) -> Block:
        """The block of an inlineData or fileData. Raises INVALID_ARGUMENT if there is none."""

    def thinking(self, part: dict[str, Any], /) -> Block | None:
        """The block of a part's thoughtSignature; None for a signature of another provider."""

    def call(self, call: FunctionCall, /) -> Block: ...

    def response(self, answer: FunctionResponse, /) -> Block: ...


@dataclass(frozen=True, slots=True)
class Message:
    """`role` is Gemini's; `path` is that of the first turn in the message."""

    role: str
    content: list[Block]
    path: str


def merged_turns(
    request: dict[str, Any],
    path: str,
    warnings: Warnings,
    writer: BlockWriter,
    end_rule: EndRule = require_users_end,
) -> Iterator[Message]:
    """The conversation of the normalised request at `path` as alternating messages.

    Raises INVALID_ARGUMENT for content that the schema cannot express, for a function call without
    a response in the next turn, for a response without a call, for a conversation that begins with
    the model's turn, and as `end_rule` does.
    """
    contents, contents_path = request["contents"], member(path, "contents")
    provider = writer.rules.provider
    if contents[0]["role"] == "model":
        raise invalid_argument(
            f"{provider} requires that the user begins", path=item(contents_path, 0)
        )
    end_rule(contents, contents_path, provider)
    conversation = _Conversation(warnings, writer)
    for turn in joined_turns(request, path, warnings):
        yield Message(turn.role, conversation.read(turn), turn.path)
    conversation.require_all_answered()


def system_texts(
    request: dict[str, Any], path: str, warnings: Warnings, writer: BlockWriter
) -> dict[str, list[Block]]:
    """`{"system": [...]}` of the normalised request at `path`, or `{}` if it says nothing."""
    if "systemInstruction" not in request:
        return {}
    system_path = member(path, "systemInstruction")
    provider = writer.rules.provider
    texts: list[Block] = []
    parts = placed_parts(request["systemInstruction"], system_path)
    for part in carried_parts(parts, warnings, provider):
        if part.field != "text":
            raise invalid_argument(
                f"{provider} takes only text in a system instruction", path=part.path
            )
        texts += _text(part, warnings, writer)
    return {"system": texts} if texts else {}


class _Conversation:
    """Reads the turns in order and remembers which calls have no response yet."""

    def __init__(self, warnings: Warnings, writer: BlockWriter) -> None:
        self._warnings = warnings
        self._writer = writer
        self._provider = writer.rules.provider
        self._calls = PendingCalls(writer.rules, warnings)

    def require_all_answered(self) -> None:
        self._calls.require_all_answered()

    def read(self, turn: Turn) -> list[Block]:
        """The content of the message that is made of `turn`."""
        read = self._model_turn if turn.role == "model" else self._user_turn
        return require_content(read(turn), turn.path, self._provider)

    def _user_turn(self, turn: Turn) -> list[Block]:
        parts = carried_parts(turn.parts, self._warnings, self._provider)
        said = [block for part in parts for block in self._user_blocks(part)]
        # Every call needs its response in the next message, before other content.
        answers = self._calls.match([part for part in parts if part.field == "functionResponse"])
        self._calls.require_all_answered()
        return [self._writer.response(answer) for answer in answers] + said

    def _model_turn(self, turn: Turn) -> list[Block]:
        """With its calls last: Claude would take a text after them for one of their responses.

        A thought stays before what the model did after it.
        """
        said: list[Block] = []
        called: list[Block] = []
        thoughts: list[Block] = []
        number = 0
        for part in turn.parts:
            block = self._writer.thinking(part.fields)
            rest = part.fields if block is None else without_thinking(part.fields)
            thoughts += [block] if block else []
            carried = rest and content_part(
                PlacedPart(rest, part.path), self._warnings, self._provider
            )
            if not carried:
                continue
            if carried.field == "functionCall":
                (called if called else said).extend(thoughts)
                called.append(self._writer.call(self._calls.add(carried, turn.index, number)))
                number += 1
            elif carried.field == "text":
                said += [*thoughts, *_text(carried, self._warnings, self._writer)]
            else:
                raise invalid_argument(
                    f"{self._provider} takes only text and function calls in a model's turn",
                    path=carried.path,
                )
            thoughts = []
        return [*said, *thoughts, *called]

    def _user_blocks(self, part: ContentPart) -> list[Block]:
        match part.field:
            case "text":
                return _text(part, self._warnings, self._writer)
            case "inlineData" | "fileData":
                return [self._writer.media(part)]
            case "functionResponse":
                return []
            case _:
                raise invalid_argument("a user's turn cannot call functions", path=part.path)


def _text(part: ContentPart, warnings: Warnings, writer: BlockWriter) -> list[Block]:
    """One text block, or none for white space alone, which these schemas refuse."""
    if part.value.strip():
        return [writer.text(part.value)]
    if part.value:
        warnings.drop(part.path)
    return []
