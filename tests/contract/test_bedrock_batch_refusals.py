"""A creation at Bedrock that is refused, or whose outcome is unknown, leaves nothing half made."""

import asyncio
from typing import Any

import pytest

from providers.batches.checked_input import InputLimits
from providers.resource_names import object_file_id, result_file_id
from providers.status import Status
from tests.contract.bedrock_batching import (
    TEXTS,
    claude_line,
    converse_line,
    ended,
    items,
    jobs_created,
)
from tests.contract.bedrock_with_fake import (
    ATTEMPTS,
    CALLER,
    JOB,
    MINIMUM,
    NOVA,
    PREFIX,
    BedrockWithFake,
    from_file,
    inline,
    refused,
)
from tests.contract.provider_with_fake import gemini_lines, json_lines
from tests.fakes.bedrock import ROLE_ARN

IN_FILE = "in.jsonl"


async def nothing_left(bedrock: BedrockWithFake, *keys: str) -> None:
    """No job, no objects except `keys`, and no state but what a repeat of the request asks for."""
    assert await bedrock.objects("batches") == []
    assert await bedrock.keys() == list(keys)
    kept = {name.partition("/")[0] for name in bedrock.state.objects}
    assert kept in (set(), {"idempotency", "lost"})
    assert bedrock.no_memory_reserved


# --- before anything is made ----------------------------------------------------------------------


async def test_fewer_records_than_the_minimum_are_refused_with_the_quotas_name(
    bedrock: BedrockWithFake,
) -> None:
    bedrock.provider = bedrock.replica(minimum=100)
    error = await refused(bedrock.batches.create(CALLER, inline(*TEXTS)))
    assert error.status == Status.INVALID_ARGUMENT
    for named in ("6", "Minimum number of records per batch inference job", "100", "MIN_RECORDS"):
        assert named in error.message
    assert "IMMEDIATE_BATCHES=small" in error.message
    await nothing_left(bedrock)
    assert await bedrock.requests("PUT") == await bedrock.requests("POST") == []


async def test_the_minimum_itself_is_enough(bedrock: BedrockWithFake) -> None:
    batch_id = await ended(bedrock, inline(*TEXTS[:MINIMUM]))
    assert len(await items(bedrock, batch_id)) == MINIMUM


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        (InputLimits("Bedrock", requests=5, size=1 << 30), "5 requests"),
        (InputLimits("Bedrock", requests=6, size=500), "500 bytes"),
    ],
)
async def test_more_records_than_bedrock_accepts(
    bedrock: BedrockWithFake, monkeypatch: pytest.MonkeyPatch, limits: InputLimits, told: str
) -> None:
    monkeypatch.setattr("providers.bedrock.jobs.job_input.LIMITS", limits)
    error = await refused(bedrock.batches.create(CALLER, inline(*TEXTS)))
    assert error.status == Status.INVALID_ARGUMENT
    assert told in error.message
    await nothing_left(bedrock)


ENOUGH = [converse_line(f"enough-{number}") for number in range(6)]
WITH_TOOLS = converse_line("x")
WITH_TOOLS["modelInput"]["toolConfig"] = {"tools": []}


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (gemini_lines("a") + b"{\n", "line 2"),
        (gemini_lines("a") + b"\n\n[]\n", "line 4"),
        (gemini_lines("a") + gemini_lines("b"), "line 2: key"),
        (gemini_lines("a") + json_lines({"key": "x", "request": {"conten": []}}), "line 2"),
        (gemini_lines("a") + json_lines(converse_line("x")), "line 2"),
        (json_lines(converse_line("x"), converse_line("x")), "line 2: recordId"),
        (json_lines(converse_line("x"), claude_line("y")), "line 2: modelInput"),
        (json_lines(converse_line("x"), {"modelInput": {}}), "line 2: recordId"),
        (json_lines({**converse_line("x"), "more": 1}), "line 1: more"),
        (json_lines(*ENOUGH, WITH_TOOLS), "line 7: modelInput.toolConfig"),
        (gemini_lines(*TEXTS) + b'"' + b"x" * (2 << 20), "line 7"),
        (b"", "None"),
    ],
    ids=[
        "no JSON",
        "no object",
        "key twice",
        "no request",
        "two formats",
        "id twice",
        "two schemas",
        "no id",
        "unknown member",
        "tools",
        "too long",
        "empty",
    ],
)
async def test_an_invalid_input_is_refused_with_its_line(
    bedrock: BedrockWithFake, data: bytes, where: str
) -> None:
    bedrock.other_tool.put(f"{PREFIX}{IN_FILE}", data)
    error = await refused(bedrock.batches.create(CALLER, from_file(IN_FILE)))
    assert error.status == Status.INVALID_ARGUMENT
    assert str(error.path).startswith(where)
    await nothing_left(bedrock, IN_FILE)


async def test_claudes_own_schema_is_for_claude(bedrock: BedrockWithFake) -> None:
    bedrock.other_tool.put(f"{PREFIX}{IN_FILE}", json_lines(claude_line("x")))
    error = await refused(bedrock.batches.create(CALLER, from_file(IN_FILE, model=NOVA)))
    assert (error.status, error.path) == (Status.INVALID_ARGUMENT, "line 1: modelInput")


async def test_an_input_file_that_cannot_be_used(bedrock: BedrockWithFake) -> None:
    for file_id in ("none.jsonl", object_file_id("none.jsonl")):
        error = await refused(bedrock.batches.create(CALLER, from_file(file_id)))
        assert error.status == Status.NOT_FOUND
    for file_id in (result_file_id("abcdefghijkl"), "../x", "genai-ferry/x/input/input.jsonl"):
        error = await refused(bedrock.batches.create(CALLER, from_file(file_id)))
        assert error.status == Status.INVALID_ARGUMENT
    await nothing_left(bedrock)


