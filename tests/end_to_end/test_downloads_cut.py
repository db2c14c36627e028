"""Downloads that an upstream cuts off: every SDK raises, so a part never passes for the file.

The SDKs for Python and Java then leave a part of the file, or an empty one, where they were to
write it.
"""

import asyncio
import json
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientSession

from tests.end_to_end.batch_client import BatchClient, from_file, gemini_line
from tests.end_to_end.conftest import MIB, Ferry, Sdks
from tests.end_to_end.fake_client import FakeClient
from tests.end_to_end.sdk_process import (
    GO,
    JAVA,
    JAVASCRIPT,
    PYTHON_NEWEST,
    PYTHON_NEWEST_ASYNC,
    Sdk,
    SdkError,
)

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

LINES: Final = 4
ARRIVING: Final = 2 * MIB + MIB // 2
"""Two and a half lines."""

RESULTS: Final = {
    "gemini": ":download$",
    "openai": "/content$",
    "anthropic": "/results$",
    "mistral": "/content$",
    "bedrock": r"\.jsonl\.out$",
}
"""The path of results at each upstream."""


@pytest.fixture
def client(fake: FakeClient, ferry: Ferry, http: ClientSession) -> BatchClient:
    return BatchClient(ferry.base_url, fake.kind, http)


async def results_of_a_batch(client: BatchClient, fake: FakeClient) -> str:
    """The name of a results file whose results have 1 MiB each."""
    await fake.settings(answer_bytes=MIB)
    source = await client.upload_lines([gemini_line(f"key {n}", "q") for n in range(LINES)])
    batch = await client.ended((await client.create(from_file(source))).ok["name"])
    return str(batch["metadata"]["output"]["responsesFile"])


@pytest.mark.parametrize("sdk", [PYTHON_NEWEST, PYTHON_NEWEST_ASYNC, JAVASCRIPT, GO, JAVA], ids=str)
async def test_every_sdk_raises(
    client: BatchClient, fake: FakeClient, sdks: Sdks, sdk: Sdk, tmp_path: Path
) -> None:
    process = await sdks.get(sdk, fake.kind)
    name = await results_of_a_batch(client, fake)
    path = tmp_path / "results.jsonl"
    match = {"method": "GET", "path": RESULTS[fake.kind.name]}
    for kind in ("truncate", "cut_chunks"):
        fault = await fake.arm(match, kind, after_bytes=ARRIVING)
        with pytest.raises(SdkError) as broken:
            await process.call("files.download", name=name, path=str(path))
        assert broken.value.code is None, "the answer had begun, so the error is not a refusal"
        assert not path.exists() or path.stat().st_size <= ARRIVING
        await fake.struck(fault)
    await process.call("files.download", name=name, path=str(path))
    assert len([json.loads(line) for line in path.read_text().splitlines()]) == LINES


@pytest.mark.parametrize("fake", ["openai"], indirect=True)
async def test_a_client_of_http_1_0_sees_a_reset(
    client: BatchClient, fake: FakeClient, ferry: Ferry
) -> None:
    """Its answer has neither length nor chunks, so a closed connection is the regular end."""
    name = await results_of_a_batch(client, fake)
    await fake.arm({"method": "GET", "path": "/content$"}, "truncate", after_bytes=ARRIVING)
    port = urlsplit(ferry.base_url).port
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    headers = f"x-goog-api-key: {fake.kind.key}\r\nx-model-provider: openai\r\n"
    writer.write(f"GET /genai/v1beta/{name}:download HTTP/1.0\r\n{headers}\r\n".encode())
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()
