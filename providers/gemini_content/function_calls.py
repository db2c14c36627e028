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
from providers.gemini_content.warnings import Warnings

_NAME: Final = re.compile(r"[a-zA-Z0-9_-]+")
_NO_NAME: Final = re.compile(r"[^a-zA-Z0-9_-]")

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

    def called_name(self, call: dict[str, Any], path: str, warnings: Warnings) -> str:
        """The name in a call of the conversation; what the provider refuses in it is replaced.

        Models call functions that were never declared, with any name. The program answers that
        there is none, and the conversation goes on (bedrock.md section 4).
        """
        name = _NO_NAME.sub("_", call.get("name", ""))[: self.longest_name]
        if name and name != call["name"]:
            warnings.drop(member(path, "name"))
            return name
        return self.require_name(call, path)


@dataclass(frozen=True)
class FunctionCall:
    """`id` and `name` go to the provider.

    `client_name` is the name in the client's request, and `client_id` the id, if it has one.
    """

    id: str
    client_id: str | None
    name: str
    client_name: str
    args: dict[str, Any]
    path: str


@dataclass(frozen=True)
class FunctionResponse:
    call_id: str
    response: dict[str, Any]
    media: list[ContentPart]


class PendingCalls:
    """The calls of the last model turn that have no response yet."""

    def __init__(self, rules: CallRules, warnings: Warnings) -> None:
        self._rules = rules
        self._warnings = warnings
        self._waiting: list[FunctionCall] = []
        self._ids: set[str] = set()

    def add(self, part: ContentPart, turn: int, number: int) -> FunctionCall:
        """Read the functionCall `part`, call `number` of the model turn with index `turn`."""
        refuse_fields(part.value, _REFUSED_IN_CALL, part.path, self._rules.provider)
        name = self._rules.called_name(part.value, part.path, self._warnings)
        client_name: str = part.value["name"]
        client_id, args = part.value.get("id"), part.value.get("args", {})
        for call in self._waiting if client_id else ():
            if call.client_id == client_id:
                if (call.client_name, call.args) != (client_name, args):
                    raise invalid_argument(
                        "is the id of another call too", path=member(part.path, "id")
                    )
                # @google/generative-ai writes the last of the calls that it read in one chunk of
                # a stream in the place of each, and matches responses by their order.
                client_id = None
                break
        call_id = self._native_id(client_id, turn, number)
        call = FunctionCall(call_id, client_id, name, client_name, args, part.path)
        self._waiting.append(call)
        return call

    def match(self, parts: list[ContentPart]) -> list[FunctionResponse]:
        """Match the functionResponse parts of one turn; the result is in their order."""
        if not parts:
            return []
        ids: dict[str, str] = {}
        known = {call.client_id for call in self._waiting if call.client_id}
        # Responses with a call's id are matched first. The others match the remaining calls in
        # order: programs that make ids for calls that had none give them in responses only.
        for part in sorted(parts, key=lambda part: part.value.get("id") not in known):
            find = self._by_id if part.value.get("id") in known else self._by_name
            ids[part.path] = self._match_one(part, find(part)).id
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

    def _match_one(self, part: ContentPart, call: FunctionCall | None) -> FunctionCall:
        refuse_fields(part.value, _REFUSED_IN_RESPONSE, part.path, self._rules.provider)
        if not self._rules.media:
            refuse_fields(part.value, _NO_MEDIA, part.path, self._rules.provider)
        if call is None:
            raise invalid_argument("matches no functionCall of the previous turn", path=part.path)
        self._waiting.remove(call)
        return call

    def _by_id(self, part: ContentPart) -> FunctionCall | None:
        wanted, name = part.value["id"], part.value.get("name")
        found = next((call for call in self._waiting if call.client_id == wanted), None)
        if found is not None and name and name != found.client_name:
            raise invalid_argument(
                f"the call with this id calls {found.client_name}", path=member(part.path, "name")
            )
        return found

    def _by_name(self, part: ContentPart) -> FunctionCall | None:
        """The first call with the name; for a response with an id, the first that has no id."""
        has_id, name = bool(part.value.get("id")), part.value.get("name")
        return next(
            (
                call
                for call in self._waiting
                if call.client_name == name and not (has_id and call.client_id)
            ),
            None,
        )


def _media(answer: ContentPart) -> list[ContentPart]:
    """The media in the functionResponse `answer`. Files are not looked up in this place."""
    media: list[ContentPart] = []
    for index, part in enumerate(answer.value.get("parts", ())):
        path = item(member(answer.path, "parts"), index)
        if part.keys() != {"inlineData"}:
            raise invalid_argument("must have inlineData alone", path=path)
        media.append(ContentPart("inlineData", part["inlineData"], member(path, "inlineData")))
    return media
