"""What differs from OpenAI in Mistral's requests, and what is refused, with its path."""

import re
from typing import Any

import pytest

from providers.errors import FerryError
from tests.test_providers.test_mistral.translate import FILE, chat, dropped, embedding, refusal
from tests.test_providers.test_openai_content.translate import model, user

_CALL = {"functionCall": {"name": "f"}}
_ANSWER = {"functionResponse": {"name": "f", "response": {}}}
_F_AND_G = [{"functionDeclarations": [{"name": "f"}, {"name": "g"}]}]


def config(**settings: Any) -> dict[str, Any]:
    return chat(generationConfig=settings)


# --- settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "value", "sent"),
    [
        ("maxOutputTokens", 5, {"max_tokens": 5}),
        ("seed", 0, {"random_seed": 0}),
        ("topK", 3.0, {"top_k": 3}),
        ("temperature", 1.5, {"temperature": 1.5}),
        ("stopSequences", list("abcdef"), {"stop": list("abcdef")}),
        ("thinkingConfig", {"thinkingLevel": "HIGH"}, {"reasoning_effort": "high"}),
        ("thinkingConfig", {"thinkingBudget": 0}, {"reasoning_effort": "none"}),
    ],
)
def test_a_setting(setting: str, value: object, sent: dict[str, Any]) -> None:
    plain = chat()
    assert config(**{setting: value}) == plain | sent


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("seed", -1),
        ("topK", 0),
        ("temperature", 1.6),
        ("maxOutputTokens", 0),
        ("mediaResolution", "MEDIA_RESOLUTION_LOW"),
    ],
)
def test_a_setting_that_is_refused(setting: str, value: object) -> None:
    error = refusal(generationConfig={setting: value})
    assert error.path == f"request.generationConfig.{setting}"
    assert "Mistral" in error.message


def test_json_without_a_schema_needs_the_word() -> None:
    error = refusal(generationConfig={"responseMimeType": "application/json"})
    assert error.path == "request.generationConfig.responseMimeType"
    assert "Mistral requires the word JSON" in error.message


# --- turns ----------------------------------------------------------------------------------------


def test_a_call_without_an_id_gets_one_of_nine_characters() -> None:
    contents = [
        user({"text": "a"}),
        model(_CALL, _CALL),
        user(_ANSWER, _ANSWER),
        model(_CALL),
        user(_ANSWER),
    ]
    messages = chat(contents=contents)["messages"]
    called = [call["id"] for message in messages for call in message.get("tool_calls", ())]
    answered = [message["tool_call_id"] for message in messages if message["role"] == "tool"]
    assert called == answered
    assert len(set(called)) == 3
    assert all(re.fullmatch("[a-zA-Z0-9]{9}", call_id) for call_id in called)
    assert chat(contents=contents)["messages"] == messages


@pytest.mark.parametrize(("given", "kept"), [("D681PevKs", True), ("call_123", False)])
def test_an_id_of_mistrals_form_is_kept(given: str, kept: bool) -> None:
    contents = [
        user({"text": "a"}),
        model({"functionCall": {"name": "f", "id": given}}),
        user({"functionResponse": {"name": "f", "id": given, "response": {}}}),
    ]
    _, called, answered = chat(contents=contents)["messages"]
    assert called["tool_calls"][0]["id"] == answered["tool_call_id"]
    assert (answered["tool_call_id"] == given) is kept


@pytest.mark.parametrize(
    ("turns", "path"),
    [
        ([user(_ANSWER, {"text": "b"})], "contents[2].parts[1].text"),
        ([user(_ANSWER), user({"text": "b"})], "contents[3].parts[0].text"),
    ],
)
def test_the_users_text_right_after_a_response_is_refused(
    turns: list[dict[str, Any]], path: str
) -> None:
    error = refusal(contents=[user({"text": "a"}), model(_CALL), *turns])
    assert error.path == f"request.{path}"


def test_an_empty_turn_of_the_model_is_refused() -> None:
    marked = {"text": "", "partMetadata": {"a": 1}}
    contents = [user({"text": "a"}), model(marked), user({"text": "b"})]
    assert refusal(contents=contents).path == "request.contents[1].parts"


# --- functions ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("calling", "choice"),
    [
        ({"mode": "AUTO"}, "auto"),
        ({"mode": "ANY"}, "required"),
        ({"mode": "NONE"}, "none"),
        (
            {"mode": "ANY", "allowedFunctionNames": ["g"]},
            {"type": "function", "function": {"name": "g"}},
        ),
    ],
)
def test_which_function_is_called(calling: dict[str, Any], choice: object) -> None:
    body = chat(tools=_F_AND_G, toolConfig={"functionCallingConfig": calling})
    assert body["tool_choice"] == choice
    assert [tool["function"]["name"] for tool in body["tools"]] == ["f", "g"]


def test_functions_that_are_not_allowed_are_not_declared() -> None:
    tools = [{"functionDeclarations": [{"name": name} for name in "fgh"]}]
    calling = {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f", "h"]}}
    body = chat(tools=tools, toolConfig=calling)
    assert [tool["function"]["name"] for tool in body["tools"]] == ["f", "h"]
    assert body["tool_choice"] == "required"
    assert "allowedFunctionNames" in dropped(tools=tools, toolConfig=calling)


# --- media ----------------------------------------------------------------------------------------


def test_images() -> None:
    inline = {"inlineData": {"mimeType": "image/jpg", "data": "AAAA"}}
    linked = {"fileData": {"mimeType": "image/png", "fileUri": "https://a.example/b.png"}}
    [message] = chat(contents=[user({"text": "a"}, inline, linked)])["messages"]
    assert message["content"][1:] == [
        {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,AAAA"}},
        {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}},
    ]


def test_a_pdf() -> None:
    data = {"mimeType": "application/pdf", "data": "AAAA"}
    parts = [{"inlineData": data}, {"inlineData": {**data, "displayName": "b.pdf"}}]
    [message] = chat(contents=[user({"text": "a"}, *parts)])["messages"]
    address = {"type": "document_url", "document_url": "data:application/pdf;base64,AAAA"}
    assert message["content"][1:] == [address, {**address, "document_name": "b.pdf"}]


@pytest.mark.parametrize(
    ("part", "path"),
    [
        ({"inlineData": {"mimeType": "audio/wav", "data": "AAAA"}}, "inlineData.mimeType"),
        ({"fileData": {"mimeType": "image/png", "fileUri": FILE}}, "fileData.fileUri"),
        (
            {"fileData": {"mimeType": "application/pdf", "fileUri": "https://a.example/b.pdf"}},
            "fileData.mimeType",
        ),
    ],
)
def test_other_media_is_refused(part: dict[str, Any], path: str) -> None:
    error = refusal(contents=[user({"text": "a"}, part)])
    assert error.path == f"request.contents[0].parts[1].{path}"
    assert "Mistral" in error.message


# --- embeddings -----------------------------------------------------------------------------------


def test_an_embedding() -> None:
    assert embedding() == {"input": "a", "encoding_format": "float"}
    sized = embedding("codestral-embed-2505", outputDimensionality=256)
    assert sized["output_dimension"] == 256


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        ({"outputDimensionality": 256}, "outputDimensionality"),
        ({"taskType": "RETRIEVAL_QUERY"}, "taskType"),
        ({"title": "t"}, "title"),
    ],
)
def test_an_embedding_that_is_refused(settings: dict[str, Any], path: str) -> None:
    with pytest.raises(FerryError) as refused:
        embedding("mistral-embed", **settings)
    assert refused.value.path == f"request.{path}"
