from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from providers.aws.folder import Folder
from providers.batches.batch_input import InlineInput
from providers.bedrock.content.bedrock_models import InvocationType
from providers.bedrock.content.native_lines import NativeRules
from providers.bedrock.jobs.job_input import JobInput, ready, ready_for_a_job
from providers.bedrock.jobs.job_media import Media
from providers.errors import FerryError
from providers.memory import MemoryBudget
from providers.resources import BatchKind, InlineRequest, NewBatch
from providers.spool import NoSpool
from providers.status import Status

CLAUDE, NOVA = "anthropic.claude-haiku-4-5-20251001-v1:0", "amazon.nova-lite-v1:0"
PLAIN = {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}
TOOL = {**PLAIN, "tools": [{"functionDeclarations": [{"name": "look_up"}]}]}
# Longer than Converse accepts, but not longer than Claude's own schema accepts.
LONG = {**PLAIN, "tools": [{"functionDeclarations": [{"name": "n" * 100}]}]}


def job_input(model: str, *requests: dict[str, Any]) -> JobInput:
    inline: Sequence[InlineRequest] = [
        InlineRequest(orjson.dumps(request), b"null", f"requests[{n}]")
        for n, request in enumerate(requests)
    ]
    batch = NewBatch(model, BatchKind.GENERATE, inline)
    rules = NativeRules(lambda _: True)
    source, media = InlineInput(inline, MemoryBudget()), Media(Folder("bucket", ""), None)
    return JobInput(batch, source, rules, media, NoSpool(), None)


async def test_tools_that_converse_supports_use_converse() -> None:
    with MemoryBudget().reserve() as reservation:
        found = await ready(job_input(NOVA, PLAIN, PLAIN), reservation)
        assert await ready_for_a_job(found, reservation) is found
    assert (found.invocation, found.count, found.tools_at) == (InvocationType.CONVERSE, 2, None)
    body = found.body()
    text = b"".join([chunk async for chunk in body.chunks])
    assert body.length == len(text)
    assert [orjson.loads(line)["recordId"] for line in text.splitlines()] == [
        "r0000000000",
        "r0000000001",
    ]


async def test_tools_use_claudes_own_schema_only_in_a_job() -> None:
    with MemoryBudget().reserve() as reservation:
        found = await ready(job_input(CLAUDE, PLAIN, TOOL), reservation)
        assert found.invocation is InvocationType.CONVERSE
        job = await ready_for_a_job(found, reservation)
    assert job.invocation is InvocationType.INVOKE_MODEL
    text = b"".join([chunk async for chunk in job.body().chunks])
    first, second = (orjson.loads(line)["modelInput"] for line in text.splitlines())
    assert first["anthropic_version"] == second["anthropic_version"] == "bedrock-2023-05-31"
    assert second["tools"][0]["name"] == "look_up"


async def test_tools_of_another_model_are_refused_in_a_job_with_their_path() -> None:
    with MemoryBudget().reserve() as reservation:
        found = await ready(job_input(NOVA, PLAIN, TOOL), reservation)
        with pytest.raises(FerryError) as refused:
            await ready_for_a_job(found, reservation)
    assert refused.value.status == Status.INVALID_ARGUMENT
    assert str(refused.value.path).startswith("requests[1]")


async def test_tools_that_converse_lacks_use_claudes_own_schema_at_once() -> None:
    with MemoryBudget().reserve() as reservation:
        found = await ready(job_input(CLAUDE, LONG), reservation)
        assert found.invocation is InvocationType.INVOKE_MODEL
        assert await ready_for_a_job(found, reservation) is found


async def test_a_refusal_that_is_not_converses_stays() -> None:
    hopeless = {**LONG, "generationConfig": {"seed": 7}}
    with MemoryBudget().reserve() as reservation:
        with pytest.raises(FerryError, match="seed"):
            await ready(job_input(CLAUDE, hopeless), reservation)
        with pytest.raises(FerryError) as refused:
            await ready(job_input(NOVA, LONG), reservation)
    assert "tools" in str(refused.value.path)


async def test_only_the_last_reading_is_kept() -> None:
    budget = MemoryBudget(200)  # of two rows, not of four
    with budget.reserve() as reservation:
        found = await ready(job_input(CLAUDE, PLAIN, TOOL), reservation)
        assert (await ready_for_a_job(found, reservation)).count == 2
