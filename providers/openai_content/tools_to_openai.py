"""Gemini's tools and toolConfig -> OpenAI's tools and tool_choice (translation.md section 2)."""

import re
from typing import Any, Final

from providers.errors import invalid_argument
from providers.gemini_content.function_calls import CallRules
from providers.gemini_content.function_tools import NO_PARAMETERS, DeclaredFunction, function_tools
from providers.gemini_content.warnings import Warnings
from providers.openai_content.schema_rules import SchemaRule, allows_strict

# OpenAI accepts any text as a call's id.
CALL_RULES: Final = CallRules("OpenAI", longest_name=64, ids=re.compile(".+", re.DOTALL))

_NO_STRICT_PARAMETERS: Final = {**NO_PARAMETERS, "required": [], "additionalProperties": False}
_PLAIN_CHOICES: Final = {"AUTO": "auto", "ANY": "required", "NONE": "none", "VALIDATED": "auto"}


def to_openai_tools(
    request: dict[str, Any], path: str, warnings: Warnings, schema_rule: SchemaRule
) -> dict[str, Any]:
    """The `tools` and `tool_choice` of the normalised request at `path`, if it has tools.

    Raises INVALID_ARGUMENT for tools that are not functions, and for functions and choices that
    OpenAI does not accept.
    """
    requested = function_tools(request, path, warnings, CALL_RULES)
    if not requested.functions:
        return {}
    for declared in requested.functions.values():
        schema_rule(declared.parameters, declared.schema_path)
    strict = requested.mode == "VALIDATED"
    tools = [
        {"type": "function", "function": _function(function, strict)}
        for function in requested.functions.values()
    ]
    if requested.mode is None:
        return {"tools": tools}
    choice = _narrowed(_PLAIN_CHOICES[requested.mode], requested.allowed)
    return {"tools": tools, "tool_choice": choice}


def _function(declared: DeclaredFunction, strict: bool) -> dict[str, Any]:
    if not strict:
        return {**declared.named, "parameters": declared.parameters}
    if declared.parameters == NO_PARAMETERS:
        return {**declared.named, "parameters": _NO_STRICT_PARAMETERS, "strict": True}
    if not allows_strict(declared.parameters):
        raise invalid_argument(
            "with mode VALIDATED OpenAI takes only parameters that are all required, with "
            "additionalProperties false in every object",
            path=declared.path,
        )
    return {**declared.named, "parameters": declared.parameters, "strict": True}


def _narrowed(choice: str, allowed: list[str]) -> str | dict[str, Any]:
    functions = [{"type": "function", "function": {"name": name}} for name in allowed]
    if not functions:
        return choice
    if choice == "required" and len(functions) == 1:
        return functions[0]
    return {"type": "allowed_tools", "allowed_tools": {"mode": choice, "tools": functions}}
