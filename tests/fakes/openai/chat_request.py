"""The chat-completions request as one table, and the rules that span several of its fields.

The names are those of the official SDK's request types (openai 3.54).
"""

import re
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
FUNCTION_NAME = Text(pattern=r"[a-zA-Z0-9_-]{1,64}")
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
METADATA = Table(Text(high=512), Text(high=64), high=16)
# Of one byte or more.
BASE64 = r"(?=.)(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"
BASE64_URL = rf"data:[\w.+-]+/[\w.+-]+;base64,{BASE64}"

TEXT_PART = Record({"text": Text()}, required=("text",))
IMAGE = Record(
    {
        "url": Text(pattern=rf"https?://\S+|{BASE64_URL}"),
        "detail": Text(choices=["auto", "low", "high", "original"]),
    },
    required=("url",),
)
AUDIO = Record(
    {"data": Text(pattern=BASE64), "format": Text(choices=["wav", "mp3"])},
    required=("data", "format"),
)
FILE = Record({"file_data": Text(pattern=BASE64_URL), "file_id": Text(), "filename": Text()})
USER_PARTS = Tagged(
    "type",
    {
        "text": TEXT_PART,
        "image_url": Record({"image_url": IMAGE}, required=("image_url",)),
        "input_audio": Record({"input_audio": AUDIO}, required=("input_audio",)),
        "file": Record({"file": FILE}, required=("file",)),
    },
)
TEXT_PARTS = Tagged("type", {"text": TEXT_PART})
ANSWER_PARTS = Tagged(
    "type",
    {"text": TEXT_PART, "refusal": Record({"refusal": Text()}, required=("refusal",))},
)
CALL = Record({"name": FUNCTION_NAME, "arguments": Text()}, required=("name", "arguments"))
CALL_ID = Text(low=1, high=40)
TOOL_CALL = Tagged(
    "type",
    {"function": Record({"id": CALL_ID, "function": CALL}, required=("id", "function"))},
)


def _content(part: Shape) -> Either:
    return Either((Text(), Sequence(part, low=1)))


MESSAGE = Tagged(
    "role",
    {
        "developer": Record(
            {"content": _content(TEXT_PARTS), "name": Text()}, required=("content",)
        ),
        "system": Record({"content": _content(TEXT_PARTS), "name": Text()}, required=("content",)),
        "user": Record({"content": _content(USER_PARTS), "name": Text()}, required=("content",)),
        "assistant": Record(
            {
                "content": Nullable(_content(ANSWER_PARTS)),
                "name": Text(),
                "refusal": Nullable(Text()),
                "audio": Nullable(Record({"id": Text()}, required=("id",))),
                "tool_calls": Sequence(TOOL_CALL, low=1),
            }
        ),
        "tool": Record(
            {"content": _content(TEXT_PARTS), "tool_call_id": CALL_ID},
            required=("content", "tool_call_id"),
        ),
    },
)
FUNCTION = Record(
    {
        "name": FUNCTION_NAME,
        "description": Text(),
        "parameters": Table(ANY),
        "strict": Nullable(Flag()),
    },
    required=("name",),
)
TOOL = Tagged("type", {"function": Record({"function": FUNCTION}, required=("function",))})
NAMED = Record({"name": FUNCTION_NAME}, required=("name",))
NAMED_TOOL = Tagged("type", {"function": Record({"function": NAMED}, required=("function",))})
ALLOWED = Record(
    {"mode": Text(choices=["auto", "required"]), "tools": Sequence(NAMED_TOOL, low=1)},
    required=("mode", "tools"),
)
TOOL_CHOICE = Either(
    (
        Text(choices=["none", "auto", "required"]),
        Tagged(
            "type",
            {
                "function": Record({"function": NAMED}, required=("function",)),
                "allowed_tools": Record({"allowed_tools": ALLOWED}, required=("allowed_tools",)),
            },
        ),
    )
)
JSON_SCHEMA = Record(
    {
        "name": FUNCTION_NAME,
        "description": Text(),
        "schema": Table(ANY),
        "strict": Nullable(Flag()),
    },
    required=("name",),
)
RESPONSE_FORMAT = Tagged(
    "type",
    {
        "text": Record({}),
        "json_object": Record({}),
        "json_schema": Record({"json_schema": JSON_SCHEMA}, required=("json_schema",)),
    },
)
POSITIVE = Number(low=1, whole=True)
PENALTY = Nullable(Number(low=-2, high=2))
CHAT = Record(
    {
        "model": Text(low=1),
        "messages": Sequence(MESSAGE, low=1),
        "audio": Nullable(Table(ANY)),
        "frequency_penalty": PENALTY,
        "presence_penalty": PENALTY,
        "logit_bias": Nullable(Table(Number(low=-100, high=100), Text(pattern=r"\d+"))),
        "logprobs": Nullable(Flag()),
        "top_logprobs": Nullable(Number(low=0, high=20, whole=True)),
        "max_completion_tokens": Nullable(POSITIVE),
        "max_tokens": Nullable(POSITIVE),
        "metadata": Nullable(METADATA),
        "modalities": Nullable(Sequence(Text(choices=["text", "audio"]))),
        "n": Nullable(Number(low=1, high=128, whole=True)),
        "parallel_tool_calls": Flag(),
        "prediction": Nullable(Table(ANY)),
        "prompt_cache_key": Text(),
        "prompt_cache_retention": Nullable(Text(choices=["in_memory", "24h"])),
        "reasoning_effort": Nullable(Text(choices=EFFORTS)),
        "response_format": RESPONSE_FORMAT,
        "safety_identifier": Text(),
        "seed": Nullable(Number(low=-(2**63), high=2**63 - 1, whole=True)),
        "service_tier": Nullable(
            Text(choices=["auto", "default", "flex", "scale", "priority", "fast"])
        ),
        "stop": Nullable(Either((Text(), Sequence(Text(low=1), low=1, high=4)))),
        "store": Nullable(Flag()),
        "stream": Nullable(Flag()),
        "stream_options": Nullable(
            Record({"include_obfuscation": Flag(), "include_usage": Flag()})
        ),
        "temperature": Nullable(Number(low=0, high=2)),
        "tool_choice": TOOL_CHOICE,
        "tools": Sequence(TOOL, low=1, high=128),
        "top_p": Nullable(Number(low=0, high=1)),
        "user": Text(),
        "verbosity": Nullable(Text(choices=["low", "medium", "high"])),
        "web_search_options": Table(ANY),
    },
    required=("model", "messages"),
)
NOT_AT_THE_ROOT = ("oneOf", "anyOf", "allOf", "enum", "not")
REASONING_MODEL = re.compile(r"o\d")
NO_TOOLS_IN_CHAT = re.compile(r"gpt-5\.6")


