from typing import Any

import orjson
import pytest

from providers.batches.line_formats import GeminiLines
from providers.bedrock.content.batch_lines import (
    BedrockTranslator,
    check_tools_can_go,
    first_invocation,
)
from providers.bedrock.content.bedrock_models import InvocationType
from providers.bedrock.content.native_lines import NativeRules, line_formats
from providers.errors import FerryError
from providers.resources import BatchKind
from providers.status import Status
from tests.test_providers.test_bedrock.test_content.converse_shape import require_converse
from tests.test_providers.test_bedrock.test_content.translate import CLAUDE, NOVA, OPAQUE, OTHER

_TITAN = "amazon.titan-embed-text-v2:0"
_HI: dict[str, Any] = {"contents": [{"parts": [{"text": "Hello"}]}]}
_TOOLS = {"tools": [{"functionDeclarations": [{"name": "f"}]}]}
_RULES = NativeRules(lambda _: True)
_PROVISIONED = "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/a1b2c3d4e5f6"


def _translator(
    model: str = CLAUDE,
    kind: BatchKind = BatchKind.GENERATE,
    invocation: InvocationType = InvocationType.CONVERSE,
) -> BedrockTranslator:
    return BedrockTranslator(model, kind, invocation, lambda *_: None)


def _record(translator: BedrockTranslator, request: Any, path: str = "request") -> Any:
    record = orjson.loads(translator.line(7, request, path))
    assert record.keys() == {"recordId", "modelInput"}
    assert record["recordId"] == "r0000000007"
    return record["modelInput"]


def test_a_record_for_converse() -> None:
    translator = _translator()
    body = _record(translator, _HI)
    require_converse(body)
    assert body == {"messages": [{"role": "user", "content": [{"text": "Hello"}]}]}
    assert (translator.endpoint, translator.tools_at) == ("Converse", None)


def test_a_record_in_claudes_own_schema() -> None:
    translator = _translator(invocation=InvocationType.INVOKE_MODEL)
    body = _record(translator, _HI | _TOOLS)
    assert (body["anthropic_version"], body["max_tokens"]) == ("bedrock-2023-05-31", 4096)
    assert [tool["name"] for tool in body["tools"]] == ["f"]
    assert translator.endpoint == "InvokeModel"
    assert translator.warnings.render() == "request.generationConfig.maxOutputTokens=4096;count=1"


def test_a_record_of_an_embedding() -> None:
    translator = _translator(_TITAN, BatchKind.EMBED, InvocationType.INVOKE_MODEL)
    assert _record(translator, {"content": {"parts": [{"text": "a"}]}}) == {"inputText": "a"}
    assert translator.tools_at is None


def test_the_path_of_the_first_functions_is_recorded() -> None:
    translator = _translator()
    _record(translator, _HI, "requests[0].request")
    assert "toolConfig" in _record(translator, _HI | _TOOLS, "requests[1].request")
    _record(translator, _HI | _TOOLS, "requests[2].request")
    assert translator.tools_at == "requests[1].request.tools"


@pytest.mark.parametrize(
    "unused",
    [
        {**_TOOLS, "toolConfig": {"functionCallingConfig": {"mode": "NONE"}}},
        {"toolConfig": {"functionCallingConfig": {"mode": "AUTO"}}},
    ],
)
def test_functions_with_the_mode_none_are_not_sent(unused: dict[str, Any]) -> None:
    translator = _translator(NOVA)
    assert "toolConfig" not in _record(translator, _HI | unused)
    assert translator.tools_at is None


def test_functions_that_converse_rejects_are_also_recorded() -> None:
    """Claude's own schema may accept them."""
    translator = _translator()
    long_name = {"tools": [{"functionDeclarations": [{"name": "x" * 100}]}]}
    with pytest.raises(FerryError):
        translator.line(0, _HI | long_name, "request")
    assert translator.tools_at == "request.tools"
    again = _translator(invocation=InvocationType.INVOKE_MODEL)
    assert _record(again, _HI | long_name)["tools"][0]["name"] == "x" * 100


