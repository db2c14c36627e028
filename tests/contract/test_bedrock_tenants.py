"""Two tenants share the proxy's own keys: neither sees what the other has."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest

from providers.batches.immediate.jobs import ImmediateUse
from providers.credential import Caller, Credential
from providers.resource_names import decode_object_id, result_file_id
from providers.resources import BatchKind, InlineRequest, NewBatch
from providers.status import Status
from tests.contract.bedrock_batching import (
    TEXTS,
    converse_line,
    download,
    ended,
    items,
    listed,
    native,
    uri,
)
from tests.contract.bedrock_immediate import has_ended
from tests.contract.bedrock_with_fake import (
    NOVA,
    PREFIX,
    BedrockWithFake,
    from_file,
    inline,
    refused,
    the_own_keys,
)
from tests.contract.provider_with_fake import gemini_lines, json_lines

ANNA = Caller(Credential(api_key="token-of-anna"), "0123456789abcdef" * 2)
BERT = Caller(Credential(api_key="token-of-bert"), "fedcba9876543210" * 2)
TENANT_ID = ANNA.tenant[:16]


@pytest.fixture
async def shared(bedrock: BedrockWithFake) -> BedrockWithFake:
    """Both use client tokens; the calls are Anna's unless a test names Bert."""
    bedrock.provider = bedrock.replica(
        own_keys=the_own_keys, isolated=True, headers=False, immediate=ImmediateUse.SMALL
    )
    bedrock.caller = ANNA
    return bedrock


async def files_of(bedrock: BedrockWithFake, caller: Caller) -> list[str]:
    return [file.id for file in (await bedrock.files.list(caller, 100, None)).items]


async def batches_of(bedrock: BedrockWithFake, caller: Caller) -> list[str]:
    return [batch.id for batch in (await bedrock.batches.list(caller, 100, None)).items]


def calls_on_a_batch(
    bedrock: BedrockWithFake, batch_id: str
) -> list[Callable[[Caller], Awaitable[object]]]:
    results = result_file_id(batch_id)
    return [
        lambda caller: bedrock.batches.get(caller, batch_id),
        lambda caller: bedrock.batches.cancel(caller, batch_id),
        lambda caller: bedrock.batches.delete(caller, batch_id),
        lambda caller: bedrock.files.get(caller, results),
        lambda caller: bedrock.files.download(caller, results),
        lambda caller: bedrock.files.delete(caller, results),
    ]


# --- jobs -----------------------------------------------------------------------------------------


async def test_no_call_finds_another_tenants_job(shared: BedrockWithFake) -> None:
    batch_id = await ended(shared, inline(*TEXTS))
    before = await shared.keys()
    for call in calls_on_a_batch(shared, batch_id):
        assert (await refused(call(BERT))).status == Status.NOT_FOUND
    assert await shared.keys() == before
    assert len(await items(shared, batch_id)) == len(TEXTS)
    assert await shared.requests("DELETE") == []


async def test_a_running_job_cannot_be_stopped_by_another_tenant(shared: BedrockWithFake) -> None:
    batch_id = (await shared.batches.create(ANNA, inline(*TEXTS))).id
    await shared.steer(batch_id, status="InProgress", hold="InProgress")
    assert (await refused(shared.batches.cancel(BERT, batch_id))).status == Status.NOT_FOUND
    assert (await shared.job(batch_id))["status"] == "InProgress"


@pytest.mark.parametrize("page_limit", [None, 1])
async def test_the_lists_are_disjoint(shared: BedrockWithFake, page_limit: int | None) -> None:
    made: dict[str, list[str]] = {ANNA.tenant: [], BERT.tenant: []}
    for caller in (ANNA, BERT, BERT, ANNA):
        created = await shared.batches.create(caller, inline(*TEXTS))
        made[caller.tenant].insert(0, created.id)
    await shared.post("/_fake/settings", {"page_limit": page_limit})
    for caller in (ANNA, BERT):
        seen: list[str] = []
        token: str | None = None
        while not seen or token:
            page = await shared.batches.list(caller, 1, token)
            assert len(page.items) == 1
            seen += [batch.id for batch in page.items]
            token = page.next_page_token
        assert seen == made[caller.tenant]


