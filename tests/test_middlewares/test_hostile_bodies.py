"""Bodies that no honest client sends: too large, too deep, truncated, encoded, or not JSON."""

import gzip

import orjson
import pytest

from providers.resource_names import FileId, FileKind, object_file_id
from tests.test_middlewares.running_proxy import (
    BATCHES,
    GEMINI_KEY,
    START,
    Headers,
    RunningProxy,
    read_answer,
    rendered,
)

GEMINI: Headers = {"x-model-provider": "gemini", "x-goog-api-key": GEMINI_KEY}
MULTIPART: Headers = {"Content-Type": "multipart/related; boundary=b"}


def nested(opening: bytes, closing: bytes, levels: int) -> bytes:
    return opening * levels + b"1" + closing * levels


def inline(request: bytes) -> bytes:
    return b'{"batch":{"inputConfig":{"requests":{"requests":[{"request":' + request + b"}]}}}}"


def schema(levels: int) -> bytes:
    deep = nested(b'{"properties":{"a":', b"}}", levels)
    return inline(
        b'{"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"responseMimeType":'
        b'"application/json","responseJsonSchema":' + deep + b"}}"
    )


# --- JSON ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"null", b"[]", b"1", b'"a"', b"{", b"{}x", b"\x00", b"\xff\xfe{\x00}\x00",
        b"\xef\xbb\xbf{}", b'{"batch":NaN}', b'{"batch":1e400}', b'{"batch":"\xff"}',
        b'{"batch":"\\ud800"}', b'{"batch":null}', b'{"batch":[]}', b'{"batch":{}}',
        b'{"batch":{"inputConfig":[]}}', b'{"batch":{"inputConfig":{"requests":[]}}}',
        b'{"batch":{"inputConfig":{"requests":{"requests":{}}}}}',
        b'{"batch":{"inputConfig":{"requests":{"requests":[null]}}}}',
        b'{"batch":{"inputConfig":{"fileName":1}}}',
        b'{"batch":{"inputConfig":{"fileName":"files/\\u0000"}}}',
        b'{"batch":{"inputConfig":{"fileName":"files/a","file_name":"files/a"}}}',
        b'{"batch":{"inputConfig":{"fileName":"files/a","requests":{}}}}',
        b'{"batch":{"displayName":{},"inputConfig":{"fileName":"files/a"}}}',
        b'{"batch":{"display_name":"a","displayName":"a"}}',
        b'{"batch":{"model":["a"],"inputConfig":{"fileName":"files/a"}}}',
        b'{"batch":{"priority":{},"inputConfig":{"fileName":"files/a"}}}',
        b'{"batch":{"":1}}', b'{"\\u0000":1}',
        inline(b"null"), inline(b"[]"), inline(b'"a"'), inline(b"{}"), inline(b'{"contents":1}'),
        inline(b'{"contents":[{"parts":[{"text":"a"}]}],"contents":[]}'),
        inline(b'{"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"seed":1e30}}'),
        inline(b'{"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"topK":"1e9"}}'),
        inline(b'{"contents":[{"parts":[{"text":"a"}]}],"\\u0000\\n":1}'),
    ],
)  # fmt: skip
async def test_an_invalid_batch_is_refused(proxy: RunningProxy, body: bytes) -> None:
    headers = {"Content-Length": str(len(body))}
    (await proxy.ask("POST", BATCHES, headers, body)).refused(400, "INVALID_ARGUMENT")
    assert await proxy.upstream_requests(proxy.openai) == []


@pytest.mark.parametrize("levels", [120, 250, 400, 900, 20_000])
async def test_deep_nesting_is_refused_anywhere(proxy: RunningProxy, levels: int) -> None:
    lists, objects = nested(b"[", b"]", levels), nested(b'{"a":', b"}", levels)
    for body in (
        lists,
        b'{"batch":' + objects + b"}",
        inline(objects),
        inline(b'{"contents":' + lists + b"}"),
        schema(levels),
    ):
        answer = await proxy.ask("POST", BATCHES, {}, body)
        assert len(answer.refused(400, "INVALID_ARGUMENT")) < 1000


