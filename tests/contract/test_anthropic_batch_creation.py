"""Creating a batch at Anthropic: one job, and nothing remains of a failed creation."""

import asyncio
from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from providers.batches.batch_records import BatchRecords
from providers.errors import unavailable
from providers.resource_names import FileId, FileKind, native_file_id, result_file_id
from providers.resources import BatchKind, InlineRequest, NewBatch
from providers.retries import ATTEMPTS
from providers.status import Status
from tests.contract.anthropic_batching import (
    BATCHES,
    TEXTS,
    items,
    listed,
    native_line,
)
from tests.contract.anthropic_with_fake import (
    CALLER,
    MODEL,
    OTHER,
    AnthropicWithFake,
    from_file,
    inline,
)
from tests.contract.provider_with_fake import gemini_lines, json_lines, refused

# --- a creation that fails leaves nothing ---------------------------------------------------------


@pytest.mark.parametrize("status", [400, 413, 429])
async def test_a_refused_creation_leaves_nothing(anthropic: AnthropicWithFake, status: int) -> None:
    await anthropic.strike("POST", BATCHES, "status", status=status)
    error = await refused(anthropic.batches.create(CALLER, inline(*TEXTS)))
    assert error.upstream_status == status
    assert await anthropic.kept() == []


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "lose_answer"},
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 200, "body": {}},
        {"kind": "status", "status": 200, "body": {"id": "a/b"}},
        {"kind": "status", "status": 200, "body": []},
        {"kind": "status", "status": 200, "body": "no json"},
    ],
    ids=str,
)
async def test_the_error_for_an_unknown_outcome_says_what_to_do(
    anthropic: AnthropicWithFake, fault: Mapping[str, Any]
) -> None:
    """The batch may exist, and its results need the table: so the table stays.

    If the answer was lost, a repeat of the request is no second batch.
    """
    await anthropic.strike("POST", BATCHES, **fault)
    error = await refused(anthropic.batches.create(CALLER, inline(*TEXTS)))
    assert error.status == Status.UNAVAILABLE
    assert "whether the batch was made is unknown" in error.message
    assert error.message.endswith("if clients share the proxy's own key, at the provider")
    kept = [name.partition("/")[0] for name in await anthropic.kept()]
    lost = [] if fault.get("status") == 500 else ["idempotency", "lost"]
    assert sorted(kept) == ["batches", *lost]
    assert len(await anthropic.calls("POST", BATCHES)) == 1


async def test_an_unknown_outcome_names_the_request(anthropic: AnthropicWithFake) -> None:
    await anthropic.strike("POST", BATCHES, "status", status=500)
    error = await refused(anthropic.batches.create(CALLER, inline(*TEXTS)))
    assert (error.provider, error.upstream_status) == ("anthropic", 500)
    assert error.request_id


async def test_a_batch_whose_answer_was_lost_still_has_its_metadata(
    anthropic: AnthropicWithFake,
) -> None:
    await anthropic.strike("POST", BATCHES, "lose_answer")
    await refused(anthropic.batches.create(CALLER, inline(*TEXTS)))
    [batch_id] = await listed(anthropic)
    await anthropic.move(batch_id, "ended")
    results = await items(anthropic, batch_id)
    assert [result["metadata"]["place"] for result in results] == list("012345")


async def test_a_client_that_disconnects_after_the_batch_was_created(
    anthropic: AnthropicWithFake,
) -> None:
    await anthropic.strike("POST", BATCHES, "delay", name="slow", at="answer")
    creating = asyncio.create_task(anthropic.batches.create(CALLER, inline(*TEXTS)))
    await anthropic.happened("slow")
    creating.cancel()
    with pytest.raises(asyncio.CancelledError):
        await creating
    assert anthropic.no_memory_reserved
    [batch_id] = await listed(anthropic)
    await anthropic.move(batch_id, "ended")
    assert len(await items(anthropic, batch_id)) == len(TEXTS)