async def test_a_jobs_name_and_objects_carry_its_tenants_id(shared: BedrockWithFake) -> None:
    batch_id = await ended(shared, inline(*TEXTS))
    job = native(shared, batch_id)
    tenant_id, own = job["jobName"].removeprefix("gf-").split("-")
    assert (tenant_id, len(own)) == (TENANT_ID, 32)
    assert all(key.startswith(f"{TENANT_ID}/genai-ferry/{own}/") for key in await shared.keys())
    output = job["outputDataConfig"]["s3OutputDataConfig"]["s3Uri"]
    assert output == uri(f"{TENANT_ID}/genai-ferry/{own}/output/")
    await shared.batches.delete(ANNA, batch_id)
    assert await shared.keys() == []


@pytest.mark.parametrize(
    "name",
    [
        "theirs",
        f"gf-{'0' * 32}",
        f"gf-{BERT.tenant[:16]}-{'0' * 32}",
        f"x-gf-{TENANT_ID}-{'0' * 32}"[:63],
        f"gf-{TENANT_ID}-0",
    ],
)
async def test_a_job_without_the_tenants_mark_is_not_found(
    shared: BedrockWithFake, name: str
) -> None:
    shared.other_tool.put("in/a.jsonl", json_lines(*[converse_line(f"x-{n}") for n in range(3)]))
    job = shared.other_tool.create(jobName=name)
    await shared.move(job, "Completed")
    assert await listed(shared) == []
    for call in calls_on_a_batch(shared, job):
        assert (await refused(call(ANNA))).status == Status.NOT_FOUND


async def test_the_same_key_of_two_tenants_is_two_jobs(shared: BedrockWithFake) -> None:
    made = {
        (
            await shared.batches.create(
                caller, inline(*TEXTS, idempotency_key="once", fingerprint="f")
            )
        ).id
        for caller in (ANNA, BERT, ANNA)
    }
    assert len(made) == 2


# --- immediate jobs -------------------------------------------------------------------------------


async def test_no_call_finds_another_tenants_immediate_batch(shared: BedrockWithFake) -> None:
    batch_id = (await shared.batches.create(ANNA, inline("a"))).id
    await has_ended(shared, batch_id)
    for call in calls_on_a_batch(shared, batch_id):
        assert (await refused(call(BERT))).status == Status.NOT_FOUND
    assert len(await items(shared, batch_id)) == 1
    assert await batches_of(shared, BERT) == []
    assert await batches_of(shared, ANNA) == [batch_id]


# --- files ----------------------------------------------------------------------------------------


async def test_no_call_finds_another_tenants_file(shared: BedrockWithFake) -> None:
    file_id = await shared.upload(b"content", "a.txt")
    key = str(decode_object_id(file_id))
    assert await shared.keys() == [f"{TENANT_ID}/{key}"]
    for name in (file_id, key):
        for attempt in (
            shared.files.get(BERT, name),
            shared.files.download(BERT, name),
            shared.files.delete(BERT, name),
            shared.batches.create(BERT, from_file(name)),
        ):
            assert (await refused(attempt)).status == Status.NOT_FOUND
    assert await download(shared, file_id) == b"content"


async def test_the_lists_of_files_are_disjoint(shared: BedrockWithFake) -> None:
    annas = await shared.upload(b"a", "a.txt", "s1")
    shared.caller = BERT
    berts = await shared.upload(b"b", "b.txt", "s2")
    shared.other_tool.put(f"{PREFIX}nobodys.txt", b"x")
    assert await files_of(shared, ANNA) == [annas]
    assert await files_of(shared, BERT) == [berts]


@pytest.mark.parametrize(
    "name", [f"../{TENANT_ID}/a.txt", f"{TENANT_ID}/a.txt", f"x/../../{TENANT_ID}/a.txt"]
)
async def test_no_name_leads_to_another_tenants_folder(shared: BedrockWithFake, name: str) -> None:
    shared.other_tool.put(f"{PREFIX}{TENANT_ID}/a.txt", b"annas")
    for attempt in (
        shared.files.get(BERT, name),
        shared.files.download(BERT, name),
        shared.files.delete(BERT, name),
        shared.batches.create(BERT, from_file(name)),
    ):
        assert (await refused(attempt)).status in (Status.NOT_FOUND, Status.INVALID_ARGUMENT)
    assert await shared.keys() == [f"{TENANT_ID}/a.txt"]


