"""A creation at Bedrock whose answer is lost: one job, found by its token or by its name."""

import asyncio

import pytest

from providers.batches import creations
from providers.status import Status
from tests.contract.bedrock_batching import TEXTS, created, ended, items, jobs_created
from tests.contract.bedrock_with_fake import ATTEMPTS, CALLER, JOB, BedrockWithFake, inline, refused


@pytest.mark.parametrize("fault", ["lose_answer", "truncate"])
async def test_a_lost_answer_is_requested_again_with_the_same_token(
    bedrock: BedrockWithFake, fault: str
) -> None:
    await bedrock.strike("POST", JOB, fault)
    batch_id = await ended(bedrock, inline(*TEXTS))
    assert await bedrock.objects("batches") == [batch_id]
    assert await jobs_created(bedrock) == 2
    assert len(await items(bedrock, batch_id)) == len(TEXTS)


async def test_the_job_is_looked_up_if_every_answer_is_lost(bedrock: BedrockWithFake) -> None:
    await bedrock.strike("POST", JOB, "lose_answer", times=ATTEMPTS)
    batch_id = await ended(bedrock, inline(*TEXTS))
    assert await bedrock.objects("batches") == [batch_id]
    assert len(await items(bedrock, batch_id)) == len(TEXTS)


async def test_a_token_that_bedrock_has_forgotten_leads_to_the_name(
    bedrock: BedrockWithFake,
) -> None:
    """The repeat is refused, since the lost job has the name."""
    await bedrock.strike("POST", JOB, "lose_answer")
    conflict = {"x-amzn-ErrorType": "ConflictException"}
    await bedrock.strike(
        "POST", JOB, "status", nth=2, status=400, headers=conflict, body={"message": "taken"}
    )
    batch_id = await ended(bedrock, inline(*TEXTS))
    assert await bedrock.objects("batches") == [batch_id]
    assert len(await items(bedrock, batch_id)) == len(TEXTS)


async def test_a_lost_job_is_found_after_many_newer_ones(bedrock: BedrockWithFake) -> None:
    await bedrock.post("/_fake/settings", {"page_limit": 1})
    await bedrock.strike("POST", JOB, "lose_answer", times=ATTEMPTS)
    await bedrock.strike("GET", f"{JOB}s", "delay", name="slow")
    async with bedrock.creating(inline(*TEXTS)) as creating:
        await bedrock.happened("slow")
        [lost] = await bedrock.objects("batches")
        for _ in range(3):
            await created(bedrock, inline(*TEXTS))
        await bedrock.release("slow")
        assert (await creating).id == lost


async def test_an_input_is_kept_while_it_is_unknown_whether_its_job_exists(
    bedrock: BedrockWithFake,
) -> None:
    await bedrock.strike("POST", JOB, "lose_answer", times=ATTEMPTS)
    await bedrock.strike("GET", f"{JOB}s", "status", status=500, times=ATTEMPTS)
    error = await refused(bedrock.batches.create(CALLER, inline(*TEXTS)))
    assert error.status == Status.UNAVAILABLE
    assert "look for it in the list of batches" in error.message
    assert len(await bedrock.keys()) == 1
    [batch_id] = await bedrock.objects("batches")
    await bedrock.move(batch_id, "Completed")
    metadata = [item["metadata"] for item in await items(bedrock, batch_id)]
    assert metadata == [{"place": str(place)} for place in range(len(TEXTS))]


async def test_a_new_job_that_cannot_be_read_yet_is_still_a_batch(
    bedrock: BedrockWithFake,
) -> None:
    await bedrock.strike("GET", f"{JOB}/.*", "status", status=500, times=ATTEMPTS)
    made = await bedrock.batches.create(CALLER, inline(*TEXTS, display_name="mine"))
    assert await bedrock.objects("batches") == [made.id]
    assert (made.display_name, made.native_status) == ("mine", "Submitted")


@pytest.mark.parametrize(("at", "made"), [("request", 0), ("answer", 1)])
async def test_after_a_client_disconnects_only_a_created_job_remains(
    bedrock: BedrockWithFake, at: str, made: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(creations, "_FINISH_SECONDS", 0.1)
    await bedrock.strike("POST", JOB, "delay", name="slow", at=at)
    async with bedrock.creating(inline(*TEXTS)) as creating:
        await bedrock.happened("slow")
        creating.cancel()
        with pytest.raises(asyncio.CancelledError):
            await creating
    jobs = await bedrock.objects("batches")
    assert len(jobs) == made
    for batch_id in jobs:
        await bedrock.move(batch_id, "Completed")
        assert len(await items(bedrock, batch_id)) == len(TEXTS)
    inputs = [key for key in await bedrock.keys() if key.endswith("input.jsonl")]
    assert len(inputs) == made
    # A repeat of the request finds the job, or that there is none.
    kept = {name.partition("/")[0] for name in bedrock.state.objects}
    assert made or kept == {"idempotency", "lost"}