async def test_an_input_that_is_deleted_while_it_is_sent(anthropic: AnthropicWithFake) -> None:
    """It is read twice; in between, a referenced file is looked up."""
    document = await anthropic.upload(b"%PDF", "a.pdf", "s1", mime_type="application/pdf")
    part = {"fileData": {"fileUri": f"files/{document}", "mimeType": "application/pdf"}}
    request = {"contents": [{"parts": [{"text": "hi"}, part]}]}
    file_id = await anthropic.upload(json_lines({"key": "k", "request": request}), "in.jsonl")
    await anthropic.strike("GET", "files/file_.*", "delay", name="slow")
    batch = from_file(file_id, idempotency_key="once", fingerprint="f")
    creating = asyncio.create_task(refused(anthropic.batches.create(CALLER, batch)))
    await anthropic.happened("slow")
    await anthropic.files.delete(CALLER, file_id)
    await anthropic.release("slow")
    assert (await creating).status == Status.NOT_FOUND
    assert await anthropic.objects("batches") == []
    assert await anthropic.kept("batches/") == await anthropic.kept("idempotency/") == []


# --- what is refused before Anthropic has anything ------------------------------------------------


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (gemini_lines("a") + b"{\n", "line 2"),
        (gemini_lines("a") + b"\n\n[]\n", "line 4"),
        (gemini_lines("a") + gemini_lines("b"), "line 2: key"),
        (gemini_lines("a") + json_lines(native_line("x")), "line 2"),
        (gemini_lines(*TEXTS) + b'"' + b"x" * (2 << 20), "line 7"),
        (b"", None),
        (json_lines(native_line("a"), native_line("a")), "line 2: custom_id"),
        (json_lines(native_line("a b")), "line 1: custom_id"),
        (json_lines(native_line("a" * 65)), "line 1: custom_id"),
        (json_lines(native_line("ä")), "line 1: custom_id"),
        (json_lines({"custom_id": "a"}), "line 1: params"),
        (json_lines({"custom_id": "a", "params": []}), "line 1: params"),
        (json_lines({"params": {}}), "line 1: custom_id"),
        (json_lines(native_line("a") | {"more": 1}), "line 1: more"),
        (json_lines({"custom_id": "a", "method": "POST", "body": {}}), "line 1"),
    ],
    ids=str,
)
async def test_an_input_with_an_invalid_line_is_refused_as_a_whole(
    anthropic: AnthropicWithFake, data: bytes, where: str | None
) -> None:
    file_id = await anthropic.upload(data, "in.jsonl")
    kept = await anthropic.kept()
    error = await refused(anthropic.batches.create(CALLER, from_file(file_id)))
    assert error.status == Status.INVALID_ARGUMENT
    assert where is None or str(error.path).startswith(where)
    assert await anthropic.calls("POST") == []
    assert await anthropic.kept() == kept
    # Immediately, not when the garbage collector runs.
    assert anthropic.no_memory_reserved


async def test_files_that_cannot_be_an_input(anthropic: AnthropicWithFake) -> None:
    absent = str(FileId(FileKind.STAGED, "none"))
    assert (await refused(anthropic.batches.create(CALLER, from_file(absent)))).status == (
        Status.NOT_FOUND
    )
    for file_id in ("file_1", native_file_id("file_1")):
        error = await refused(anthropic.batches.create(CALLER, from_file(file_id)))
        assert error.status == Status.NOT_FOUND
    error = await refused(anthropic.batches.create(CALLER, from_file(result_file_id("msgbatch_1"))))
    assert error.status == Status.INVALID_ARGUMENT
    assert await anthropic.calls("POST") == []


async def test_a_file_that_anthropic_has_is_no_input(anthropic: AnthropicWithFake) -> None:
    file_id = await anthropic.upload(b"%PDF", "a.pdf", mime_type="application/pdf")
    error = await refused(anthropic.batches.create(CALLER, from_file(file_id)))
    assert error.status == Status.INVALID_ARGUMENT
    assert "with a name that ends in .jsonl" in error.message
    assert await anthropic.objects("batches") == []


async def test_another_tenants_file_cannot_be_an_input(anthropic: AnthropicWithFake) -> None:
    file_id = await anthropic.upload(gemini_lines(*TEXTS), "in.jsonl")
    error = await refused(anthropic.batches.create(OTHER, from_file(file_id)))
    assert error.status == Status.NOT_FOUND