@pytest.mark.parametrize("texts", [["a"], TEXTS])
async def test_a_request_that_names_another_tenants_file_is_refused(
    shared: BedrockWithFake, texts: list[str]
) -> None:
    """In an immediate batch, and in a job."""
    file_id = await shared.upload(b"png", "a.png", mime_type="image/png")
    media: dict[str, Any] = {"fileData": {"fileUri": f"files/{file_id}", "mimeType": "image/png"}}
    asked = orjson.dumps({"contents": [{"role": "user", "parts": [media]}]})
    requests = [InlineRequest(asked, b"null", f"requests[{n}]") for n in range(len(texts))]
    batch = NewBatch(NOVA, BatchKind.GENERATE, requests)
    error = await refused(shared.batches.create(BERT, batch))
    assert error.status == Status.INVALID_ARGUMENT
    assert "names a file that is not there" in error.message
    assert await batches_of(shared, BERT) == []


async def test_an_abandoned_upload_of_another_tenant_is_left_alone(
    shared: BedrockWithFake, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Every upload counts as abandoned immediately.
    monkeypatch.setattr("tests.contract.bedrock_with_fake.UPLOAD_LIFE", timedelta(hours=-1))
    shared.provider = shared.replica(own_keys=the_own_keys, isolated=True, headers=False)
    annas = shared.begin_upload(f"{PREFIX}{TENANT_ID}/{'a' * 24}.bin")
    shared.caller = BERT
    berts = shared.begin_upload(f"{PREFIX}{BERT.tenant[:16]}/{'a' * 24}.bin")
    session = await shared.start(None)
    await shared.send(session, b"x" * (8 << 20))
    left = await shared.objects("uploads")
    assert annas in left
    assert berts not in left


async def test_own_keys_without_tenants_are_not_isolated(bedrock: BedrockWithFake) -> None:
    bedrock.provider = bedrock.replica(own_keys=the_own_keys, headers=False)
    bedrock.other_tool.put(f"{PREFIX}in.jsonl", gemini_lines(*TEXTS))
    batch_id = await ended(bedrock, from_file("in.jsonl"))
    assert await batches_of(bedrock, BERT) == [batch_id]
    assert len(await files_of(bedrock, BERT)) == 1


def naming(uri_named: str) -> bytes:
    """Records in Bedrock's own format, the last of which names an object."""
    image = {"image": {"format": "png", "source": {"s3Location": {"uri": uri_named}}}}
    seeing = converse_line("seeing")
    seeing["modelInput"]["messages"][0]["content"].append(image)
    return json_lines(*(converse_line(f"r{n}") for n in range(2)), seeing)


@pytest.mark.parametrize("immediate", [True, False])
@pytest.mark.parametrize("whose", ["the other's", "another bucket's"])
async def test_a_native_line_may_not_name_other_tenants_objects(
    shared: BedrockWithFake, immediate: bool, whose: str
) -> None:
    """The proxy's own keys, or the role, would read it."""
    shared.provider = shared.replica(
        own_keys=the_own_keys,
        isolated=True,
        headers=False,
        immediate=ImmediateUse.SMALL if immediate else ImmediateUse.NEVER,
        minimum=100 if immediate else 3,
    )
    secret = f"{BERT.tenant[:16]}/cat.png"
    named = uri(secret) if whose == "the other's" else "s3://elsewhere/salaries.pdf"
    file_id = await shared.upload(naming(named), "in.jsonl")
    before, kept = await shared.keys(), dict(shared.state.objects)
    error = await refused(shared.batches.create(ANNA, from_file(file_id, model=NOVA)))
    assert error.status == Status.INVALID_ARGUMENT
    assert str(error.path).startswith("line 3: modelInput.messages[0].content[1].image")
    assert (await shared.keys(), shared.state.objects) == (before, kept)


async def test_a_native_line_may_name_the_tenants_own_objects(shared: BedrockWithFake) -> None:
    file_id = await shared.upload(naming(uri(f"{TENANT_ID}/cat.png")), "in.jsonl")
    assert await ended(shared, from_file(file_id, model=NOVA))


async def test_a_caller_with_keys_of_its_own_chooses_what_they_read(
    bedrock: BedrockWithFake,
) -> None:
    file_id = await bedrock.upload(naming("s3://elsewhere/cat.png"), "in.jsonl")
    assert await ended(bedrock, from_file(file_id, model=NOVA))
