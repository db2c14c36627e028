from typing import Any

import pytest

from providers.gemini_content.json_path import member
from tests.test_providers.test_claude_content.translate import dropped, message, refusal

_PLAIN = {"type": "object", "properties": {}}


def _declared(*declarations: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"functionDeclarations": list(declarations)}]


def _calling(**config: Any) -> dict[str, Any]:
    return {"functionCallingConfig": config}


_F_G_AND_H = _declared({"name": "f"}, {"name": "g"}, {"name": "h"})


@pytest.mark.parametrize(
    ("declaration", "tool"),
    [
        ({"name": "f"}, {"input_schema": _PLAIN}),
        (
            {
                "name": "f",
                "description": "d",
                "parameters": {"type": "OBJECT", "properties": {"a_b": {"type": "STRING"}}},
                "behavior": "BLOCKING",
            },
            {
                "description": "d",
                "input_schema": {"type": "object", "properties": {"a_b": {"type": "string"}}},
            },
        ),
        (
            {"name": "f", "parameters_json_schema": {"type": "object", "a_b": 1}},
            {"input_schema": {"type": "object", "a_b": 1}},
        ),
    ],
)
def test_functions(declaration: dict[str, Any], tool: dict[str, Any]) -> None:
    params = message(tools=_declared(declaration))
    assert params["tools"] == [{"name": "f"} | tool]
    assert "tool_choice" not in params


def test_a_name_may_have_128_characters() -> None:
    name = "f" * 128
    assert message(tools=_declared({"name": name}))["tools"][0]["name"] == name


def test_functions_of_several_tools() -> None:
    params = message(tools=[*_declared({"name": "f"}), {}, *_declared({"name": "g"})])
    assert [tool["name"] for tool in params["tools"]] == ["f", "g"]


@pytest.mark.parametrize(
    ("field", "schema"), [("response", {"type": "STRING"}), ("responseJsonSchema", {})]
)
def test_the_schema_of_an_answer_is_dropped(field: str, schema: dict[str, Any]) -> None:
    tools = _declared({"name": "f", field: schema})
    path = f"request.tools[*].functionDeclarations[*].{field}"
    assert dropped(tools=tools) == f"{path};count=1"
    assert set(message(tools=tools)["tools"][0]) == {"name", "input_schema"}


@pytest.mark.parametrize(
    ("config", "choice", "offered"),
    [
        ({"mode": "AUTO"}, {"type": "auto"}, "fgh"),
        ({"mode": "ANY"}, {"type": "any"}, "fgh"),
        ({"mode": "NONE"}, {"type": "none"}, "fgh"),
        ({"mode": "any", "allowed_function_names": ["g"]}, {"type": "tool", "name": "g"}, "fgh"),
        (
            {"mode": "ANY", "allowedFunctionNames": ["g", "g"]},
            {"type": "tool", "name": "g"},
            "fgh",
        ),
        ({"mode": "ANY", "allowedFunctionNames": ["h", "f"]}, {"type": "any"}, "fh"),
        ({"mode": "VALIDATED"}, {"type": "auto"}, "fgh"),
        ({"mode": "VALIDATED", "allowedFunctionNames": ["g"]}, {"type": "auto"}, "g"),
    ],
)
def test_choices(config: dict[str, Any], choice: dict[str, Any], offered: str) -> None:
    request = {"tools": _F_G_AND_H, "toolConfig": _calling(**config)}
    params = message(**request)
    assert params["tool_choice"] == choice
    assert [tool["name"] for tool in params["tools"]] == list(offered)
    path = "request.toolConfig.functionCallingConfig.allowedFunctionNames"
    assert dropped(**request) == ("" if offered == "fgh" else f"{path};count=1")


@pytest.mark.parametrize("config", [{}, {"mode": "MODE_UNSPECIFIED"}])
def test_no_choice(config: dict[str, Any]) -> None:
    assert "tool_choice" not in message(tools=_F_G_AND_H, toolConfig=_calling(**config))


@pytest.mark.parametrize("mode", ["AUTO", "NONE", "VALIDATED"])
def test_a_choice_between_no_functions_is_none(mode: str) -> None:
    assert set(message(toolConfig=_calling(mode=mode))) == {"model", "messages", "max_tokens"}


def test_validated_functions_are_strict() -> None:
    properties = {"a": {"type": "string"}}
    (tool,) = message(
        tools=_declared({"name": "f", "parametersJsonSchema": _PLAIN | {"properties": properties}}),
        toolConfig=_calling(mode="VALIDATED"),
    )["tools"]
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    assert tool == {"name": "f", "input_schema": schema, "strict": True}


def test_parameters_that_contain_themselves() -> None:
    tree = {"type": "object", "properties": {"kid": {"$ref": "#/$defs/Tree"}}}
    schema = {"$defs": {"Tree": tree}, "$ref": "#/$defs/Tree"}
    (tool,) = message(tools=_declared({"name": "f", "parametersJsonSchema": schema}))["tools"]
    assert tool["input_schema"] == {"$defs": {"Tree": tree}, **tree}


