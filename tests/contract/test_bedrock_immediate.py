"""Batches too small for a job, which the proxy runs itself: they look like any other."""

import asyncio
from typing import Any

import orjson
import pytest

from providers.batches.immediate.jobs import ImmediateUse
from providers.resource_names import result_file_id
from providers.resources import (
    BatchKind,
    BatchState,
    Counts,
    InlineRequest,
    NewBatch,
    ResultFile,
)
from providers.status import Status
from tests.contract.bedrock_batching import (
    TEXTS,
    claude_line,
    converse_line,
    created,
    ended,
    items,
    jobs_created,
    lines,
    listed,
    text_of,
)
from tests.contract.bedrock_immediate import RUNTIME, has_ended
from tests.contract.bedrock_with_fake import (
    CALLER,
    MINIMUM,
    MODEL,
    MOST_SETTING,
    NOVA,
    PREFIX,
    BedrockWithFake,
    from_file,
    inline,
    refused,
)
from tests.contract.provider_with_fake import asking, gemini_lines, json_lines

FEW = TEXTS[: MINIMUM - 1]
TOOL = {"functionDeclarations": [{"name": "look", "parameters": {"type": "OBJECT"}}]}


@pytest.fixture
async def small(bedrock: BedrockWithFake) -> BedrockWithFake:
    bedrock.provider = bedrock.replica(immediate=ImmediateUse.SMALL)
    return bedrock


def one(document: dict[str, Any], model: str) -> NewBatch:
    request = InlineRequest(orjson.dumps(document), b"null", "requests[0]")
    return NewBatch(model, BatchKind.GENERATE, [request])


# --- carried out ----------------------------------------------------------------------------------


async def test_it_looks_like_any_other(small: BedrockWithFake) -> None:
    made = await small.batches.create(CALLER, inline(*FEW, display_name="few"))
    assert made.id.startswith("immediate-")
    assert (made.display_name, made.model, made.output) == ("few", MODEL, None)
    assert not made.state.terminal
    batch = await has_ended(small, made.id)
    assert (batch.state, batch.display_name) == (BatchState.SUCCEEDED, "few")
    assert batch.counts == Counts(total=len(FEW), succeeded=len(FEW), failed=0)
    assert batch.create_time is not None
    assert batch.end_time is not None
    assert batch.create_time <= batch.end_time
    results = await items(small, made.id)
    assert [text_of(item) for item in results] == [f"echo: {text}" for text in FEW]
    assert [item["metadata"] for item in results] == [{"place": str(n)} for n in range(len(FEW))]


async def test_it_stores_nothing_at_aws_and_sends_each_record_once(small: BedrockWithFake) -> None:
    await has_ended(small, await created(small, inline(*FEW)))
    assert await small.keys() == []
    assert await jobs_created(small) == 0
    assert len(await small.calls("POST", RUNTIME)) == len(FEW)


async def test_always_is_for_a_batch_of_any_size(bedrock: BedrockWithFake) -> None:
    bedrock.provider = bedrock.replica(immediate=ImmediateUse.ALWAYS)
    for count in (1, MINIMUM, len(TEXTS)):
        batch_id = await created(bedrock, inline(*TEXTS[:count]))
        assert batch_id.startswith("immediate-")
        assert (await has_ended(bedrock, batch_id)).state is BatchState.SUCCEEDED
        assert len(await items(bedrock, batch_id)) == count
    assert await jobs_created(bedrock) == 0


async def test_always_takes_tools_for_every_model_and_media_where_they_are(
    bedrock: BedrockWithFake,
) -> None:
    bedrock.provider = bedrock.replica(immediate=ImmediateUse.ALWAYS, minimum=1)
    file_id = await bedrock.upload(b"png", "a.png", mime_type="image/png")
    media = {"fileData": {"fileUri": f"files/{file_id}", "mimeType": "image/png"}}
    contents = [{"role": "user", "parts": [media, {"text": "call the tool"}]}]
    batch_id = await created(bedrock, one({"contents": contents, "tools": [TOOL]}, NOVA))
    await has_ended(bedrock, batch_id)
    [item] = await items(bedrock, batch_id)
    [part] = item["response"]["candidates"][0]["content"]["parts"]
    assert part["functionCall"]["name"] == "look"
    assert len(await bedrock.keys()) == 1


async def test_more_requests_than_the_proxy_runs_itself_are_refused(
    bedrock: BedrockWithFake,
) -> None:
    bedrock.provider = bedrock.replica(immediate=ImmediateUse.ALWAYS, most=2)
    error = await refused(bedrock.batches.create(CALLER, inline(*TEXTS[:3])))
    assert error.status == Status.INVALID_ARGUMENT
    for named in ("too many requests (3)", "at most 2", MOST_SETTING):
        assert named in error.message
    assert bedrock.state.objects == {}
    await has_ended(bedrock, await created(bedrock, inline(*TEXTS[:2])))


