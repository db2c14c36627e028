"""Reads the body of a refusal: servers with one API write their errors in several forms.

Most nest `{"error": {"message", "code", "type"}}`. Some write `error` as text, or the members at
the top, as vLLM does with `message` and FastAPI with `detail`. FastAPI lists what is wrong with a
request as `{"loc", "msg", "input"}`; `input` is a value of the client, so it is not shown. Google's
server with OpenAI's API puts the object into a list, and some refuse a stream with an event.
"""

from collections.abc import Set as AbstractSet
from typing import Any, Final

import orjson

from providers.json_api.answer_shape import http_status, object_or_nothing, text_or_none
from providers.json_api.json_text import parse_json, render_json

_MESSAGE_MEMBERS: Final = ("message", "error", "detail", "msg", "errors")
_CODE_MEMBERS: Final = ("code", "type")
_EVENT: Final = b"data:"
# What web servers write by themselves. The HTTP status says more.
_NO_REASON: Final = ("not found", "404 not found", "404 page not found")
# The limit for a message that is not a text in JSON; those are limited by what is read.
_JSON_SHOWN: Final = 2000
_PROBLEMS_SHOWN: Final = 10


def parse_refusal(data: bytes) -> dict[str, Any]:
    """The object in the body; empty if there is none. A plain text becomes its `message`."""
    text = data.strip()
    if text.startswith(_EVENT):
        text = text.removeprefix(_EVENT).splitlines()[0]
    try:
        value = parse_json(text)
    except orjson.JSONDecodeError:
        return _plain(text)
    return object_or_nothing(value[0] if isinstance(value, list) and value else value)


def _plain(text: bytes) -> dict[str, Any]:
    """A web page or bytes say nothing to a reader of the message."""
    try:
        said = " ".join(text.decode().split())
    except UnicodeDecodeError:
        return {}
    readable = said.isprintable() and not said.startswith(("<", "{", "["))
    if said.lower() in _NO_REASON:
        return {}
    return {"message": said[:_JSON_SHOWN]} if readable else {}


def message_of(body: object) -> str:
    """Why the call was refused; empty if the body does not say."""
    members = _members(body)
    said = (_as_text(members.get(name)) for name in _MESSAGE_MEMBERS)
    return next(filter(None, said), "")


def code_of(body: object) -> str:
    """The provider's own code of the error; empty if the body has none."""
    return next(iter(codes_of(body)), "")


def has_code(body: object, codes: AbstractSet[str]) -> bool:
    """Whether one of `codes` is the provider's code of the error, its type, or in its details."""
    details = object_or_nothing(_members(body).get("details"))
    return not codes.isdisjoint([*codes_of(body), text_or_none(details.get("error_code"))])


def codes_of(body: object) -> list[str]:
    """The provider's code of the error and its type, as far as the body has them."""
    members = _members(body)
    named = (text_or_none(members.get(name)) for name in _CODE_MEMBERS)
    return [code for code in named if code]


def status_in(body: object) -> int | None:
    """The HTTP status that some servers write as the code of an error inside a stream."""
    return http_status(_members(body).get("code"))


def _members(body: object) -> dict[str, Any]:
    document = object_or_nothing(body)
    return object_or_nothing(document.get("error")) or document


def _as_text(value: object) -> str:
    if isinstance(value, str) or not value:
        return value if isinstance(value, str) else ""
    if isinstance(value, dict) and value.keys() == {"detail"}:
        return _as_text(value["detail"])
    if isinstance(value, list) and all(map(_is_problem, value)):
        return "; ".join(map(_problem, value[:_PROBLEMS_SHOWN]))[:_JSON_SHOWN]
    try:
        return render_json(value).decode()[:_JSON_SHOWN]
    except orjson.JSONEncodeError:
        return ""


def _is_problem(entry: object) -> bool:
    problem = object_or_nothing(entry)
    return isinstance(problem.get("loc"), list) and isinstance(problem.get("msg"), str)


def _problem(entry: dict[str, Any]) -> str:
    place = ".".join(str(step) for step in entry["loc"] if isinstance(step, str | int))
    return f"{place}: {entry['msg']}" if place else str(entry["msg"])
