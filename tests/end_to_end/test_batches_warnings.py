"""A batch shows what its creation dropped or added, until it is deleted."""

from typing import Any

import pytest
from aiohttp import ClientSession

from tests.end_to_end.batch_client import BatchClient, Document, asking, inline
from tests.end_to_end.conftest import Ferry, Sdks, new_s3_prefix
from tests.end_to_end.fake_client import FakeClient
from tests.end_to_end.sdk_process import EVERY_SDK, Sdk
from tests.processes import Process

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

PROMPT = "text that only the provider reads"
REQUEST = {
    "request": asking(
        PROMPT,
        labels={"team": "ours"},
        generationConfig={"maxOutputTokens": 5},
        safetySettings=[
            {"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_LOW_AND_ABOVE"}
        ],
    )
}
AT = "batch.inputConfig.requests.requests[*].request"
SAFETY = f"{AT}.safetySettings: dropped (2 times)"


async def in_the_list(client: BatchClient, name: str) -> list[str]:
    listed = (await client.call("GET", "v1beta/batches?pageSize=100")).ok["operations"]
    (batch,) = (one for one in listed if one["name"] == name)
    warnings: list[str] = batch["metadata"]["ferryWarnings"]
    return warnings


async def check_warnings_stay(client: BatchClient, **headers: str) -> Document:
    """Checks that every answer about the batch has its warnings; returns the batch."""
    repeatable = {"x-ferry-idempotency-key": f"warned at {client.base_url}", **headers}
    created = await client.create(inline(REQUEST, REQUEST), headers=repeatable)
    warnings = created.ok["metadata"]["ferryWarnings"]
    assert SAFETY in warnings
    assert "safetySettings" in created.headers["x-ferry-warnings"]

    name = created.ok["name"]
    got = (await client.call("GET", f"v1beta/{name}", headers=headers)).ok
    assert got["metadata"]["ferryWarnings"] == warnings
    again = await client.create(inline(REQUEST, REQUEST), headers=repeatable)
    assert again.ok["name"] == name
    assert again.ok["metadata"]["ferryWarnings"] == warnings
    assert again.headers["x-ferry-warnings"] == created.headers["x-ferry-warnings"]
    return got


async def test_a_batch_keeps_its_warnings(
    translated: FakeClient, ferry: Ferry, http: ClientSession
) -> None:
    client = BatchClient(ferry.base_url, translated.kind, http)
    name = (await check_warnings_stay(client))["name"]
    assert SAFETY in await ferry.proxy.line_with(f'"batch": "{name}"')
    assert SAFETY in await in_the_list(client, name)
    assert SAFETY in (await client.ended(name))["metadata"]["ferryWarnings"]
    assert PROMPT not in ferry.proxy.output


async def test_an_immediate_batch_keeps_its_warnings(
    bedrock: FakeClient, immediate_proxy: Process, http: ClientSession
) -> None:
    client = BatchClient(f"{immediate_proxy.url}/genai", bedrock.kind, http)
    await check_warnings_stay(client, **new_s3_prefix())


async def test_a_batch_without_warnings_has_no_such_member(
    openai: FakeClient, ferry: Ferry, http: ClientSession
) -> None:
    client = BatchClient(ferry.base_url, openai.kind, http)
    created = await client.create(inline({"request": asking("hello")}))
    assert "ferryWarnings" not in created.ok["metadata"]


@pytest.mark.parametrize("sdk", EVERY_SDK, ids=str)
async def test_every_sdk_accepts_the_member(
    sdks: Sdks, sdk: Sdk, anthropic: FakeClient, ferry: Ferry, http: ClientSession
) -> None:
    """At Anthropic a request without `maxOutputTokens` gets a warning."""
    client = await sdks.get(sdk, anthropic.kind)
    source: list[Any] = [{"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}]
    model = BatchClient(ferry.base_url, anthropic.kind, http).model
    job = await client.call("batches.create", model=model, src=source, config={"displayName": "w"})
    got = await client.call("batches.get", name=job["name"])
    listed = (await client.call("batches.list"))["items"]

    raw = (await BatchClient(ferry.base_url, anthropic.kind, http).get(job["name"])).ok
    (warning,) = raw["metadata"]["ferryWarnings"]
    assert "maxOutputTokens: filled in with 4096 (once)" in warning
    assert (job["name"], job["displayName"]) == (got["name"], got["displayName"])
    assert job["name"] in [one["name"] for one in listed]
