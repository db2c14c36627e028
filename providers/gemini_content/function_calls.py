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
from providers.gemini_content.content_parts import ContentPart
from providers.gemini_content.json_path import member
from providers.gemini_content.refusal import refuse_fields

_NAME: Final = re.compile(r"[a-zA-Z0-9_-]+")

_REFUSED_IN_CALL: Final = {
    "partialArgs": "{} takes the arguments of a call whole",
    "willContinue": "{} takes the arguments of a call whole",
}
_REFUSED_IN_RESPONSE: Final = {
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
class FunctionCall:
    """A function call. `id` is the provider's; `client_id` the client's, if it gave one."""

    id: str
    client_id: str | None
    name: str
    args: dict[str, Any]
    path: str


@dataclass(frozen=True)
class FunctionResponse:
    call_id: str
    response: dict[str, Any]


class PendingCalls:
    """The calls of the last model turn that wait for their answers."""

    def __init__(self, rules: CallRules) -> None:
        self._rules = rules
        self._waiting: list[FunctionCall] = []
        self._ids: set[str] = set()

    def add(self, part: ContentPart, turn: int, number: int) -> FunctionCall:
        """The functionCall `part`, call `number` of the model turn with index `turn`."""
        self._refuse(_REFUSED_IN_CALL, part)
        name = self._rules.require_name(part.value, part.path)
        client_id = part.value.get("id")
        if client_id and any(call.client_id == client_id for call in self._waiting):
            raise invalid_argument("is the id of two calls", path=member(part.path, "id"))
        call_id = self._native_id(client_id, f"call_{turn}_{number}")
        call = FunctionCall(call_id, client_id, name, part.value.get("args", {}), part.path)
        self._waiting.append(call)
        return call

    def match(self, parts: list[ContentPart]) -> list[FunctionResponse]:
        """The functionResponse parts of one turn, in their order."""
        ids: dict[str, str] = {}
        # Answers that name their call by id go first: the order of the others is the order of
        # the calls that are left.
        for part in sorted(parts, key=lambda part: "id" not in part.value):
            ids[part.path] = self._match_one(part).id
        return [FunctionResponse(ids[part.path], part.value.get("response", {})) for part in parts]

    def require_all_answered(self) -> None:
        for call in self._waiting:
            raise invalid_argument("has no functionResponse in the next turn", path=call.path)

    def _native_id(self, client_id: str | None, generated: str) -> str:
        """The client's id if the provider accepts it; ids tie only within the request."""
        if client_id and self._rules.ids.fullmatch(client_id) and client_id not in self._ids:
            call_id = client_id
        else:
            call_id = generated
            while call_id in self._ids:
                call_id += "_"
        self._ids.add(call_id)
        return call_id

    def _refuse(self, reasons: Mapping[str, str], part: ContentPart) -> None:
        of_provider = {field: why.format(self._rules.provider) for field, why in reasons.items()}
        refuse_fields(part.value, of_provider, part.path)

    def _match_one(self, part: ContentPart) -> FunctionCall:
        self._refuse(_REFUSED_IN_RESPONSE, part)
        wanted_id, wanted_name = part.value.get("id"), part.value.get("name")
        for call in self._waiting:
            if call.client_id == wanted_id if wanted_id else call.name == wanted_name:
                if wanted_name not in (None, call.name):
                    raise invalid_argument(
                        f"the call with this id is of {call.name}", path=member(part.path, "name")
                    )
                self._waiting.remove(call)
                return call
        raise invalid_argument("answers no functionCall of the turn before", path=part.path)