@pytest.mark.parametrize("nth", [1, 2])
async def test_an_input_that_breaks_off(bedrock: BedrockWithFake, nth: int) -> None:
    """While it is checked, or while it is sent to Bedrock."""
    bedrock.other_tool.put(f"{PREFIX}{IN_FILE}", gemini_lines(*TEXTS * 50).replace(b"k-", b"k"))
    await bedrock.strike_s3("GET", "truncate", nth=nth, after_bytes=5000)
    error = await refused(bedrock.batches.create(CALLER, from_file(IN_FILE)))
    assert error.status == Status.UNAVAILABLE
    await nothing_left(bedrock, IN_FILE)


async def test_an_empty_budget_refuses_before_any_call(bedrock: BedrockWithFake) -> None:
    with bedrock.memory.reserve(bedrock.memory._left):
        error = await refused(bedrock.batches.create(CALLER, inline(*TEXTS)))
    assert (error.status, error.code) == (Status.RESOURCE_EXHAUSTED, 429)
    await nothing_left(bedrock)


# --- while it is made -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"kind": "status", "status": 403, "code": "AccessDenied"}, Status.PERMISSION_DENIED),
        ({"kind": "status", "status": 404, "code": "NoSuchBucket"}, Status.NOT_FOUND),
        ({"kind": "status", "status": 503, "code": "SlowDown"}, Status.RESOURCE_EXHAUSTED),
        ({"kind": "lose_answer"}, Status.UNAVAILABLE),
        ({"kind": "reset", "after_bytes": 10}, Status.UNAVAILABLE),
    ],
    ids=str,
)
async def test_an_input_that_cannot_be_uploaded(
    bedrock: BedrockWithFake, fault: dict[str, Any], status: Status
) -> None:
    await bedrock.strike_s3("PUT", **fault)
    error = await refused(bedrock.batches.create(CALLER, inline(*TEXTS)))
    assert error.status == status
    await nothing_left(bedrock)


async def test_the_error_for_a_role_that_cannot_be_passed_says_so(bedrock: BedrockWithFake) -> None:
    bedrock.provider = bedrock.replica(role_arn=f"{ROLE_ARN}-of-another")
    error = await refused(bedrock.batches.create(CALLER, inline(*TEXTS)))
    assert (error.status, error.code) == (Status.PERMISSION_DENIED, 403)
    assert error.reason == "AccessDeniedException"
    assert "iam:PassRole" in error.message
    assert f"{ROLE_ARN}-of-another" in error.message
    await nothing_left(bedrock)


def said_by(kind: str, status: int) -> dict[str, Any]:
    headers = {"x-amzn-ErrorType": f"{kind}:http://internal.amazon.com/", "x-amzn-RequestId": "r1"}
    return {"status": status, "headers": headers, "body": {"message": "no"}}


@pytest.mark.parametrize(
    ("fault", "status", "asked"),
    [
        (said_by("ValidationException", 400), Status.INVALID_ARGUMENT, 1),
        (said_by("ServiceQuotaExceededException", 400), Status.RESOURCE_EXHAUSTED, 1),
        (said_by("ThrottlingException", 429), Status.RESOURCE_EXHAUSTED, ATTEMPTS),
        (said_by("InternalServerException", 500), Status.UNAVAILABLE, ATTEMPTS),
        ({"status": 504, "body": ""}, Status.DEADLINE_EXCEEDED, ATTEMPTS),
        ({"status": 200, "body": "no JSON"}, Status.UNAVAILABLE, ATTEMPTS),
        ({"status": 200, "body": []}, Status.UNAVAILABLE, ATTEMPTS),
        ({"status": 200, "body": {"jobArn": None}}, Status.UNAVAILABLE, 1),
    ],
    ids=str,
)
async def test_a_job_that_is_not_created_leaves_no_object(
    bedrock: BedrockWithFake, fault: dict[str, Any], status: Status, asked: int
) -> None:
    await bedrock.strike("POST", JOB, "status", times=9, **fault)
    error = await refused(bedrock.batches.create(CALLER, inline(*TEXTS)))
    assert error.status == status
    assert await jobs_created(bedrock) == asked
    await nothing_left(bedrock)


async def test_a_refusal_has_bedrocks_own_message(bedrock: BedrockWithFake) -> None:
    await bedrock.strike("POST", JOB, "status", **said_by("ValidationException", 400))
    error = await refused(bedrock.batches.create(CALLER, inline(*TEXTS)))
    assert error.message == "bedrock: ValidationException: no"
    told = (error.reason, error.request_id, error.upstream_status)
    assert told == ("ValidationException", "r1", 400)


@pytest.mark.parametrize(("method", "path"), [("PUT", ".*"), ("POST", JOB)])
async def test_a_client_that_disconnects_before_the_job_is_requested(
    bedrock: BedrockWithFake, method: str, path: str
) -> None:
    await bedrock.strike(method, path, "delay", name="slow", at="request")
    async with bedrock.creating(inline(*TEXTS)) as creating:
        await bedrock.happened("slow")
        creating.cancel()
        with pytest.raises(asyncio.CancelledError):
            await creating
    assert bedrock.no_memory_reserved
    assert await bedrock.objects("batches") == []
    if method == "PUT":
        await nothing_left(bedrock)
