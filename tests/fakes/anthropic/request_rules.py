"""A Messages request: its table for each API version, and the rules that span its fields."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from ..prompt_cache import Piece, problem
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
from .content_blocks import (
    ANY,
    ASSISTANT_BLOCKS,
    CACHE_CONTROL,
    SOLID_TEXT,
    SYSTEM_BLOCKS,
    TOOL_NAME,
    USER_BLOCKS,
)
from .dialect import NEW, OLD, Dialect
from .models import Model, find_model
from .turn_rules import check_sources, check_turns, merge_turns

COUNT = Number(low=0, whole=True)
SHARE = Number(low=0, high=1)
DISPLAY = Nullable(Text(choices=["summarized", "omitted"]))
PARALLEL = {"disable_parallel_tool_use": Flag()}
FORCED = ("any", "tool")
PARAMETER = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
SHORTEST_BUDGET = 1024

BLOCK_BINDING = Record(
    {"prefix_mismatch_behavior": Text(choices=["error", "drop_block"])},
    ("prefix_mismatch_behavior",),
)
THINKING = Tagged(
    "type",
    {
        "enabled": Record(
            {"budget_tokens": Number(low=SHORTEST_BUDGET, whole=True), "display": DISPLAY},
            ("budget_tokens",),
        ),
        "adaptive": Record({"display": DISPLAY, "block_binding": BLOCK_BINDING}),
        "between_tools": Record({}),
        "disabled": Record({}),
    },
)
JSON_FORMAT = Tagged("type", {"json_schema": Record({"schema": Table(ANY)}, ("schema",))})
OUTPUT_CONFIG = Record(
    {
        "effort": Nullable(Text(choices=["low", "medium", "high", "xhigh", "max"])),
        "format": Nullable(JSON_FORMAT),
    }
)
TOOL = Record(
    {
        "type": Nullable(Text(choices=["custom"])),
        "name": TOOL_NAME,
        "description": Text(),
        "input_schema": Table(ANY),
        "strict": Flag(),
        "cache_control": CACHE_CONTROL,
        "eager_input_streaming": Nullable(Flag()),
        "input_examples": Sequence(Table(ANY)),
        "defer_loading": Flag(),
        "allowed_callers": Sequence(Text(choices=["direct"])),
    },
    ("name", "input_schema"),
)
TOOL_CHOICE = Tagged(
    "type",
    {
        "auto": Record(PARALLEL),
        "any": Record(PARALLEL),
        "tool": Record({"name": TOOL_NAME, **PARALLEL}, ("name",)),
        "none": Record({}),
    },
)
# The new version refuses them for every model; new models refuse them in every version.
SAMPLING: dict[str, Shape] = {"temperature": SHARE, "top_p": SHARE, "top_k": COUNT}


def _message(version: str) -> Tagged:
    def turn(blocks: Shape) -> Record:
        return Record({"content": Either((SOLID_TEXT, Sequence(blocks, low=1)))}, ("content",))

    roles = {"user": turn(USER_BLOCKS), "assistant": turn(ASSISTANT_BLOCKS[version])}
    return Tagged("role", roles)


def _request(version: str, **more: Shape) -> Record:
    return Record(
        {
            "model": Text(low=1),
            "max_tokens": COUNT,
            "messages": Sequence(_message(version), low=1, high=100_000),
            "system": Either((SOLID_TEXT, Sequence(SYSTEM_BLOCKS))),
            "stop_sequences": Sequence(SOLID_TEXT),
            "stream": Flag(),
            "tools": Sequence(TOOL),
            "tool_choice": TOOL_CHOICE,
            "thinking": THINKING,
            "output_config": OUTPUT_CONFIG,
            "metadata": Record({"user_id": Nullable(Text(high=256))}),
            "service_tier": Text(choices=["auto", "standard_only"]),
            "cache_control": CACHE_CONTROL,
            "container": Nullable(Either((Text(low=1), Table(ANY)))),
            "speed": Nullable(Text(choices=["standard", "fast"])),
            "inference_geo": Nullable(Text(low=1)),
            **more,
        },
        ("model", "max_tokens", "messages"),
    )


# The official SDK's MessageCountTokensParams (anthropic 2.14).
COUNTED = (
    *("model", "messages", "system", "tools", "tool_choice", "thinking", "output_config"),
    *("cache_control", "speed"),
)


def _counted(version: str) -> Record:
    fields = _request(version).fields
    return Record({name: fields[name] for name in COUNTED}, ("model", "messages"))


REQUESTS = {OLD: _request(OLD, **SAMPLING), NEW: _request(NEW)}


def parse_params(params: Any, dialect: Dialect, media_type: Callable[[str], str]) -> dict[str, Any]:
    """The request with its turns merged; raises ShapeError and Refusal for what is an error.

    `media_type` returns the type of a file by its id, and raises Refusal if there is none.
    """
    return _checked(REQUESTS[dialect.version].parse(params), dialect, media_type)


def parse_counted(
    params: Any, dialect: Dialect, media_type: Callable[[str], str]
) -> dict[str, Any]:
    """As `parse_params`, for a request that is only counted."""
    return _checked(_counted(dialect.version).parse(params), dialect, media_type)


def _checked(
    asked: dict[str, Any], dialect: Dialect, media_type: Callable[[str], str]
) -> dict[str, Any]:
    model = find_model(asked["model"])
    _check_sampling(asked, model)
    _check_thinking(asked, model)
    _check_tools(asked)
    _check_output(asked, model)
    wrong = problem(pieces(asked))
    if wrong is not None:
        raise ShapeError("value", "", wrong)
    asked["messages"] = merge_turns(asked["messages"])
    check_turns(asked, model, dialect)
    check_sources(asked["messages"], dialect, media_type)
    return asked


def pieces(asked: dict[str, Any]) -> Iterator[Piece]:
    """The blocks in the order in which they are cached, each with the life of its breakpoint."""
    system = asked.get("system") or []
    blocks = [*asked.get("tools", ()), *([system] if isinstance(system, str) else system)]
    for message in asked["messages"]:
        content = message["content"]
        blocks += [content] if isinstance(content, str) else content
    for block in blocks:
        control = block.get("cache_control") if isinstance(block, dict) else None
        bare = (
            {name: value for name, value in block.items() if name != "cache_control"}
            if isinstance(block, dict)
            else block
        )
        yield bare, control and control.get("ttl", "5m")


def _wrong(path: str, why: str) -> ShapeError:
    return ShapeError("value", path, why)


def _check_sampling(asked: dict[str, Any], model: Model) -> None:
    for name in SAMPLING:
        if name in asked and not model.samples and (name, asked[name]) != ("temperature", 1):
            raise _wrong(name, f"`{name}` is deprecated for this model.")
    if "temperature" in asked and "top_p" in asked:
        raise _wrong("top_p", "`temperature` and `top_p` cannot both be specified.")


def _check_thinking(asked: dict[str, Any], model: Model) -> None:
    forced = asked.get("tool_choice", {}).get("type") in FORCED
    if forced and not model.can_be_forced:
        raise _wrong("tool_choice", "forced tool use is not supported by this model.")
    thinking = asked.get("thinking")
    if thinking is None:
        return
    kind = thinking["type"]
    if kind not in model.thinking:
        raise _wrong("thinking.type", f"`{kind}` is not supported by this model.")
    if kind not in ("enabled", "adaptive"):
        return
    limit = asked.get("max_tokens")  # there is none in a request that is only counted
    if kind == "enabled" and limit is not None and thinking["budget_tokens"] >= limit:
        raise _wrong("thinking.budget_tokens", "must be less than `max_tokens`")
    if forced:
        raise _wrong("tool_choice", "thinking may not be enabled when a tool use is forced.")
    if asked.get("temperature", 1) != 1 or "top_k" in asked:
        raise _wrong("thinking", "`temperature` and `top_k` may not be set with thinking.")


def _check_tools(asked: dict[str, Any]) -> None:
    names = [tool["name"] for tool in asked.get("tools", ())]
    if len(set(names)) != len(names):
        raise _wrong("tools", "Tool names must be unique.")
    for index, tool in enumerate(asked.get("tools", ())):
        path = f"tools[{index}].input_schema"
        if tool["input_schema"].get("type") != "object":
            raise _wrong(f"{path}.type", "Input should be 'object'")
        if any(keyword in tool["input_schema"] for keyword in ("oneOf", "allOf", "anyOf")):
            text = "input_schema does not support oneOf, allOf, or anyOf at the top level"
            raise _wrong(path, text)
        for name in tool["input_schema"].get("properties", {}):
            if not PARAMETER.fullmatch(name):
                text = f"Property keys should match pattern '^{PARAMETER.pattern}$'"
                raise _wrong(f"{path}.properties", text)
        if tool.get("strict"):
            check_closed(tool["input_schema"], path)
    choice = asked.get("tool_choice")
    if choice and not names:
        raise _wrong("tool_choice", "may only be specified while providing tools.")
    if choice and choice["type"] == "tool" and choice["name"] not in names:
        raise _wrong("tool_choice", f"Tool '{choice['name']}' not found in provided tools")


def _check_output(asked: dict[str, Any], model: Model) -> None:
    config = asked.get("output_config", {})
    if config.get("effort") and not model.takes_effort:
        raise _wrong("output_config.effort", "This model does not support the effort parameter.")
    if config.get("format"):
        check_closed(config["format"]["schema"], "output_config.format.schema")


def check_closed(schema: Any, path: str) -> None:
    """Every object of an enforced schema must be declared closed."""
    if isinstance(schema, list):
        for index, inner in enumerate(schema):
            check_closed(inner, f"{path}[{index}]")
    if not isinstance(schema, dict):
        return
    if (schema.get("type") == "object" or "properties" in schema) and (
        schema.get("additionalProperties") is not False
    ):
        raise _wrong(path, "For 'object' type, 'additionalProperties' must be false.")
    for name in ("properties", "$defs", "definitions"):
        for inner_name, inner in schema.get(name, {}).items():
            check_closed(inner, f"{path}.{name}.{inner_name}")
    for name in ("items", "anyOf", "allOf", "oneOf"):
        check_closed(schema.get(name), f"{path}.{name}")