@pytest.mark.parametrize(
    "body",
    [
        b"[]", b"null", b"1", b"{", b'{"file":[]}', b'{"file":1}', b'{"files":{}}', b'{"file":"a"}',
        b'{"file":{"displayName":[]}}', b'{"file":{"displayName":true}}',
        b'{"file":{"displayName":"a","display_name":"a"}}', b'{"file":{"sizeBytes":"-1"}}',
        b'{"file":{"sizeBytes":1.5}}', b'{"file":{"sizeBytes":"99999999999999999999"}}',
        b'{"file":{"name":"files/mine"}}', b'{"file":{"uri":"a"}}', b'{"file":{"\\u0000":1}}',
        b'{"file":{"displayName":"\\udfff"}}', b'{"file":{"displayName":"\xff"}}',
        nested(b'{"file":', b"}", 900), b" " * 70_000,
    ],
)  # fmt: skip
async def test_an_invalid_start_is_refused(proxy: RunningProxy, body: bytes) -> None:
    answer = await proxy.ask("POST", START, {}, body)
    answer.refused(400, "INVALID_ARGUMENT")
    assert answer.headers["x-goog-upload-status"] == "final"


async def test_control_characters_in_a_display_name_are_escaped(proxy: RunningProxy) -> None:
    name = b'a\\u0000\\r\\nContent-Type: x\\"b'
    body = b'--b\r\n\r\n{"file":{"displayName":"' + name + b'"}}\r\n--b\r\n\r\nx\r\n--b--\r\n'
    answer = await proxy.ask("POST", START, MULTIPART, body)
    assert answer.document["file"]["displayName"] == 'a\0\r\nContent-Type: x"b'


# --- encodings ----------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "GZIP ", "identity, gzip"])
async def test_an_encoded_body_is_refused_not_stored(proxy: RunningProxy, encoding: str) -> None:
    encoded = {"Content-Encoding": encoding}
    raw = {"X-Goog-Upload-Protocol": "raw", **encoded}
    for target, headers in ((BATCHES, encoded), (START, raw), (START, {**MULTIPART, **encoded})):
        answer = await proxy.ask("POST", target, headers, gzip.compress(b"{}"))
        assert "Content-Encoding" in answer.refused(400, "INVALID_ARGUMENT")
    assert await proxy.upstream_requests(proxy.openai) == []


async def test_an_encoded_chunk_is_refused(proxy: RunningProxy) -> None:
    started = await proxy.ask("POST", START, {}, b"{}")
    target = started.headers["x-goog-upload-url"].removeprefix("http://ferry.test")
    headers = {
        "X-Goog-Upload-Command": "upload, finalize",
        "X-Goog-Upload-Offset": "0",
        "Content-Encoding": "gzip",
    }
    answer = await proxy.ask("POST", target, headers, gzip.compress(b"x"))
    answer.refused(400, "INVALID_ARGUMENT")
    assert answer.headers["x-goog-upload-status"] == "final"


@pytest.mark.parametrize("target", [START, "/genai/v1beta/models/m:generateContent"])
async def test_a_transfer_coding_is_refused(proxy: RunningProxy, target: str) -> None:
    headers = {"X-Goog-Upload-Protocol": "raw"} if target == START else GEMINI
    head = rendered("POST", target, {**headers, "Transfer-Encoding": "gzip, chunked"})
    async with proxy.connection() as (reader, writer):
        writer.write(head + b"1\r\nx\r\n0\r\n\r\n")
        answer = await read_answer(reader)
    assert "Transfer-Encoding" in answer.refused(400, "INVALID_ARGUMENT")
    for upstream in (proxy.openai, proxy.gemini):
        assert await proxy.upstream_requests(upstream) == []


async def test_an_encoded_body_is_relayed_unchanged(proxy: RunningProxy) -> None:
    data = gzip.compress(b"{}")
    target = "/genai/v1beta/models/m:generateContent"
    await proxy.ask("POST", target, {**GEMINI, "Content-Encoding": "gzip"}, data)
    (seen,) = await proxy.upstream_requests(proxy.gemini)
    assert seen["headers"]["content-encoding"] == "gzip"


