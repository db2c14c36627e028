from typing import Any

import orjson
import pytest

from providers.batches.line_formats import GeminiLines
from providers.errors import FerryError, not_found
from providers.openai.batch_lines import OpenAILines, OpenAITranslator, line_formats
from providers.openai.dialect import HOSTED_DIALECT
from providers.resource_names import FileId, FileKind, object_file_id
from providers.resources import BatchKind
from providers.status import Status

MODEL = "gpt-4o-mini"
CHAT, RESPONSES, EMBEDDINGS = "/v1/chat/completions", "/v1/responses", "/v1/embeddings"
REQUEST: dict[str, Any] = {"contents": [{"parts": [{"text": "hi"}]}]}


def gemini() -> GeminiLines:
    return GeminiLines(OpenAITranslator(MODEL, BatchKind.GENERATE))


def native(**changes: Any) -> dict[str, Any]:
    line = {"custom_id": "a", "method": "POST", "url": CHAT, "body": {"model": MODEL}}
    return line | changes


def refusal(lines: GeminiLines | OpenAILines, number: int, document: dict[str, Any]) -> FerryError:
    with pytest.raises(FerryError) as caught:
        lines.read(0, number, document)
    assert caught.value.status == Status.INVALID_ARGUMENT
    return caught.value


# --- Gemini's format ----------------------------------------------------------------------------


def test_a_line_becomes_a_line_for_openai() -> None:
    sent, row = gemini().read(7, 9, {"key": "k", "request": REQUEST})
    assert b"\n" not in sent
    line = orjson.loads(sent)
    assert (line["custom_id"], line["method"], line["url"]) == ("r0000000007", "POST", CHAT)
    assert line["body"]["model"] == MODEL
    assert row == b'"k"'


@pytest.mark.parametrize("name", ["cat.png", "cat", "oceans"])
def test_an_image_of_the_web_below_files_stays_a_web_address(name: str) -> None:
    translator, uri = (
        OpenAITranslator(MODEL, BatchKind.GENERATE),
        f"https://example.com/files/{name}",
    )
    image = {"fileData": {"mimeType": "image/png", "fileUri": uri}}
    request = {"contents": [{"parts": [{"text": "hi"}, image]}]}
    body = orjson.loads(translator.line(0, request, "line 1"))["body"]
    parts = body["messages"][0]["content"]
    assert parts[1] == {"type": "image_url", "image_url": {"url": uri}}
    assert translator.files.found == {}


def test_a_line_without_a_key_gets_its_number() -> None:
    lines = gemini()
    assert lines.read(0, 3, {"request": REQUEST})[1] == b'"3"'
    assert lines.read(1, 4, REQUEST)[1] == b'"4"'
    assert lines.read(2, 5, {"key": None, "request": REQUEST})[1] == b'"5"'


def test_a_number_that_another_line_has_as_its_key() -> None:
    lines = gemini()
    lines.read(0, 1, {"key": "2", "request": REQUEST})
    assert refusal(lines, 2, {"request": REQUEST}).path == "line 2: key"


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"key": 1, "request": REQUEST}, "line 4: key"),
        ({"key": "🎉" * 501, "request": REQUEST}, "line 4: key"),
        ({"key": "k", "request": REQUEST, "custom": 1}, "line 4: custom"),
        ({"key": "k", "request": REQUEST | {"nope": 1}}, "line 4: request.nope"),
        (REQUEST | {"nope": 1}, "line 4"),
        ({"key": "k", "request": []}, "line 4: request"),
        ({"key": "k", "request": None}, "line 4: request"),
    ],
)
def test_the_error_of_an_invalid_line_says_where(document: dict[str, Any], path: str) -> None:
    assert str(refusal(gemini(), 4, document).path).startswith(path)


def test_a_key_at_the_limit() -> None:
    gemini().read(0, 1, {"key": "🎉" * 500, "request": REQUEST})


def test_an_embedding() -> None:
    lines = GeminiLines(OpenAITranslator("text-embedding-3-small", BatchKind.EMBED))
    sent, _ = lines.read(0, 1, {"key": "k", "request": {"content": {"parts": [{"text": "hi"}]}}})
    line = orjson.loads(sent)
    assert (line["url"], line["body"]["input"], lines.endpoint) == (EMBEDDINGS, "hi", EMBEDDINGS)


