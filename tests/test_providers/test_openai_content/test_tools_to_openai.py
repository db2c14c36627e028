from typing import Any

import pytest

from tests.test_providers.test_openai_content.translate import chat, dropped, refusal

_CLOSED = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}


def _declared(*declarations: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"functionDeclarations": list(declarations)}]


def _calling(**config: Any) -> dict[str, Any]:
    return {"functionCallingConfig": config}


_F_AND_G = _declared({"name": "f"}, {"name": "g"})


def _named(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name}}


@pytest.mark.parametrize(
    ("declaration", "function"),
    [
        ({"name": "f"}, {"parameters": {"type": "object", "properties": {}}}),
        (
            {
                "name": "f",
                "description": "d",
                "parameters": {"type": "OBJECT", "properties": {"a_b": {"type": "STRING"}}},
                "behavior": "BLOCKING",
            },
            {
                "description": "d",
                "parameters": {"type": "object", "properties": {"a_b": {"type": "string"}}},
            },
        ),
        (
            {"name": "f", "parameters_json_schema": {"properties": {}, "a_b": 1}},
            {"parameters": {"type": "object", "properties": {}, "a_b": 1}},
        ),
    ],
)
def test_functions(declaration: dict[str, Any], function: dict[str, Any]) -> None:
    body = chat(tools=_declared(declaration))
    assert body["tools"] == [{"type": "function", "function": {"name": "f"} | function}]
    assert "tool_choice" not in body


def test_functions_of_several_tools() -> None:
    body = chat(tools=[*_declared({"name": "f"}), {}, *_declared({"name": "g"})])
    assert [tool["function"]["name"] for tool in body["tools"]] == ["f", "g"]


@pytest.mark.parametrize(
    ("field", "schema"), [("response", {"type": "STRING"}), ("responseJsonSchema", {})]
)
def test_the_schema_of_an_answer_is_dropped(field: str, schema: dict[str, Any]) -> None:
    tools = _declared({"name": "f", field: schema})
    path = f"request.tools[*].functionDeclarations[*].{field}"
    assert dropped(tools=tools) == f"{path};count=1"
    assert field not in chat(tools=tools)["tools"][0]["function"]


@pytest.mark.parametrize(
    ("config", "choice"),
    [
        ({"mode": "AUTO"}, "auto"),
        ({"mode": "ANY"}, "required"),
        ({"mode": "NONE"}, "none"),
        ({"mode": "any", "allowed_function_names": ["g"]}, _named("g")),
        (
            {"mode": "ANY", "allowedFunctionNames": ["f", "g"]},
            {
                "type": "allowed_tools",
                "allowed_tools": {"mode": "required", "tools": [_named("f"), _named("g")]},
            },
        ),
    ],
)
def test_choices(config: dict[str, Any], choice: Any) -> None:
    assert chat(tools=_F_AND_G, toolConfig=_calling(**config))["tool_choice"] == choice


@pytest.mark.parametrize("config", [{}, {"mode": "MODE_UNSPECIFIED"}])
def test_no_choice(config: dict[str, Any]) -> None:
    assert "tool_choice" not in chat(tools=_F_AND_G, toolConfig=_calling(**config))


@pytest.mark.parametrize("mode", ["AUTO", "NONE", "VALIDATED"])
def test_a_choice_between_no_functions_is_none(mode: str) -> None:
    assert set(chat(toolConfig=_calling(mode=mode))) == {"model", "messages"}


@pytest.mark.parametrize(
    ("allowed", "choice"),
    [
        ([], "auto"),
        (
            ["f"],
            {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [_named("f")]}},
        ),
    ],
)
def test_validated_functions_are_strict(allowed: list[str], choice: Any) -> None:
    body = chat(
        tools=_declared({"name": "f", "parametersJsonSchema": _CLOSED}),
        toolConfig=_calling(mode="VALIDATED", allowedFunctionNames=allowed),
    )
    function = {"name": "f", "parameters": _CLOSED, "strict": True}
    assert body["tools"] == [{"type": "function", "function": function}]
    assert body["tool_choice"] == choice


def test_a_validated_function_without_parameters_accepts_none() -> None:
    body = chat(tools=_declared({"name": "f"}), toolConfig=_calling(mode="VALIDATED"))
    [tool] = body["tools"]
    assert tool["function"]["parameters"] == {
        "type": "object",
        "properties": {},
        "required": [],
        "additionalProperties": False,
    }
    assert tool["function"]["strict"] is True


_OPEN = _declared(
    {
        "name": "f",
        "parametersJsonSchema": {"type": "object", "properties": {"a": {"type": "string"}}},
    }
)


def test_a_function_that_cannot_be_strict_is_offered_with_a_warning() -> None:
    """Pydantic AI asks for VALIDATED with every tool, and a tool may have optional parameters."""
    tools, config = [*_declared({"name": "g"}), *_OPEN], _calling(mode="VALIDATED")
    offered = chat(tools=tools, toolConfig=config)["tools"]
    assert [tool["function"].get("strict") for tool in offered] == [True, None]
    assert offered[1]["function"]["parameters"] == {
        "type": "object",
        "properties": {"a": {"type": "string"}},
    }
    path = "request.toolConfig.functionCallingConfig.mode"
    assert dropped(tools=tools, toolConfig=config) == f"{path};count=1"


_FIRST = "tools[0].functionDeclarations[0]"
_CHOICE = "toolConfig.functionCallingConfig"


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"tools": _declared({})}, f"{_FIRST}.name"),
        ({"tools": _declared({"name": "a.b"})}, f"{_FIRST}.name"),
        ({"tools": _declared({"name": "f" * 65})}, f"{_FIRST}.name"),
        ({"tools": _declared({"name": "f\n"})}, f"{_FIRST}.name"),
        ({"tools": _declared({"name": "f", "behavior": "NON_BLOCKING"})}, f"{_FIRST}.behavior"),
        (
            {"tools": _declared({"name": "f", "parameters": {"type": "tuple"}})},
            f"{_FIRST}.parameters.type",
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
            {"tools": _F_AND_G, "toolConfig": _calling(mode="ANY", allowedFunctionNames=["h"])},
            f"{_CHOICE}.allowedFunctionNames[0]",
        ),
        (
            {"tools": _F_AND_G, "toolConfig": _calling(mode="AUTO", allowedFunctionNames=["f"])},
            f"{_CHOICE}.allowedFunctionNames",
        ),
        ({"tools": _F_AND_G, "toolConfig": _calling(mode="SOME")}, f"{_CHOICE}.mode"),
        ({"toolConfig": _calling(mode="ANY")}, f"{_CHOICE}.mode"),
        ({"toolConfig": {"retrievalConfig": {}}}, "toolConfig.retrievalConfig"),
        (
            {"toolConfig": {"includeServerSideToolInvocations": True}},
            "toolConfig.includeServerSideToolInvocations",
        ),
    ],
)
def test_values_that_openai_rejects(fields: dict[str, Any], path: str) -> None:
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
    tools = [*_F_AND_G, {tool: {}}]
    assert refusal(tools=tools).path == f"request.tools[1].{tool}"


def test_mcp_servers_are_refused() -> None:
    assert refusal(tools=[{"mcpServers": [{}]}]).path == "request.tools[0].mcpServers"