def test_files_are_looked_up_by_their_paths() -> None:
    asked = []

    def media_uri(uri: str, path: str) -> str:
        asked.append((uri, path))
        return "s3://bucket/a"

    translator = BedrockTranslator(CLAUDE, BatchKind.GENERATE, InvocationType.CONVERSE, media_uri)
    media = {"fileData": {"fileUri": "files/a", "mimeType": "image/png"}}
    body = _record(translator, {"contents": [{"parts": [media]}]}, "line 1: request")
    source = {"s3Location": {"uri": "s3://bucket/a"}}
    image = {"image": {"format": "png", "source": source}}
    assert body["messages"] == [{"role": "user", "content": [image]}]
    assert asked == [("files/a", "line 1: request.contents[0].parts[0].fileData.fileUri")]


def test_a_request_is_translated_the_same_each_time() -> None:
    """The first reading counts the bytes that the second sends."""
    first, second = _translator(), _translator()
    request = _HI | {"generationConfig": {"temperature": 0.5}}
    assert first.line(0, request, "p") == second.line(0, request, "p")


@pytest.mark.parametrize(
    ("model", "kind", "invocation"),
    [
        (CLAUDE, BatchKind.GENERATE, InvocationType.CONVERSE),
        (OTHER, BatchKind.GENERATE, InvocationType.CONVERSE),
        (OPAQUE, BatchKind.GENERATE, InvocationType.CONVERSE),
        (_TITAN, BatchKind.EMBED, InvocationType.INVOKE_MODEL),
        ("cohere.embed-v4:0", BatchKind.EMBED, InvocationType.INVOKE_MODEL),
    ],
)
def test_the_first_schema_of_a_job(model: str, kind: BatchKind, invocation: InvocationType) -> None:
    assert first_invocation(model, kind) is invocation


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        (_PROVISIONED, BatchKind.GENERATE),
        (_PROVISIONED, BatchKind.EMBED),
        (_TITAN, BatchKind.GENERATE),
        (CLAUDE, BatchKind.EMBED),
        (OPAQUE, BatchKind.EMBED),
    ],
)
def test_a_model_of_another_kind(model: str, kind: BatchKind) -> None:
    with pytest.raises(FerryError) as refused:
        first_invocation(model, kind)
    assert refused.value.status == Status.INVALID_ARGUMENT


def test_only_claude_gets_functions_in_a_batch() -> None:
    check_tools_can_go(CLAUDE, "request.tools")
    for model in (NOVA, OTHER, OPAQUE):
        with pytest.raises(FerryError) as refused:
            check_tools_can_go(model, "request.tools")
        assert (refused.value.status, refused.value.path) == (
            Status.INVALID_ARGUMENT,
            "request.tools",
        )


@pytest.mark.parametrize(
    ("document", "name"),
    [
        (_HI, "gemini"),
        ({"key": "k", "request": _HI}, "gemini"),
        ({"recordId": "a", "modelInput": {}}, "bedrock"),
        ({"custom_id": "a", "params": {}}, "an unknown"),
        ({"custom_id": "a", "body": {}}, "an unknown"),
    ],
)
def test_the_format_of_a_line(document: dict[str, Any], name: str) -> None:
    formats = line_formats(CLAUDE, BatchKind.GENERATE, _RULES)
    expected = {"gemini": GeminiLines(_translator()), "bedrock": formats.native()}
    for each, lines in expected.items():
        if each == name:
            formats.check(document, lines, 2)
            continue
        with pytest.raises(FerryError) as refused:
            formats.check(document, lines, 2)
        assert f"is in {name} format, where {each} format" in refused.value.message


def test_a_file_of_embeddings_is_recognised() -> None:
    line = {"recordId": "a", "modelInput": {"inputText": "a"}}
    line_formats(_TITAN, BatchKind.EMBED, _RULES).native().read(0, 1, line)
    with pytest.raises(FerryError):
        line_formats(_TITAN, BatchKind.GENERATE, _RULES).native().read(0, 1, line)