def parse_chat(body: Any) -> dict[str, Any]:
    """The unchanged body; raises ShapeError for what the API answers with 400."""
    chat = CHAT.parse(body)
    _check_turns(chat["messages"])
    _check_tools(chat)
    _check_format(chat)
    if chat.get("top_logprobs") is not None and not chat.get("logprobs"):
        raise ShapeError("value", "top_logprobs", "'top_logprobs' needs 'logprobs' to be true.")
    if chat.get("max_tokens") and chat.get("max_completion_tokens"):
        raise ShapeError("value", "max_tokens", "Set one of max_tokens, max_completion_tokens.")
    if REASONING_MODEL.match(chat["model"]):
        _check_reasoning(chat)
    if NO_TOOLS_IN_CHAT.match(chat["model"]):
        _check_effort_with_tools(chat)
    return chat


def _check_turns(messages: list[dict[str, Any]]) -> None:
    """Each tool call is answered once, right after the message that made it."""
    open_calls: set[str] = set()
    for index, message in enumerate(messages):
        path = f"messages[{index}]"
        if message["role"] == "tool":
            if message["tool_call_id"] not in open_calls:
                text = "A message with role 'tool' must answer a preceding 'tool_calls'."
                raise ShapeError("value", f"{path}.role", text)
            open_calls.remove(message["tool_call_id"])
            continue
        if open_calls:
            text = f"These tool_call_ids have no answer: {sorted(open_calls)}."
            raise ShapeError("value", path, text)
        if message["role"] == "assistant":
            calls = [call["id"] for call in message.get("tool_calls", ())]
            if not calls and message.get("content") is None and not message.get("refusal"):
                raise ShapeError("missing", f"{path}.content", "content or tool_calls is needed.")
            open_calls = set(calls)
            if len(open_calls) != len(calls):
                raise ShapeError("value", f"{path}.tool_calls", "Duplicate tool call ids.")
    if open_calls:
        text = f"These tool_call_ids have no answer: {sorted(open_calls)}."
        raise ShapeError("value", "messages", text)