# --- multipart ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"", b"x", b"--b", b"--b--\r\n", b"--b\r\n\r\n{}\r\n--b--\r\n", b"--b\r\n\r\n{}",
        b"--b\r\n\r\n{}\r\n--b\r\n\r\nno end",
        b"--b\r\nno colon\r\n\r\n{}\r\n--b\r\n\r\nx\r\n--b--",
        b"--b\r\nX: " + b"a" * 70_000 + b"\r\n\r\n{}\r\n--b\r\n\r\nx\r\n--b--",
        b"--b\r\nA: b\r\n" * 300, b"--b\r\n\r\n" + b" " * 70_000 + b"\r\n--b\r\n\r\nx\r\n--b--",
        b"--b\r\n\r\n{}\r\n--b\r\nContent-Length: -1\r\n\r\nx\r\n--b--\r\n",
        b"--b\r\n\r\n{}\r\n--b\r\nContent-Length: 99\r\n\r\nx\r\n--b--\r\n",
        b"--b\r\n\r\n{}\r\n--b\r\nContent-Length: a\r\n\r\nx\r\n--b--\r\n",
        b"--b\r\n\r\n{}\r\n--b\r\nContent-Type: multipart/mixed\r\n\r\nx\r\n--b--\r\n",
        b"--b\r\n\r\n{}\r\n--b\r\n\r\nx\r\n--b\r\n\r\nthird\r\n--b--\r\n",
        b"--b\r\n\r\n[]\r\n--b\r\n\r\nx\r\n--b--\r\n",
        b"--c\r\n\r\n{}\r\n--c\r\n\r\nx\r\n--c--\r\n",
    ],
)  # fmt: skip
async def test_a_malformed_multipart_upload_is_refused(proxy: RunningProxy, body: bytes) -> None:
    headers = {**MULTIPART, "Content-Length": str(len(body))}
    answer = await proxy.ask("POST", START, headers, body)
    answer.refused(400, "INVALID_ARGUMENT")
    posted = await proxy.posted(proxy.openai)
    assert [request for request in posted if request["outcome"] == "answered"] == []


@pytest.mark.parametrize(
    "content_type",
    ["multipart/related", "multipart/related; boundary=", b"multipart/related; boundary=\xe9",
     "multipart/related; boundary=" + "b" * 71, "multipart/mixed; boundary=b", "multipart/",
     "a/b/c"],
)  # fmt: skip
async def test_a_multipart_upload_needs_its_content_type(
    proxy: RunningProxy, content_type: str | bytes
) -> None:
    headers: dict[str, str | bytes] = {
        "Content-Type": content_type,
        "X-Goog-Upload-Protocol": "multipart",
    }
    (await proxy.ask("POST", START, headers, b"--x--")).refused(400, "INVALID_ARGUMENT")


# --- sizes --------------------------------------------------------------------------------------


async def test_a_body_declared_too_large_is_refused(proxy: RunningProxy) -> None:
    body = inline(b'"' + b"a" * 200_000 + b'"')
    message = (await proxy.ask("POST", BATCHES, {}, body)).refused(400, "INVALID_ARGUMENT")
    assert "FERRY_INLINE_MAX_BYTES" in message


async def test_a_body_that_grows_too_large_is_refused(proxy: RunningProxy) -> None:
    chunk = b"C350\r\n" + b" " * 50_000 + b"\r\n"
    headers = {"Transfer-Encoding": "chunked"}
    answer = await proxy.ask("POST", BATCHES, headers, chunk * 5 + b"0\r\n\r\n")
    assert "FERRY_INLINE_MAX_BYTES" in answer.refused(400, "INVALID_ARGUMENT")


async def test_a_refused_body_leaves_the_connection_usable(proxy: RunningProxy) -> None:
    too_large = rendered("POST", BATCHES, {}, b"a" * 300_000)
    async with proxy.connection() as (reader, writer):
        writer.write(too_large + rendered("GET", "/genai/v1/files"))
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 400")
        assert b"HTTP/1.1 200" in await reader.readuntil(b"{}")


