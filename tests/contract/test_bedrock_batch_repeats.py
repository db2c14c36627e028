"""One job at Bedrock for one idempotency key, also if answers are lost."""

import asyncio
from dataclasses import replace

import pytest

from providers.resources import NewBatch
from providers.status import Status
from tests.contract.bedrock_batching import TEXTS, items, jobs_created, listed, native
from tests.contract.bedrock_with_fake import ATTEMPTS, CALLER, JOB, BedrockWithFake, inline, refused


def keyed(fingerprint: str = "f", *texts: str) -> NewBatch:
    return inline(*(texts or TEXTS), idempotency_key="once", fingerprint=fingerprint)


async def test_a_repeat_is_the_same_batch(bedrock: BedrockWithFake) -> None:
    made = {(await bedrock.batches.create(CALLER, keyed())).id for _ in range(3)}
    assert await bedrock.objects("batches") == list(made)
    assert await jobs_created(bedrock) == 1
    assert len(await bedrock.keys()) == 1


async def test_a_repeat_at_another_replica_is_the_same_batch(bedrock: BedrockWithFake) -> None:
    first = await bedrock.batches.create(CALLER, keyed())
    bedrock.provider = bedrock.replica()
    again = await bedrock.batches.create(CALLER, keyed())
    assert again.id == first.id
    assert await bedrock.objects("batches") == [first.id]


async def test_another_body_with_the_same_key(bedrock: BedrockWithFake) -> None:
    await bedrock.batches.create(CALLER, keyed())
    error = await refused(bedrock.batches.create(CALLER, keyed("another")))
    assert (error.status, error.code) == (Status.ALREADY_EXISTS, 409)
    assert len(await bedrock.objects("batches")) == 1


async def test_the_same_key_of_two_tenants_is_two_keys(bedrock: BedrockWithFake) -> None:
    await bedrock.batches.create(CALLER, keyed())
    await bedrock.batches.create(replace(CALLER, tenant="other"), keyed("another"))
    assert len(await bedrock.objects("batches")) == 2


async def test_without_a_key_each_request_is_its_own_job(bedrock: BedrockWithFake) -> None:
    made = {(await bedrock.batches.create(CALLER, inline(*TEXTS))).id for _ in range(2)}
    assert set(await bedrock.objects("batches")) == made
    assert len(made) == 2


async def test_concurrent_creations_with_one_key_are_one_job(bedrock: BedrockWithFake) -> None:
    """Through four replicas, all with one request token for Bedrock."""
    await bedrock.post("/_fake/settings", {"auto_advance": False})
    replicas = [bedrock.replica() for _ in range(4)]
    creations = (replica.batches.create(CALLER, keyed()) for replica in replicas if replica.batches)
    [made] = {created.id for created in await asyncio.gather(*creations)}
    assert await bedrock.objects("batches") == [made]
    assert await listed(bedrock) == [made]
    assert len(await bedrock.keys()) == 1
    await bedrock.move(made, "Completed")
    assert len(await items(bedrock, made)) == len(TEXTS)


async def test_an_attempt_overtaken_by_another_is_the_same_job(bedrock: BedrockWithFake) -> None:
    await bedrock.strike("POST", JOB, "delay", name="slow", at="request")
    async with bedrock.creating(keyed()) as slow:
        await bedrock.happened("slow")
        bedrock.provider = bedrock.replica()
        fast = await bedrock.batches.create(CALLER, keyed())
        await bedrock.release("slow")
        assert (await slow).id == fast.id
    assert await bedrock.objects("batches") == [fast.id]
    # The second found no job of the first yet: only the token prevented a second job.
    assert len(await bedrock.calls("POST", JOB)) == 2


async def test_the_key_determines_the_request_token(bedrock: BedrockWithFake) -> None:
    """A repeat after an unknown outcome is answered by Bedrock itself with the same job."""
    await bedrock.strike("POST", JOB, "lose_answer", times=ATTEMPTS)
    await bedrock.strike("GET", f"{JOB}s", "status", status=500, times=ATTEMPTS)
    await refused(bedrock.batches.create(CALLER, keyed()))
    [made] = await bedrock.objects("batches")
    token = native(bedrock, made)["clientRequestToken"]
    again = await bedrock.batches.create(CALLER, keyed())
    assert again.id == made
    assert await bedrock.objects("batches") == [made]
    assert native(bedrock, made)["clientRequestToken"] == token
    await bedrock.move(made, "Completed")
    metadata = [item["metadata"] for item in await items(bedrock, made)]
    assert metadata == [{"place": str(place)} for place in range(len(TEXTS))]


