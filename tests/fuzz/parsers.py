"""Every parser of bytes from outside as a target: a function of bytes, and a corpus to begin with.

A target may raise only what the parser promises: our own refusals, or ValueError for the settings.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final, cast
from unittest.mock import Mock

from aiohttp import StreamReader, web
from aiohttp.test_utils import make_mocked_request

from middlewares.batch_request import parse_new_batch
from middlewares.header_text import header_text
from middlewares.multipart_related import parse_multipart
from middlewares.observation import Observation
from middlewares.request_keys import GATEWAY, MEMORY, OBSERVATION
from middlewares.routes import parse_route, parse_upload_url
from middlewares.sealing import UploadUrls
from middlewares.upload_request import file_fields
from providers.anthropic import batch_lines as anthropic
from providers.anthropic.results import from_anthropic_line
from providers.aws.errors import parse_xml
from providers.batches.batch_input import FileInput
from providers.batches.json_lines import LineSplitter
from providers.batches.line_formats import LineFormats, RequestTranslator
from providers.batches.result_lines import id_at_head, parse_result
from providers.bedrock.content import batch_lines as bedrock
from providers.bedrock.content.bedrock_models import InvocationType
from providers.bedrock.content.native_lines import NativeRules
from providers.bedrock.content.native_lines import line_formats as bedrock_formats
from providers.bedrock.content.result_from_bedrock import result_from_bedrock
from providers.bedrock.pages import page_start_of
from providers.deadlines import DEFAULT_LIMITS
from providers.embeddings.written_vectors import AnswerMemory, VectorReader
from providers.errors import FerryError
from providers.json_api.json_text import parse_clients_object, parse_object
from providers.json_api.page_tokens import decode_page_token
from providers.json_api.refusal_body import code_of, message_of
from providers.memory import MemoryBudget
from providers.mistral import batch_lines as mistral
from providers.openai import batch_lines as openai
from providers.openai_content.embed_from_openai import from_openai_embedding
from providers.openai_content.result_from_openai import from_openai_line
from providers.resource_names import decode_object_id, file_id_of_uri, parse_file_id
from providers.resources import BatchKind, NewBatch, any_file
from proxy import setting_values
from proxy.client_settings import parse_client_tokens
from tests.end_to_end.batch_client import MODELS, NATIVE_LINES, asking, gemini_line, inline
from tests.memory_state import MemoryState

LINE_LIMIT: Final = 1 << 20
ENDPOINTS: Final = ("/v1/chat/completions", "/v1/responses", "/v1/embeddings")

_loop = asyncio.new_event_loop()


@dataclass(frozen=True)
class Target:
    run: Callable[[bytes], None]
    corpus: tuple[bytes, ...]


def _text(data: bytes) -> str:
    """As the web server decodes a header or a path."""
    return data.decode("utf-8", "surrogateescape")


# --- what clients send ---------------------------------------------------------------------------


def _start_body(data: bytes) -> None:
    with suppress(FerryError):
        file_fields(parse_clients_object(data))


def _new_batch(data: bytes) -> None:
    for kind in BatchKind:
        with suppress(FerryError):
            parse_new_batch(data, "model", kind, None, any_file)


def _lines(
    translator: Callable[[], RequestTranslator], formats: Callable[[], LineFormats]
) -> Callable[[bytes], None]:
    """The file of a batch's requests, in Gemini's or the provider's own format."""

    async def read(data: bytes) -> None:
        @asynccontextmanager
        async def opened() -> AsyncIterator[AsyncIterator[bytes]]:
            yield _chunks(data)

        splitter = LineSplitter(LINE_LIMIT, MemoryBudget())
        async for _ in FileInput(opened, splitter, formats()).lines(translator()):
            pass

    def run(data: bytes) -> None:
        with suppress(FerryError):
            _loop.run_until_complete(read(data))

    return run


async def _chunks(data: bytes) -> AsyncIterator[bytes]:
    yield data


def _batch(kind: str) -> NewBatch:
    return NewBatch(MODELS[kind], BatchKind.GENERATE, "file")


