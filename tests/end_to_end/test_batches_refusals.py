"""Bad input gets a clear error in Google's envelope, and nothing is created."""

import base64
from collections.abc import Mapping
from pathlib import Path

import pytest
from aiohttp import ClientSession

from middlewares.capabilities import CAPABILITIES
from tests.end_to_end.batch_client import BatchClient, asking, from_file, inline
from tests.end_to_end.conftest import Ferry
from tests.end_to_end.fake_client import GEMINI, FakeClient
from tests.processes import Upstreams, proxy

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

ONE = inline({"request": asking("hello")})
INVALID, ABSENT = (400, "INVALID_ARGUMENT"), (404, "NOT_FOUND")


@pytest.fixture
def client(openai: FakeClient, ferry: Ferry, http: ClientSession) -> BatchClient:
    return BatchClient(ferry.base_url, openai.kind, http)


def encoded(kind: str, native: str) -> str:
    return f"files/{kind}{base64.b32encode(native.encode()).decode().rstrip('=').lower()}"


# --- providers and keys --------------------------------------------------------------------------


async def test_an_unknown_provider(client: BatchClient) -> None:
    refused = await client.call("GET", "v1beta/batches", headers={"x-model-provider": "unknown"})

    assert refused.error == INVALID
    for name in ("gemini", "openai"):
        assert name in refused.message


@pytest.mark.parametrize("name", ["OpenAI", "OPENAI", " openai "])
async def test_a_provider_is_named_in_any_case(client: BatchClient, name: str) -> None:
    answer = await client.call("GET", "v1beta/batches", headers={"x-model-provider": name})

    assert answer.ok == {}


CALLS: Mapping[str, tuple[str, str, object]] = {
    "list": ("GET", "v1beta/batches", None),
    "get": ("GET", "v1beta/batches/batch_abc", None),
    "create": ("POST", "v1beta/models/m:batchGenerateContent", {"batch": {"inputConfig": ONE}}),
    "cancel": ("POST", "v1beta/batches/batch_abc:cancel", None),
    "delete": ("DELETE", "v1beta/batches/batch_abc", None),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_no_key(
    client: BatchClient, openai: FakeClient, call: tuple[str, str, object]
) -> None:
    refused = await client.call(*call, key="")

    assert refused.error == (401, "UNAUTHENTICATED")
    assert await openai.requests() == []


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_a_key_that_openai_refuses_is_not_shown(
    client: BatchClient, call: tuple[str, str, object]
) -> None:
    refused = await client.call(*call, key="no-such-key-at-all")

    assert refused.error == (401, "UNAUTHENTICATED")
    assert b"no-such-key-at-all" not in refused.content


# --- models and names ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "model"),
    [
        ("gpt-4o-mini", "gpt-4o-mini"),
        ("ft:gpt-4o-mini:us:x:1", "ft:gpt-4o-mini:us:x:1"),
        ("gpt-4o%2Dmini", "gpt-4o-mini"),
        ("openai/gpt-4o-mini", "openai/gpt-4o-mini"),
        ("gpt%20%22%C3%A9%22", 'gpt "\u00e9"'),
    ],
)
async def test_a_model_with_special_characters_reaches_openai_unchanged(
    client: BatchClient, written: str, model: str
) -> None:
    created = await client.create(ONE, model=written)

    assert created.ok["metadata"]["model"] == f"models/{model}"
    batch = await client.ended(created.ok["name"])
    assert batch["metadata"]["model"] == f"models/{model}"
    known = model.startswith(("gpt-", "ft:"))
    state = "BATCH_STATE_SUCCEEDED" if known else "BATCH_STATE_FAILED"
    assert batch["metadata"]["state"] == state


@pytest.mark.parametrize(
    "name",
    ["a%2Fb", "..%2Fmodels", "a%00b", "a%0Ab", "a%20b", "%C3%A9", "x" * 600, "a:b", "a%3Fb"],
    ids=lambda name: name[:20],
)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_a_name_with_special_characters_is_not_sent(
    client: BatchClient, openai: FakeClient, method: str, name: str
) -> None:
    for collection in ("batches", "files"):
        refused = await client.call(method, f"v1beta/{collection}/{name}")
        assert refused.error in (INVALID, ABSENT)
    assert await openai.requests() == []


async def test_the_error_for_another_providers_name_says_which_provider(
    client: BatchClient, openai: FakeClient, http: ClientSession, ferry: Ferry
) -> None:
    gemini = BatchClient(ferry.base_url, GEMINI, http)
    results = encoded("r", "batch_abc")
    for method, path in (
        ("GET", "v1beta/batches/batch_abc"),
        ("DELETE", "v1beta/batches/batch_abc"),
        ("POST", "v1beta/batches/batch_abc:cancel"),
        ("GET", f"v1beta/{encoded('f', 'file-abc')}"),
        ("GET", f"v1beta/{results}:download?alt=media"),
        ("DELETE", f"v1beta/{results}"),
    ):
        refused = await gemini.call(method, path)
        assert refused.error == ABSENT, path
        assert "openai" in refused.message, path


