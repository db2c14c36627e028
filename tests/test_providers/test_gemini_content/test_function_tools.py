import re
from typing import Any, Final

import pytest

from providers.errors import FerryError
from providers.gemini_content.function_calls import CallRules
from providers.gemini_content.function_tools import (
    DeclaredFunction,
    FunctionTools,
    function_tools,
)
from providers.gemini_content.warnings import Warnings

_RULES: Final = CallRules("Elsewhere", longest_name=8, ids=re.compile(".*"))
_FIRST: Final = "request.tools[0].functionDeclarations[0]"
_CALLING: Final = "request.toolConfig.functionCallingConfig"


def _read(*declarations: dict[str, Any], **calling: Any) -> FunctionTools:
    request = {
        "tools": [{"functionDeclarations": list(declarations)}],
        "toolConfig": {"functionCallingConfig": calling},
    }
    return function_tools(request, "request", Warnings(), _RULES)


def test_no_tools() -> None:
    read = function_tools({}, "request", Warnings(), _RULES)
    assert read == FunctionTools({}, None, [], _CALLING)


@pytest.mark.parametrize(
    ("declaration", "description", "parameters", "schema_field"),
    [
        ({}, None, {"type": "object", "properties": {}}, "parametersJsonSchema"),
        (
            {"description": "d", "parameters": {"type": "OBJECT"}},
            "d",
            {"type": "object", "properties": {}},
            "parameters",
        ),
        (
            {"parametersJsonSchema": {"a": 1}},
            None,
            {"type": "object", "a": 1},
            "parametersJsonSchema",
        ),
    ],
)
def test_a_function(
    declaration: dict[str, Any],
    description: str | None,
    parameters: dict[str, Any],
    schema_field: str,
) -> None:
    read = _read({"name": "f"} | declaration)
    schema_path = f"{_FIRST}.{schema_field}"
    function = DeclaredFunction("f", description, parameters, _FIRST, schema_path)
    assert read.functions == {"f": function}


@pytest.mark.parametrize(
    "calling",
    [
        {"mode": "AUTO"},
        {"mode": "NONE"},
        {"mode": "ANY"},
        {"mode": "ANY", "allowedFunctionNames": ["g"]},
        {"mode": "VALIDATED", "allowedFunctionNames": ["g", "f"]},
    ],
)
def test_the_modes_of_function_calling(calling: dict[str, Any]) -> None:
    read = _read({"name": "f"}, {"name": "g"}, **calling)
    assert (read.mode, read.allowed) == (
        calling["mode"],
        calling.get("allowedFunctionNames", []),
    )


@pytest.mark.parametrize(
    ("request_fields", "path"),
    [
        ({"tools": [{"googleSearch": {}}]}, "request.tools[0].googleSearch"),
        ({"toolConfig": {"retrievalConfig": {}}}, "request.toolConfig.retrievalConfig"),
    ],
)
def test_other_providers_accept_only_functions_as_tools(
    request_fields: dict[str, Any], path: str
) -> None:
    with pytest.raises(FerryError) as refused:
        function_tools(request_fields, "request", Warnings(), _RULES)
    assert refused.value.path == path
    assert refused.value.message.endswith(
        "Elsewhere cannot run Gemini's own tools; declare functions, which the program runs itself"
    )


@pytest.mark.parametrize(
    ("declarations", "calling", "path"),
    [
        ([{"name": "f" * 9}], {}, f"{_FIRST}.name"),
        ([{"name": "f", "behavior": "NON_BLOCKING"}], {}, f"{_FIRST}.behavior"),
        ([{"name": "f"}] * 2, {}, "request.tools[0].functionDeclarations[1].name"),
        ([{"name": "f"}], {"mode": "SOME"}, f"{_CALLING}.mode"),
        ([], {"mode": "ANY"}, f"{_CALLING}.mode"),
        (
            [{"name": "f"}],
            {"mode": "AUTO", "allowedFunctionNames": ["f"]},
            f"{_CALLING}.allowedFunctionNames",
        ),
        (
            [{"name": "f"}],
            {"mode": "ANY", "allowedFunctionNames": ["f", "g"]},
            f"{_CALLING}.allowedFunctionNames[1]",
        ),
    ],
)
def test_refused_values(
    declarations: list[dict[str, Any]], calling: dict[str, Any], path: str
) -> None:
    with pytest.raises(FerryError) as refused:
        _read(*declarations, **calling)
    assert refused.value.path == path


@pytest.mark.parametrize(
    ("calling", "only", "offered", "rendered"),
    [
        ({}, None, ["f", "g", "h"], ""),
        ({"mode": "ANY"}, None, ["f", "g", "h"], ""),
        ({"mode": "ANY", "allowedFunctionNames": ["g", "g"]}, "g", ["f", "g", "h"], ""),
        (
            {"mode": "ANY", "allowedFunctionNames": ["h", "f"]},
            None,
            ["f", "h"],
            f"{_CALLING}.allowedFunctionNames;count=1",
        ),
        (
            {"mode": "VALIDATED", "allowedFunctionNames": ["g"]},
            None,
            ["g"],
            f"{_CALLING}.allowedFunctionNames;count=1",
        ),
    ],
)
def test_the_functions_that_a_provider_gets(
    calling: dict[str, Any], only: str | None, offered: list[str], rendered: str
) -> None:
    requested, warnings = _read({"name": "f"}, {"name": "g"}, {"name": "h"}, **calling), Warnings()
    assert requested.forced == only
    assert [function.name for function in requested.offered(warnings)] == offered
    assert warnings.render() == rendered