FILE_URI = "line 1: request.contents[0].parts[0].fileData.fileUri"


@pytest.mark.parametrize(
    ("name", "referenced"),
    [
        (str(FileId(FileKind.NATIVE, "file-AbC")), {"file-AbC": FILE_URI}),
        ("file-AbC", {"file-AbC": FILE_URI}),
        (str(FileId(FileKind.RESULTS, "batch_A")), None),
    ],
)
def test_a_file_that_a_request_names(name: str, referenced: dict[str, str] | None) -> None:
    translator = OpenAITranslator(MODEL, BatchKind.GENERATE)
    uri = f"http://localhost/genai/v1beta/files/{name}"
    part = {"fileData": {"fileUri": uri, "mimeType": "application/pdf"}}
    document = {"key": "k", "request": {"contents": [{"parts": [part]}]}}
    if referenced is None:
        refusal(GeminiLines(translator), 1, document)
        assert translator.files.found == {}
    else:
        sent, _ = GeminiLines(translator).read(0, 1, document)
        assert b"file-AbC" in sent
        assert translator.files.found == referenced


def test_a_file_of_another_provider_is_refused() -> None:
    def elsewhere(uri: str, path: str) -> str | None:
        raise not_found(f"{uri} is a name of bedrock", path=path)

    translator = OpenAITranslator(MODEL, BatchKind.GENERATE, elsewhere)
    uri = f"http://localhost/genai/v1beta/files/{object_file_id('cat.png')}"
    part = {"fileData": {"fileUri": uri, "mimeType": "image/png"}}
    document = {"key": "k", "request": {"contents": [{"parts": [part]}]}}
    with pytest.raises(FerryError, match="is a name of bedrock") as refused:
        GeminiLines(translator).read(0, 1, document)
    assert (refused.value.status, refused.value.path) == (Status.NOT_FOUND, FILE_URI)
    assert translator.files.found == {}


# --- OpenAI's own format --------------------------------------------------------------------------


@pytest.mark.parametrize("url", [CHAT, RESPONSES])
def test_a_native_line_is_sent_unchanged(url: str) -> None:
    lines = OpenAILines(MODEL, BatchKind.GENERATE)
    assert lines.read(0, 1, native(url=url)) == (None, b'"a"')
    assert lines.endpoint == url


def other_server(kind: BatchKind = BatchKind.GENERATE) -> OpenAILines:
    return OpenAILines(MODEL, kind, HOSTED_DIALECT.endpoint_of)


@pytest.mark.parametrize("url", ["/chat/completions", "/v4/chat/completions", "/responses"])
def test_another_server_may_have_another_version_in_its_paths_or_none(url: str) -> None:
    lines = other_server()
    assert lines.read(0, 1, native(url=url)) == (None, b'"a"')
    assert lines.endpoint == url
    assert refusal(OpenAILines(MODEL, BatchKind.GENERATE), 1, native(url=url)).path == "line 1: url"


@pytest.mark.parametrize("url", [CHAT, "/v1/completions", "/embeddings", "/images/edits", 3])
def test_all_lines_for_another_server_name_one_known_endpoint(url: object) -> None:
    lines = other_server()
    lines.read(0, 1, native(url="/chat/completions"))
    assert refusal(lines, 2, native(custom_id="b", url=url)).path == "line 2: url"


def test_a_long_url_is_not_repeated_as_a_whole() -> None:
    lines = other_server()
    lines.read(0, 1, native(url=f"/{'x' * 100_000}/chat/completions"))
    assert len(refusal(lines, 2, native(custom_id="b", url="/chat/completions")).message) < 200