@pytest.mark.parametrize("own", ["file-doesnotexist", encoded("f", "file-doesnotexist")[6:]])
async def test_a_file_that_does_not_exist(
    client: BatchClient, openai: FakeClient, own: str
) -> None:
    refused = await client.create(from_file(f"files/{own}"))

    assert refused.error == ABSENT
    assert (await openai.objects())["batches"] == []


async def test_a_results_file_cannot_be_an_input(client: BatchClient) -> None:
    batch = await client.ended((await client.create(ONE)).ok["name"])
    native = batch["name"].removeprefix("batches/")

    refused = await client.create(from_file(encoded("r", native)))

    assert refused.error == INVALID


async def test_a_batch_that_does_not_exist(client: BatchClient) -> None:
    for answer in (
        await client.get("batches/batch_none"),
        await client.cancel("batches/batch_none"),
        await client.delete("batches/batch_none"),
        await client.call("GET", f"v1beta/{encoded('r', 'batch_none')}:download?alt=media"),
    ):
        assert answer.error == ABSENT


@pytest.mark.parametrize(
    "written",
    [
        "..%2F..%2Ffiles",
        "%2e%2e%2f%2e%2e%2ffiles",
        "%252e%252e%252ffiles",
        "..%5C..%5Cfiles",
        "gpt%3Fkey=x",
        "gpt%23",
        "gpt%0A",
        "x" * 2049,
    ],
    ids=lambda written: written[:20],
)
async def test_a_model_that_would_change_the_path_is_not_sent(
    fake: FakeClient, ferry: Ferry, http: ClientSession, written: str
) -> None:
    client = BatchClient(ferry.base_url, fake.kind, http)
    refused = await client.create(ONE, model=written)

    assert refused.error == INVALID
    assert "model" in refused.message
    assert await fake.requests() == []


async def test_openais_rule_for_schemas_applies_to_openai_only(
    openai: FakeClient, http: ClientSession, tmp_path: Path
) -> None:
    names: Upstreams = {
        "openai": openai.as_upstream,
        "vllm": {**openai.as_upstream, "KIND": "openai"},
    }
    listing = {"responseMimeType": "application/json", "responseSchema": {"type": "ARRAY"}}
    asked = inline({"request": asking("hello", generationConfig=listing)})
    async with proxy(tmp_path, names) as process:
        client = BatchClient(f"{process.url}/genai", openai.kind, http)
        path = "v1beta/models/gpt-4o-mini:batchGenerateContent"
        body = {"batch": {"inputConfig": asked}}
        refused = await client.call("POST", path, body)
        assert refused.error == INVALID
        assert "generationConfig.responseSchema.type" in refused.message
        assert await openai.requests() == []
        taken = await client.call("POST", path, body, headers={"x-model-provider": "vllm"})
        assert taken.ok["name"]


# --- bodies and paths ----------------------------------------------------------------------------

BODIES = {
    "no JSON": b"{oops",
    "a list": b"[]",
    "null": b"null",
    "nothing": b"",
    "no batch": b"{}",
    "batch is text": b'{"batch": "x"}',
    "no input": b'{"batch": {}}',
    "no requests": b'{"batch": {"inputConfig": {"requests": {"requests": []}}}}',
    "both inputs": b'{"batch": {"inputConfig": {"fileName": "files/a", "requests": {}}}}',
    "a key": b'{"batch":{"inputConfig":{"requests":{"requests":[{"key":"a","request":{}}]}}}}',
    "not UTF-8": b'{"batch": "\xff"}',
    "not a file's name": b'{"batch": {"inputConfig": {"fileName": "a/b"}}}',
    "a number as name": b'{"batch": {"inputConfig": {"fileName": 5}}}',
    "metadata of numbers": (
        b'{"batch":{"inputConfig":{"requests":{"requests":[{"metadata":{"a":1},"request":{}}]}}}}'
    ),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_an_invalid_body(client: BatchClient, openai: FakeClient, body: bytes) -> None:
    refused = await client.call("POST", "v1beta/models/m:batchGenerateContent", body)

    assert refused.error == INVALID
    assert await openai.requests() == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "v1beta/models/m:generateAnswer?alt=json"),
        ("POST", "v1beta/files:register"),
        ("GET", "v1beta/corpora"),
        ("PATCH", "v1beta/batches/batch_abc"),
        ("POST", "v1beta/batches/batch_abc"),
        ("GET", "v1beta/batches/batch_abc:cancel"),
        ("PUT", "v1beta/files/file-abc"),
        ("GET", "nothing"),
    ],
)
async def test_a_path_that_is_not_served(
    client: BatchClient, openai: FakeClient, method: str, path: str
) -> None:
    refused = await client.call(method, path)

    assert refused.error == (501, "UNIMPLEMENTED")
    message = refused.document["error"]["message"]
    assert message.startswith(f"{method} {path.partition('?')[0]} is not supported for openai: ")
    *others, last = (each.name for each in CAPABILITIES)  # OpenAI has all of them
    assert message.endswith(f"only {', '.join(others)} and {last} work with openai")
    assert await openai.requests() == []
