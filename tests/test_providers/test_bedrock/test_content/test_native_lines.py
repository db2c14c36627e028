from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.batches.request_table import RowKind
from providers.bedrock.content.bedrock_models import InvocationType
from providers.bedrock.content.native_lines import (
    BedrockLines,
    NativeRules,
    invocation_of,
    is_bedrock_line,
    line_formats,
)
from providers.errors import FerryError
from providers.resources import BatchKind
from providers.status import Status
from tests.test_providers.test_bedrock.test_content.translate import CLAUDE, NOVA, OPAQUE, OTHER

_TITAN = "amazon.titan-embed-text-v2:0"
_CONVERSE: dict[str, Any] = {"messages": [{"role": "user", "content": [{"text": "a"}]}]}
_TYPED = [{"role": "user", "content": [{"type": "text", "text": "a"}]}]
_MESSAGE: dict[str, Any] = {
    "anthropic_version": "bedrock-2023-05-31",
    "max_tokens": 9,
    "messages": [{"role": "user", "content": "a"}],
}
_NOVAS: dict[str, Any] = {"schemaVersion": "messages-v1"} | _CONVERSE
_EMBEDDING: dict[str, Any] = {"inputText": "a"}


def _lines(model: str = CLAUDE, *, embeds: bool = False) -> BedrockLines:
    kind = BatchKind.EMBED if embeds else BatchKind.GENERATE
    return BedrockLines(model, kind, NativeRules(lambda uri: uri.startswith("s3://own/")))


def _line(record_id: Any = "a", model_input: Any = _CONVERSE, **more: Any) -> dict[str, Any]:
    return {"recordId": record_id, "modelInput": model_input} | more


def _refusal(lines: BedrockLines, document: dict[str, Any], number: int = 3) -> FerryError:
    with pytest.raises(FerryError) as refused:
        lines.read(0, number, document)
    assert refused.value.status == Status.INVALID_ARGUMENT
    return refused.value


@pytest.mark.parametrize(
    ("model", "model_input", "embeds", "endpoint"),
    [
        (CLAUDE, _CONVERSE, False, "Converse"),
        (OTHER, _CONVERSE | {"of tomorrow": [1.5, None, "é"]}, False, "Converse"),
        (CLAUDE, _MESSAGE, False, "InvokeModel"),
        (OPAQUE, _MESSAGE | {"tools": []}, False, "InvokeModel"),
        (NOVA, _NOVAS | {"toolConfig": {}}, False, "InvokeModel"),
        (_TITAN, _EMBEDDING, True, "InvokeModel"),
        ("cohere.embed-v4:0", {"texts": ["a", "b"]}, True, "InvokeModel"),
    ],
)
def test_a_line_keeps_its_id_in_the_table(
    model: str, model_input: dict[str, Any], embeds: bool, endpoint: str
) -> None:
    lines = _lines(model, embeds=embeds)
    sent, row = lines.read(0, 1, _line("A-_9 é", model_input))
    assert sent is None
    assert orjson.loads(row) == "A-_9 é"
    assert (lines.row_kind, lines.endpoint) == (RowKind.CUSTOM_ID, endpoint)


@pytest.mark.parametrize(
    "record_id", [None, "", 7, "a" * 257, "a\n", "a\x00", "a\u200b", "twice"], ids=repr
)
def test_an_invalid_record_id(record_id: Any) -> None:
    lines = _lines()
    lines.read(0, 2, _line("twice"))
    assert _refusal(lines, _line(record_id)).path == "line 3: recordId"


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"modelInput": _CONVERSE}, "recordId"),
        ({"recordId": "a"}, "modelInput"),
        (_line(model_input=None), "modelInput"),
        (_line(model_input=[]), "modelInput"),
        (_line(key="k"), "key"),
    ],
)
def test_a_line_that_would_fail(document: dict[str, Any], path: str) -> None:
    assert _refusal(_lines(), document).path == f"line 3: {path}"


@pytest.mark.parametrize(("first", "second"), [(_CONVERSE, _MESSAGE), (_MESSAGE, _CONVERSE)])
def test_all_lines_are_written_in_one_schema(first: Any, second: Any) -> None:
    lines = _lines()
    lines.read(0, 1, _line("a", first))
    lines.read(1, 2, _line("b", first))
    assert _refusal(lines, _line("c", second)).path == "line 3: modelInput"


@pytest.mark.parametrize(
    ("model", "model_input"),
    [
        (CLAUDE, _MESSAGE | {"anthropic_version": "2023-06-01"}),
        (CLAUDE, {"messages": _TYPED}),
        (CLAUDE, {"prompt": "a"}),
        (CLAUDE, _NOVAS),
        (NOVA, _MESSAGE),
        (NOVA, _NOVAS | {"schemaVersion": "messages-v2"}),
        (OTHER, _MESSAGE),
        (OTHER, {"prompt": "a"}),
        (_TITAN, _EMBEDDING),
    ],
)
def test_a_schema_with_unknown_answers(model: str, model_input: Any) -> None:
    error = _refusal(_lines(model), _line(model_input=model_input))
    assert error.path == "line 3: modelInput"
    assert "bedrock-2023-05-31" in error.message


