"""A Converse request: botocore checks its shape, and the rules beyond a shape are here.

translation.md sections 1 and 2; what a batch job refuses, bedrock.md sections 3 and 4.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ..anthropic.turn_rules import check_kept_thought
from ..prompt_cache import Piece, problem
from ..shape import ShapeError
from .converse_turns import check_turns
from .model_fields import check_effort, check_model_fields, thinking_of
from .models import Model
from .sentences import ModelError
from .service_model import check, input_shape

CLAUDE_TOP_K, SAMPLING = "top_k", ("temperature", "topP")


@dataclass(frozen=True)
class ConverseCall:
    """The origin of a request: a record of a job, or a call of the runtime.

    `there` says whether the object of a URI exists and may be named.
    """

    in_batch: bool
    there: Callable[[str], bool]


def parse_converse(body: dict[str, Any], model: Model, call: ConverseCall) -> dict[str, Any]:
    """The request, unchanged; raises ModelError."""
    try:
        if "modelId" in body:
            raise ShapeError("unknown", "modelId", "Unknown member: 'modelId'.")
        check({**body, "modelId": model.id}, input_shape("bedrock-runtime", "Converse"))
        _check_request(body, model, call)
    except ShapeError as wrong:
        raise ModelError(
            f"{wrong.path}: {wrong.message}" if wrong.path else wrong.message
        ) from None
    return body


def _check_request(body: dict[str, Any], model: Model, call: ConverseCall) -> None:
    if model.embeds:
        raise ModelError("This action doesn't support the model that you provided.")
    if call.in_batch and "toolConfig" in body:
        raise ModelError("Tool use is not supported in batch inference of type Converse.")
    if not body.get("messages"):
        raise ShapeError("missing", "messages", "A conversation must have a message.")
    for index, block in enumerate(body.get("system", ())):
        check_not_blank(block, f"system[{index}]")
    _check_tools(body)
    check_turns(body["messages"], model, has_tools="toolConfig" in body)
    if model.claude and thinking_of(body)["type"] == "enabled":
        check_kept_thought([turn["content"] for turn in body["messages"]], "toolResult")
    _check_cache_points(body, model)
    for uri in s3_uris(body["messages"]):
        if not call.there(uri):
            raise ModelError(f"The S3 location {uri} is not in the job's input, or not there.")
    _check_sampling(body, model)
    check_model_fields(body, model)
    check_effort(body, model)


def check_not_blank(block: dict[str, Any], path: str) -> None:
    if "text" in block and not block["text"].strip():
        raise ShapeError("value", path, "The text field is blank.")


def _check_tools(body: dict[str, Any]) -> None:
    config = body.get("toolConfig", {"tools": []})
    names = [tool["toolSpec"]["name"] for tool in config["tools"] if "toolSpec" in tool]
    if len(set(names)) != len(names):
        raise ShapeError("value", "toolConfig.tools", "Tool names must be unique.")
    for index, tool in enumerate(config["tools"]):
        schema = tool.get("toolSpec", {}).get("inputSchema", {}).get("json", {"type": "object"})
        if not isinstance(schema, dict) or schema.get("type") != "object":
            path = f"toolConfig.tools[{index}].toolSpec.inputSchema.json.type"
            raise ShapeError("value", path, "must be object")
    chosen = config.get("toolChoice", {}).get("tool")
    if chosen is not None and chosen["name"] not in names:
        raise ShapeError("value", "toolConfig.toolChoice.tool.name", "No tool has this name.")


def pieces(body: dict[str, Any]) -> Iterator[Piece]:
    """The blocks in the order in which they are cached, each with the life of its cache point."""
    blocks = [*body.get("toolConfig", {}).get("tools", ()), *body.get("system", ())]
    blocks += [block for message in body["messages"] for block in message["content"]]
    for block, following in zip(blocks, [*blocks[1:], {}], strict=True):
        if "cachePoint" not in block:
            yield block, following.get("cachePoint") and following["cachePoint"].get("ttl", "5m")


def _check_cache_points(body: dict[str, Any], model: Model) -> None:
    """Unverified: the words. Nova caches no tools, and for five minutes only."""
    tools = [tool for tool in body.get("toolConfig", {}).get("tools", ()) if "cachePoint" in tool]
    lives = {life for _, life in pieces(body) if life is not None}
    if lives and model.claude is None and not model.is_nova:
        raise ModelError("This model does not support prompt caching.")
    if model.is_nova and (tools or "1h" in lives):
        raise ModelError("This model caches the system prompt and messages for 5 minutes only.")
    wrong = problem(pieces(body))
    if wrong is not None:
        raise ModelError(wrong)


def _check_sampling(body: dict[str, Any], model: Model) -> None:
    if model.claude is None or model.claude.samples:
        return
    for name in SAMPLING:
        if name in body.get("inferenceConfig", {}):
            raise ModelError(f"`{name}` is deprecated for this model.")
    if CLAUDE_TOP_K in (body.get("additionalModelRequestFields") or {}):
        raise ModelError("`top_k` is deprecated for this model.")


def s3_uris(value: Any) -> list[str]:
    """The URIs of every s3Location within."""
    if isinstance(value, list):
        return [uri for inner in value for uri in s3_uris(inner)]
    if not isinstance(value, dict):
        return []
    location = value.get("s3Location")
    if isinstance(location, dict) and isinstance(location.get("uri"), str):
        return [location["uri"]]
    return [uri for name, inner in value.items() if name != "json" for uri in s3_uris(inner)]