async def test_embeddings_are_refused(anthropic: AnthropicWithFake) -> None:
    error = await refused(
        anthropic.batches.create(CALLER, NewBatch(MODEL, BatchKind.EMBED, "file"))
    )
    assert (error.status, error.code) == (Status.UNIMPLEMENTED, 501)


def reading(uri: str) -> NewBatch:
    part = {"fileData": {"fileUri": uri, "mimeType": "application/pdf"}}
    request = {"contents": [{"parts": [part, {"text": "what is it"}]}]}
    return NewBatch(
        MODEL,
        BatchKind.GENERATE,
        [InlineRequest(orjson.dumps(request), b"null", "requests[0]")],
    )


FILE_URI = "requests[0].contents[0].parts[0].fileData.fileUri"


async def test_a_file_that_a_request_names_is_looked_up(anthropic: AnthropicWithFake) -> None:
    file_id = await anthropic.upload(b"%PDF", "a.pdf", mime_type="application/pdf")
    await anthropic.batches.create(CALLER, reading(f"https://ferry/v1beta/files/{file_id}"))
    for uri, name in (
        ("files/file_none", "file_none"),
        ("http://localhost:8080/genai/v1beta/files/nope", "nope"),
    ):
        error = await refused(anthropic.batches.create(CALLER, reading(uri)))
        assert (error.status, error.path) == (Status.INVALID_ARGUMENT, FILE_URI)
        assert error.message.endswith(f"anthropic does not have ({name})")
    assert len(await anthropic.calls("POST", BATCHES)) == 1


async def test_a_staged_file_cannot_be_used_in_a_request(
    anthropic: AnthropicWithFake,
) -> None:
    staged = await anthropic.upload(gemini_lines(*TEXTS), "in.jsonl")
    error = await refused(
        anthropic.batches.create(CALLER, reading(f"https://ferry/v1beta/files/{staged}"))
    )
    assert (error.status, error.path) == (Status.INVALID_ARGUMENT, FILE_URI)
    assert "the proxy keeps this file itself" in error.message
    assert await anthropic.calls("POST", BATCHES) == []


async def test_an_empty_budget_refuses_before_any_call(
    anthropic: AnthropicWithFake,
) -> None:
    with anthropic.memory.reserve(anthropic.memory._left):
        error = await refused(anthropic.batches.create(CALLER, inline(*TEXTS)))
    assert (error.status, error.code) == (Status.RESOURCE_EXHAUSTED, 429)
    assert await anthropic.calls("POST") == []
    assert await anthropic.kept() == []


# --- one job for one idempotency key --------------------------------------------------------------


def keyed(fingerprint: str = "f") -> NewBatch:
    return inline(*TEXTS, idempotency_key="once", fingerprint=fingerprint, display_name="dn")


async def test_a_repeat_is_the_same_batch(anthropic: AnthropicWithFake) -> None:
    made = [(await anthropic.batches.create(CALLER, keyed())) for _ in range(3)]
    assert {batch.id for batch in made} == set(await anthropic.objects("batches"))
    assert [batch.display_name for batch in made] == ["dn"] * 3


async def test_another_body_with_the_same_key(anthropic: AnthropicWithFake) -> None:
    await anthropic.batches.create(CALLER, keyed())
    error = await refused(anthropic.batches.create(CALLER, keyed("another")))
    assert (error.status, error.code) == (Status.ALREADY_EXISTS, 409)


async def test_without_a_key_each_request_is_its_own_job(anthropic: AnthropicWithFake) -> None:
    made = [(await anthropic.batches.create(CALLER, inline("a"))).id for _ in range(2)]
    assert sorted(await anthropic.objects("batches")) == sorted(made)
    assert made[0] != made[1]


