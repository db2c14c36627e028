"""Gemini's tools and toolConfig -> Anthropic's tools and tool_choice (translation.md section 2)."""

import re
from typing import Any, Final

from providers.claude_content import claude_models
from providers.claude_content.closed_schema import closed_parameters
from providers.errors import invalid_argument
from providers.gemini_content.function_calls import CallRules
from providers.gemini_content.function_tools import DeclaredFunction, FunctionTools, function_tools
from providers.gemini_content.json_path import member
from providers.gemini_content.json_schema import ObjectRoot
from providers.gemini_content.warnings import Warnings

CALL_RULES: Final = CallRules(
    "Anthropic", longest_name=128, ids=re.compile(r"[a-zA-Z0-9_-]+"), media=True
)

# "input_schema does not support oneOf, allOf, or anyOf at the top level"
# (https://github.com/anthropics/claude-code/issues/5319).
_ROOT: Final = ObjectRoot("Anthropic", ("anyOf", "oneOf", "allOf"))

# Only of the parameters themselves, not of what is inside them (anthropic.md section 4).
_PARAMETER: Final = re.compile(r"[a-zA-Z0-9_.-]{1,64}")

_CHOICES: Final = {"AUTO": "auto", "ANY": "any", "NONE": "none", "VALIDATED": "auto"}


def to_anthropic_tools(
    request: dict[str, Any], path: str, warnings: Warnings, *, model: str, thinking: bool
) -> dict[str, Any]:
    """The `tools` and `tool_choice` of the normalised request at `path`, if it has tools.

    `thinking` says whether thinking was requested. Raises INVALID_ARGUMENT for tools that are not
    functions, and for functions and choices that Anthropic does not accept.
    """
    requested = function_tools(request, path, warnings, CALL_RULES)
    refuse_forced_call(requested, model, thinking=thinking)
    if not requested.functions:
        return {}
    tools = [_tool(function, requested, warnings) for function in requested.offered(warnings)]
    if requested.mode is None:
        return {"tools": tools}
    if requested.forced:
        return {"tools": tools, "tool_choice": {"type": "tool", "name": requested.forced}}
    return {"tools": tools, "tool_choice": {"type": _CHOICES[requested.mode]}}


def refuse_forced_call(requested: FunctionTools, model: str, *, thinking: bool) -> None:
    """Raises INVALID_ARGUMENT if Claude `model` must call a function and does not accept that."""
    if requested.mode == "ANY" and (thinking or claude_models.refuses_forced_tool(model)):
        when = "with thinking " if thinking else ""
        raise invalid_argument(
            f"{when}{model} cannot be forced to call a function; give mode AUTO",
            path=member(requested.calling_path, "mode"),
        )


def require_parameter_names(declared: DeclaredFunction) -> None:
    """Raises INVALID_ARGUMENT for the name of a parameter that Claude does not accept."""
    properties = declared.parameters.get("properties")
    for name in properties if isinstance(properties, dict) else ():
        if not _PARAMETER.fullmatch(name):
            raise invalid_argument(
                "Claude takes 1 to 64 letters, digits, _, . and - as a parameter's name",
                path=member(member(declared.schema_path, "properties"), name),
            )


def _tool(
    declared: DeclaredFunction, requested: FunctionTools, warnings: Warnings
) -> dict[str, Any]:
    _ROOT(declared.parameters, declared.schema_path)
    require_parameter_names(declared)
    closed = closed_parameters(declared, requested, warnings)
    if closed is None:
        return declared.named | {"input_schema": declared.parameters}
    return declared.named | {"input_schema": closed, "strict": True}