async def test_the_minimum_is_a_job(small: BedrockWithFake) -> None:
    assert len(await created(small, inline(*TEXTS[:MINIMUM]))) == 12
    assert await jobs_created(small) == 1
    assert await small.calls("POST", RUNTIME) == []


async def test_from_a_file(small: BedrockWithFake) -> None:
    small.other_tool.put(f"{PREFIX}in.jsonl", gemini_lines(*FEW))
    batch_id = await created(small, from_file("in.jsonl"))
    batch = await has_ended(small, batch_id)
    assert batch.output == ResultFile(result_file_id(batch_id))
    results = {line["key"]: text_of(line) for line in await lines(small, batch_id)}
    assert results == {f"k-{n}": f"echo: {text}" for n, text in enumerate(FEW)}
    file = await small.files.get(CALLER, result_file_id(batch_id))
    assert (file.source, file.create_time) == ("GENERATED", batch.end_time)


@pytest.mark.parametrize("line", [converse_line, claude_line])
async def test_from_a_native_file(small: BedrockWithFake, line: Any) -> None:
    small.other_tool.put(f"{PREFIX}in.jsonl", json_lines(line("mine", "hello")))
    batch_id = await created(small, from_file("in.jsonl"))
    await has_ended(small, batch_id)
    [result] = await lines(small, batch_id)
    assert (result["key"], text_of(result)) == ("mine", "echo: hello")


@pytest.mark.parametrize("model", [MODEL, NOVA])
async def test_tools_go_through_converse_for_every_model(
    small: BedrockWithFake, model: str
) -> None:
    asked = {**asking("call the tool"), "tools": [TOOL]}
    batch_id = await created(small, one(asked, model))
    await has_ended(small, batch_id)
    [item] = await items(small, batch_id)
    [part] = item["response"]["candidates"][0]["content"]["parts"]
    assert part["functionCall"]["name"] == "look"
    assert len(await small.calls("POST", RUNTIME)) == 1


async def test_thoughts_are_in_the_result_as_in_a_jobs(small: BedrockWithFake) -> None:
    config = {"thinkingConfig": {"thinkingBudget": 2048, "includeThoughts": True}}
    asked = {**asking("why?"), "generationConfig": config}
    batches = []
    for count in (1, MINIMUM):
        requests = [
            InlineRequest(orjson.dumps(asked), b"null", f"requests[{n}]") for n in range(count)
        ]
        batches.append(NewBatch(MODEL, BatchKind.GENERATE, requests))
    few, many = batches
    immediate = await created(small, few)
    await has_ended(small, immediate)
    [item] = await items(small, immediate)
    thought, _ = item["response"]["candidates"][0]["content"]["parts"]
    assert thought["thought"] is True
    assert thought["thoughtSignature"]
    of_a_job = (await items(small, await ended(small, many)))[0]
    assert item["response"]["candidates"] == of_a_job["response"]["candidates"]


async def test_media_are_read_in_place(small: BedrockWithFake) -> None:
    file_id = await small.upload(b"png", "a.png", mime_type="image/png")
    media = {"fileData": {"fileUri": f"files/{file_id}", "mimeType": "image/png"}}
    asked = {"contents": [{"role": "user", "parts": [media, {"text": "what?"}]}]}
    batch_id = await created(small, one(asked, NOVA))
    await has_ended(small, batch_id)
    assert [text_of(item) for item in await items(small, batch_id)] == ["echo: what?"]
    assert len(await small.keys()) == 1


async def test_a_missing_media_file_is_refused_with_its_path(small: BedrockWithFake) -> None:
    media = {"fileData": {"fileUri": "files/none.png", "mimeType": "image/png"}}
    asked = {"contents": [{"role": "user", "parts": [media]}]}
    error = await refused(small.batches.create(CALLER, one(asked, NOVA)))
    assert error.path == "requests[0].contents[0].parts[0].fileData.fileUri"
    assert small.state.objects == {}


async def test_a_failed_record_is_one_error(small: BedrockWithFake) -> None:
    batch_id = await created(small, inline("please fail", "b"))
    batch = await has_ended(small, batch_id)
    assert batch.state is BatchState.SUCCEEDED
    assert batch.counts == Counts(total=2, succeeded=1, failed=1)
    failed, answered = await items(small, batch_id)
    assert failed["error"]["code"] == 3
    assert "asked to fail" in failed["error"]["message"]
    assert text_of(answered) == "echo: b"