def test_embeddings_at_another_server() -> None:
    body = {"model": MODEL, "input": ["a"]}
    lines = other_server(BatchKind.EMBED)
    assert lines.read(0, 1, native(url="/embeddings", body=body)) == (None, b'"a"')
    assert lines.endpoint == "/embeddings"


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"custom_id": None}, "line 2: custom_id"),
        ({"custom_id": ""}, "line 2: custom_id"),
        ({"custom_id": 1}, "line 2: custom_id"),
        ({"custom_id": "x" * 1001}, "line 2: custom_id"),
        ({"custom_id": "a"}, "line 2: custom_id"),
        ({"body": None}, "line 2: body"),
        ({"body": []}, "line 2: body"),
        ({"body": {"model": "gpt-4o"}}, "line 2: body.model"),
        ({"body": {}}, "line 2: body.model"),
        ({"body": {"model": MODEL, "stream": True}}, "line 2: body.stream"),
        ({"body": {"model": MODEL, "stream": False}}, "line 2: body.stream"),
        ({"custom_id": "é" * 513}, "line 2: custom_id"),
        ({"custom_id": "x" * 513}, "line 2: custom_id"),
        ({"metadata": {}}, "line 2: metadata"),
        ({"custom_Id": "b"}, "line 2: custom_Id"),
        ({"method": "GET"}, "line 2: method"),
        ({"method": None}, "line 2: method"),
        ({"url": None}, "line 2: url"),
        ({"url": RESPONSES}, "line 2: url"),
        ({"url": EMBEDDINGS}, "line 2: url"),
        ({"url": "/v1/images/edits"}, "line 2: url"),
    ],
)
def test_an_invalid_native_line(changes: dict[str, Any], path: str) -> None:
    lines = OpenAILines(MODEL, BatchKind.GENERATE)
    lines.read(0, 1, native())
    assert refusal(lines, 2, native(custom_id="b") | changes).path == path


def test_a_native_id_at_the_limit() -> None:
    OpenAILines(MODEL, BatchKind.GENERATE).read(0, 1, native(custom_id="x" * 512))


def test_a_misspelt_member_is_named() -> None:
    line = native()
    line["bdy"] = line.pop("body")
    message = refusal(OpenAILines(MODEL, BatchKind.GENERATE), 1, line).message
    assert message == "line 1: bdy: unknown field; did you mean 'body'?"


def test_the_most_embeddings() -> None:
    lines = OpenAILines(MODEL, BatchKind.EMBED)

    def asking(custom_id: str, given: object) -> dict[str, Any]:
        return native(url=EMBEDDINGS, custom_id=custom_id, body={"model": MODEL, "input": given})

    lines.read(0, 1, asking("a", ["text"] * 49_998))
    lines.read(1, 2, asking("b", [1, 2, 3]))  # tokens of one text
    lines.read(2, 3, asking("c", "text"))
    assert refusal(lines, 4, asking("d", "text")).path == "line 4: body.input"


def test_an_endpoint_of_the_other_kind() -> None:
    lines = OpenAILines(MODEL, BatchKind.EMBED)
    assert refusal(lines, 1, native()).path == "line 1: url"
    lines = OpenAILines(MODEL, BatchKind.GENERATE)
    assert refusal(lines, 1, native(url=EMBEDDINGS)).path == "line 1: url"


# --- any line -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "name"),
    [
        (REQUEST, "gemini"),
        ({"key": "k", "request": REQUEST}, "gemini"),
        ({"custom_id": "k", "request": REQUEST}, "gemini"),
        (native(), "openai"),
        ({"body": {}}, "openai"),
        ({"custom_id": "a", "params": {}}, "an unknown"),
        ({"recordId": "a", "modelInput": {}}, "an unknown"),
        ({"custom_id": "a"}, "openai"),
        ({"params": {}}, "an unknown"),
        # One member of another provider's lines is enough to recognise them.
        (native(params={}), "an unknown"),
        (native(modelInput={}), "an unknown"),
        ({"custom_id": "a", "recordId": "a"}, "an unknown"),
    ],
)
def test_the_format_of_a_line(document: dict[str, Any], name: str) -> None:
    formats = line_formats(MODEL, BatchKind.GENERATE)
    of_the_file = {"gemini": REQUEST, "openai": native()}
    expected = {
        each: formats.recognise(first, OpenAITranslator(MODEL, BatchKind.GENERATE))
        for each, first in of_the_file.items()
    }
    assert {each: lines.name for each, lines in expected.items()} == {
        each: each for each in of_the_file
    }
    for each, lines in expected.items():
        if each == name:
            formats.check(document, lines, 2)
            continue
        with pytest.raises(FerryError) as caught:
            formats.check(document, lines, 2)
        assert caught.value.path == "line 2"
        assert f"is in {name} format, where {each} format" in caught.value.message
