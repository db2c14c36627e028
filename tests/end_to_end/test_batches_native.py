"""Batches from files in OpenAI's own format, and files with lines in several formats."""

import gzip
import json
import struct
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import ClientSession

from tests.end_to_end.batch_client import (
    BatchClient,
    by_key,
    chat_line,
    from_file,
    gemini_line,
    text_of,
)
from tests.end_to_end.conftest import Ferry
from tests.end_to_end.fake_client import FakeClient

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

EMBEDDING_MODEL = "text-embedding-3-small"


@pytest.fixture
def client(openai: FakeClient, ferry: Ferry, http: ClientSession) -> BatchClient:
    return BatchClient(ferry.base_url, openai.kind, http)


def line(custom_id: str, url: str, **body: Any) -> dict[str, Any]:
    return {"custom_id": custom_id, "method": "POST", "url": url, "body": body}


# --- results -------------------------------------------------------------------------------------


async def test_chat_lines(client: BatchClient, openai: FakeClient) -> None:
    texts = {f"id-{n}": "please fail" if n % 5 == 0 else f"question {n}" for n in range(50)}
    name = await client.upload_lines([chat_line(key, text) for key, text in texts.items()])

    created = (await client.create(from_file(name), displayName="native")).ok
    batch = await client.ended(created["name"])

    assert batch["metadata"]["displayName"] == "native"
    assert batch["metadata"]["batchStats"] == {
        "requestCount": "50",
        "successfulRequestCount": "40",
        "failedRequestCount": "10",
        "pendingRequestCount": "0",
    }
    results = by_key(await client.results(batch))
    assert results.keys() == texts.keys()
    for key, text in texts.items():
        if text == "please fail":
            assert results[key]["error"]["code"] == 3
        else:
            assert text_of(results[key]) == f"echo: {text}"
    uploads = await openai.requests(method="POST", path="^/v1/files$")
    assert len(uploads) == 1, "a native file is sent unchanged"


async def test_responses_lines(client: BatchClient) -> None:
    lines = [
        line(f"id-{n}", "/v1/responses", model=client.model, input=f"question {n}")
        for n in range(5)
    ]

    created = (await client.create(from_file(await client.upload_lines(lines)))).ok

    results = by_key(await client.results(await client.ended(created["name"])))
    assert {key: text_of(result) for key, result in results.items()} == {
        f"id-{n}": f"echo: question {n}" for n in range(5)
    }


async def test_embeddings_lines(client: BatchClient) -> None:
    lines = [
        line("floats", "/v1/embeddings", model=EMBEDDING_MODEL, input="a", dimensions=4),
        line(
            "packed",
            "/v1/embeddings",
            model=EMBEDDING_MODEL,
            input="a",
            dimensions=4,
            encoding_format="base64",
        ),
    ]
    name = await client.upload_lines(lines)

    created = await client.create(
        from_file(name), model=EMBEDDING_MODEL, verb="asyncBatchEmbedContent"
    )

    assert created.ok["metadata"]["@type"].endswith("EmbedContentBatch")
    results = by_key(await client.results(await client.ended(created.ok["name"])))
    floats = results["floats"]["response"]["embedding"]["values"]
    packed = results["packed"]["response"]["embedding"]["values"]
    assert len(floats) == 4
    assert packed == pytest.approx(floats, abs=1e-6)
    assert struct.pack("<f", packed[0]) == struct.pack("<f", floats[0])


async def test_a_line_that_another_tool_would_refuse_fails_alone(client: BatchClient) -> None:
    """A parameter that OpenAI does not know fails its line, never the batch."""
    good, bad = chat_line("good", "hello"), chat_line("bad", "hello")
    bad["body"]["no_such_parameter"] = 1

    created = (await client.create(from_file(await client.upload_lines([good, bad])))).ok

    results = by_key(await client.results(await client.ended(created["name"])))
    assert text_of(results["good"]) == "echo: hello"
    assert results["bad"]["error"]["code"] == 3
    assert "no_such_parameter" in results["bad"]["error"]["message"]


@pytest.mark.parametrize(
    "joined",
    [
        lambda lines: b"\xef\xbb\xbf" + b"\n".join(lines),
        lambda lines: b"\n\n".join(lines) + b"\n\n",
        b"\r\n".join,
    ],
    ids=["byte order mark", "blank lines", "CRLF"],
)
async def test_bytes_that_openai_would_refuse_are_left_out(
    client: BatchClient, openai: FakeClient, joined: Callable[[list[bytes]], bytes]
) -> None:
    lines = [json.dumps(chat_line(key, key)).encode() for key in ("a", "b")]
    name = await client.upload(joined(lines))

    created = (await client.create(from_file(name))).ok
    batch = await client.ended(created["name"])

    assert batch["metadata"]["state"] == "BATCH_STATE_SUCCEEDED"
    results = by_key(await client.results(batch))
    assert {key: text_of(one) for key, one in results.items()} == {"a": "echo: a", "b": "echo: b"}
    await client.delete(created["name"])
    assert (await openai.objects())["files"] == [openai.native_id(name)]