async def test_concurrent_creations_with_one_key_are_one_batch(
    anthropic: AnthropicWithFake,
) -> None:
    """The others get an error, because the outcome of the first is not known yet."""
    await anthropic.strike("POST", BATCHES, "delay", name="slow", at="answer")
    first = asyncio.create_task(anthropic.batches.create(CALLER, keyed()))
    await anthropic.happened("slow")
    for _ in range(2):
        error = await refused(anthropic.batches.create(CALLER, keyed()))
        assert (error.status, error.code) == (Status.ABORTED, 409)
    await anthropic.release("slow")
    made = (await first).id
    assert await anthropic.objects("batches") == [made]
    assert (await anthropic.batches.create(CALLER, keyed())).id == made
    # The tables of the others are gone.
    assert len(await anthropic.kept("batches/")) == 1


@pytest.mark.parametrize("fault", ["lose_answer", "status"])
async def test_a_request_that_may_have_created_a_batch_is_never_repeated(
    anthropic: AnthropicWithFake, fault: str
) -> None:
    await anthropic.strike("POST", BATCHES, fault)
    await refused(anthropic.batches.create(CALLER, keyed()))
    error = await refused(anthropic.batches.create(CALLER, keyed()))
    assert (error.status, error.code) == (Status.ABORTED, 409)
    assert len(await anthropic.calls("POST", BATCHES)) == 1


@pytest.mark.parametrize("status", [400, 429])
async def test_a_key_whose_creation_was_refused_is_free(
    anthropic: AnthropicWithFake, status: int
) -> None:
    await anthropic.strike("POST", BATCHES, "status", status=status)
    await refused(anthropic.batches.create(CALLER, keyed("wrong")))
    made = await anthropic.batches.create(CALLER, keyed("mended"))
    assert await anthropic.objects("batches") == [made.id]


async def test_a_key_is_free_while_nothing_can_have_been_created(
    anthropic: AnthropicWithFake,
) -> None:
    """The upstream fails, or the client disconnects, before the call that creates the batch."""
    file_id = await anthropic.upload(b"%PDF", "a.pdf", mime_type="application/pdf")
    batch = reading(f"files/{file_id}")
    batch = NewBatch(
        MODEL, BatchKind.GENERATE, batch.source, idempotency_key="once", fingerprint="f"
    )
    await anthropic.strike("GET", "files/[^/]+", "lose_answer", times=2 * ATTEMPTS)
    assert (await refused(anthropic.batches.create(CALLER, batch))).status == Status.UNAVAILABLE
    await anthropic.strike("GET", "files/[^/]+", "delay", name="slow")
    creating = asyncio.create_task(anthropic.batches.create(CALLER, batch))
    await anthropic.happened("slow")
    creating.cancel()
    with pytest.raises(asyncio.CancelledError):
        await creating
    made = await anthropic.batches.create(CALLER, batch)
    assert await anthropic.objects("batches") == [made.id]


async def test_a_key_is_free_after_a_client_left_while_its_lines_were_sent(
    anthropic: AnthropicWithFake,
) -> None:
    """Anthropic creates nothing from a part of a body."""
    texts = [f"{number}" + "x" * (900 << 10) for number in range(32)]
    batch = inline(*texts, idempotency_key="once", fingerprint="f")
    await anthropic.strike("POST", BATCHES, "delay", name="unread")
    creating = asyncio.create_task(anthropic.batches.create(CALLER, batch))
    await anthropic.happened("unread")
    creating.cancel()
    with pytest.raises(asyncio.CancelledError):
        await creating
    await anthropic.release("unread")
    made = await anthropic.batches.create(CALLER, batch)
    assert await anthropic.objects("batches") == [made.id]


async def test_each_tenant_has_its_own_keys(anthropic: AnthropicWithFake) -> None:
    mine = (await anthropic.batches.create(CALLER, keyed())).id
    theirs = (await anthropic.batches.create(OTHER, keyed())).id
    assert mine != theirs


async def test_a_created_batch_is_returned_even_if_its_record_is_lost(
    anthropic: AnthropicWithFake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an error the client would create a second batch."""

    async def full(*_: object) -> None:
        raise unavailable("SlowDown")

    monkeypatch.setattr(BatchRecords, "write", full)
    created = await anthropic.batches.create(CALLER, inline("a"))
    assert await anthropic.objects("batches") == [created.id]