_BEDROCK: Final = MODELS["bedrock"]
_READERS: Final[Mapping[str, Callable[[bytes], None]]] = {
    "openai": _lines(
        lambda: openai.OpenAITranslator(MODELS["openai"], BatchKind.GENERATE),
        lambda: openai.line_formats(MODELS["openai"], BatchKind.GENERATE),
    ),
    "mistral": _lines(
        lambda: mistral.MistralTranslator(_batch("mistral")),
        lambda: mistral.line_formats(_batch("mistral")),
    ),
    "anthropic": _lines(
        lambda: anthropic.AnthropicTranslator(
            MODELS["anthropic"], "job", anthropic.BatchItems(), 4096
        ),
        lambda: anthropic.line_formats(anthropic.BatchItems()),
    ),
    "bedrock": _lines(
        lambda: bedrock.BedrockTranslator(
            _BEDROCK, BatchKind.GENERATE, InvocationType.CONVERSE, lambda _, __: None
        ),
        lambda: bedrock_formats(_BEDROCK, BatchKind.GENERATE, NativeRules(lambda _: True)),
    ),
}


_APP: Final = cast(
    web.Application, {GATEWAY: SimpleNamespace(time_limits=DEFAULT_LIMITS, memory=MemoryBudget())}
)


def _multipart(data: bytes) -> None:
    async def read() -> None:
        payload = StreamReader(Mock(_reading_paused=False), 1 << 16, loop=_loop)
        payload.feed_data(data)
        payload.feed_eof()
        headers = {"Content-Type": "multipart/related; boundary=limit", "Content-Length": "1"}
        request = make_mocked_request("POST", "/", headers, payload=payload, app=_APP)
        request[OBSERVATION], request[MEMORY] = Observation(), ExitStack()
        _, _, body = await parse_multipart(request)
        async for _ in body.chunks:
            pass

    with suppress(FerryError):
        _loop.run_until_complete(read())


def _names(data: bytes) -> None:
    text = _text(data)
    file_id_of_uri(text)
    decode_object_id(text)
    with suppress(FerryError):
        parse_file_id(text)


def _paths(data: bytes) -> None:
    path = f"/genai/{_text(data)}"
    for method in ("GET", "POST", "DELETE"):
        parse_route(method, path)
        parse_upload_url(method, path)


def _page_tokens(data: bytes) -> None:
    for decode in (decode_page_token, page_start_of):
        with suppress(FerryError):
            decode(_text(data))


_URLS: Final = UploadUrls(["a secret of the parsers' tests"], MemoryState(), 60)


def _sealed_ids(data: bytes) -> None:
    assert _URLS.open(_text(data), "upload/files") is None


def _header(data: bytes) -> None:
    with suppress(FerryError):
        header_text(_text(data))


# --- what providers answer -----------------------------------------------------------------------


def _results(data: bytes) -> None:
    id_at_head(data, "custom_id")
    try:
        _, line = parse_result(data, "custom_id")
    except ValueError:
        return
    for endpoint in ENDPOINTS:
        _check_result(from_openai_line(line, endpoint))
    _check_result(from_anthropic_line(line))
    for invocation in InvocationType:
        _check_result(result_from_bedrock(line, invocation))


def _check_result(result: dict[str, Any]) -> None:
    assert len(result) == 1
    assert result.keys() <= {"response", "error"}


def _embeddings(data: bytes) -> None:
    async def read() -> None:
        with MemoryBudget().reserve() as reservation:
            reader = VectorReader("provider", AnswerMemory(reservation, 0))
            answer = from_openai_embedding(await reader.read(_chunks(data)))
        for each in answer.get("embeddings", [answer.get("embedding")]):
            vector = reader.vector(each["values"])
            assert len(json.loads(vector.text)) == vector.length

    with suppress(FerryError):
        _loop.run_until_complete(read())


def _refusals(data: bytes) -> None:
    document = parse_object(data)
    message_of(document)
    code_of(document)


def _xml(data: bytes) -> None:
    with suppress(ValueError):
        parse_xml(data)


