"""A request to /v1/responses as one table, and the rules that span several of its fields.

The names are those of the official SDK's request types (openai 3.57). Items and tools that need
OpenAI's own tools are not known here.
"""

from typing import Any

import orjson

from ..shape import (
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
from .chat_request import (
    ANY,
    BASE64_URL,
    EFFORTS,
    FUNCTION_NAME,
    JSON_SCHEMA,
    METADATA,
    check_root,
    check_strict,
)

INPUT_PARTS = Tagged(
    "type",
    {
        "input_text": Record({"text": Text()}, required=("text",)),
        "input_image": Record(
            {
                "detail": Text(choices=["auto", "low", "high", "original"]),
                "image_url": Nullable(Text(pattern=rf"https?://\S+|{BASE64_URL}")),
                "file_id": Nullable(Text(low=1)),
            },
            required=("detail",),
        ),
        "input_file": Record(
            {
                "detail": Text(choices=["auto", "low", "high"]),
                "file_data": Text(pattern=BASE64_URL),
                "file_id": Nullable(Text(low=1)),
                "file_url": Text(pattern=r"https?://\S+"),
                "filename": Text(low=1),
            }
        ),
    },
)
OUTPUT_PARTS = Tagged(
    "type",
    {
        "output_text": Record(
            {"text": Text(), "annotations": Sequence(ANY), "logprobs": Sequence(ANY)},
            required=("text", "annotations"),
        ),
        "refusal": Record({"refusal": Text()}, required=("refusal",)),
    },
)
STATUS = Text(choices=["in_progress", "completed", "incomplete"])
MESSAGE_TYPE = Text(choices=["message"])
INPUT = Record(
    {"type": MESSAGE_TYPE, "content": Either((Text(), Sequence(INPUT_PARTS, low=1)))},
    required=("content",),
)
# Parts of the model's own are only known in a whole output message, with its id.
OUTPUT = Record(
    {
        "type": MESSAGE_TYPE,
        "content": Either((Text(), Sequence(OUTPUT_PARTS, low=1))),
        "id": Text(pattern="msg_.+"),
        "status": STATUS,
    },
    required=("content",),
)
MESSAGE = Tagged("role", {"user": INPUT, "system": INPUT, "developer": INPUT, "assistant": OUTPUT})
SUMMARY = Tagged("type", {"summary_text": Record({"text": Text()}, required=("text",))})
OTHER_ITEMS = Tagged(
    "type",
    {
        "function_call": Record(
            {
                "call_id": Text(low=1, high=64),
                "name": FUNCTION_NAME,
                "arguments": Text(),
                "id": Text(pattern="fc_.+"),
                "status": STATUS,
            },
            required=("call_id", "name", "arguments"),
        ),
        "function_call_output": Record(
            {
                "call_id": Text(low=1, high=64),
                "output": Either((Text(), Sequence(INPUT_PARTS, low=1))),
                "id": Nullable(Text(low=1)),
                "status": Nullable(STATUS),
            },
            required=("call_id", "output"),
        ),
        "reasoning": Record(
            {
                "id": Text(pattern="rs_.+"),
                "summary": Sequence(SUMMARY),
                "encrypted_content": Nullable(Text(low=1)),
                "status": STATUS,
            },
            required=("id", "summary"),
        ),
    },
)


class Item:
    """A message may leave its `type` out."""

    def parse(self, value: Any, path: str = "") -> Any:
        is_message = isinstance(value, dict) and value.get("type", "message") == "message"
        shape: Shape = MESSAGE if is_message else OTHER_ITEMS
        parsed = shape.parse(value, path)
        if is_message and parsed["role"] == "assistant" and not isinstance(parsed["content"], str):
            for name in ("id", "status"):
                if name not in parsed:
                    inner = f"{path}.{name}"
                    text = f"Missing required parameter: '{inner}'."
                    raise ShapeError("missing", inner, text)
        return parsed


# The official SDK sends both, `strict` and `parameters`, and its types require them.
TOOL = Tagged(
    "type",
    {
        "function": Record(
            {
                "name": FUNCTION_NAME,
                "description": Nullable(Text()),
                "parameters": Nullable(Table(ANY)),
                "strict": Nullable(Flag()),
            },
            required=("name", "parameters", "strict"),
        )
    },
)
NAMED = Tagged("type", {"function": Record({"name": FUNCTION_NAME}, required=("name",))})
ALLOWED = Record(
    {"mode": Text(choices=["auto", "required"]), "tools": Sequence(NAMED, low=1)},
    required=("mode", "tools"),
)
TOOL_CHOICE = Either(
    (
        Text(choices=["none", "auto", "required"]),
        Tagged(
            "type",
            {
                "function": Record({"name": FUNCTION_NAME}, required=("name",)),
                "allowed_tools": ALLOWED,
            },
        ),
    )
)
FORMAT = Tagged(
    "type",
    {
        "text": Record({}),
        "json_object": Record({}),
        "json_schema": Record(JSON_SCHEMA.fields, required=("name", "schema")),
    },
)
TEXT = Record({"format": FORMAT, "verbosity": Nullable(Text(choices=["low", "medium", "high"]))})
REASONING = Record(
    {
        "effort": Nullable(Text(choices=EFFORTS)),
        "summary": Nullable(Text(choices=["auto", "concise", "detailed"])),
    }
)
COUNTED: dict[str, Shape] = {
    "conversation": ANY,
    "input": Nullable(Either((Text(), Sequence(Item(), low=1)))),
    "instructions": Nullable(Text()),
    "model": Nullable(Text(low=1)),
    "parallel_tool_calls": Nullable(Flag()),
    "personality": Text(high=64),
    "previous_response_id": Nullable(Text()),
    "reasoning": Nullable(REASONING),
    "text": Nullable(TEXT),
    "tool_choice": Nullable(TOOL_CHOICE),
    "tools": Nullable(Sequence(TOOL)),
    "truncation": Text(choices=["auto", "disabled"]),
}
COUNT = Record(COUNTED, required=("model", "input"))
INCLUDED = (
    *("reasoning.encrypted_content", "message.output_text.logprobs"),
    *("message.input_image.image_url", "file_search_call.results"),
    *("web_search_call.action.sources", "code_interpreter_call.outputs"),
    "computer_call_output.output.image_url",
)
RESPONSE = Record(
    {
        **{name: shape for name, shape in COUNTED.items() if name != "personality"},
        **dict.fromkeys(
            ("context_management", "moderation", "prompt", "prompt_cache_options"), ANY
        ),
        "background": Nullable(Flag()),
        "include": Nullable(Sequence(Text(choices=INCLUDED))),
        "max_output_tokens": Nullable(Number(low=16, whole=True)),
        "max_tool_calls": Nullable(Number(low=1, whole=True)),
        "metadata": Nullable(METADATA),
        "prompt_cache_key": Text(),
        "prompt_cache_retention": Nullable(Text(choices=["in_memory", "24h"])),
        "safety_identifier": Text(),
        "service_tier": Nullable(
            Text(choices=["auto", "default", "flex", "scale", "priority", "fast"])
        ),
        "store": Nullable(Flag()),
        "stream": Nullable(Flag()),
        "stream_options": Nullable(Record({"include_obfuscation": Flag()})),
        "temperature": Nullable(Number(low=0, high=2)),
        "top_logprobs": Nullable(Number(low=0, high=20, whole=True)),
        "top_p": Nullable(Number(low=0, high=1)),
        "user": Text(),
    },
    required=("model", "input"),
)


def parse_response(body: Any) -> dict[str, Any]:
    """The request, unchanged; raises ShapeError for what the API answers with 400."""
    return _checked(RESPONSE.parse(body))


def parse_counted(body: Any) -> dict[str, Any]:
    """A request that is only counted (the SDK's InputTokenCountParams)."""
    return _checked(COUNT.parse(body))


def _checked(asked: dict[str, Any]) -> dict[str, Any]:
    if isinstance(asked["input"], list):
        _check_items(asked["input"])
    _check_tools(asked)
    _check_format(asked)
    return asked


def _check_items(items: list[dict[str, Any]]) -> None:
    """Every call has its output after it. What the model thought belongs to what it then did."""
    open_calls: list[str] = []
    for index, item in enumerate(items):
        path = f"input[{index}]"
        kind = item.get("type", "message")
        if kind == "function_call":
            if item["call_id"] in open_calls:
                raise ShapeError("value", f"{path}.call_id", "Two calls have the same call_id.")
            open_calls.append(item["call_id"])
        elif kind == "function_call_output":
            if item["call_id"] not in open_calls:
                text = (
                    f"No tool call found for function call output with call_id {item['call_id']}."
                )
                raise ShapeError("value", path, text)
            open_calls.remove(item["call_id"])
        elif kind == "reasoning" and not _is_followed(items[index + 1 :]):
            text = f"Item '{item['id']}' of type 'reasoning' was provided without its required "
            raise ShapeError("value", path, f"{text}following item.")
    if open_calls:
        text = f"No tool output found for function call {open_calls[0]}."
        raise ShapeError("value", "input", text)


def _is_followed(rest: list[dict[str, Any]]) -> bool:
    thought = (item for item in rest if item.get("type") != "reasoning")
    following = next(thought, {})
    return following.get("type") == "function_call" or following.get("role") == "assistant"


def _check_tools(asked: dict[str, Any]) -> None:
    tools = asked.get("tools") or []
    names = {tool["name"] for tool in tools}
    if len(names) != len(tools):
        raise ShapeError("value", "tools", "Two tools have the same name.")
    for index, tool in enumerate(tools):
        path = f"tools[{index}].parameters"
        check_root(tool["parameters"] or {}, f"function '{tool['name']}'", path)
        if tool["strict"]:
            check_strict(tool["parameters"], path)
    choice = asked.get("tool_choice") or "auto"
    if choice == "required" and not tools:
        raise ShapeError("value", "tool_choice", "Tool choice 'required' needs 'tools'.")
    if isinstance(choice, dict):
        for chosen in choice.get("tools", [choice]):
            if chosen["name"] not in names:
                raise ShapeError("value", "tool_choice", "The chosen tool is not in 'tools'.")


def _check_format(asked: dict[str, Any]) -> None:
    wanted = (asked.get("text") or {}).get("format", {"type": "text"})
    if wanted["type"] == "json_object" and b"json" not in orjson.dumps(asked["input"]).lower():
        text = "'input' must contain the word 'json' to use 'text.format' of type 'json_object'."
        raise ShapeError("value", "input", text)
    if wanted["type"] == "json_schema":
        path = "text.format.schema"
        check_root(wanted["schema"], f"response_format '{wanted['name']}'", path)
        if wanted.get("strict"):
            check_strict(wanted["schema"], path)
