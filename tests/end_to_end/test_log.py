"""The log line of a refused request says why, and quotes nothing of the request."""

import json
from typing import Any

import pytest
from aiohttp import ClientSession

from tests.end_to_end.batch_client import Answer, BatchClient, asking, inline
from tests.end_to_end.conftest import Ferry
from tests.end_to_end.fake_client import FakeClient

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

PROMPT = "text that only a provider may read"
NO_BATCH = {
    "openai": "batch_0123456789abcdef",
    "anthropic": "msgbatch_01ABCdefGHIjklMNOpqrSTUv",
    "mistral": "01234567-89ab-4cde-8f01-23456789abcd",
    "bedrock": "abcdefghij12",
}


async def logged(ferry: Ferry, refused: Answer) -> dict[str, Any]:
    line = await ferry.proxy.line_with(refused.headers["x-ferry-request-id"])
    assert PROMPT not in ferry.proxy.output
    assert ferry.leaks() == []
    document: dict[str, Any] = json.loads(line)
    assert document["status"] == refused.code
    assert document["refused"] == refused.document["error"]["status"]
    return document


async def test_our_own_refusal(translated: FakeClient, ferry: Ferry, http: ClientSession) -> None:
    client = BatchClient(ferry.base_url, translated.kind, http)
    wrong = asking(PROMPT, generationConfig={"candidateCount": PROMPT})
    refused = await client.create(inline({"request": asking(PROMPT)}, {"request": wrong}))
    assert refused.code == 400

    line = await logged(ferry, refused)

    path = "batch.inputConfig.requests.requests[1].request.generationConfig.candidateCount"
    assert (line["path"], line["why"]) == (path, refused.message)
    assert (line["provider"], line["operation"]) == (translated.kind.name, "generate_batch")
    assert line["resource"] == f"models/{client.model}"


async def test_an_upstreams_refusal(
    translated: FakeClient, ferry: Ferry, http: ClientSession
) -> None:
    client = BatchClient(ferry.base_url, translated.kind, http)
    name = f"batches/{NO_BATCH[translated.kind.name]}"
    refused = await client.get(name)
    (details,) = refused.document["error"]["details"]

    line = await logged(ferry, refused)

    assert (line["resource"], line["refused"]) == (name, "NOT_FOUND")
    assert line["upstream_status"] == int(details["metadata"]["httpStatus"])
    assert line["upstream_request_id"] == details["metadata"]["requestId"]
    assert line.get("upstream_error", "NOT_FOUND") == details["reason"]
    assert "why" not in line


async def test_a_refused_input_file_is_named(
    translated: FakeClient, ferry: Ferry, http: ClientSession
) -> None:
    client = BatchClient(ferry.base_url, translated.kind, http)
    file = await client.upload(f'{{"key": "a", "reqest": "{PROMPT}"}}\n'.encode())
    refused = await client.create({"fileName": file})
    assert refused.code == 400

    line = await logged(ferry, refused)

    assert (line["input_file"], line["path"]) == (file, "line 1: reqest")
