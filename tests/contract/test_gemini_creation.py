"""Creations with an idempotency key, which Google does not know, against the fake."""

from collections.abc import AsyncIterator
from dataclasses import replace

import orjson
import pytest
from yarl import URL

from providers.body import in_memory
from providers.errors import FerryError
from providers.provider import RelayedRequest
from providers.status import Status
from providers.upstream import UpstreamError
from tests.contract.gemini_with_fake import CALLER, GeminiWithFake, gemini_with_fake

TARGET = URL("/v1beta/models/gemini-2.5-flash:batchGenerateContent", encoded=True)


@pytest.fixture
async def google() -> AsyncIterator[GeminiWithFake]:
    async with gemini_with_fake() as provider_with_fake:
        yield provider_with_fake


def creation(text: str = "hello", key: str = "once") -> RelayedRequest:
    request = {"contents": [{"role": "user", "parts": [{"text": text}]}]}
    batch = {"inputConfig": {"requests": {"requests": [{"request": request}]}}}
    headers = {"content-type": "application/json", "x-ferry-idempotency-key": key}
    return RelayedRequest("POST", TARGET, headers, in_memory(orjson.dumps({"batch": batch})))


async def named(google: GeminiWithFake, request: RelayedRequest) -> str:
    async with await google.relay(CALLER, request) as reply:
        assert reply.status == 200
        return str(orjson.loads(await reply.read(1 << 20))["name"])


async def batches(google: GeminiWithFake) -> int:
    request = RelayedRequest("GET", URL("/v1beta/batches"), {}, None)
    async with await google.relay(CALLER, request) as reply:
        return len(orjson.loads(await reply.read(1 << 20)).get("operations", []))


async def test_the_same_creation_again_is_the_same_batch(google: GeminiWithFake) -> None:
    first = await named(google, creation())
    assert await named(google, creation()) == first
    assert await batches(google) == 1
    assert await named(google, creation(key="another")) != first


async def test_another_body_with_the_same_key_is_refused(google: GeminiWithFake) -> None:
    await named(google, creation())
    with pytest.raises(FerryError) as caught:
        await google.relay(CALLER, creation("something else"))
    assert caught.value.status == Status.ALREADY_EXISTS
    assert await batches(google) == 1


@pytest.mark.parametrize("key", ["once", ""])
async def test_the_error_for_a_lost_answer_says_that_a_batch_may_exist(
    google: GeminiWithFake, key: str
) -> None:
    match = {"method": "POST", "path": ":batchGenerateContent$"}
    await google.post("/_fake/faults", {"match": match, "fault": {"kind": "lose_answer"}})
    with pytest.raises(UpstreamError) as caught:
        await google.relay(CALLER, creation(key=key))
    assert "whether the batch was made is unknown" in caught.value.message
    assert await batches(google) == 1


async def test_a_creation_whose_outcome_is_unknown_is_not_repeated(google: GeminiWithFake) -> None:
    match = {"method": "POST", "path": ".*batchGenerateContent"}
    await google.post("/_fake/faults", {"match": match, "fault": {"kind": "lose_answer"}})
    with pytest.raises(UpstreamError):
        await google.relay(CALLER, creation())
    with pytest.raises(FerryError) as caught:
        await google.relay(CALLER, creation())
    assert caught.value.status == Status.ABORTED
    assert await batches(google) == 1


async def test_a_creation_that_was_never_sent_can_be_repeated(google: GeminiWithFake) -> None:
    request = creation()
    broken = replace(request, headers={**request.headers, "accept-language": "a\x00b"})
    with pytest.raises(FerryError) as caught:
        await google.relay(CALLER, broken)
    assert caught.value.status == Status.INVALID_ARGUMENT
    assert await named(google, creation())
    assert await batches(google) == 1


async def test_a_body_that_must_be_in_memory_has_a_limit(google: GeminiWithFake) -> None:
    """The limit of these tests is 1 MiB."""
    with pytest.raises(FerryError, match="FERRY_INLINE_MAX_BYTES") as caught:
        await google.relay(CALLER, creation("x" * (1 << 20)))
    assert caught.value.status == Status.INVALID_ARGUMENT
    assert await batches(google) == 0
    assert await named(google, creation())


async def test_a_creation_that_google_refused_can_be_repeated(google: GeminiWithFake) -> None:
    match = {"method": "POST", "path": ".*batchGenerateContent"}
    fault = {"kind": "status", "status": 429, "body": "{}", "read_body": True}
    await google.post("/_fake/faults", {"match": match, "fault": fault})
    async with await google.relay(CALLER, creation()) as reply:
        assert reply.status == 429
    assert await named(google, creation())
    assert await batches(google) == 1