@pytest.mark.parametrize("model_input", [_CONVERSE, _MESSAGE])
def test_invalid_embeddings(model_input: Any) -> None:
    error = _refusal(_lines(_TITAN, embeds=True), _line(model_input=model_input))
    assert error.path == "line 3: modelInput"


def test_a_model_without_known_embeddings() -> None:
    assert "Titan" in _refusal(_lines(CLAUDE, embeds=True), _line(model_input=_EMBEDDING)).message


@pytest.mark.parametrize(
    ("model_input", "invocation"),
    [
        (_CONVERSE, InvocationType.CONVERSE),
        ({"messages": [*_CONVERSE["messages"], *_CONVERSE["messages"]]}, InvocationType.CONVERSE),
        (_MESSAGE, InvocationType.INVOKE_MODEL),
        (_MESSAGE | _CONVERSE, InvocationType.INVOKE_MODEL),
        (_NOVAS, InvocationType.INVOKE_MODEL),
        ({"messages": [*_CONVERSE["messages"], *_TYPED]}, InvocationType.INVOKE_MODEL),
        ({"messages": [{"role": "user", "content": "a"}]}, InvocationType.INVOKE_MODEL),
        ({"messages": [{"role": "user", "content": ["a"]}]}, InvocationType.INVOKE_MODEL),
        ({"messages": ["a"]}, InvocationType.INVOKE_MODEL),
        ({"messages": []}, InvocationType.INVOKE_MODEL),
        ({"messages": {}}, InvocationType.INVOKE_MODEL),
        ({}, InvocationType.INVOKE_MODEL),
    ],
)
def test_the_schema_of_a_line(model_input: Any, invocation: InvocationType) -> None:
    assert invocation_of(model_input) is invocation


@pytest.mark.parametrize(
    ("document", "native"),
    [
        (_line(), True),
        ({"recordId": "a"}, True),
        ({"modelInput": {}}, True),
        ({"key": "a", "request": {}}, False),
        ({"contents": []}, False),
        ({"custom_id": "a", "params": {}}, False),
        ({"custom_id": "a", "body": {}}, False),
    ],
)
def test_which_lines_are_bedrocks(document: dict[str, Any], native: bool) -> None:
    assert is_bedrock_line(document) is native


def test_each_file_has_a_reader_of_its_own() -> None:
    formats = line_formats(CLAUDE, BatchKind.GENERATE, NativeRules(lambda _: True))
    first, second = formats.native(), formats.native()
    assert formats.name == first.name == "bedrock"
    assert first.read(0, 1, _line()) == second.read(0, 1, _line())


def test_tools_of_a_converse_line_are_recorded_with_their_path() -> None:
    rules = NativeRules(lambda _: True)
    lines = BedrockLines(NOVA, BatchKind.GENERATE, rules)
    with_tools = _CONVERSE | {"toolConfig": {"tools": []}}
    lines.read(0, 1, _line("a"))
    assert rules.tools_at is None
    for number in (2, 3):
        lines.read(0, number, _line(f"b{number}", with_tools))
    assert rules.tools_at == "line 2: modelInput.toolConfig"


# The objects in S3 that a line may name.

RULES = NativeRules(lambda uri: uri.startswith("s3://own/prefix/"))
OTHERS = "s3://other/salaries.pdf"
IN_AN_IMAGE = "messages[0].content[0].image.source.s3Location.uri"


def _image(uri: str) -> dict[str, Any]:
    return {"image": {"format": "png", "source": {"s3Location": {"uri": uri}}}}


def _asking(*content: object) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(content)}]}


@pytest.mark.parametrize(
    ("model_input", "path"),
    [
        (_asking(_image(OTHERS)), IN_AN_IMAGE),
        (
            _asking({"toolResult": {"content": [_image(OTHERS)]}}),
            "messages[0].content[0].toolResult.content[0].image.source.s3Location.uri",
        ),
        (
            _asking({"video": {"source": {"s3Location": {"uri": OTHERS, "bucketOwner": "1"}}}}),
            "messages[0].content[0].video.source.s3Location.uri",
        ),
        (
            {"additionalModelRequestFields": {"s3Location": {"uri": OTHERS}}},
            "additionalModelRequestFields.s3Location.uri",
        ),
        (_asking(_image("S3://own/prefix/a")), IN_AN_IMAGE),
        (_asking(_image(" s3://other/a")), IN_AN_IMAGE),
        (_asking({"text": {"uri": OTHERS}}), "messages[0].content[0].text.uri"),
    ],
)
def test_an_object_outside_the_callers_folder_is_refused(
    model_input: dict[str, Any], path: str
) -> None:
    with pytest.raises(FerryError) as refused:
        RULES.check_media(model_input, "")
    assert (refused.value.status, refused.value.path) == (Status.INVALID_ARGUMENT, path)


@pytest.mark.parametrize(
    "model_input",
    [
        _asking(_image("s3://own/prefix/cat.png")),
        _asking({"text": f"{OTHERS} is where they lie"}),
        _asking({"text": OTHERS}),
        {},
    ],
)
def test_the_callers_own_objects_and_text_pass(model_input: dict[str, Any]) -> None:
    RULES.check_media(model_input, "")


@given(st.integers(1, 3000))
def test_it_is_found_at_any_depth(depth: int) -> None:
    value: Any = OTHERS
    for _ in range(depth):
        value = [value]
    with pytest.raises(FerryError):
        RULES.check_media({"a": value}, "")
