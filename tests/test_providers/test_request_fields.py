"""Google's newer request fields at each translating provider: supported, or refused by name."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from providers.errors import FerryError
from tests.test_providers.test_bedrock.test_content import translate as bedrock
from tests.test_providers.test_claude_content import translate as anthropic
from tests.test_providers.test_mistral import translate as mistral
from tests.test_providers.test_openai_content import translate as openai

_REFUSALS: Final[list[Callable[..., FerryError]]] = [
    openai.refusal,
    anthropic.refusal,
    mistral.refusal,
    bedrock.refusal,
]
_TRANSLATIONS: Final[list[Callable[..., dict[str, Any]]]] = [
    openai.chat,
    anthropic.message,
    mistral.chat,
    bedrock.converse,
]
_NAMES: Final = ["OpenAI", "Anthropic", "Mistral", "Bedrock"]
_NAMED_REFUSALS: Final = list(zip(_REFUSALS, _NAMES, strict=True))

_SCHEMA: Final = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
_OLDER: Final = {"responseMimeType": "application/json", "responseJsonSchema": _SCHEMA}


def _format(**text: object) -> dict[str, Any]:
    return {"responseFormat": {"text": text}}


@pytest.mark.parametrize("translated", _TRANSLATIONS, ids=_NAMES)
@pytest.mark.parametrize(
    "newer",
    [
        _format(mimeType="APPLICATION_JSON", schema=_SCHEMA),
        _format(mimeType="application/json", schema=_SCHEMA),
        _format(schema=_SCHEMA) | {"responseMimeType": "application/json"},
        {"response_format": {"text": {"mime_type": "APPLICATION_JSON", "schema": _SCHEMA}}},
        {"responseMimeType": "application/json", "_responseJsonSchema": _SCHEMA},
    ],
)
def test_a_newer_spelling_is_translated_like_the_older(
    translated: Callable[..., dict[str, Any]], newer: dict[str, Any]
) -> None:
    older = translated(generationConfig=_OLDER)
    assert older != translated()
    assert translated(generationConfig=newer) == older


@pytest.mark.parametrize("translated", _TRANSLATIONS, ids=_NAMES)
def test_plain_text_by_response_format(translated: Callable[..., dict[str, Any]]) -> None:
    assert translated(generationConfig=_format(mimeType="TEXT_PLAIN")) == translated()


@pytest.mark.parametrize("refusal", _REFUSALS, ids=_NAMES)
@pytest.mark.parametrize(
    ("config", "field"),
    [
        (_OLDER | _format(mimeType="TEXT_PLAIN"), "responseFormat.text.mimeType"),
        (_OLDER | _format(schema=_SCHEMA), "responseFormat.text.schema"),
        (_OLDER | {"_responseJsonSchema": _SCHEMA}, "_responseJsonSchema"),
        (_format(schema=_SCHEMA), "responseFormat.text.schema"),
        (_format(mimeType="TEXT_HTML"), "responseFormat.text.mimeType"),
        ({"responseFormat": {"image": {}}}, "responseFormat.image"),
        ({"responseFormat": {"audio": {"mimeType": "AUDIO_MP3"}}}, "responseFormat.audio"),
        ({"responseFormat": {"video": {}}}, "responseFormat.video"),
        ({"translationConfig": {"targetLanguageCode": "de"}}, "translationConfig"),
        ({"audioTimestamp": True}, "audioTimestamp"),
        ({"enableAffectiveDialog": True}, "enableAffectiveDialog"),
        ({"routingConfig": {}}, "routingConfig"),
        ({"modelConfig": {}}, "modelConfig"),
        ({"modelSelectionConfig": {}}, "modelSelectionConfig"),
    ],
)
def test_settings_that_are_refused(
    refusal: Callable[..., FerryError], config: dict[str, Any], field: str
) -> None:
    refused = refusal(generationConfig=config)
    assert refused.path == f"request.generationConfig.{field}"
    assert "unknown field" not in refused.message


@pytest.mark.parametrize(("refusal", "name"), _NAMED_REFUSALS, ids=_NAMES)
@pytest.mark.parametrize(
    ("request_", "path"),
    [
        ({"modelArmorConfig": {}}, "modelArmorConfig"),
        ({"outputConfig": {}}, "outputConfig"),
        ({"tools": [{"enterpriseWebSearch": {}}]}, "tools[0].enterpriseWebSearch"),
        ({"tools": [{"exaAiSearch": {}}]}, "tools[0].exaAiSearch"),
        ({"tools": [{"parallelAiSearch": {}}]}, "tools[0].parallelAiSearch"),
        (
            {
                "tools": [{"functionDeclarations": [{"name": "f"}]}],
                "toolConfig": {"functionCallingConfig": {"streamFunctionCallArguments": True}},
            },
            "toolConfig.functionCallingConfig.streamFunctionCallArguments",
        ),
    ],
)
def test_fields_that_are_refused(
    refusal: Callable[..., FerryError], name: str, request_: dict[str, Any], path: str
) -> None:
    refused = refusal(**request_)
    assert refused.path == f"request.{path}"
    assert name in refused.message


@pytest.mark.parametrize(("refusal", "name"), _NAMED_REFUSALS, ids=_NAMES)
@pytest.mark.parametrize("field", ["partialArgs", "willContinue"])
def test_a_function_call_in_pieces_is_refused(
    refusal: Callable[..., FerryError], name: str, field: str
) -> None:
    value = [{"jsonPath": "$.a"}] if field == "partialArgs" else True
    call: dict[str, Any] = {"name": "f", "args": {}, field: value}
    contents = [
        openai.user({"text": "Hello"}),
        openai.model({"functionCall": call}),
        openai.user({"functionResponse": {"name": "f", "response": {}}}),
    ]
    refused = refusal(contents=contents, tools=[{"functionDeclarations": [{"name": "f"}]}])
    assert refused.path == f"request.contents[1].parts[0].functionCall.{field}"
    assert name in refused.message
