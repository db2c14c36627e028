"""Gemini's tools and toolConfig, for providers whose tools are functions only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from providers.errors import invalid_argument
from providers.gemini_content.function_calls import CallRules
from providers.gemini_content.json_path import item, member
from providers.gemini_content.json_schema import of_an_object, plain_root, to_json_schema
from providers.gemini_content.unsupported import refuse_fields
from providers.gemini_content.warnings import Warnings

_NO_SERVER_TOOLS: Final = (
    "{} cannot run Gemini's own tools; declare functions, which the program runs itself"
)
_SERVER_TOOLS: Final = {
    "codeExecution": _NO_SERVER_TOOLS,
    "enterpriseWebSearch": _NO_SERVER_TOOLS,
    "exaAiSearch": _NO_SERVER_TOOLS,
    "parallelAiSearch": _NO_SERVER_TOOLS,
    "computerUse": _NO_SERVER_TOOLS,
    "fileSearch": _NO_SERVER_TOOLS,
    "googleMaps": _NO_SERVER_TOOLS,
    "googleSearch": _NO_SERVER_TOOLS,
    "googleSearchRetrieval": _NO_SERVER_TOOLS,
    "mcpServers": _NO_SERVER_TOOLS,
    "retrieval": _NO_SERVER_TOOLS,
    "urlContext": _NO_SERVER_TOOLS,
}
_SERVER_TOOL_CONFIG: Final = {
    "retrievalConfig": _NO_SERVER_TOOLS,
    "includeServerSideToolInvocations": _NO_SERVER_TOOLS,
}
_REFUSED_CALLING: Final = {
    "streamFunctionCallArguments": "{} returns the arguments of a call in one piece"
}

_MODES: Final = ("AUTO", "ANY", "NONE", "VALIDATED")
# The modes in which Gemini accepts allowedFunctionNames.
_NARROWING: Final = ("ANY", "VALIDATED")


NO_PARAMETERS: Final[Mapping[str, Any]] = {"type": "object", "properties": {}}
"""The schema of a function that is declared without parameters."""


@dataclass(frozen=True)
class DeclaredFunction:
    """`parameters` is a JSON Schema at `schema_path`; `path` is that of the declaration."""

    name: str
    description: str | None
    parameters: dict[str, Any]
    path: str
    schema_path: str

    @property
    def named(self) -> dict[str, Any]:
        """The members that every provider calls the same."""
        return {"name": self.name} | ({"description": self.description} if self.description else {})


@dataclass(frozen=True)
class FunctionTools:
    """The functions by name, and how they may be called: `mode` None is the provider's default.

    `allowed` limits which functions may be called, in modes ANY and VALIDATED; empty means all.
    `calling_path` is that of the functionCallingConfig.
    """

    functions: dict[str, DeclaredFunction]
    mode: str | None
    allowed: list[str]
    calling_path: str

    @property
    def forced(self) -> str | None:
        """The function that must be called, if it is exactly one."""
        names = set(self.allowed)
        return self.allowed[0] if self.mode == "ANY" and len(names) == 1 else None

    @property
    def validated(self) -> bool:
        """Whether the arguments of a call must fit the function's schema."""
        return self.mode == "VALIDATED"

    def drop_validation(self, warnings: Warnings) -> None:
        """Record that a function's schema, which the provider cannot enforce, is a hint there."""
        warnings.drop(member(self.calling_path, "mode"))

    def offered(self, warnings: Warnings) -> list[DeclaredFunction]:
        """The functions to declare to a provider that has no list of allowed functions."""
        functions = self.functions.values()
        if not self.allowed or self.forced:
            return list(functions)
        warnings.drop(member(self.calling_path, "allowedFunctionNames"))
        return [function for function in functions if function.name in self.allowed]


def function_tools(
    request: dict[str, Any], path: str, warnings: Warnings, rules: CallRules
) -> FunctionTools:
    """The `tools` and `toolConfig` of the normalised request at `path`.

    Raises INVALID_ARGUMENT for tools that are not functions, for functions that the provider does
    not accept, and for a toolConfig that Gemini does not accept.
    """
    config_path = member(path, "toolConfig")
    tool_config = request.get("toolConfig", {})
    refuse_fields(tool_config, _SERVER_TOOL_CONFIG, config_path, rules.provider)
    functions = _functions(request.get("tools", []), member(path, "tools"), warnings, rules)
    calling = tool_config.get("functionCallingConfig", {})
    calling_path = member(config_path, "functionCallingConfig")
    refuse_fields(calling, _REFUSED_CALLING, calling_path, rules.provider)
    mode, allowed = _calling(calling, calling_path, functions)
    return FunctionTools(functions, mode, allowed, calling_path)


def _functions(
    tools: list[dict[str, Any]], path: str, warnings: Warnings, rules: CallRules
) -> dict[str, DeclaredFunction]:
    functions: dict[str, DeclaredFunction] = {}
    for index, tool in enumerate(tools):
        refuse_fields(tool, _SERVER_TOOLS, item(path, index), rules.provider)
        declarations_path = member(item(path, index), "functionDeclarations")
        for number, declaration in enumerate(tool.get("functionDeclarations", [])):
            declared_at = item(declarations_path, number)
            function = _function(declaration, declared_at, warnings, rules)
            if function.name in functions:
                raise invalid_argument("is declared twice", path=member(declared_at, "name"))
            functions[function.name] = function
    return functions


def _function(
    declaration: dict[str, Any], path: str, warnings: Warnings, rules: CallRules
) -> DeclaredFunction:
    name = rules.require_name(declaration, path)
    if declaration.get("behavior", "BLOCKING") != "BLOCKING":
        raise invalid_argument(
            f"{rules.provider} waits for every response", path=member(path, "behavior")
        )
    for field in ("response", "responseJsonSchema"):
        if field in declaration:
            warnings.drop(member(path, field))
    schema, schema_path = _parameters(declaration, path)
    return DeclaredFunction(name, declaration.get("description"), schema, path, schema_path)


def _parameters(declaration: dict[str, Any], path: str) -> tuple[dict[str, Any], str]:
    gemini_path, json_path = member(path, "parameters"), member(path, "parametersJsonSchema")
    if "parameters" not in declaration:
        schema = declaration.get("parametersJsonSchema", dict(NO_PARAMETERS))
        return of_an_object(plain_root(schema) if "$ref" in schema else schema), json_path
    if "parametersJsonSchema" in declaration:
        raise invalid_argument("cannot be given with parameters", path=json_path)
    return of_an_object(to_json_schema(declaration["parameters"], gemini_path)), gemini_path


def _calling(
    calling: dict[str, Any], path: str, functions: dict[str, DeclaredFunction]
) -> tuple[str | None, list[str]]:
    mode, allowed = calling.get("mode"), calling.get("allowedFunctionNames", [])
    names_path = member(path, "allowedFunctionNames")
    if allowed and mode not in _NARROWING:
        raise invalid_argument(f"needs mode {' or '.join(_NARROWING)}", path=names_path)
    for index, name in enumerate(allowed):
        if name not in functions:
            raise invalid_argument("is not a declared function", path=item(names_path, index))
    if mode is not None and mode not in _MODES:
        raise invalid_argument(f"must be one of {', '.join(_MODES)}", path=member(path, "mode"))
    if mode == "ANY" and not functions:
        raise invalid_argument("needs a declared function", path=member(path, "mode"))
    return mode, allowed
