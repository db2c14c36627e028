"""Gemini's function calls and their answers -> OpenAI's tool calls and tool messages.

OpenAI ties an answer to its call by an id, and wants every call answered before the conversation
goes on. Gemini may leave the ids out and tie them by name and order, so they are made up here,
the same ones every time.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

import orjson

from providers.errors import invalid_argument
from providers.gemini_content.json_path import member
from providers.gemini_content.refusal import refuse_fields
from providers.openai.parts_to_openai import CarriedPart

_FUNCTION_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}\Z")

_REFUSED: Final = {
    "parts": "OpenAI takes no media in a function's answer",
    "willContinue": "OpenAI takes one answer to a call",
    "scheduling": "OpenAI waits for every answer",
}


@dataclass(frozen=True)
class _Call:
    id: str
    name: str
    path: str


class OpenCalls:
    """The calls of the last model turn that wait for their answers."""

    def __init__(self) -> None:
        self._waiting: list[_Call] = []

    def open(self, parts: list[CarriedPart], turn: int) -> list[dict[str, Any]]:
        """The `tool_calls` for the functionCall parts of the model turn with index `turn`."""
        for number, part in enumerate(parts):
            name = require_function_name(part.value, part.path)
            call_id = part.value.get("id") or f"call_{turn}_{number}"
            if any(call.id == call_id for call in self._waiting):
                raise invalid_argument("is the id of two calls", path=member(part.path, "id"))
            self._waiting.append(_Call(call_id, name, part.path))
        return [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": _json(part.value.get("args", {}))},
            }
            for call, part in zip(self._waiting, parts, strict=True)
        ]

    def answer(self, parts: list[CarriedPart]) -> list[dict[str, Any]]:
        """The tool messages for the functionResponse parts of one turn."""
        ids: dict[str, str] = {}
        # Answers that name their call by id go first: the order of the others is the order of
        # the calls that are left.
        for part in sorted(parts, key=lambda part: "id" not in part.value):
            ids[part.path] = self._take(part).id
        return [
            {
                "role": "tool",
                "tool_call_id": ids[part.path],
                "content": _json(part.value.get("response", {})),
            }
            for part in parts
        ]

    def require_all_answered(self) -> None:
        for call in self._waiting:
            raise invalid_argument("has no functionResponse in the next turn", path=call.path)

    def _take(self, part: CarriedPart) -> _Call:
        refuse_fields(part.value, _REFUSED, part.path)
        wanted_id, wanted_name = part.value.get("id"), part.value.get("name")
        for call in self._waiting:
            if call.id == wanted_id if wanted_id else call.name == wanted_name:
                if wanted_name not in (None, call.name):
                    raise invalid_argument(
                        f"the call with this id is of {call.name}", path=member(part.path, "name")
                    )
                self._waiting.remove(call)
                return call
        raise invalid_argument("answers no functionCall of the turn before", path=part.path)


def require_function_name(named: dict[str, Any], path: str) -> str:
    """The `name` of the object at `path`, if OpenAI accepts it as a function's."""
    name: str = named.get("name", "")
    if not _FUNCTION_NAME.match(name):
        raise invalid_argument(
            "OpenAI takes 1 to 64 letters, digits, _ and - as a function's name",
            path=member(path, "name"),
        )
    return name


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