def _check_tools(chat: dict[str, Any]) -> None:
    functions = [tool["function"] for tool in chat.get("tools", ())]
    names = {function["name"] for function in functions}
    if len(names) != len(functions):
        raise ShapeError("value", "tools", "Two tools have the same name.")
    for index, function in enumerate(functions):
        path = f"tools[{index}].function.parameters"
        if "parameters" in function:
            check_root(function["parameters"], f"function '{function['name']}'", path)
        if function.get("strict"):
            check_strict(function.get("parameters", {}), path)
    for field in ("tool_choice", "parallel_tool_calls"):
        if field in chat and not functions:
            raise ShapeError("value", field, f"'{field}' is only allowed with 'tools'.")
    choice = chat.get("tool_choice")
    if isinstance(choice, dict):
        chosen = choice.get("allowed_tools", {}).get("tools", [choice])
        for tool in chosen:
            if tool["function"]["name"] not in names:
                raise ShapeError("value", "tool_choice", "The chosen tool is not in 'tools'.")


def _check_format(chat: dict[str, Any]) -> None:
    wanted = chat.get("response_format", {"type": "text"})
    if wanted["type"] == "json_object":
        if b"json" not in orjson.dumps(chat["messages"]).lower():
            text = "'messages' must contain the word 'json' to use 'json_object'."
            raise ShapeError("value", "messages", text)
    elif wanted["type"] == "json_schema":
        schema, path = wanted["json_schema"].get("schema", {}), "response_format.json_schema.schema"
        check_root(schema, f"response_format '{wanted['json_schema']['name']}'", path)
        if wanted["json_schema"].get("strict"):
            check_strict(schema, path)


def check_root(schema: dict[str, Any], owner: str, path: str) -> None:
    """The texts are the API's, as public reports show them."""
    if schema.get("type") != "object":
        found = f"'type: \"{schema.get('type')}\"'"
        text = f"schema must be a JSON Schema of 'type: \"object\"', got {found}."
    elif any(keyword in schema for keyword in NOT_AT_THE_ROOT):
        barred = "/".join(f"'{keyword}'" for keyword in NOT_AT_THE_ROOT)
        text = f"schema must have type 'object' and not have {barred} at the top level."
    elif "properties" not in schema:
        text = "In context=(), object schema missing properties."
    else:
        _check_items(schema, owner, path, ())
        return
    raise ShapeError("value", path, f"Invalid schema for {owner}: {text}")


def _check_items(schema: Any, owner: str, path: str, context: tuple[str, ...]) -> None:
    """Every array says what is in it."""
    if not isinstance(schema, dict):
        return
    types = schema.get("type")
    if "array" in (types if isinstance(types, list) else [types]) and "items" not in schema:
        text = f"In context={context}, array schema missing items."
        raise ShapeError("value", path, f"Invalid schema for {owner}: {text}")
    for name, inner in schema.get("properties", {}).items():
        _check_items(inner, owner, path, (*context, "properties", name))
    _check_items(schema.get("items"), owner, path, (*context, "items"))
    for place, inner in enumerate(schema.get("anyOf", [])):
        _check_items(inner, owner, path, (*context, "anyOf", str(place)))


def check_strict(schema: Any, path: str) -> None:
    """In strict mode every object is closed and every one of its properties required."""
    if isinstance(schema, list):
        for index, inner in enumerate(schema):
            check_strict(inner, f"{path}[{index}]")
    elif isinstance(schema, dict):
        properties = schema.get("properties", {})
        if schema.get("type") == "object" or properties:
            if schema.get("additionalProperties") is not False:
                raise ShapeError("value", path, "'additionalProperties' must be false.")
            if set(schema.get("required", ())) != set(properties):
                raise ShapeError("value", path, "'required' must name every property.")
        for name, inner in properties.items():
            check_strict(inner, f"{path}.properties.{name}")
        for name in ("items", "anyOf", "oneOf", "allOf"):
            if name in schema:
                check_strict(schema[name], f"{path}.{name}")
        for name, inner in schema.get("$defs", {}).items():
            check_strict(inner, f"{path}.$defs.{name}")


def _check_reasoning(chat: dict[str, Any]) -> None:
    if chat.get("temperature") not in (None, 1):
        raise ShapeError("value", "temperature", "Only the default (1) value is supported.")
    if chat.get("max_tokens") is not None:
        text = "Use 'max_completion_tokens' instead of 'max_tokens' with this model."
        raise ShapeError("unknown", "max_tokens", text)
    if chat.get("stop") is not None and chat["model"].startswith(("o3", "o4-mini")):
        raise ShapeError("unknown", "stop", "'stop' is not supported with this model.")


def _check_effort_with_tools(chat: dict[str, Any]) -> None:
    """The model thinks by default. Before gpt-5.6 only an effort that is given was refused."""
    if chat.get("tools") and chat.get("reasoning_effort") != "none":
        text = (
            f"Function tools with reasoning_effort are not supported for {chat['model']} in "
            "/v1/chat/completions. To use function tools, use /v1/responses or set "
            "reasoning_effort to 'none'."
        )
        raise ShapeError("value", "reasoning_effort", text)
