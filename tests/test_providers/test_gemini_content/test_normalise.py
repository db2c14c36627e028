from typing import Any

import pytest

from providers.errors import FerryError
from providers.gemini_content.normalise import normalise_embed, normalise_generate
from providers.status import Status

_HELLO = {"role": "user", "parts": [{"text": "Hello"}]}
_INLINE = "batch.inputConfig.requests.requests[0].request"


def _generate(**fields: Any) -> dict[str, Any]:
    return normalise_generate({"contents": [_HELLO], **fields}, "request")


def _config(**fields: Any) -> Any:
    return _generate(generationConfig=fields)["generationConfig"]


def _refusal(request: object, path: str = "request") -> FerryError:
    with pytest.raises(FerryError) as refused:
        normalise_generate(request, path)
    assert refused.value.status == Status.INVALID_ARGUMENT
    return refused.value


# What the SDKs really send (sdk-wire.md section 4).


def test_the_python_sdks_mixed_spelling() -> None:
    request = {
        "contents": [
            {
                "role": "user",
                "parts": [{"inlineData": {"data": "__79-w==", "mime_type": "image/png"}}],
            },
            {"role": "user", "parts": [{"fileData": {"file_uri": "u", "mime_type": "image/png"}}]},
        ],
        "generationConfig": {"topK": 3.0, "thinkingConfig": {"include_thoughts": True}},
        "tools": [{"functionDeclarations": [{"name": "f", "parameters_json_schema": {"a_b": 1}}]}],
    }
    assert normalise_generate(request, "") == {
        "contents": [
            {
                "role": "user",
                "parts": [{"inlineData": {"data": "//79+w==", "mimeType": "image/png"}}],
            },
            {"role": "user", "parts": [{"fileData": {"fileUri": "u", "mimeType": "image/png"}}]},
        ],
        "generationConfig": {"topK": 3, "thinkingConfig": {"includeThoughts": True}},
        "tools": [{"functionDeclarations": [{"name": "f", "parametersJsonSchema": {"a_b": 1}}]}],
    }


def test_enums_by_their_numbers() -> None:
    """As the packages write them that are made of Google's protobufs (`enum-encoding=int`)."""
    schema = {"type": 6, "properties": {"a": {"type": 5, "items": {"type": 1}}}}
    function = {"name": "f", "parameters": schema, "behavior": 1}
    answer = {"name": "f", "response": {"scheduling": 1}, "scheduling": 2}
    normal = _generate(
        contents=[{"parts": [{"functionResponse": answer}]}],
        tools=[{"functionDeclarations": [function]}],
        toolConfig={"functionCallingConfig": {"mode": 2}},
        safetySettings=[{"category": 7, "threshold": 4}],
        generationConfig={"responseModalities": [1, 3], "mediaResolution": 0},
    )
    (part,) = normal.pop("contents")[0]["parts"]
    assert part == {"functionResponse": answer | {"scheduling": "WHEN_IDLE"}}
    string = {"type": "STRING"}
    array = {"type": "ARRAY", "items": string}
    declared = {"type": "OBJECT", "properties": {"a": array}}
    assert normal == {
        "tools": [
            {"functionDeclarations": [function | {"parameters": declared, "behavior": "BLOCKING"}]}
        ],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY"}},
        "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
        "generationConfig": {"responseModalities": ["TEXT", "AUDIO"]},
    }


@pytest.mark.parametrize("number", [-1, 5, 2**40, 2.0, True])
def test_a_number_of_no_enum_value_is_refused(number: object) -> None:
    error = _refusal(
        {"contents": [_HELLO], "toolConfig": {"functionCallingConfig": {"mode": number}}}
    )
    assert error.path == "request.toolConfig.functionCallingConfig.mode"


def test_the_request_is_not_changed() -> None:
    request = {"contents": [{"parts": [{"text": "Hello"}]}], "generation_config": {"top_k": 3.0}}
    normalise_generate(request, "")
    assert request == {
        "contents": [{"parts": [{"text": "Hello"}]}],
        "generation_config": {"top_k": 3.0},
    }


# Empty values are absent.


@pytest.mark.parametrize(
    "fields",
    [
        {"temperature": None},
        {"candidateCount": 1},
        {"candidateCount": "1"},
        {"responseModalities": ["TEXT"]},
        {"response_modalities": ["text"]},
        {"responseMimeType": "text/plain"},
        {"stopSequences": []},
        {"responseLogprobs": False},
        {"mediaResolution": "MEDIA_RESOLUTION_UNSPECIFIED"},
    ],
)
def test_defaults_are_dropped(fields: dict[str, Any]) -> None:
    assert _config(**fields) == {}


