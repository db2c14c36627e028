"""Gemini's function calls matched with their answers.

Providers tie an answer to its call by an id, and want every call answered before the conversation
goes on. Gemini may leave the ids out and tie them by name and order, so they are made up here,
the same ones every time.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from providers.errors import invalid_argument
from providers.gemini_content.carried_parts import CarriedPart
from providers.gemini_content.json_path import member
from providers.gemini_content.refusal import refuse_fields

_NAME: Final = re.compile(r"[a-zA-Z0-9_-]+")

_PIECEWISE: Final = {
    "partialArgs": "{} takes the arguments of a call whole",
    "willContinue": "{} takes the arguments of a call whole",
}
_REFUSED: Final = {
    "parts": "{} is given no media in a function's answer",
    "willContinue": "{} takes one answer to a call",
    "scheduling": "{} waits for every answer",
}


@dataclass(frozen=True)
class CallRules:
    """What `provider` accepts: names of how many characters at most, and which ids."""

    provider: str
    longest_name: int
    ids: re.Pattern[str]

    def require_name(self, named: dict[str, Any], path: str) -> str:
        """The `name` of the object at `path`, if the provider accepts it as a function's."""
        name: str = named.get("name", "")
        if not _NAME.fullmatch(name) or len(name) > self.longest_name:
            raise invalid_argument(
                f"{self.provider} takes 1 to {self.longest_name} letters, digits, _ and - as a "
                "function's name",
                path=member(path, "name"),
            )
        return name


@dataclass(frozen=True)
class Call:
    """A function call. `id` is the provider's; `given` the client's, if it gave one."""

    id: str
    given: str | None
    name: str
    args: dict[str, Any]
    path: str


@dataclass(frozen=True)
class Answer:
    call_id: str
    response: dict[str, Any]


class OpenCalls:
    """The calls of the last model turn that wait for their answers."""

    def __init__(self, rules: CallRules) -> None:
        self._rules = rules
        self._waiting: list[Call] = []
        self._ids: set[str] = set()

    def open(self, part: CarriedPart, turn: int, number: int) -> Call:
        """The functionCall `part`, call `number` of the model turn with index `turn`."""
        self._refuse(_PIECEWISE, part)
        name = self._rules.require_name(part.value, part.path)
        given = part.value.get("id")
        if given and any(call.given == given for call in self._waiting):
            raise invalid_argument("is the id of two calls", path=member(part.path, "id"))
        call_id = self._id(given, f"call_{turn}_{number}")
        call = Call(call_id, given, name, part.value.get("args", {}), part.path)
        self._waiting.append(call)
        return call

    def answer(self, parts: list[CarriedPart]) -> list[Answer]:
        """The functionResponse parts of one turn, in their order."""
        ids: dict[str, str] = {}
        # Answers that name their call by id go first: the order of the others is the order of
        # the calls that are left.
        for part in sorted(parts, key=lambda part: "id" not in part.value):
            ids[part.path] = self._take(part).id
        return [Answer(ids[part.path], part.value.get("response", {})) for part in parts]

    def require_all_answered(self) -> None:
        for call in self._waiting:
            raise invalid_argument("has no functionResponse in the next turn", path=call.path)

    def _id(self, given: str | None, made_up: str) -> str:
        """The client's id if the provider accepts it; ids tie only within the request."""
        if given and self._rules.ids.fullmatch(given) and given not in self._ids:
            call_id = given
        else:
            call_id = made_up
            while call_id in self._ids:
                call_id += "_"
        self._ids.add(call_id)
        return call_id

    def _refuse(self, reasons: Mapping[str, str], part: CarriedPart) -> None:
        of_provider = {field: why.format(self._rules.provider) for field, why in reasons.items()}
        refuse_fields(part.value, of_provider, part.path)

    def _take(self, part: CarriedPart) -> Call:
        self._refuse(_REFUSED, part)
        wanted_id, wanted_name = part.value.get("id"), part.value.get("name")
        for call in self._waiting:
            if call.given == wanted_id if wanted_id else call.name == wanted_name:
                if wanted_name not in (None, call.name):
                    raise invalid_argument(
                        f"the call with this id is of {call.name}", path=member(part.path, "name")
                    )
                self._waiting.remove(call)
                return call
        raise invalid_argument("answers no functionCall of the turn before", path=part.path)
