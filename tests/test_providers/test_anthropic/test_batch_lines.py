from typing import Any, get_type_hints

import orjson
import pytest
from anthropic.types.beta.message_create_params import (
    MessageCreateParamsNonStreaming as BetaParams,
)
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming as MessageParams

from providers.anthropic.batch_lines import (
    PARAMS as KNOWN_PARAMS,
)
from providers.anthropic.batch_lines import (
    AnthropicLines,
    AnthropicTranslator,
    BatchItems,
    is_anthropic_line,
)
from providers.batches.request_table import job_of
from providers.errors import FerryError
from providers.resource_names import native_file_id, result_file_id
from providers.status import Status

MODEL = "claude-opus-4-6"
JOB = "0123456789abcdef" * 2
PARAMS: dict[str, Any] = {
    "model": MODEL,
    "max_tokens": 5,
    "messages": [{"role": "user", "content": "hi"}],
}


def translator(items: BatchItems | None = None) -> AnthropicTranslator:
    return AnthropicTranslator(MODEL, JOB, items or BatchItems(), 4096)


def asking(*parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"contents": [{"parts": [{"text": "hi"}, *parts]}], **more}


def reading(uri: str) -> dict[str, Any]:
    return asking({"fileData": {"fileUri": uri, "mimeType": "application/pdf"}})


def test_an_item_names_its_index_and_its_job() -> None:
    item = orjson.loads(translator().line(7, asking(), "requests[7]"))
    assert item.keys() == {"custom_id", "params"}
    assert item["custom_id"] == f"r0000000007-{JOB}"
    assert job_of(item["custom_id"]) == JOB
    assert len(item["custom_id"]) <= 64
    assert (item["params"]["model"], item["params"]["max_tokens"]) == (MODEL, 4096)


def test_a_request_is_translated_the_same_each_time() -> None:
    """The first reading counts the bytes that the second sends."""
    first, second = translator(), translator()
    request = asking(generationConfig={"temperature": 0.5})
    assert first.line(0, request, "p") == second.line(0, request, "p")


def test_named_files_are_collected_with_their_paths() -> None:
    ours = translator()
    ours.line(0, reading(f"https://ferry/v1beta/files/{native_file_id('file_a')}"), "line 1")
    ours.line(1, reading("files/file_a"), "line 2")
    ours.line(2, reading("files/file_b"), "line 3")
    where = "contents[0].parts[1].fileData.fileUri"
    assert ours.files.found == {"file_a": f"line 1.{where}", "file_b": f"line 3.{where}"}


@pytest.mark.parametrize("name", ["report.pdf", "report,1.pdf", "fabc"])
def test_a_web_page_with_a_name_like_a_file_is_not_anthropics(name: str) -> None:
    ours, uri = translator(), f"https://example.com/files/{name}"
    item = orjson.loads(ours.line(0, reading(uri), "line 1"))
    [_, document] = item["params"]["messages"][0]["content"]
    assert document["source"] == {"type": "url", "url": uri}
    assert ours.files.found == {}


def test_a_results_file_cannot_be_an_input() -> None:
    with pytest.raises(FerryError) as caught:
        translator().line(0, reading(f"files/{result_file_id('msgbatch_a')}"), "p")
    assert caught.value.status == Status.INVALID_ARGUMENT


@pytest.mark.parametrize(("more", "old"), [({}, False), ({"temperature": 0.5}, True)])
def test_one_item_decides_the_version(more: dict[str, Any], old: bool) -> None:
    translated, native = BatchItems(), BatchItems()
    ours, lines = translator(translated), AnthropicLines(native)
    for config in ({}, more, {}):
        ours.line(0, asking(generationConfig=config), "p")
    for index, change in enumerate(({}, more, {})):
        lines.read(index, 1, {"custom_id": str(index), "params": PARAMS | change})
    assert (translated.needs_old_version, native.needs_old_version) == (old, old)


def test_a_native_line_keeps_its_id_in_the_table() -> None:
    line = {"custom_id": "a-_9", "params": PARAMS | {"metadata": [1.5, None, "é"]}}
    assert AnthropicLines(BatchItems()).read(0, 1, line) == (None, b'"a-_9"')


def test_params_are_those_of_anthropics_own_sdk() -> None:
    """And the sampling parameters, which its newest version no longer has."""
    typed = get_type_hints(MessageParams).keys() | get_type_hints(BetaParams).keys()
    assert (typed - {"betas"}) | {"temperature", "top_p", "top_k"} == KNOWN_PARAMS


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ({"params": {}}, "line 3: custom_id"),
        ({"custom_id": 7, "params": {}}, "line 3: custom_id"),
        ({"custom_id": "", "params": {}}, "line 3: custom_id"),
        ({"custom_id": "a b", "params": {}}, "line 3: custom_id"),
        ({"custom_id": "a" * 65, "params": {}}, "line 3: custom_id"),
        ({"custom_id": "a\n", "params": {}}, "line 3: custom_id"),
        ({"custom_id": "twice", "params": {}}, "line 3: custom_id"),
        ({"custom_id": "a"}, "line 3: params"),
        ({"custom_id": "a", "params": None}, "line 3: params"),
        ({"custom_id": "a", "params": [], "x": 1}, "line 3: x"),
        ({"custom_id": "a", "params": {"max_token": 1}}, "line 3: params.max_token"),
        ({"custom_id": "a", "params": {"stream": True}}, "line 3: params.stream"),
    ],
    ids=str,
)
def test_a_native_line_that_anthropic_rejects(line: dict[str, Any], path: str) -> None:
    lines = AnthropicLines(BatchItems())
    lines.read(0, 2, {"custom_id": "twice", "params": {}})
    with pytest.raises(FerryError) as caught:
        lines.read(1, 3, line)
    assert (caught.value.status, caught.value.path) == (Status.INVALID_ARGUMENT, path)


@pytest.mark.parametrize(
    ("line", "native"),
    [
        ({"custom_id": "a", "params": {}}, True),
        ({"params": {}}, True),
        ({"custom_id": "a"}, True),
        ({"custom_id": "a", "method": "POST", "url": "/v1", "body": {}}, False),
        ({"key": "a", "request": {}}, False),
        ({"custom_id": "a", "request": {}}, False),
        ({"contents": []}, False),
        ({"recordId": "a", "modelInput": {}}, False),
    ],
)
def test_which_lines_are_anthropics(line: dict[str, Any], native: bool) -> None:
    assert is_anthropic_line(line) is native
