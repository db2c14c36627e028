from typing import Any

import pytest

from providers.bedrock.content.tools_to_converse import tools_at
from providers.gemini_content.normalise import normalise_generate
from tests.test_providers.test_bedrock.test_content.translate import (
    NOVA,
    converse,
    dropped,
    model_turn,
    refusal,
    user,
)

_SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
_F: dict[str, Any] = {"name": "f", "description": "d", "parametersJsonSchema": _SCHEMA}
_HI = {"text": "Hello"}
_TALK = [
    user(_HI),
    model_turn({"functionCall": {"name": "f"}}),
    user({"functionResponse": {"name": "f", "response": {}}}),
]


def _declaring(*functions: dict[str, Any], **calling: Any) -> dict[str, Any]:
    request: dict[str, Any] = {"tools": [{"functionDeclarations": list(functions)}]}
    return request | ({"toolConfig": {"functionCallingConfig": calling}} if calling else {})


def _spec(name: str = "f", **more: Any) -> dict[str, Any]:
    plain = {"type": "object", "properties": {}}
    return {"toolSpec": {"name": name, "inputSchema": {"json": plain}} | more}


def test_a_function() -> None:
    spec = _spec(description="d", inputSchema={"json": _SCHEMA})
    assert converse(**_declaring(_F))["toolConfig"] == {"tools": [spec]}
    assert converse(**_declaring({"name": "f", "description": ""}))["toolConfig"] == {
        "tools": [_spec()]
    }


_G = {"name": "g"}


@pytest.mark.parametrize("model", [NOVA, "anthropic.claude-opus-4-6-v1"])
@pytest.mark.parametrize(
    ("calling", "tools", "choice"),
    [
        ({"mode": "AUTO"}, ["f", "g"], {"auto": {}}),
        ({"mode": "ANY"}, ["f", "g"], {"any": {}}),
        ({"mode": "ANY", "allowedFunctionNames": ["g"]}, ["f", "g"], {"tool": {"name": "g"}}),
        ({"mode": "ANY", "allowedFunctionNames": ["g", "f"]}, ["f", "g"], {"any": {}}),
    ],
)
def test_choices(model: str, calling: Any, tools: list[str], choice: dict[str, Any]) -> None:
    found = converse(model=model, **_declaring({"name": "f"}, _G, **calling))["toolConfig"]
    assert [tool["toolSpec"]["name"] for tool in found["tools"]] == tools
    assert found["toolChoice"] == choice


def test_functions_are_restricted_by_omitting_the_others() -> None:
    request = _declaring(
        {"name": "f"}, _G, {"name": "h"}, mode="ANY", allowedFunctionNames=["g", "h"]
    )
    found = converse(**request)["toolConfig"]
    assert found == {"tools": [_spec("g"), _spec("h")], "toolChoice": {"any": {}}}
    path = "request.toolConfig.functionCallingConfig.allowedFunctionNames"
    assert dropped(**request) == f"{path};count=1"


def test_validated_is_strict() -> None:
    found = converse(**_declaring(_F, mode="VALIDATED"))["toolConfig"]
    closed = {"json": _SCHEMA | {"additionalProperties": False}}
    spec = _spec(description="d", strict=True, inputSchema=closed)
    assert found == {"tools": [spec], "toolChoice": {"auto": {}}}


def test_a_function_that_cannot_be_strict_is_offered_with_a_warning() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer", "maximum": 3}}}
    request = _declaring({"name": "f", "parametersJsonSchema": schema}, mode="VALIDATED")
    assert converse(**request)["toolConfig"]["tools"] == [_spec(inputSchema={"json": schema})]
    path = "request.toolConfig.functionCallingConfig.mode"
    assert dropped(**request) == f"{path};count=1"


def test_no_functions_are_omitted() -> None:
    request = _declaring(_F, mode="NONE")
    assert "toolConfig" not in converse(**request)
    assert dropped(**request) == "request.tools;count=1"


@pytest.mark.parametrize("request_", [_declaring(_F, mode="NONE"), {}])
def test_calls_need_their_functions_declared(request_: dict[str, Any]) -> None:
    error = refusal(contents=_TALK, **request_)
    assert error.path == "request.contents[1].parts[0].functionCall"
    assert "toolConfig" in converse(contents=_TALK, **_declaring(_F))


@pytest.mark.parametrize(
    ("request_", "path"),
    [
        ({"tools": [{"googleSearch": {}}]}, "tools[0].googleSearch"),
        (_declaring({"name": "x" * 65}), "tools[0].functionDeclarations[0].name"),
        (_declaring({"name": "a.b"}), "tools[0].functionDeclarations[0].name"),
        (
            _declaring(_F | {"behavior": "NON_BLOCKING"}),
            "tools[0].functionDeclarations[0].behavior",
        ),
        (
            _declaring({"name": "f", "parameters": {"type": "STRING"}}),
            "tools[0].functionDeclarations[0].parameters.type",
        ),
        (
            {"toolConfig": {"retrievalConfig": {}}},
            "toolConfig.retrievalConfig",
        ),
        (
            _declaring(_F, mode="ANY")
            | {"generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW"}}},
            "toolConfig.functionCallingConfig.mode",
        ),
    ],
)
def test_values_that_converse_rejects(request_: dict[str, Any], path: str) -> None:
    assert refusal(**request_).path == f"request.{path}"


@pytest.mark.parametrize(
    "model", ["anthropic.claude-opus-5-5-20260922-v1:0", "us.anthropic.claude-sonnet-5-5"]
)
def test_newer_claude_models_cannot_be_forced_to_call(model: str) -> None:
    error = refusal(**_declaring(_F, mode="ANY"), model=model)
    assert error.path == "request.toolConfig.functionCallingConfig.mode"


@pytest.mark.parametrize(
    ("request_", "path"),
    [
        ({}, None),
        ({"tools": [], "toolConfig": None}, None),
        (_declaring(_F), "request.tools"),
        ({"toolConfig": {}}, "request.toolConfig"),
        ({"contents": _TALK}, "request.contents[1].parts[0].functionCall"),
        ({"contents": _TALK[2:]}, "request.contents[0].parts[0].functionResponse"),
    ],
)
def test_the_path_of_a_requests_functions(request_: dict[str, Any], path: str | None) -> None:
    request = normalise_generate({"contents": [user(_HI)]} | request_, "request")
    assert tools_at(request, "request") == path


def test_claude_takes_no_parameter_with_other_characters_in_its_name() -> None:
    schema = {"type": "object", "properties": {"filter[id]": {"type": "string"}}}
    request = _declaring({"name": "f", "parametersJsonSchema": schema})
    declared = "request.tools[0].functionDeclarations[0]"
    wanted = f'{declared}.parametersJsonSchema.properties["filter[id]"]'
    assert refusal(**request).path == wanted
    sent = converse(model=NOVA, **request)["toolConfig"]["tools"][0]["toolSpec"]
    assert sent["inputSchema"]["json"] == schema
