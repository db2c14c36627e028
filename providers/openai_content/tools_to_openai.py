"""Gemini's tools and toolConfig -> OpenAI's tools and tool_choice (translation.md section 2)."""

from dataclasses import replace
from typing import Any, Final

from providers.gemini_content.function_tools import (
    NO_PARAMETERS,
    DeclaredFunction,
    FunctionTools,
    function_tools,
)
from providers.gemini_content.warnings import Warnings
from providers.openai_content.dialect import Choice, Dialect
from providers.openai_content.schema_rules import allows_strict

_NO_STRICT_PARAMETERS: Final = {**NO_PARAMETERS, "required": [], "additionalProperties": False}
_PLAIN_CHOICES: Final = {"AUTO": "auto", "ANY": "required", "NONE": "none", "VALIDATED": "auto"}


def to_openai_tools(
    request: dict[str, Any], path: str, warnings: Warnings, dialect: Dialect
) -> dict[str, Any]:
    """The `tools` and `tool_choice` of the normalised request at `path`, if it has tools.

    Raises INVALID_ARGUMENT for tools that are not functions, and for functions and choices that
    the provider does not accept.
    """
    requested = function_tools(request, path, warnings, dialect.calls)
    if not requested.functions:
        return {}
    functions = {
        name: replace(
            declared, parameters=dialect.schema_rule(declared.parameters, declared.schema_path)
        )
        for name, declared in requested.functions.items()
    }
    requested = replace(requested, functions=functions)
    offered, choice = list(requested.functions.values()), None
    if requested.mode is not None:
        plain = _PLAIN_CHOICES[requested.mode]
        offered, choice = dialect.offer_functions(requested, plain, warnings)
    tools = [
        {"type": "function", "function": _function(declared, requested, warnings)}
        for declared in offered
    ]
    return {"tools": tools} | ({} if choice is None else {"tool_choice": choice})


def offer_all_and_name_allowed(
    requested: FunctionTools, plain: str, _: Warnings
) -> tuple[list[DeclaredFunction], Choice]:
    """For a provider that takes a list of allowed functions."""
    offered = list(requested.functions.values())
    named = [_named(name) for name in requested.allowed]
    if not named:
        return offered, plain
    if plain == "required" and len(named) == 1:
        return offered, named[0]
    return offered, {"type": "allowed_tools", "allowed_tools": {"mode": plain, "tools": named}}


def offer_allowed(
    requested: FunctionTools, plain: str, warnings: Warnings
) -> tuple[list[DeclaredFunction], Choice]:
    """For a provider that takes no such list: functions that are not allowed are not declared."""
    forced = requested.forced
    return requested.offered(warnings), plain if forced is None else _named(forced)


def _named(function: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": function}}


def _function(
    declared: DeclaredFunction, requested: FunctionTools, warnings: Warnings
) -> dict[str, Any]:
    function = {**declared.named, "parameters": declared.parameters}
    if not requested.validated:
        return function
    if declared.parameters == NO_PARAMETERS:
        return {**function, "parameters": _NO_STRICT_PARAMETERS, "strict": True}
    if allows_strict(declared.parameters):
        return {**function, "strict": True}
    requested.drop_validation(warnings)
    return function
