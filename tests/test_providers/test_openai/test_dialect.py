import pytest
from yarl import URL

from providers.openai.dialect import (
    HOSTED_DIALECT,
    OPENAI_DIALECT,
    SERVER_DIALECT,
    dialect_of,
)
from providers.openai_content.dialect import Dialect
from tests.test_providers.test_openai_content.translate import translate

FUNCTIONS = [{"functionDeclarations": [{"name": name} for name in ("f", "g", "h")]}]


@pytest.mark.parametrize(
    ("name", "url", "dialect"),
    [
        ("openai", "https://api.openai.com/v1", OPENAI_DIALECT),
        ("openai", "http://127.0.0.1:9090/v1", OPENAI_DIALECT),
        ("europe", "https://eu.api.openai.com/v1", HOSTED_DIALECT),
        ("azure", "https://me.openai.azure.com/openai/v1", HOSTED_DIALECT),
        ("vllm", "http://127.0.0.1:8000/v1", SERVER_DIALECT),
        ("other", "https://notopenai.com/v1", SERVER_DIALECT),
        ("other", "https://openai.com.example/v1", SERVER_DIALECT),
    ],
)
def test_the_rules_of_a_server(name: str, url: str, dialect: Dialect) -> None:
    assert dialect_of(name, "openai", URL(url)) is dialect


@pytest.mark.parametrize(
    ("dialect", "member"),
    [
        (OPENAI_DIALECT, "max_completion_tokens"),
        (HOSTED_DIALECT, "max_completion_tokens"),
        (SERVER_DIALECT, "max_tokens"),
    ],
)
def test_the_limit_has_the_name_that_the_server_knows(dialect: Dialect, member: str) -> None:
    """A server that ignores the limit would write without end."""
    body, _ = translate({"generationConfig": {"maxOutputTokens": 7, "temperature": 1}}, dialect)
    limits = {name: value for name, value in body.items() if name.startswith("max_")}
    assert limits == {member: 7}
    assert body["temperature"] == 1


def test_another_server_gets_only_the_allowed_functions() -> None:
    config = {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f", "g"]}}
    request = {"tools": FUNCTIONS, "toolConfig": config}
    body, warnings = translate(request, SERVER_DIALECT)
    assert [tool["function"]["name"] for tool in body["tools"]] == ["f", "g"]
    assert body["tool_choice"] == "required"
    assert "allowedFunctionNames" in warnings
    body, _ = translate(request, HOSTED_DIALECT)
    assert body["tool_choice"]["type"] == "allowed_tools"


def test_a_server_gets_several_texts_as_one() -> None:
    """DeepSeek and others refuse a list: "invalid type: sequence, expected a string"."""
    texts, image = [{"text": "a"}, {"text": "b"}], {"mimeType": "image/png", "data": "AAAA"}
    contents = [
        {"role": "user", "parts": texts},
        {"role": "model", "parts": texts},
        {"role": "user", "parts": [*texts, {"inlineData": image}]},
    ]
    request = {"contents": contents, "systemInstruction": {"parts": texts}}
    body, warnings = translate(request, SERVER_DIALECT)
    *plain, last = [message["content"] for message in body["messages"]]
    assert plain == ["a\nb"] * 3
    assert [part["type"] for part in last] == ["text", "text", "image_url"]
    assert not warnings
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    body, _ = translate(request, HOSTED_DIALECT)
    assert [message["content"] for message in body["messages"][:3]] == [parts] * 3
