"""The chat-completions request as one table, and the rules for the order of messages.

The names and types are those of the package mistralai 3.7.0, the rules for messages those of
Mistral's package mistral-common (mistral.md section 4).
"""

import re
from itertools import pairwise
from typing import Any

import orjson

from ..shape import (
    Anything,
    Either,
    Flag,
    Nullable,
    Number,
    Record,
    Sequence,
    Shape,
    ShapeError,
    Table,
    Tagged,
    Text,
)

ANY = Anything()
NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
CALL_ID = re.compile(r"[a-zA-Z0-9]{9}")
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
# Of one byte or more.
BASE64 = r"(?=.)(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"
ADDRESS = rf"https?://\S+|data:[\w.+-]+/[\w.+-]+;base64,{BASE64}"
UUID_TEXT = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"

TEXT = Record({"text": Text()}, required=("text",))
REFERENCES = Sequence(Either((Text(), Number(whole=True))))
REFERENCE = Record({"reference_ids": REFERENCES}, required=("reference_ids",))
THINKING = Record(
    {
        "thinking": Sequence(Tagged("type", {"text": TEXT, "reference": REFERENCE})),
        "signature": Nullable(Text()),
        "closed": Flag(),
    },
    required=("thinking",),
)
IMAGE = Record(
    {"url": Text(pattern=ADDRESS), "detail": Nullable(Text(choices=["low", "auto", "high"]))},
    required=("url",),
)
CHUNKS = {
    "text": TEXT,
    "reference": REFERENCE,
    "thinking": THINKING,
    "image_url": Record(
        {"image_url": Either((Text(pattern=ADDRESS), IMAGE))}, required=("image_url",)
    ),
    "document_url": Record(
        {"document_url": Text(pattern=ADDRESS), "document_name": Nullable(Text())},
        required=("document_url",),
    ),
    "file": Record({"file_id": Text(pattern=UUID_TEXT)}, required=("file_id",)),
    "input_audio": Record(
        {"input_audio": Text(pattern=rf"{ADDRESS}|{BASE64}")}, required=("input_audio",)
    ),
}


def _content(*kinds: str) -> Shape:
    chunk = Tagged("type", {kind: CHUNKS[kind] for kind in kinds})
    return Either((Text(), Sequence(chunk, low=1)))


CALL = Record(
    {"name": Text(), "arguments": Either((Text(), Table(ANY)))}, required=("name", "arguments")
)
TOOL_CALL = Record(
    {
        "id": Text(),
        "type": Text(choices=["function"]),
        "function": CALL,
        "index": Number(low=0, whole=True),
    },
    required=("function",),
)
MESSAGE = Tagged(
    "role",
    {
        "system": Record({"content": _content("text", "thinking")}, required=("content",)),
        "user": Record({"content": Nullable(_content(*CHUNKS))}, required=("content",)),
        "assistant": Record(
            {
                "content": Nullable(_content(*CHUNKS)),
                "tool_calls": Nullable(Sequence(TOOL_CALL)),
                "prefix": Flag(),
            }
        ),
        "tool": Record(
            {
                "content": Nullable(_content(*CHUNKS)),
                "tool_call_id": Nullable(Text()),
                "name": Nullable(Text()),
            },
            required=("content",),
        ),
    },
)
FUNCTION = Record(
    {"name": Text(), "description": Text(), "parameters": Table(ANY), "strict": Flag()},
    required=("name", "parameters"),
)
FUNCTION_TYPE = Text(choices=["function"])
TOOL = Record({"type": FUNCTION_TYPE, "function": FUNCTION}, required=("type", "function"))
NAMED = Record({"name": Text()}, required=("name",))
TOOL_CHOICE = Either(
    (
        Text(choices=["auto", "none", "any", "required"]),
        Record({"type": FUNCTION_TYPE, "function": NAMED}, required=("type", "function")),
    )
)
JSON_SCHEMA = Record(
    {
        "name": Text(low=1),
        "schema": Table(ANY),
        "description": Nullable(Text()),
        "strict": Flag(),
    },
    required=("name", "schema"),
)
RESPONSE_FORMAT = Tagged(
    "type",
    {
        "text": Record({}),
        "json_object": Record({}),
        "json_schema": Record({"json_schema": JSON_SCHEMA}, required=("json_schema",)),
    },
)
COUNT = Nullable(Number(low=0, whole=True))
POSITIVE = Nullable(Number(low=1, whole=True))
PENALTY = Nullable(Number(low=-2, high=2))
# Unverified: the limits of the numbers, which the package does not publish.
CHAT = Record(
    {
        "model": Text(low=1),
        "messages": Sequence(MESSAGE, low=1),
        "temperature": Nullable(Number(low=0, high=1.5)),
        "top_p": Nullable(Number(low=0, high=1)),
        "max_tokens": POSITIVE,
        "min_tokens": COUNT,
        "stream": Flag(),
        "stop": Nullable(Either((Text(low=1), Sequence(Text(low=1), low=1)))),
        "random_seed": COUNT,
        "metadata": Nullable(Table(ANY)),
        "response_format": RESPONSE_FORMAT,
        "tools": Nullable(Sequence(TOOL, low=1)),
        "tool_choice": TOOL_CHOICE,
        "presence_penalty": PENALTY,
        "frequency_penalty": PENALTY,
        "repetition_penalty": Nullable(Number(low=0)),
        "top_k": POSITIVE,
        "logprobs": Nullable(Flag()),
        "top_logprobs": COUNT,
        "prompt_logprobs": Nullable(Flag()),
        "top_prompt_logprobs": COUNT,
        "n": POSITIVE,
        "prediction": Record({"type": Text(choices=["content"]), "content": Text()}),
        "parallel_tool_calls": Flag(),
        "reasoning_effort": Nullable(Text(choices=EFFORTS)),
        "prompt_mode": Nullable(Text(choices=["reasoning"])),
        "guardrails": Nullable(Sequence(Table(ANY))),
        "prompt_cache_key": Nullable(Text()),
        "service_tier": Nullable(Text(choices=["auto", "standard_only"])),
        "safe_prompt": Flag(),
    },
    required=("model", "messages"),
)
# Which roles may follow a role.
FOLLOWERS = {
    "system": {"user", "assistant", "system"},
    "user": {"assistant", "system", "user"},
    "assistant": {"assistant", "user", "tool"},
    "tool": {"assistant", "tool"},
}
ORDER, FUNCTION_CALL = ("invalid_request_message_order", "3230"), ("invalid_function_call", "3280")