def test_a_function_that_cannot_be_strict_is_offered_with_a_warning() -> None:
    """Pydantic AI asks for VALIDATED with every tool; a dict has any members, a number limits."""
    free = {"type": "object", "additionalProperties": {"type": "integer"}}
    properties = {"a": {"type": "string", "examples": ["x"]}, "b": free}
    schema = _PLAIN | {"properties": properties}
    request = {
        "tools": _declared({"name": "f", "parametersJsonSchema": schema}),
        "toolConfig": _calling(mode="VALIDATED"),
    }
    assert message(**request)["tools"] == [{"name": "f", "input_schema": schema}]
    path = "request.toolConfig.functionCallingConfig.mode"
    assert dropped(**request) == f"{path};count=1"


_FIRST = "tools[0].functionDeclarations[0]"
_CHOICE = "toolConfig.functionCallingConfig"


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"tools": _declared({})}, f"{_FIRST}.name"),
        ({"tools": _declared({"name": "a.b"})}, f"{_FIRST}.name"),
        ({"tools": _declared({"name": "f" * 129})}, f"{_FIRST}.name"),
        ({"tools": _declared({"name": "f\n"})}, f"{_FIRST}.name"),
        ({"tools": _declared({"name": "f", "behavior": "NON_BLOCKING"})}, f"{_FIRST}.behavior"),
        (
            {"tools": _declared({"name": "f", "parameters": {"type": "tuple"}})},
            f"{_FIRST}.parameters.type",
        ),
        (
            {"tools": _declared({"name": "f", "parameters": {"type": "STRING"}})},
            f"{_FIRST}.parameters.type",
        ),
        (
            {"tools": _declared({"name": "f", "parametersJsonSchema": {"$ref": "#"}})},
            f"{_FIRST}.parametersJsonSchema.type",
        ),
        (
            {
                "tools": _declared(
                    {"name": "f", "parametersJsonSchema": {"type": "object", "anyOf": [{}]}}
                )
            },
            f"{_FIRST}.parametersJsonSchema.anyOf",
        ),
        (
            {"tools": _declared({"name": "f", "parameters": {}, "parametersJsonSchema": {}})},
            f"{_FIRST}.parametersJsonSchema",
        ),
        (
            {"tools": _declared({"name": "f"}) + _declared({"name": "f"})},
            "tools[1].functionDeclarations[0].name",
        ),
        (
            {"tools": _F_G_AND_H, "toolConfig": _calling(mode="ANY", allowedFunctionNames=["i"])},
            f"{_CHOICE}.allowedFunctionNames[0]",
        ),
        (
            {"tools": _F_G_AND_H, "toolConfig": _calling(mode="AUTO", allowedFunctionNames=["f"])},
            f"{_CHOICE}.allowedFunctionNames",
        ),
        ({"tools": _F_G_AND_H, "toolConfig": _calling(mode="SOME")}, f"{_CHOICE}.mode"),
        ({"toolConfig": _calling(mode="ANY")}, f"{_CHOICE}.mode"),
        ({"toolConfig": {"retrievalConfig": {}}}, "toolConfig.retrievalConfig"),
        (
            {"toolConfig": {"includeServerSideToolInvocations": True}},
            "toolConfig.includeServerSideToolInvocations",
        ),
        ({"tools": [{"mcpServers": [{}]}]}, "tools[0].mcpServers"),
    ],
)
def test_values_that_anthropic_rejects(fields: dict[str, Any], path: str) -> None:
    assert refusal(**fields).path == f"request.{path}"


@pytest.mark.parametrize(
    "tool",
    [
        "codeExecution",
        "computerUse",
        "fileSearch",
        "googleMaps",
        "googleSearch",
        "googleSearchRetrieval",
        "retrieval",
        "urlContext",
    ],
)
def test_gemini_tools_are_refused(tool: str) -> None:
    assert refusal(tools=[*_F_G_AND_H, {tool: {}}]).path == f"request.tools[1].{tool}"


@pytest.mark.parametrize("name", ["filter[id]", "$top", "user name", "", "a" * 65])
@pytest.mark.parametrize("field", ["parameters", "parametersJsonSchema"])
def test_a_parameter_needs_a_name_that_claude_takes(name: str, field: str) -> None:
    kind = "OBJECT" if field == "parameters" else "object"
    schema = {"type": kind, "properties": {name: {"type": kind}}}
    refused = refusal(tools=_declared({"name": "f", field: schema}))
    assert refused.path == member(
        f"request.tools[0].functionDeclarations[0].{field}.properties", name
    )


def test_names_inside_a_parameter_are_free() -> None:
    inner = {"type": "object", "properties": {"$top": {"type": "string"}}}
    schema = {"type": "object", "properties": {"a.b-c_1": inner}}
    (tool,) = message(tools=_declared({"name": "f", "parametersJsonSchema": schema}))["tools"]
    assert tool["input_schema"] == schema
