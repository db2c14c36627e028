"""Gemini's requests as requests to /v1/responses, which the fake's strict table accepts."""

from typing import Any

import pytest

from providers.gemini_content.normalise import normalise_generate
from providers.gemini_content.warnings import Warnings
from providers.openai.dialect import COUNTED_DIALECT
from providers.openai_content.chat_to_responses import to_responses
from providers.openai_content.generate_to_openai import to_openai_chat
from tests.fakes.openai.responses_request import parse_response

PIXEL = "iVBORw0KGgo="
SCHEMA = {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}, "required": ["a"]}
PARAMETERS = {"type": "object", "properties": {"place": {"type": "string"}}}
FUNCTIONS = [{"name": "weather", "parametersJsonSchema": PARAMETERS}, {"name": "time"}]
CALL = {"functionCall": {"id": "c1", "name": "weather", "args": {"place": "Rome"}}}
ANSWERED = {"functionResponse": {"name": "weather", "response": {"result": "sunny"}}}


def responses(*contents: dict[str, Any], **members: Any) -> dict[str, Any]:
    """Accepted by the fake."""
    request = {"contents": list(contents) or [user("hello")], **members}
    chat = to_openai_chat(
        normalise_generate(request, ""),
        model="gpt-4o",
        path="",
        warnings=Warnings(),
        file_ids=lambda uri, _: uri.removeprefix("files/"),
        dialect=COUNTED_DIALECT,
    )
    return parse_response(to_responses(chat))


def user(*parts: dict[str, Any] | str) -> dict[str, Any]:
    return {"role": "user", "parts": [{"text": p} if isinstance(p, str) else p for p in parts]}


def model(*parts: dict[str, Any] | str) -> dict[str, Any]:
    return user(*parts) | {"role": "model"}


def test_texts_of_every_role() -> None:
    system = {"parts": [{"text": "be brief"}, {"text": "be kind"}]}
    body = responses(
        user("one"), model("two", "three"), user("four", "five"), systemInstruction=system
    )
    assert body == {
        "model": "gpt-4o",
        "store": False,
        "input": [
            {
                "role": "system",
                "content": [
                    {"type": "input_text", "text": "be brief"},
                    {"type": "input_text", "text": "be kind"},
                ],
            },
            {"role": "user", "content": "one"},
            {"role": "assistant", "content": "two"},
            {"role": "assistant", "content": "three"},
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "four"},
                    {"type": "input_text", "text": "five"},
                ],
            },
        ],
    }


def test_media() -> None:
    image = {"inlineData": {"mimeType": "image/png", "data": PIXEL}}
    pdf = {"inlineData": {"mimeType": "application/pdf", "data": PIXEL}}
    stored = {"fileData": {"mimeType": "application/pdf", "fileUri": "files/file-a"}}
    (message,) = responses(user(image, pdf, stored))["input"]
    assert message["content"] == [
        {
            "type": "input_image",
            "image_url": f"data:image/png;base64,{PIXEL}",
            "detail": "auto",
        },
        {
            "type": "input_file",
            "filename": "document.pdf",
            "file_data": f"data:application/pdf;base64,{PIXEL}",
        },
        {"type": "input_file", "file_id": "file-a"},
    ]


def test_functions_their_calls_and_their_answers() -> None:
    body = responses(
        user("hello"),
        model("let me see", CALL),
        user(ANSWERED),
        tools=[{"functionDeclarations": FUNCTIONS}],
    )
    assert body["input"][1:] == [
        {"role": "assistant", "content": "let me see"},
        {
            "type": "function_call",
            "call_id": "c1",
            "name": "weather",
            "arguments": '{"place":"Rome"}',
        },
        {"type": "function_call_output", "call_id": "c1", "output": '{"result":"sunny"}'},
    ]
    assert body["tools"] == [
        {"type": "function", "strict": False, "name": "weather", "parameters": PARAMETERS},
        {
            "type": "function",
            "strict": False,
            "name": "time",
            "parameters": {"type": "object", "properties": {}},
        },
    ]


@pytest.mark.parametrize(
    ("config", "choice"),
    [
        ({"mode": "AUTO"}, "auto"),
        ({"mode": "ANY"}, "required"),
        ({"mode": "NONE"}, "none"),
        (
            {"mode": "ANY", "allowedFunctionNames": ["time"]},
            {"type": "function", "name": "time"},
        ),
        (
            {"mode": "ANY", "allowedFunctionNames": ["time", "weather"]},
            {
                "type": "allowed_tools",
                "mode": "required",
                "tools": [
                    {"type": "function", "name": "time"},
                    {"type": "function", "name": "weather"},
                ],
            },
        ),
    ],
)
def test_the_choice_of_a_function(config: dict[str, Any], choice: object) -> None:
    tools = [{"functionDeclarations": FUNCTIONS}]
    body = responses(tools=tools, toolConfig={"functionCallingConfig": config})
    assert body["tool_choice"] == choice


def test_strict_functions() -> None:
    config = {"functionCallingConfig": {"mode": "VALIDATED"}}
    tools = [{"functionDeclarations": [{"name": "time"}]}]
    (tool,) = responses(tools=tools, toolConfig=config)["tools"]
    assert tool["strict"] is True


def test_a_schema_for_the_answer() -> None:
    config = {"responseMimeType": "application/json", "responseSchema": SCHEMA}
    written = responses(generationConfig=config)["text"]["format"]
    assert (written["type"], written["name"]) == ("json_schema", "response")
    assert written["schema"]["properties"] == {"a": {"type": "string"}}


def test_json_without_a_schema() -> None:
    body = responses(
        user("as JSON, please"), generationConfig={"responseMimeType": "application/json"}
    )
    assert body["text"] == {"format": {"type": "json_object"}}


def test_how_much_to_think() -> None:
    config = {"thinkingConfig": {"thinkingLevel": "HIGH"}}
    assert responses(generationConfig=config)["reasoning"] == {"effort": "high"}
