"""Batches at Anthropic: what it does not store, what it can refuse, and how they end."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from tests.end_to_end.batch_client import (
    BatchClient,
    anthropic_line,
    asking,
    by_key,
    from_file,
    gemini_line,
    inline,
    text_of,
)
from tests.end_to_end.conftest import Ferry
from tests.end_to_end.fake_client import ANTHROPIC, FakeClient
from tests.processes import proxy, start_proxy

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

INVALID = (400, "INVALID_ARGUMENT")
CREATE = {"method": "POST", "path": "^/v1/messages/batches$"}
COUNT = 10


@pytest.fixture
def client(anthropic: FakeClient, ferry: Ferry, http: ClientSession) -> BatchClient:
    return BatchClient(ferry.base_url, anthropic.kind, http)


async def nothing_was_created(anthropic: FakeClient) -> None:
    assert await anthropic.requests(method="POST") == []
    assert (await anthropic.objects())["batches"] == []


# --- what Anthropic does not store --------------------------------------------------------------


async def test_it_comes_back_after_a_restart_and_from_another_replica(
    anthropic: FakeClient,
    http: ClientSession,
    ferry: Ferry,
    a_store: Mapping[str, str],
    tmp_path: Path,
) -> None:
    killed = await start_proxy(tmp_path, ferry.upstreams, a_store)
    try:
        client = BatchClient(f"{killed.url}/genai", ANTHROPIC, http)
        name = await client.upload_lines([gemini_line("a key", "x"), gemini_line("文件", "y")])
        from_lines = (await client.create(from_file(name), displayName="of a file")).ok["name"]
        request = {"request": asking("z"), "metadata": {"n": "文件"}}
        inlined = (await client.create(inline(request), displayName="inline")).ok["name"]
    finally:
        await killed.kill()
    async with proxy(tmp_path, ferry.upstreams, a_store) as started:
        client = BatchClient(f"{started.url}/genai", ANTHROPIC, http)
        listed = (await client.call("GET", "v1beta/batches")).ok["operations"]
        assert [
            (one["name"], one["metadata"]["displayName"], one["metadata"]["model"])
            for one in listed
        ] == [
            (inlined, "inline", f"models/{client.model}"),
            (from_lines, "of a file", f"models/{client.model}"),
        ]
        (result,) = await client.results(await client.ended(inlined))
        assert (text_of(result), result["metadata"]) == ("echo: z", {"n": "文件"})
        results = by_key(await client.results(await client.ended(from_lines)))
        assert {key: text_of(one) for key, one in results.items()} == {
            "a key": "echo: x",
            "文件": "echo: y",
        }


async def test_a_batch_of_another_tool(
    client: BatchClient, anthropic: FakeClient, http: ClientSession
) -> None:
    lines = [anthropic_line(f"their-{n}", f"question {n}") for n in range(5)]
    headers = {"x-api-key": ANTHROPIC.key, "anthropic-version": "2023-06-01"}
    url = f"{anthropic.base_url}/v1/messages/batches"
    async with http.post(url, json={"requests": lines}, headers=headers) as made:
        native = (await made.json())["id"]

    listed = (await client.call("GET", "v1beta/batches")).ok["operations"]
    assert [one["name"] for one in listed] == [f"batches/{native}"]
    batch = await client.ended(f"batches/{native}")

    results = by_key(await client.results(batch))
    assert {key: text_of(one) for key, one in results.items()} == {
        f"their-{n}": f"echo: question {n}" for n in range(5)
    }
    assert (await client.delete(f"batches/{native}")).ok == {}
    assert (await anthropic.objects())["batches"] == []


async def test_the_input_can_be_deleted_right_after_creation(client: BatchClient) -> None:
    name = await client.upload_lines([gemini_line(f"key {n}", f"q{n}") for n in range(COUNT)])
    job = (await client.create(from_file(name))).ok["name"]

    assert (await client.call("DELETE", f"v1beta/{name}")).ok == {}

    results = by_key(await client.results(await client.ended(job)))
    assert {key: text_of(one) for key, one in results.items()} == {
        f"key {n}": f"echo: q{n}" for n in range(COUNT)
    }


# --- keys ----------------------------------------------------------------------------------------


async def test_any_key_survives(client: BatchClient) -> None:
    keys = ["x" * 500, "Zürich 文件 🚢", "", 'with "quotes" and \n', "r0000000001", "-", "\u0000"]
    name = await client.upload_lines([gemini_line(key, f"{n}") for n, key in enumerate(keys)])

    results = by_key(await client.finished(from_file(name)))

    assert {key: text_of(one) for key, one in results.items()} == {
        key: f"echo: {n}" for n, key in enumerate(keys)
    }


# --- what is refused whole -----------------------------------------------------------------------

GOOD = [gemini_line("a", "x"), gemini_line("b", "y")]
NATIVE = [anthropic_line("a", "x"), anthropic_line("b", "y")]
BAD_LINES: Mapping[str, tuple[list[Any], str]] = {
    "a key again": ([*GOOD, gemini_line("a", "z")], "line 3"),
    "a field that there is not": ([*GOOD, gemini_line("c", "z", noSuchField=1)], "noSuchField"),
    "what Anthropic has not": ([*GOOD, gemini_line("c", "z", cachedContent="c")], "cachedContent"),
    "another format": ([*GOOD, anthropic_line("c", "z")], "line 3"),
    "OpenAI's format": ([{"custom_id": "a", "method": "POST", "url": "/", "body": {}}], "line 1"),
    "a custom id again": ([*NATIVE, anthropic_line("a", "z")], "line 3"),
    "a custom id of 65 characters": ([*NATIVE, anthropic_line("c" * 65, "z")], "line 3"),
    "a custom id with a space": ([*NATIVE, anthropic_line("c c", "z")], "line 3"),
    "no params": ([*NATIVE, {"custom_id": "c"}], "line 3"),
    "no object": ([*GOOD, 3], "line 3"),
}


@pytest.mark.parametrize("bad", BAD_LINES.values(), ids=BAD_LINES)
async def test_a_bad_line_refuses_the_whole_batch(
    client: BatchClient, anthropic: FakeClient, bad: tuple[list[Any], str]
) -> None:
    lines, message = bad
    name = await client.upload_lines(lines)

    refused = await client.create(from_file(name))

    assert refused.error == INVALID
    assert message in refused.message
    assert f"line {len(lines)}" in refused.message
    await nothing_was_created(anthropic)


async def test_more_requests_than_anthropic_accepts(
    client: BatchClient, anthropic: FakeClient
) -> None:
    line = json.dumps({"key": "#", "request": {"contents": [{"parts": [{"text": "x"}]}]}})
    content = "\n".join(line.replace("#", str(n)) for n in range(100_001)).encode()
    name = await client.upload(content)

    refused = await client.create(from_file(name))

    assert refused.error == INVALID
    assert "100000" in refused.message.replace(",", "").replace(" ", "")
    await nothing_was_created(anthropic)


async def test_embeddings_are_refused(client: BatchClient, anthropic: FakeClient) -> None:
    refused = await client.create(inline({"request": {}}), verb="asyncBatchEmbedContent")

    assert refused.error == (501, "UNIMPLEMENTED")
    assert "embeddings" in refused.message
    await nothing_was_created(anthropic)


# --- native lines --------------------------------------------------------------------------------


async def test_native_lines_pass_and_each_fails_alone(client: BatchClient) -> None:
    fine, odd = anthropic_line("fine", "hello"), anthropic_line("odd", "hello")
    odd["params"]["service_tier"] = "no such tier"
    name = await client.upload_lines([fine, odd, anthropic_line("sad", "please fail")])

    results = by_key(await client.finished(from_file(name)))

    assert text_of(results["fine"]) == "echo: hello"
    assert "service_tier" in results["odd"]["error"]["message"]
    assert [results[key]["error"]["code"] for key in ("odd", "sad")] == [3, 3]


async def test_a_parameter_that_anthropic_does_not_know_is_refused(
    client: BatchClient, anthropic: FakeClient
) -> None:
    odd = anthropic_line("odd", "hello")
    odd["params"]["max_token"] = 1
    name = await client.upload_lines([anthropic_line("fine", "hello"), odd])

    refused = await client.create(from_file(name))

    assert refused.error == (400, "INVALID_ARGUMENT")
    assert refused.message == (
        "line 2: params.max_token: unknown field; did you mean 'max_tokens'?"
    )
    await nothing_was_created(anthropic)


# --- API versions --------------------------------------------------------------------------------


async def version_sent(anthropic: FakeClient) -> str:
    *_, sent = await anthropic.requests(**CREATE)
    headers = {name.lower(): value for name, value in sent["headers"].items()}
    return str(headers["anthropic-version"])


async def test_the_version_is_what_the_requests_need(
    anthropic: FakeClient, http: ClientSession, ferry: Ferry, tmp_path: Path
) -> None:
    newer = {"FERRY_PROVIDERS__ANTHROPIC__API_VERSION": "2026-10-21"}
    async with proxy(tmp_path, ferry.upstreams, newer) as process:
        client = BatchClient(f"{process.url}/genai", ANTHROPIC, http)
        plain = asking("x")
        sampled = asking("y", generationConfig={"temperature": 0.5})

        (first,) = await client.finished(inline({"request": plain}))
        assert await version_sent(anthropic) == "2026-10-21"
        results = await client.finished(inline({"request": plain}, {"request": sampled}))
        assert await version_sent(anthropic) == "2023-06-01"

    assert [text_of(one) for one in (first, *results)] == ["echo: x", "echo: x", "echo: y"]


async def test_sampling_that_a_model_refuses_is_reported_with_its_path(
    client: BatchClient, anthropic: FakeClient
) -> None:
    sampled = asking("x", generationConfig={"topK": 5})

    refused = await client.create(
        inline({"request": asking("a")}, {"request": sampled}), model="claude-opus-4-7"
    )

    assert refused.error == INVALID
    assert "requests[1].request.generationConfig.topK" in refused.message
    await nothing_was_created(anthropic)


async def test_the_default_of_max_output_tokens_is_named(
    client: BatchClient, anthropic: FakeClient, http: ClientSession, ferry: Ferry, tmp_path: Path
) -> None:
    created = await client.create(inline({"request": asking("x")}))
    assert "generationConfig.maxOutputTokens=4096" in created.headers["x-ferry-warnings"]
    given = asking("x", generationConfig={"maxOutputTokens": 5})
    silent = await client.create(inline({"request": given}))
    assert "x-ferry-warnings" not in silent.headers

    one_token = {"FERRY_PROVIDERS__ANTHROPIC__DEFAULT_MAX_TOKENS": "1"}
    async with proxy(tmp_path, ferry.upstreams, one_token) as process:
        client = BatchClient(f"{process.url}/genai", ANTHROPIC, http)
        (cut,) = await client.finished(inline({"request": asking("one two")}))
    assert text_of(cut) == "echo:"
    assert cut["response"]["candidates"][0]["finishReason"] == "MAX_TOKENS"