# --- what operators set --------------------------------------------------------------------------

_SETTINGS: Final[tuple[Callable[[object], object], ...]] = (
    setting_values.parse_list,
    setting_values.parse_networks,
    setting_values.parse_origins,
    setting_values.parse_secret_keys,
    setting_values.parse_key,
    parse_client_tokens,
    setting_values.parse_region,
    setting_values.parse_role_arn,
    setting_values.parse_bedrock_s3_uri,
    setting_values.parse_duration,
    setting_values.parse_path,
    setting_values.parse_http_url,
    setting_values.parse_state_url,
)


def _settings(data: bytes) -> None:
    for parse in _SETTINGS:
        with suppress(ValueError):
            parse(_text(data))


# --- the table -----------------------------------------------------------------------------------


def _json(*documents: object) -> tuple[bytes, ...]:
    return tuple(json.dumps(one).encode() for one in documents)


_CHAT: Final = {
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "a"}}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
_MESSAGE: Final = {
    "type": "message",
    "content": [{"type": "text", "text": "a"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 1, "output_tokens": 1},
}
_CONVERSE: Final = {
    "output": {"message": {"role": "assistant", "content": [{"text": "a"}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
}

TARGETS: Final[Mapping[str, Target]] = {
    "start_body": Target(_start_body, _json({"file": {"display_name": "a", "sizeBytes": "1"}})),
    "new_batch": Target(
        _new_batch,
        _json(
            {"batch": {"inputConfig": {"fileName": "files/a"}, "displayName": "a"}},
            {"batch": {"input_config": inline({"request": asking("a"), "metadata": {"n": "1"}})}},
        ),
    ),
    **{
        f"{kind}_lines": Target(read, _json(gemini_line("a", "b"), NATIVE_LINES[kind]("a", "b")))
        for kind, read in _READERS.items()
    },
    "multipart": Target(
        _multipart,
        (
            b'--limit\r\nContent-Type: application/json\r\n\r\n{"file": {}}\r\n'
            b"--limit\r\nContent-Type: image/png\r\n\r\nbytes\r\n--limit--\r\n",
        ),
    ),
    "names": Target(
        _names, (b"files/oabc234", b"https://host/genai/v1beta/files/oabc234", b"batches/a")
    ),
    "paths": Target(
        _paths, (b"v1beta/upload/v1beta/files", b"v1/files/a:download", b"batches/%41:cancel")
    ),
    "page_tokens": Target(_page_tokens, (b"ZmlsZS1hYmM", b"YWJjLnRva2Vu")),
    "sealed_ids": Target(_sealed_ids, (b"a.b.c", b"session.tenant." + b"A" * 60)),
    "header": Target(_header, (b"a name.txt", b"%22a%22", b"\xc3\xa9\xff")),
    "results": Target(
        _results,
        _json(
            {"custom_id": "a", "response": {"status_code": 200, "body": _CHAT}},
            {"custom_id": "a", "result": {"type": "succeeded", "message": _MESSAGE}},
            {"custom_id": "a", "modelInput": {}, "modelOutput": _CONVERSE},
            {"custom_id": "a", "error": {"errorCode": 400, "errorMessage": "a"}},
        ),
    ),
    "embeddings": Target(
        _embeddings,
        _json({"data": [{"index": n, "embedding": [0.5, -1e-7, n]} for n in (1, 0)], "usage": {}}),
    ),
    "refusals": Target(
        _refusals,
        _json({"error": {"type": "a", "code": "b", "message": "c"}}, {"detail": [{"msg": "a"}]}),
    ),
    "xml": Target(
        _xml, (b"<Error><Code>a</Code></Error>", b'<?xml version="1.0"?><a xmlns="b"><c/></a>')
    ),
    "settings": Target(
        _settings,
        (
            b"a,b",
            b"10.0.0.0/8",
            b"https://host:443",
            b"s3://bucket/prefix",
            b"30d",
            b"file:///dir",
            b"arn:aws:iam::123456789012:role/a",
        ),
    ),
}

if __name__ == "__main__":
    print(*TARGETS)
