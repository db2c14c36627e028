"""Gemini's tools and toolConfig -> Converse's toolConfig (translation.md section 2).

A job of type Converse does not accept it (bedrock.md section 4); a single call does.
"""

import re
from typing import Any, Final

from providers.bedrock.content.bedrock_models import ModelFamily, claude_name, model_family
from providers.claude_content.closed_schema import closed_parameters
from providers.claude_content.tools_to_anthropic import refuse_forced_call, require_parameter_names
from providers.errors import invalid_argument
from providers.gemini_content.content_parts import find_part
from providers.gemini_content.function_calls import CallRules
from providers.gemini_content.function_tools import DeclaredFunction, FunctionTools, function_tools
from providers.gemini_content.json_path import member
from providers.gemini_content.json_schema import ObjectRoot
from providers.gemini_content.warnings import Warnings

# botocore: ToolUseBlock and ToolSpecification.
CALL_RULES: Final = CallRules(
    "Bedrock", longest_name=64, ids=re.compile(r"[a-zA-Z0-9_.:-]{1,64}"), media=True
)

_ROOT: Final = ObjectRoot("Bedrock")

_TOOL_FIELDS: Final = ("tools", "toolConfig")
_TOOL_PARTS: Final = ("functionCall", "functionResponse")
_CHOICES: Final = {"AUTO": "auto", "ANY": "any", "VALIDATED": "auto"}


def tools_at(request: dict[str, Any], path: str) -> str | None:
    """The JSON path of the first field about functions in the normalised request at `path`."""
    for field in _TOOL_FIELDS:
        if field in request:
            return member(path, field)
    return find_part(request, path, _TOOL_PARTS)


def to_converse_tools(
    request: dict[str, Any], path: str, warnings: Warnings, *, model: str, thinking: bool
) -> dict[str, Any]:
    """`{"toolConfig": {...}}` of the normalised request at `path`, or `{}` if it has no functions.

    `thinking`: whether Claude thinks. Raises INVALID_ARGUMENT for tools that are not functions, for
    functions and choices that Converse does not accept, and for a conversation with calls of
    undeclared functions.
    """
    requested = function_tools(request, path, warnings, CALL_RULES)
    refuse_forced_call(requested, claude_name(model), thinking=thinking)
    if not requested.functions or requested.mode == "NONE":
        called_at = find_part(request, path, _TOOL_PARTS)
        if called_at is not None:
            raise invalid_argument(
                "Converse accepts a conversation with calls only if functions are declared and may "
                "be called",
                path=called_at,
            )
        if requested.functions:
            warnings.drop(member(path, "tools"))  # Converse cannot declare tools and forbid them
        return {}
    if model_family(model) is ModelFamily.CLAUDE:
        for function in requested.functions.values():
            require_parameter_names(function)
    tools = [_tool(function, requested, warnings) for function in requested.offered(warnings)]
    return {"toolConfig": {"tools": tools} | _choice(requested)}


def _choice(requested: FunctionTools) -> dict[str, Any]:
    if requested.mode is None:
        return {}
    if requested.forced:
        return {"toolChoice": {"tool": {"name": requested.forced}}}
    return {"toolChoice": {_CHOICES[requested.mode]: {}}}


def _tool(
    declared: DeclaredFunction, requested: FunctionTools, warnings: Warnings
) -> dict[str, Any]:
    _ROOT(declared.parameters, declared.schema_path)
    closed = closed_parameters(declared, requested, warnings)
    if closed is None:
        return {"toolSpec": declared.named | {"inputSchema": {"json": declared.parameters}}}
    return {"toolSpec": declared.named | {"inputSchema": {"json": closed}, "strict": True}}
