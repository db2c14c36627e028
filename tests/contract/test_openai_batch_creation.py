"""Creating a batch at OpenAI: one job, and nothing remains of a failed creation."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import orjson
import pytest
from aiohttp import FormData

from providers.batches.file_batches import input_waits
from providers.deadlines import CALL_LIMITS, TimeLimits
from providers.openai.dialect import SERVER_DIALECT
from providers.resource_names import FileId, FileKind, native_file_id, parse_file_id
from providers.resources import BatchKind, FileState, InlineRequest, NewBatch
from providers.retries import ATTEMPTS
from providers.status import Status
from tests.contract.openai_batching import (
    TEXTS,
    ended,
    items,
    listed,
    native_line,
)
from tests.contract.openai_with_fake import (
    CALLER,
    MODEL,
    SECRET,
    OpenAIWithFake,
    from_file,
    inline,
)
from tests.contract.provider_with_fake import gemini_lines, json_lines, refused

# --- schemas --------------------------------------------------------------------------------------


def answering_with(schema: Mapping[str, Any]) -> NewBatch:
    config = {"responseMimeType": "application/json", "responseJsonSchema": schema}
    asked = {"contents": [{"parts": [{"text": "hi"}]}], "generationConfig": config}
    return NewBatch(MODEL, BatchKind.GENERATE, [InlineRequest(orjson.dumps(asked), b"null", "r")])


ARRAY = {"type": "array", "items": {"type": "string"}}


async def test_a_schema_that_openai_rejects_is_refused_before_any_call(
    openai: OpenAIWithFake,
) -> None:
    error = await refused(openai.batches.create(CALLER, answering_with(ARRAY)))
    assert (error.status, error.path) == (
        Status.INVALID_ARGUMENT,
        "r.generationConfig.responseJsonSchema.type",
    )
    assert await openai.objects("files") == []
    assert await openai.objects("batches") == []


async def test_another_server_gets_the_schema_unchanged(
    openai: OpenAIWithFake,
) -> None:
    other = openai.replica(dialect=SERVER_DIALECT)
    assert other.batches is not None
    await other.batches.create(CALLER, answering_with(ARRAY))
    [file_id] = await openai.objects("files")
    line = orjson.loads(await openai.native(f"files/{file_id}/content"))
    assert line["body"]["response_format"]["json_schema"]["schema"] == ARRAY


# --- a creation that fails leaves nothing ---------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 400},
        {"kind": "status", "status": 429},
        {"kind": "status", "status": 500},
        {"kind": "reset", "after_bytes": 10},
    ],
    ids=str,
)
@pytest.mark.parametrize("call", ["files", "batches"])
async def test_a_refused_creation_leaves_nothing(
    openai: OpenAIWithFake, call: str, fault: Mapping[str, Any]
) -> None:
    await openai.strike("POST", call, **fault)
    await refused(openai.batches.create(CALLER, inline(*TEXTS)))
    assert await openai.objects("files") == []
    assert await openai.objects("batches") == []
    # If the answer was lost, a repeat of the request would have to find the batch.
    lost = {"idempotency", "lost"} if (call, fault["kind"]) == ("batches", "reset") else set()
    assert {name.partition("/")[0] for name in openai.state.objects} == lost
    assert openai.no_memory_reserved


@pytest.mark.parametrize("call", ["files", "batches"])
async def test_a_lost_answer_is_looked_up(openai: OpenAIWithFake, call: str) -> None:
    await openai.strike("POST", call, "lose_answer")
    batch_id = await ended(openai, inline(*TEXTS))
    assert await openai.objects("batches") == [batch_id]
    assert len(await items(openai, batch_id)) == len(TEXTS)
    assert len(await openai.calls("POST", call)) == 1


async def test_an_input_is_kept_while_it_is_unknown_whether_its_batch_exists(
    openai: OpenAIWithFake,
) -> None:
    await openai.strike("POST", "batches", "lose_answer")
    await openai.strike("GET", "batches", "status", status=500, times=9)
    error = await refused(openai.batches.create(CALLER, inline(*TEXTS)))
    assert error.status == Status.UNAVAILABLE
    assert len(await openai.objects("files")) == 1
    assert await openai.calls("DELETE") == []


async def test_a_client_that_disconnects_after_the_batch_was_created(
    openai: OpenAIWithFake,
) -> None:
    await openai.strike("POST", "batches", "delay", name="slow", at="answer")
    batch = inline(*TEXTS, idempotency_key="once", fingerprint="f")
    creating = asyncio.create_task(openai.batches.create(CALLER, batch))
    await openai.happened("slow")
    creating.cancel()
    with pytest.raises(asyncio.CancelledError):
        await creating
    assert openai.no_memory_reserved
    again = await openai.batches.create(CALLER, batch)
    assert await openai.objects("batches") == [again.id]
    assert len(await openai.objects("files")) == 1
    await openai.move(again.id, "completed")
    assert len(await items(openai, again.id)) == len(TEXTS)


async def test_a_client_that_disconnects_before_the_batch_was_created(
    openai: OpenAIWithFake,
) -> None:
    await openai.strike("POST", "batches", "delay", name="slow", at="request")
    creating = asyncio.create_task(openai.batches.create(CALLER, inline(*TEXTS)))
    await openai.happened("slow")
    creating.cancel()
    with pytest.raises(asyncio.CancelledError):
        await creating
    assert await openai.objects("files") == []
    assert openai.no_memory_reserved


async def test_a_client_that_disconnects_after_the_input_was_uploaded(
    openai: OpenAIWithFake,
) -> None:
    await openai.strike("POST", "files", "delay", name="slow", at="answer")
    creating = asyncio.create_task(openai.batches.create(CALLER, inline(*TEXTS)))
    await openai.happened("slow")
    creating.cancel()
    with pytest.raises(asyncio.CancelledError):
        await creating
    assert await openai.objects("files") == []
    assert openai.no_memory_reserved


@pytest.mark.parametrize("nth", [1, 2])
async def test_an_input_that_breaks_off(openai: OpenAIWithFake, nth: int) -> None:
    file_id = await openai.upload(gemini_lines(*TEXTS * 50), "in.jsonl")
    await openai.strike("GET", "files/[^/]+/content", "truncate", nth=nth, after_bytes=5000)
    error = await refused(openai.batches.create(CALLER, from_file(file_id)))
    assert error.status == Status.UNAVAILABLE
    assert await openai.objects("files") == [parse_file_id(file_id).native]
    assert openai.no_memory_reserved


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (gemini_lines("a") + b"{\n", "line 2"),
        (gemini_lines("a") + b"\n\n[]\n", "line 4"),
        (gemini_lines("a") + gemini_lines("b"), "line 2"),
        (gemini_lines("a") + json_lines(native_line("x")), "line 2"),
        (gemini_lines(*TEXTS) + b'"' + b"x" * (2 << 20), "line 7"),
        (b"", None),
    ],
    ids=["no json", "no object", "key twice", "two formats", "too long", "empty"],
)
async def test_an_input_with_an_invalid_line_is_refused_as_a_whole(
    openai: OpenAIWithFake, data: bytes, where: str | None
) -> None:
    file_id = await openai.upload(data, "in.jsonl")
    error = await refused(openai.batches.create(CALLER, from_file(file_id)))
    assert error.status == Status.INVALID_ARGUMENT
    assert where is None or str(error.path).startswith(where)
    assert await openai.objects("batches") == []
    assert len(await openai.objects("files")) == 1
    # Immediately, not when the garbage collector runs.
    assert openai.no_memory_reserved


async def test_a_missing_file_is_not_found(openai: OpenAIWithFake) -> None:
    for file_id in ("file-none", str(FileId(FileKind.NATIVE, "file-none"))):
        error = await refused(openai.batches.create(CALLER, from_file(file_id)))
        assert error.status == Status.NOT_FOUND
    results = str(FileId(FileKind.RESULTS, "batch_1"))
    error = await refused(openai.batches.create(CALLER, from_file(results)))
    assert error.status == Status.INVALID_ARGUMENT


@pytest.mark.parametrize("purpose", ["user_data", "vision", "assistants"])
async def test_a_file_for_another_purpose(openai: OpenAIWithFake, purpose: str) -> None:
    form = FormData({"purpose": purpose})
    form.add_field("file", json_lines(native_line("a")), filename="in.jsonl")
    native = (await openai.native("files", "POST", data=form))["id"]
    error = await refused(openai.batches.create(CALLER, from_file(native_file_id(native))))
    assert (error.status, error.code) == (Status.INVALID_ARGUMENT, 400)
    assert error.message == (
        f"the file's purpose at OpenAI is '{purpose}', not 'batch': upload it again with a name "
        "that ends in .jsonl, or with the header x-ferry-openai-purpose: batch"
    )
    assert await openai.objects("batches") == []


@pytest.mark.parametrize("answer", [{}, {"id": None}, []])
@pytest.mark.parametrize("call", ["files", "batches"])
async def test_an_invalid_answer_is_the_upstreams_fault(
    openai: OpenAIWithFake, call: str, answer: Any
) -> None:
    await openai.strike("POST", call, "status", status=200, body=answer)
    error = await refused(openai.batches.create(CALLER, inline(*TEXTS)))
    assert error.status == Status.UNAVAILABLE


# --- one job for one idempotency key --------------------------------------------------------------


def keyed(fingerprint: str = "f") -> NewBatch:
    return inline(*TEXTS, idempotency_key="once", fingerprint=fingerprint)


async def test_a_repeat_is_the_same_batch(openai: OpenAIWithFake) -> None:
    made = {(await openai.batches.create(CALLER, keyed())).id for _ in range(3)}
    assert await openai.objects("batches") == list(made)


async def test_another_body_with_the_same_key(openai: OpenAIWithFake) -> None:
    await openai.batches.create(CALLER, keyed())
    error = await refused(openai.batches.create(CALLER, keyed("another")))
    assert (error.status, error.code) == (Status.ALREADY_EXISTS, 409)


async def test_without_a_key_each_request_is_its_own_job(openai: OpenAIWithFake) -> None:
    made = [(await openai.batches.create(CALLER, inline("a"))).id for _ in range(2)]
    assert sorted(await openai.objects("batches")) == sorted(made)
    assert made[0] != made[1]


async def test_concurrent_creations_with_one_key_are_one_batch(openai: OpenAIWithFake) -> None:
    await openai.post("/_fake/settings", {"auto_advance": False})
    creations = (openai.batches.create(CALLER, keyed()) for _ in range(4))
    [made] = {created.id for created in await asyncio.gather(*creations)}
    assert await listed(openai) == [made]
    [batch] = [
        native
        for native in (await openai.native("batches"))["data"]
        if native["status"] not in ("cancelling", "cancelled")
    ]
    assert batch["id"] == made
    # The uploads of the others are deleted.
    assert await openai.objects("files") == [batch["input_file_id"]]


@pytest.mark.parametrize("fault", ["lose_answer", "status"])
async def test_a_second_batch_is_hidden_even_where_it_cannot_be_cancelled(
    openai: OpenAIWithFake, fault: str
) -> None:
    await openai.strike("POST", "batches", "delay", name="slow", at="request")
    await openai.strike("POST", "batches/[^/]+/cancel", fault)
    slow = asyncio.create_task(openai.batches.create(CALLER, keyed()))
    await openai.happened("slow")
    fast = await openai.batches.create(CALLER, keyed())
    await openai.release("slow")
    assert (await slow).id == fast.id
    assert await listed(openai) == [fast.id]


async def test_a_batch_found_by_its_key_is_found_again(openai: OpenAIWithFake) -> None:
    """Also after many newer ones: the batch that was found is recorded."""
    await openai.strike("POST", "batches", "lose_answer")
    await openai.strike("GET", "batches", "status", status=500, times=2 * ATTEMPTS)
    await refused(openai.batches.create(CALLER, keyed()))
    [made] = await openai.objects("batches")
    found = await openai.batches.create(CALLER, keyed())
    assert found.id == made
    lookups = len(await openai.calls("GET", "batches"))
    assert (await openai.batches.create(CALLER, keyed())).id == made
    assert len(await openai.calls("GET", "batches")) == lookups


async def test_a_key_whose_creation_was_refused_accepts_another_body(
    openai: OpenAIWithFake,
) -> None:
    await openai.strike("POST", "batches", "status", status=400)
    await refused(openai.batches.create(CALLER, keyed("wrong")))
    made = await openai.batches.create(CALLER, keyed("mended"))
    assert await openai.objects("batches") == [made.id]


async def test_a_creation_that_was_refused_may_be_repeated(openai: OpenAIWithFake) -> None:
    await openai.strike("POST", "batches", "status", status=429)
    await refused(openai.batches.create(CALLER, keyed()))
    made = await openai.batches.create(CALLER, keyed())
    assert await openai.objects("batches") == [made.id]


# --- a server that reads files before it takes them (openai.md section 10) ------------------------


@pytest.fixture
async def reading(openai: OpenAIWithFake, monkeypatch: pytest.MonkeyPatch) -> OpenAIWithFake:
    """A server whose new files are pending when they are read for the first two times."""
    monkeypatch.setattr(input_waits, "FIRST_PAUSE", 0.0)
    await openai.post("/_fake/settings", {"pending_reads": 2})
    return openai


async def test_a_batch_is_created_when_its_own_input_has_been_read(reading: OpenAIWithFake) -> None:
    batch_id = await ended(reading, inline(*TEXTS[:2]))
    assert len(await items(reading, batch_id)) == 2


@pytest.mark.parametrize("native", [False, True])
async def test_a_batch_waits_for_the_file_of_the_client(
    reading: OpenAIWithFake, native: bool
) -> None:
    content = json_lines(native_line("a")) if native else gemini_lines(*TEXTS[:2])
    file_id = await reading.upload(content, "in.jsonl")
    assert (await reading.files.get(CALLER, file_id)).state is FileState.PROCESSING
    batch = await reading.batches.create(CALLER, from_file(file_id))
    assert await listed(reading) == [batch.id]


async def test_an_input_that_is_never_read_is_deleted(
    reading: OpenAIWithFake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(input_waits, "WAIT_SECONDS", 0.0)
    error = await refused(reading.batches.create(CALLER, inline(*TEXTS[:2])))
    assert error.status is Status.UNAVAILABLE
    assert "still 'pending'" in error.message
    assert await reading.objects("files") == []
    assert await listed(reading) == []


async def test_an_input_that_the_server_cannot_read_says_why(reading: OpenAIWithFake) -> None:
    broken = {"id": "file-1", "status": "error", "status_details": "line 1 is too long"}
    body = orjson.dumps(broken).decode()
    await reading.strike("POST", "files", "status", status=200, body=body)
    error = await refused(reading.batches.create(CALLER, inline(*TEXTS[:2])))
    assert error.status is Status.INVALID_ARGUMENT
    assert "line 1 is too long" in error.message


async def test_a_reason_why_the_server_cannot_read_an_input_is_the_servers(
    reading: OpenAIWithFake,
) -> None:
    """So its text is not logged, and it shows no key and not all that it quotes."""
    quoted = f"{SECRET} is in line 1: {'x' * 100_000}"
    broken = {"id": "file-1", "status": "error", "status_details": quoted}
    body = orjson.dumps(broken).decode()
    await reading.strike("POST", "files", "status", status=200, body=body)
    error = await refused(reading.batches.create(CALLER, inline(*TEXTS[:2])))
    assert error.provider == "openai"
    assert "*** is in line 1" in error.message
    assert len(error.message) < 1000


async def test_an_input_is_deleted_if_the_client_waits_no_longer_until_it_is_read(
    reading: OpenAIWithFake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(input_waits, "FIRST_PAUSE", 60.0)
    token = CALL_LIMITS.set(TimeLimits().answered_call().within(1, time.monotonic()))
    try:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await reading.batches.create(CALLER, inline(*TEXTS[:2]))
    finally:
        CALL_LIMITS.reset(token)
    assert await reading.objects("files") == []