@pytest.mark.parametrize(
    "fields",
    [
        {"temperature": 0},
        {"seed": 0},
        {"candidateCount": 0},
        {"responseModalities": ["TEXT", "IMAGE"]},
        {"responseMimeType": ""},
        {"thinkingConfig": {}},
    ],
)
def test_empty_values_with_a_meaning_are_kept(fields: dict[str, Any]) -> None:
    assert _config(**fields) == fields


def test_a_schema_without_additional_properties_stays_so() -> None:
    schema = {"type": "OBJECT", "additionalProperties": False}
    assert _config(responseSchema=schema) == {"responseSchema": schema}


def test_nulls_inside_free_form_maps_are_kept() -> None:
    call = {"name": "f", "args": {"a_b": None, "list": []}}
    turn = {"role": "model", "parts": [{"functionCall": call}]}
    assert _generate(contents=[_HELLO, turn])["contents"][1] == turn


# Roles and turns.


@pytest.mark.parametrize(
    ("role", "normal"),
    [
        (None, "user"),
        ("", "user"),
        ("user", "user"),
        ("model", "model"),
        ("function", "user"),
        ("tool", "user"),
    ],
)
def test_roles(role: str | None, normal: str) -> None:
    turn = {"role": role, "parts": [{"text": "Hello"}]}
    assert _generate(contents=[turn])["contents"][0]["role"] == normal


def test_the_role_of_a_system_instruction_is_ignored() -> None:
    instruction = {"role": "anyone", "parts": [{"text": "Be brief."}]}
    normal = _generate(system_instruction=instruction)
    assert normal["systemInstruction"] == {"parts": [{"text": "Be brief."}]}


@pytest.mark.parametrize("parts", [[{"text": ""}], [{"text": ""}, {"text": ""}]])
def test_an_empty_system_instruction_is_none(parts: list[dict[str, Any]]) -> None:
    """As the library Instructor sends it."""
    assert "systemInstruction" not in _generate(systemInstruction={"parts": parts})


@pytest.mark.parametrize(
    ("request_", "path"),
    [
        ({}, "request.contents"),
        ({"contents": None}, "request.contents"),
        ({"contents": []}, "request.contents"),
        ({"contents": [{"role": "assistant", "parts": [{}]}]}, "request.contents[0].role"),
        ({"contents": [_HELLO], "systemInstruction": {}}, "request.systemInstruction.parts"),
    ],
)
def test_turns_without_content_are_refused(request_: object, path: str) -> None:
    assert _refusal(request_).path == path


def test_a_lone_object_is_a_list_of_one() -> None:
    """As in Google's examples for curl, and in the requests of older JavaScript frameworks."""
    lone = {
        "system_instruction": {"parts": {"text": "You are a cat."}},
        "contents": {"role": "user", "parts": {"text": "Hello"}},
        "tools": {"function_declarations": {"name": "meow"}},
        "safety_settings": {"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"},
        "generation_config": {"response_schema": {"any_of": {"type": "STRING"}}},
    }
    written_out = {
        "systemInstruction": {"parts": [{"text": "You are a cat."}]},
        "contents": [{"role": "user", "parts": [{"text": "Hello"}]}],
        "tools": [{"functionDeclarations": [{"name": "meow"}]}],
        "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
        "generationConfig": {"responseSchema": {"anyOf": [{"type": "STRING"}]}},
    }
    assert normalise_generate(lone, "request") == written_out


# Wrong types and unknown names.


@pytest.mark.parametrize(
    ("request_", "path"),
    [
        ("text", "request"),
        (None, "request"),
        ({"contents": "Hello"}, "request.contents"),
        ({"contents": [[_HELLO]]}, "request.contents[0]"),
        ({"contents": {"parts": {"text": 1}}}, "request.contents.parts.text"),
        ({"generation_config": {"stop_sequences": {}}}, "request.generation_config.stop_sequences"),
        (
            {"generation_config": {"stop_sequences": "a"}},
            "request.generation_config.stop_sequences",
        ),
        ({"contents": [None]}, "request.contents[0]"),
        ({"contents": ["Hello"]}, "request.contents[0]"),
        ({"contents": [{"parts": [{"text": 1}]}]}, "request.contents[0].parts[0].text"),
        ({"contents": [_HELLO], "labels": []}, "request.labels"),
        (
            {"generation_config": {"response_schema": {"properties": []}}},
            "request.generation_config.response_schema.properties",
        ),
        (
            {"generation_config": {"response_schema": {"properties": {"a b": None}}}},
            'request.generation_config.response_schema.properties["a b"]',
        ),
        ({"generationConfig": {"seed": "x"}}, "request.generationConfig.seed"),
    ],
)
def test_wrong_types_are_refused_as_the_client_spelt_them(request_: object, path: str) -> None:
    assert _refusal(request_).path == path