@pytest.mark.parametrize("offset", ["-1", "9223372036854775808", "1e3", "\u0663", b"\xff", "", "a"])
async def test_an_invalid_offset_is_refused(proxy: RunningProxy, offset: str | bytes) -> None:
    started = await proxy.ask("POST", START, {}, b"{}")
    target = started.headers["x-goog-upload-url"].removeprefix("http://ferry.test")
    headers: dict[str, str | bytes] = {
        "X-Goog-Upload-Command": "upload, finalize",
        "X-Goog-Upload-Offset": offset,
    }
    answer = await proxy.ask("POST", target, headers, b"x")
    answer.refused(400, "INVALID_ARGUMENT")
    assert answer.headers["x-goog-upload-status"] == "final"


async def test_an_offset_beyond_every_file_is_refused(proxy: RunningProxy) -> None:
    started = await proxy.ask("POST", START, {}, b"{}")
    target = started.headers["x-goog-upload-url"].removeprefix("http://ferry.test")
    headers = {"X-Goog-Upload-Command": "upload", "X-Goog-Upload-Offset": "9" * 18}
    answer = await proxy.ask("POST", target, headers, b"x")
    answer.refused(400, "INVALID_ARGUMENT")


# --- what is relayed ----------------------------------------------------------------------------


async def test_a_creation_at_gemini_from_a_file_of_openai(proxy: RunningProxy) -> None:
    name = str(FileId(FileKind.NATIVE, "file-AbCdEf123456"))
    headers: Headers = {"x-model-provider": "gemini", "x-goog-api-key": GEMINI_KEY}
    for document in (
        b'{"batch":{"inputConfig":{"fileName":"files/%b"}}}' % name.encode(),
        b'{"batch":{"input_config":{"file_name":"files/%b"}}}' % name.encode(),
    ):
        answer = await proxy.ask("POST", BATCHES, headers, document)
        assert "openai" in answer.refused(404, "NOT_FOUND")


@pytest.mark.parametrize("form", ["files/{}", "http://ferry.test/genai/v1beta/files/{}"])
@pytest.mark.parametrize(
    ("file_id", "owner"),
    [
        (str(FileId(FileKind.STAGED, "0123456789abcdef0123456789abcd")), "anthropic"),
        (str(FileId(FileKind.NATIVE, "file_011CNha8iCJcU1wXNR6q4V8w")), "anthropic"),
        (object_file_id("abcdefghijklmnopqrstuvwx.png"), "bedrock"),
    ],
)
async def test_a_request_at_openai_that_names_a_file_of_another_provider(
    proxy: RunningProxy, form: str, file_id: str, owner: str
) -> None:
    file = {"fileUri": form.format(file_id), "mimeType": "image/png"}
    request = {"contents": [{"role": "user", "parts": [{"fileData": file}]}]}
    batch = {"inputConfig": {"requests": {"requests": [{"request": request}]}}}
    answer = await proxy.ask("POST", BATCHES, {}, orjson.dumps({"batch": batch}))
    message = answer.refused(404, "NOT_FOUND")
    path = "batch.inputConfig.requests.requests[0].request.contents[0].parts[0].fileData.fileUri"
    assert message.startswith(f"{path}: files/")
    assert f"belongs to {owner}" in message
    assert await proxy.upstream_requests(proxy.openai) == []


@pytest.mark.parametrize("document", [b"no json", b"[]", b'{"batch":{"inputConfig":{}}}'])
async def test_an_invalid_body_is_left_to_google(proxy: RunningProxy, document: bytes) -> None:
    headers: Headers = {"x-model-provider": "gemini", "x-goog-api-key": GEMINI_KEY}
    answer = await proxy.ask(
        "POST", BATCHES.replace("gpt-4o-mini", "gemini-2.5-flash"), headers, document
    )
    answer.refused(400, "INVALID_ARGUMENT")