class BrokenRule(Exception):
    """A request of the right shape that is refused with 400."""

    def __init__(self, message: str, kind: str = "invalid_request_error", code: str | None = None):
        super().__init__(message)
        self.message, self.kind, self.code = message, kind, code


def parse_chat(body: Any) -> dict[str, Any]:
    """The unchanged body; raises ShapeError for what is answered with 422, and BrokenRule."""
    try:
        chat = CHAT.parse(body)
    except ShapeError as error:
        raise _with_role(error, body) from None
    _check_order(chat["messages"])
    _check_calls(chat["messages"])
    _check_tools(chat)
    _check_format(chat)
    return chat


def _with_role(error: ShapeError, body: dict[str, Any]) -> ShapeError:
    """Mistral writes a message's role after its number."""
    inside = re.fullmatch(r"messages\[(\d+)\](?!\.role$)(.+)", error.path)
    if inside is None:
        return error
    number, rest = inside.groups()
    path = f"messages[{number}].{body['messages'][int(number)]['role']}{rest}"
    return ShapeError(error.problem, path, error.message)


def _check_order(messages: list[dict[str, Any]]) -> None:
    roles = [message["role"] for message in messages]
    if len(roles) == 1 and roles[0] not in ("user", "system"):
        raise BrokenRule("Conversation must start with a user message or system message", *ORDER)
    for before, role in pairwise(roles):
        if role not in FOLLOWERS[before]:
            raise BrokenRule(f"Unexpected role '{role}' after role '{before}'", *ORDER)
    if len(roles) > 1 and roles[-1] not in ("user", "tool") and not messages[-1].get("prefix"):
        wanted = "Expected last role User or Tool (or Assistant with prefix True) for serving"
        raise BrokenRule(f"{wanted} but got {roles[-1]}", *ORDER)
    if any(message.get("prefix") for message in messages[:-1]):
        raise BrokenRule("Assistant message with prefix True must be last message")


def _check_calls(messages: list[dict[str, Any]]) -> None:
    """Each call is answered once, before the next message of the assistant or user."""
    open_calls: set[str] = set()
    for message in messages:
        if message["role"] == "tool":
            if message.get("name") is not None:
                _check_name(message["name"])
            call_id = _checked_id(message.get("tool_call_id"))
            if call_id not in open_calls:
                raise BrokenRule(f"Unexpected tool call id {call_id} in tool results", *ORDER)
            open_calls.remove(call_id)
            continue
        if open_calls:
            raise BrokenRule("Not the same number of function calls and responses", *ORDER)
        if message["role"] == "assistant":
            open_calls = _called_ids(message)
    if open_calls:
        raise BrokenRule("Not the same number of function calls and responses", *ORDER)


def _called_ids(message: dict[str, Any]) -> set[str]:
    calls = message.get("tool_calls") or []
    if not calls and not message.get("content"):
        raise BrokenRule("Assistant message must have either content or tool_calls.")
    for call in calls:
        _check_name(call["function"]["name"])
    ids = [_checked_id(call.get("id")) for call in calls]
    if len(set(ids)) != len(ids):
        raise BrokenRule("Duplicate tool call id in assistant message", *ORDER)
    return set(ids)


def _checked_id(call_id: str | None) -> str:
    if call_id is None:
        raise BrokenRule("Tool call id has to be defined.")
    if not CALL_ID.fullmatch(call_id):
        form = "must be a-z, A-Z, 0-9, with a length of 9."
        raise BrokenRule(f"Tool call id was {call_id} but {form}", *FUNCTION_CALL)
    return call_id


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        form = "must be a-z, A-Z, 0-9, or contain underscores and dashes, with a maximum length"
        raise BrokenRule(f"Function name was {name} but {form} of 64.", *FUNCTION_CALL)


def _check_tools(chat: dict[str, Any]) -> None:
    """Unverified, but for the names: what is refused about a choice without such a tool."""
    names = [tool["function"]["name"] for tool in chat.get("tools") or ()]
    for name in names:
        _check_name(name)
    if len(set(names)) != len(names):
        raise ShapeError("value", "tools", "Two tools have the same name.")
    for field in ("tool_choice", "parallel_tool_calls"):
        if field in chat and not names:
            raise ShapeError("value", field, f"{field} needs tools.")
    choice = chat.get("tool_choice")
    if isinstance(choice, dict) and choice["function"]["name"] not in names:
        raise ShapeError("value", "tool_choice", "The chosen tool is not in tools.")


def _check_format(chat: dict[str, Any]) -> None:
    """Unverified: that JSON mode refuses a prompt without the word."""
    wanted = chat.get("response_format", {"type": "text"})
    if wanted["type"] == "json_object" and b"json" not in orjson.dumps(chat["messages"]).lower():
        raise BrokenRule("JSON mode needs an instruction to answer in JSON.")