def test_an_unknown_field_deep_inside() -> None:
    error = _refusal({"contents": [{"parts": [{"text": "Hello", "foo": 1}]}]}, _INLINE)
    assert error.path == f"{_INLINE}.contents[0].parts[0].foo"
    assert error.message == f"{_INLINE}.contents[0].parts[0].foo: unknown field"


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (
            {"contents": [_HELLO], "generationConfg": {}},
            "request.generationConfg: unknown field; did you mean 'generationConfig'?",
        ),
        (
            {"contents": [_HELLO], "generation_config": {"max_output_token": 1}},
            "request.generation_config.max_output_token: unknown field; "
            "did you mean 'max_output_tokens'?",
        ),
        (
            {"contents": "Hello"},
            'request.contents: must be a list, such as [{"parts": [{"text": "..."}]}]',
        ),
        *(
            (
                {"contents": [_HELLO], name: value},
                f"request.{name}: unknown field here; put it in generationConfig",
            )
            for name, value in (
                ("thinking_config", {"thinking_budget": 0}),
                ("temperature", 0),
                ("responseMimeType", "application/json"),
            )
        ),
        *(
            (
                {"contents": [_HELLO], "generationConfig": {name: []}},
                f"request.generationConfig.{name}: unknown field here; "
                "put it next to generationConfig",
            )
            for name in ("tools", "system_instruction", "safetySettings")
        ),
    ],
)
def test_a_refusal_says_what_would_be_valid(request_: object, message: str) -> None:
    assert _refusal(request_).message == message


def test_an_unknown_field_is_refused_even_if_it_is_null() -> None:
    assert _refusal({"contents": [_HELLO], "odd key": None}).path == 'request["odd key"]'


def test_a_config_is_refused_with_a_hint() -> None:
    error = _refusal({"contents": [_HELLO], "config": {"temperature": 1}})
    assert error.path == "request.config"
    assert "generationConfig" in error.message


@pytest.mark.parametrize("first", ["generationConfig", "generation_config"])
def test_both_spellings_of_a_field_are_refused_at_the_second(first: str) -> None:
    both = ["generationConfig", "generation_config"]
    second = next(name for name in both if name != first)
    assert _refusal({first: None, second: None}).path == f"request.{second}"


# Embeddings.


@pytest.mark.parametrize("unspecified", ["TASK_TYPE_UNSPECIFIED", 0])
def test_an_embedding_request(unspecified: object) -> None:
    request = {
        "content": {"role": "user", "parts": [{"text": "Hello"}]},
        "task_type": unspecified,
        "output_dimensionality": "64",
    }
    assert normalise_embed(request, "request") == {
        "content": {"parts": [{"text": "Hello"}]},
        "outputDimensionality": 64,
    }


@pytest.mark.parametrize(
    ("request_", "path"),
    [
        ({}, "request.content"),
        ({"content": {"parts": []}}, "request.content.parts"),
        ({"content": {"parts": [{"text": "a"}]}, "contents": []}, "request.contents"),
    ],
)
def test_embedding_requests_that_are_refused(request_: object, path: str) -> None:
    with pytest.raises(FerryError) as refused:
        normalise_embed(request_, "request")
    assert refused.value.path == path


@pytest.mark.parametrize("model", ["../../files", "models/..", "m?x", "models/", "%2e%2e"])
def test_a_model_that_would_change_the_path_is_refused(model: str) -> None:
    generate = {"model": model, "contents": [{"parts": [{"text": "a"}]}]}
    embed = {"model": model, "content": {"parts": [{"text": "a"}]}}
    for normalise, request in ((normalise_generate, generate), (normalise_embed, embed)):
        with pytest.raises(FerryError) as refused:
            normalise(request, "request")
        assert refused.value.path == "request.model"