# --- cancelled, deleted ---------------------------------------------------------------------------


async def test_it_is_cancelled_and_then_deleted(small: BedrockWithFake) -> None:
    await small.strike("POST", RUNTIME, "delay", name="slow", times=9)
    batch_id = await created(small, inline(*FEW))
    await small.happened("slow")
    error = await refused(small.batches.delete(CALLER, batch_id))
    assert (error.status, error.code) == (Status.FAILED_PRECONDITION, 400)
    assert (await small.batches.get(CALLER, batch_id)).state is BatchState.RUNNING
    await small.batches.cancel(CALLER, batch_id)
    await small.release("slow")
    assert (await has_ended(small, batch_id)).state is BatchState.CANCELLED
    assert len(await items(small, batch_id)) == len(FEW)
    error = await refused(small.batches.cancel(CALLER, batch_id))
    assert (error.status, error.code) == (Status.FAILED_PRECONDITION, 400)
    await small.batches.delete(CALLER, batch_id)
    for attempt in (
        small.batches.get(CALLER, batch_id),
        small.batches.delete(CALLER, batch_id),
        small.files.get(CALLER, result_file_id(batch_id)),
        small.files.download(CALLER, result_file_id(batch_id)),
    ):
        assert (await refused(attempt)).status == Status.NOT_FOUND
    assert await listed(small) == []
    assert small.state.objects == {}


async def test_a_running_job_has_no_results(small: BedrockWithFake) -> None:
    await small.strike("POST", RUNTIME, "delay", name="slow", times=9)
    batch_id = await created(small, inline(*FEW))
    for attempt in (
        small.files.get(CALLER, result_file_id(batch_id)),
        small.files.download(CALLER, result_file_id(batch_id)),
        small.files.delete(CALLER, result_file_id(batch_id)),
    ):
        assert (await refused(attempt)).status == Status.NOT_FOUND
    await small.release("slow")
    await has_ended(small, batch_id)


async def test_deleted_results_leave_the_batch(small: BedrockWithFake) -> None:
    batch_id = await created(small, inline(*FEW))
    await has_ended(small, batch_id)
    await small.files.delete(CALLER, result_file_id(batch_id))
    batch = await small.batches.get(CALLER, batch_id)
    assert (batch.state, batch.output) == (BatchState.SUCCEEDED, None)
    error = await refused(small.files.download(CALLER, result_file_id(batch_id)))
    assert error.status == Status.NOT_FOUND


# --- one for one key ------------------------------------------------------------------------------


async def test_a_repeat_is_the_same_batch(small: BedrockWithFake) -> None:
    keyed = inline(*FEW, idempotency_key="once", fingerprint="f")
    replicas = [small.replica(immediate=ImmediateUse.SMALL) for _ in range(3)]
    made = {
        made.id
        for made in await asyncio.gather(
            *(replica.batches.create(CALLER, keyed) for replica in replicas if replica.batches)
        )
    }
    made.add((await small.batches.create(CALLER, keyed)).id)
    [batch_id] = made
    await has_ended(small, batch_id)
    assert len(await small.calls("POST", RUNTIME)) == len(FEW)
    other = inline(*FEW, idempotency_key="once", fingerprint="g")
    assert (await refused(small.batches.create(CALLER, other))).status == Status.ALREADY_EXISTS


# --- listed with the jobs -------------------------------------------------------------------------


@pytest.mark.parametrize("page_size", [1, 2, 3, 4, 100])
async def test_immediate_batches_are_listed_before_the_jobs(
    small: BedrockWithFake, page_size: int
) -> None:
    few = [await created(small, inline("a")) for _ in range(3)]
    jobs = [await ended(small, inline(*TEXTS)) for _ in range(3)]
    await small.batches.delete(CALLER, jobs.pop())
    for batch_id in few:
        await has_ended(small, batch_id)
    seen: list[str] = []
    sizes: list[int] = []
    token: str | None = None
    while not sizes or token:
        page = await small.batches.list(CALLER, page_size, token)
        seen += [batch.id for batch in page.items]
        sizes.append(len(page.items))
        token = page.next_page_token
    assert set(seen[:3]) == set(few)
    assert seen[3:] == jobs[::-1]
    assert len(seen) == 5
    assert sizes[-1] > 0


async def test_immediate_batches_are_listed_without_any_job(small: BedrockWithFake) -> None:
    few = {await created(small, inline("a")) for _ in range(2)}
    page = await small.batches.list(CALLER, 2, None)
    assert ({batch.id for batch in page.items}, page.next_page_token) == (few, None)
    for batch_id in few:
        await has_ended(small, batch_id)