async def test_a_refused_repeat_leaves_the_first_attempts_job_unchanged(
    bedrock: BedrockWithFake,
) -> None:
    await bedrock.strike("POST", JOB, "lose_answer", times=ATTEMPTS)
    await bedrock.strike("GET", f"{JOB}s", "status", status=500, times=ATTEMPTS)
    await refused(bedrock.batches.create(CALLER, keyed()))
    [made] = await bedrock.objects("batches")
    named = {"x-amzn-ErrorType": "AccessDeniedException"}
    await bedrock.strike("POST", JOB, "status", status=403, headers=named, body={"message": "no"})
    again = await bedrock.batches.create(CALLER, keyed())
    assert again.id == made
    await bedrock.move(made, "Completed")
    metadata = [item["metadata"] for item in await items(bedrock, made)]
    assert metadata == [{"place": str(place)} for place in range(len(TEXTS))]


async def test_a_repeat_first_looks_for_the_first_attempts_job(
    bedrock: BedrockWithFake,
) -> None:
    await bedrock.strike("POST", JOB, "lose_answer", times=ATTEMPTS)
    await bedrock.strike("GET", f"{JOB}s", "status", status=500, times=ATTEMPTS)
    await refused(bedrock.batches.create(CALLER, keyed()))
    [made] = await bedrock.objects("batches")
    await bedrock.strike_s3("PUT", "status", status=403, code="AccessDenied")
    again = await bedrock.batches.create(CALLER, keyed())
    assert again.id == made
    await bedrock.move(made, "Completed")
    metadata = [item["metadata"] for item in await items(bedrock, made)]
    assert metadata == [{"place": str(place)} for place in range(len(TEXTS))]


async def test_a_refused_repeat_leaves_the_key_to_the_first_attempt(
    bedrock: BedrockWithFake,
) -> None:
    """The outcome of the first is unknown; Bedrock may still show its job."""
    await bedrock.strike("POST", JOB, "status", status=500, times=ATTEMPTS)
    await bedrock.strike("GET", f"{JOB}s", "status", status=500, times=ATTEMPTS)
    await refused(bedrock.batches.create(CALLER, keyed()))
    await bedrock.strike_s3("PUT", "status", status=403, code="AccessDenied")
    await refused(bedrock.batches.create(CALLER, keyed()))
    other = await refused(bedrock.batches.create(CALLER, keyed("another body")))
    assert other.status == Status.ALREADY_EXISTS


async def test_a_repeat_after_an_unknown_outcome_that_created_nothing(
    bedrock: BedrockWithFake,
) -> None:
    await bedrock.strike("POST", JOB, "status", status=500, times=ATTEMPTS)
    await bedrock.strike("GET", f"{JOB}s", "status", status=500, times=ATTEMPTS)
    await refused(bedrock.batches.create(CALLER, keyed()))
    made = await bedrock.batches.create(CALLER, keyed())
    assert await bedrock.objects("batches") == [made.id]
    assert len(await bedrock.keys()) == 1


@pytest.mark.parametrize("at", ["request", "answer"])
async def test_a_client_that_disconnected_finds_its_job_by_the_key(
    bedrock: BedrockWithFake, at: str
) -> None:
    await bedrock.strike("POST", JOB, "delay", name="slow", at=at)
    async with bedrock.creating(keyed()) as creating:
        await bedrock.happened("slow")
        creating.cancel()
        with pytest.raises(asyncio.CancelledError):
            await creating
    assert bedrock.no_memory_reserved
    again = await bedrock.batches.create(CALLER, keyed())
    assert await bedrock.objects("batches") == [again.id]
    assert len(await bedrock.keys()) == 1
    await bedrock.move(again.id, "Completed")
    assert len(await items(bedrock, again.id)) == len(TEXTS)


async def test_a_key_whose_creation_was_refused_accepts_another_body(
    bedrock: BedrockWithFake,
) -> None:
    named = {"x-amzn-ErrorType": "ValidationException"}
    await bedrock.strike("POST", JOB, "status", status=400, headers=named, body={"message": "no"})
    await refused(bedrock.batches.create(CALLER, keyed("wrong")))
    assert await bedrock.keys() == []
    made = await bedrock.batches.create(CALLER, keyed("mended"))
    assert await bedrock.objects("batches") == [made.id]


async def test_a_creation_that_was_throttled_may_be_repeated(bedrock: BedrockWithFake) -> None:
    await bedrock.strike("POST", JOB, "status", status=429, times=ATTEMPTS)
    error = await refused(bedrock.batches.create(CALLER, keyed()))
    assert error.status == Status.RESOURCE_EXHAUSTED
    made = await bedrock.batches.create(CALLER, keyed())
    assert await bedrock.objects("batches") == [made.id]
    assert len(await bedrock.keys()) == 1


async def test_too_few_records_leave_the_key_free(bedrock: BedrockWithFake) -> None:
    await refused(bedrock.batches.create(CALLER, keyed("few", "one")))
    made = await bedrock.batches.create(CALLER, keyed("enough"))
    assert await bedrock.objects("batches") == [made.id]
