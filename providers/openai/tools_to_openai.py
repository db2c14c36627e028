"""Gemini's tools and toolConfig -> OpenAI's tools and tool_choice (translation.md section 2)."""

from typing import Any, Final

from providers.errors import invalid_argument
from providers.gemini_content.json_path import item, member
from providers.gemini_content.json_schema import to_json_schema
from providers.gemini_content.refusal import refuse_fields
from providers.gemini_content.warnings import Warnings
from providers.openai.calls_to_openai import require_function_name
from providers.openai.strict_schema import allows_strict

_NO_SERVER_TOOLS: Final = "OpenAI cannot carry out Gemini's own tools"
_REFUSED_TOOLS: Final = dict.fromkeys(
    (
        "codeExecution",
        "computerUse",
        "fileSearch",
        "googleMaps",
        "googleSearch",
        "googleSearchRetrieval",
        "mcpServers",
        "retrieval",
        "urlContext",
    ),
    _NO_SERVER_TOOLS,
)
_REFUSED_CONFIG: Final = dict.fromkeys(
    ("retrievalConfig", "includeServerSideToolInvocations"), _NO_SERVER_TOOLS
)

_PLAIN_CHOICES: Final = {"AUTO": "auto", "ANY": "required", "NONE": "none", "VALIDATED": "auto"}
# The modes in which Gemini lets a client narrow the functions down.
_NARROWING: Final = ("ANY", "VALIDATED")


def to_openai_tools(request: dict[str, Any], path: str, warnings: Warnings) -> dict[str, Any]:
    """The `tools` and `tool_choice` of the normalised request at `path`, where it has any.

    Raises INVALID_ARGUMENT for tools that are no functions, and for functions and choices that
    OpenAI does not accept.
    """
    config_path = member(path, "toolConfig")
    tool_config = request.get("toolConfig", {})
    refuse_fields(tool_config, _REFUSED_CONFIG, config_path)
    calling = tool_config.get("functionCallingConfig", {})
    calling_path = member(config_path, "functionCallingConfig")
    strict = calling.get("mode") == "VALIDATED"
    functions = _functions(request.get("tools", []), member(path, "tools"), strict, warnings)
    choice = _choice(calling, calling_path, set(functions))
    if not functions:
        return {}
    tools = [{"type": "function", "function": function} for function in functions.values()]
    return {"tools": tools} | choice


def _functions(
    tools: list[dict[str, Any]], path: str, strict: bool, warnings: Warnings
) -> dict[str, dict[str, Any]]:
    """Every declared function, by its name."""
    functions: dict[str, dict[str, Any]] = {}
    for index, tool in enumerate(tools):
        refuse_fields(tool, _REFUSED_TOOLS, item(path, index))
        declarations_path = member(item(path, index), "functionDeclarations")
        for number, declaration in enumerate(tool.get("functionDeclarations", [])):
            declared_at = item(declarations_path, number)
            function = _function(declaration, declared_at, strict, warnings)
            if function["name"] in functions:
                raise invalid_argument("is declared twice", path=member(declared_at, "name"))
            functions[function["name"]] = function
    return functions


def _function(
    declaration: dict[str, Any], path: str, strict: bool, warnings: Warnings
) -> dict[str, Any]:
    function: dict[str, Any] = {"name": require_function_name(declaration, path)}
    if "description" in declaration:
        function["description"] = declaration["description"]
    if declaration.get("behavior", "BLOCKING") != "BLOCKING":
        raise invalid_argument("OpenAI waits for every answer", path=member(path, "behavior"))
    for field in ("response", "responseJsonSchema"):
        if field in declaration:
            warnings.drop(member(path, field))
    function["parameters"] = _parameters(declaration, path)
    if strict:
        if not allows_strict(function["parameters"]):
            raise invalid_argument(
                "under mode VALIDATED OpenAI takes only parameters that are all required, with "
                "additionalProperties false in every object",
                path=path,
            )
        function["strict"] = True
    return function


def _parameters(declaration: dict[str, Any], path: str) -> dict[str, Any]:
    if "parameters" not in declaration:
        plain: dict[str, Any] = {"type": "object", "properties": {}}
        json_schema: dict[str, Any] = declaration.get("parametersJsonSchema", plain)
        return json_schema
    if "parametersJsonSchema" in declaration:
        raise invalid_argument("excludes parameters", path=member(path, "parametersJsonSchema"))
    return to_json_schema(declaration["parameters"], member(path, "parameters"))


def _choice(calling: dict[str, Any], path: str, declared: set[str]) -> dict[str, Any]:
    mode, allowed = calling.get("mode"), calling.get("allowedFunctionNames", [])
    names_path = member(path, "allowedFunctionNames")
    if allowed and mode not in _NARROWING:
        raise invalid_argument(f"needs mode {' or '.join(_NARROWING)}", path=names_path)
    for index, name in enumerate(allowed):
        if name not in declared:
            raise invalid_argument("is not a declared function", path=item(names_path, index))
    if mode is None:
        return {}
    if mode not in _PLAIN_CHOICES:
        raise invalid_argument(
            f"must be one of {', '.join(_PLAIN_CHOICES)}", path=member(path, "mode")
        )
    if mode == "ANY" and not declared:
        raise invalid_argument("needs a declared function", path=member(path, "mode"))
    return {"tool_choice": _narrowed(_PLAIN_CHOICES[mode], allowed)}


def _narrowed(choice: str, allowed: list[str]) -> str | dict[str, Any]:
    functions = [{"type": "function", "function": {"name": name}} for name in allowed]
    if not functions:
        return choice
    if choice == "required" and len(functions) == 1:
        return functions[0]
    return {"type": "allowed_tools", "allowed_tools": {"mode": choice, "tools": functions}}