# --- refusals ------------------------------------------------------------------------------------

CHAT = "/v1/chat/completions"
REFUSED: dict[str, tuple[list[Any], str]] = {
    "mixed": ([chat_line("a", "x"), gemini_line("b", "y")], "line 2"),
    "mixed the other way": ([gemini_line("a", "x"), chat_line("b", "y")], "line 2"),
    "another model": ([chat_line("a", "x"), chat_line("b", "x", "gpt-4o")], "line 2: body.model"),
    "no model": ([line("a", CHAT, messages=[])], "line 1: body.model"),
    "the same id": ([chat_line("a", "x"), chat_line("a", "y")], "line 2: custom_id"),
    "no id": ([{**chat_line("a", "x"), "custom_id": None}], "line 1: custom_id"),
    "a long id": ([chat_line("a" * 513, "x")], "line 1: custom_id"),
    "one member more": ([{**chat_line("a", "x"), "metadata": {}}], "line 1: metadata"),
    "a misspelt member": (
        [{"key": "a", "reqest": {}}],
        "line 1: reqest: unknown field; did you mean 'request'?",
    ),
    "no body": ([{**chat_line("a", "x"), "body": None}], "line 1: body"),
    "an url whose answers are not known": (
        [line("a", "/v1/moderations", model="gpt-4o-mini", input="x")],
        "line 1: url",
    ),
    "another url": (
        [chat_line("a", "x"), line("b", "/v1/responses", model="gpt-4o-mini", input="x")],
        "line 2: url",
    ),
    "anthropic's": ([{"custom_id": "a", "params": {"max_tokens": 1}}], "line 1"),
    "bedrock's": ([{"recordId": "a", "modelInput": {}}], "line 1"),
    "embeddings": (
        [line("a", "/v1/embeddings", model="gpt-4o-mini", input="x")],
        "line 1: url",
    ),
    "not an object": ([chat_line("a", "x"), [1]], "line 2"),
}


@pytest.mark.parametrize("lines", REFUSED.values(), ids=REFUSED)
async def test_lines_that_are_refused_with_their_number(
    client: BatchClient, openai: FakeClient, lines: tuple[list[Any], str]
) -> None:
    documents, where = lines
    name = await client.upload_lines(documents)

    refused = await client.create(from_file(name))

    assert refused.error == (400, "INVALID_ARGUMENT")
    assert where in refused.message
    await nothing_is_left_but(openai, name)


UNREADABLE = {
    "gzip": (gzip.compress(json.dumps(chat_line("a", "x")).encode()), "gzip-compressed"),
    "UTF-16": (json.dumps(chat_line("a", "x")).encode("utf-16"), "in UTF-16"),
    "a member twice": (b'{"custom_id": "a", "custom_id": "b"}\n', "'custom_id' appears twice"),
    "not JSON": (b'{"key": "a", "request": {"contents": []}', "line 1"),
    "not JSON later": (json.dumps(gemini_line("a", "b")).encode() + b"\n\n{oops\n", "line 3"),
    "not UTF-8": (b'{"key": "\xff"}\n', "line 1"),
    "half a surrogate": (b'{"key": "\\ud800", "request": {"contents": []}}\n', "line 1"),
    "no lines": (b"", "no request"),
    "blank lines": (b"\n \n\n", "no request"),
}


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE)
async def test_files_that_cannot_be_read_are_refused(
    client: BatchClient, openai: FakeClient, content: tuple[bytes, str]
) -> None:
    name = await client.upload(content[0])

    refused = await client.create(from_file(name))

    assert refused.error == (400, "INVALID_ARGUMENT")
    assert content[1] in refused.message
    await nothing_is_left_but(openai, name)


async def test_a_byte_order_mark_crlf_and_a_last_line_without_end_are_read(
    client: BatchClient,
) -> None:
    lines = [json.dumps(gemini_line(key, key)) for key in ("a", "b", "c")]
    name = await client.upload(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())

    created = (await client.create(from_file(name))).ok

    results = by_key(await client.results(await client.ended(created["name"])))
    assert {key: text_of(one) for key, one in results.items()} == {
        key: f"echo: {key}" for key in ("a", "b", "c")
    }


async def test_lines_without_a_key_get_their_number(client: BatchClient) -> None:
    bare = gemini_line("unused", "bare")["request"]
    keyless = {"request": gemini_line("unused", "keyless")["request"]}
    name = await client.upload_lines([bare, gemini_line("own", "keyed"), keyless])

    created = (await client.create(from_file(name))).ok

    results = by_key(await client.results(await client.ended(created["name"])))
    assert {key: text_of(one) for key, one in results.items()} == {
        "1": "echo: bare",
        "own": "echo: keyed",
        "3": "echo: keyless",
    }


async def nothing_is_left_but(openai: FakeClient, name: str) -> None:
    objects = await openai.objects()
    assert (objects["files"], objects["batches"]) == ([openai.native_id(name)], [])
    created = await openai.requests(method="POST", path="^/v1/batches")
    assert created == [], "the proxy refused it, not OpenAI"
