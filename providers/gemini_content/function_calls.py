"""Matches Gemini's function calls with their responses.

Other providers match them by id, and require a response to every call before the conversation
continues. Gemini may leave the ids out and match by name and order, so ids are generated here.
The same request always gets the same ids.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from providers.errors import invalid_argument
from providers.gemini_content.content_parts import ContentPart
from providers.gemini_content.json_path import item, member
from providers.gemini_content.unsupported import refuse_fields

_NAME: Final = re.compile(r"[a-zA-Z0-9_-]+")

_REFUSED_IN_CALL: Final = {
    "partialArgs": "{} takes the arguments of a call in one piece",
    "willContinue": "{} takes the arguments of a call in one piece",
}
_NO_MEDIA: Final = {
    "parts": "{} takes no media in a function's response; give them in a later turn of the user"
}
_REFUSED_IN_RESPONSE: Final = {
    "willContinue": "{} takes one response to a call",
    "scheduling": "{} waits for every response",
}


def call_id(turn: int, number: int, attempt: int) -> str:
    return f"call_{turn}_{number}" + "_" * attempt


@dataclass(frozen=True)
class CallRules:
    """What `provider` accepts: the longest function name, and the form of call ids.

    `make_id` makes an id for call `number` of the turn with index `turn`; with a higher `attempt`
    another one, if an id of the client is the same. `media`: whether a response may have them.
    """

    provider: str
    longest_name: int
    ids: re.Pattern[str]
    make_id: Callable[[int, int, int], str] = call_id
    media: bool = False

    def require_name(self, named: dict[str, Any], path: str) -> str:
        """The `name` of the object at `path`, checked as a function's name."""
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
    """`id` goes to the provider; `client_id` is the id in the client's request, if it has one."""

    id: str
    client_id: str | None
    name: str
    args: dict[str, Any]
    path: str


@dataclass(frozen=True)
class FunctionResponse:
    call_id: str
    response: dict[str, Any]
    media: list[ContentPart]


class PendingCalls:
    """The calls of the last model turn that have no response yet."""

    def __init__(self, rules: CallRules) -> None:
        self._rules = rules
        self._waiting: list[FunctionCall] = []
        self._ids: set[str] = set()

    def add(self, part: ContentPart, turn: int, number: int) -> FunctionCall:
        """Read the functionCall `part`, call `number` of the model turn with index `turn`."""
        refuse_fields(part.value, _REFUSED_IN_CALL, part.path, self._rules.provider)
        name = self._rules.require_name(part.value, part.path)
        client_id, args = part.value.get("id"), part.value.get("args", {})
        for call in self._waiting if client_id else ():
            if call.client_id == client_id:
                if (call.name, call.args) != (name, args):
                    raise invalid_argument(
                        "is the id of another call too", path=member(part.path, "id")
                    )
                # @google/generative-ai writes the last of the calls that it read in one chunk of
                # a stream in the place of each, and matches responses by their order.
                client_id = None
                break
        call_id = self._native_id(client_id, turn, number)
        call = FunctionCall(call_id, client_id, name, args, part.path)
        self._waiting.append(call)
        return call

    def match(self, parts: list[ContentPart]) -> list[FunctionResponse]:
        """Match the functionResponse parts of one turn; the result is in their order."""
        ids: dict[str, str] = {}
        # Responses with an id are matched first. The others match the remaining calls in order.
        for part in sorted(parts, key=lambda part: "id" not in part.value):
            ids[part.path] = self._match_one(part).id
        return [
            FunctionResponse(ids[part.path], part.value.get("response", {}), _media(part))
            for part in parts
        ]

    def require_all_answered(self) -> None:
        for call in self._waiting:
            raise invalid_argument("has no functionResponse in the next turn", path=call.path)

    def _native_id(self, client_id: str | None, turn: int, number: int) -> str:
        """The client's id if the provider accepts it, else a made one. Unique in the request."""
        if client_id and self._rules.ids.fullmatch(client_id) and client_id not in self._ids:
            native_id = client_id
        else:
            made = (self._rules.make_id(turn, number, attempt) for attempt in count())
            native_id = next(each for each in made if each not in self._ids)
        self._ids.add(native_id)
        return native_id

    def _match_one(self, part: ContentPart) -> FunctionCall:
        refuse_fields(part.value, _REFUSED_IN_RESPONSE, part.path, self._rules.provider)
        if not self._rules.media:
            refuse_fields(part.value, _NO_MEDIA, part.path, self._rules.provider)
        wanted_id, wanted_name = part.value.get("id"), part.value.get("name")
        for call in self._waiting:
            if call.client_id == wanted_id if wanted_id else call.name == wanted_name:
                if wanted_name not in (None, call.name):
                    raise invalid_argument(
                        f"the call with this id calls {call.name}", path=member(part.path, "name")
                    )
                self._waiting.remove(call)
                return call
        raise invalid_argument("matches no functionCall of the previous turn", path=part.path)


def _media(answer: ContentPart) -> list[ContentPart]:
    """The media in the functionResponse `answer`. Files are not looked up in this place."""
    media: list[ContentPart] = []
    for index, part in enumerate(answer.value.get("parts", ())):
        path = item(member(answer.path, "parts"), index)
        if part.keys() != {"inlineData"}:
            raise invalid_argument("must have inlineData alone", path=path)
        media.append(ContentPart("inlineData", part["inlineData"], member(path, "inlineData")))
    return media
