"""Mistral's batches against the fake: what is sent, one job for one key, and pages."""

import asyncio
from collections.abc import Mapping
from typing import Any

import orjson
import pytest
from aiohttp import FormData

from providers.resource_names import native_file_id, parse_file_id, result_file_id
from providers.resources import (
    BatchKind,
    BatchState,
    Counts,
    InlineRequest,
    NewBatch,
    ResultFile,
)
from providers.retries import ATTEMPTS
from providers.status import Status
from tests.contract.mistral_with_fake import (
    CALLER,
    CHAT,
    MODEL,
    MistralWithFake,
    from_file,
    inline,
    native_line,
    text_of,
)
from tests.contract.provider_with_fake import asking, gemini_lines, json_lines, refused

TEXTS = [f"question {number}" for number in range(6)]


# --- what is sent ---------------------------------------------------------------------------------


async def test_an_inline_batch(mistral: MistralWithFake) -> None:
    batch_id = await mistral.ended(inline(*TEXTS, display_name="dn"))
    batch = await mistral.batches.get(CALLER, batch_id)
    assert (batch.state, batch.model, batch.display_name) == (BatchState.SUCCEEDED, MODEL, "dn")
    assert batch.counts == Counts(6, 6, 0)
    assert batch.create_time is not None
    assert batch.end_time is not None
    await batch.output.close()  # type: ignore[union-attr]
    results = await mistral.items(batch_id)
    assert [result["metadata"]["place"] for result in results] == list("012345")
    assert all(text in text_of(result) for text, result in zip(TEXTS, results, strict=True))


async def test_the_job_has_the_model_and_a_line_does_not(mistral: MistralWithFake) -> None:
    batch_id = (await mistral.batches.create(CALLER, inline("a"))).id
    job = await mistral.native(f"batch/jobs/{batch_id}")
    assert (job["model"], job["endpoint"]) == (MODEL, CHAT)
    line = orjson.loads(await mistral.native(f"files/{job['input_files'][0]}/content"))
    assert line == {
        "custom_id": "r0000000000",
        "body": {"messages": [{"role": "user", "content": "a"}]},
    }


async def test_a_batch_from_a_file(mistral: MistralWithFake) -> None:
    file_id = await mistral.upload(gemini_lines(*TEXTS), "in.jsonl")
    batch_id = await mistral.ended(from_file(file_id))
    batch = await mistral.batches.get(CALLER, batch_id)
    assert batch.output == ResultFile(result_file_id(batch_id))
    results = await mistral.lines(batch_id)
    assert {key: TEXTS[int(key[2:])] in text_of(r) for key, r in results.items()} == dict.fromkeys(
        [f"k-{n}" for n in range(6)], True
    )
    await mistral.batches.delete(CALLER, batch_id)
    assert await mistral.objects("batches") == []
    assert await mistral.objects("files") == [parse_file_id(file_id).native]
    assert [name for name in mistral.state.objects if name.startswith("batches/")] == []


async def test_mistrals_own_format_is_sent_unchanged(mistral: MistralWithFake) -> None:
    file_id = await mistral.upload(json_lines(*map(native_line, "abc")), "in.jsonl")
    batch_id = await mistral.ended(from_file(file_id))
    assert len(await mistral.calls("POST", "files")) == 1
    assert sorted(await mistral.lines(batch_id)) == ["a", "b", "c"]
    await mistral.batches.delete(CALLER, batch_id)
    assert parse_file_id(file_id).native in await mistral.objects("files")


async def test_embeddings(mistral: MistralWithFake) -> None:
    asked = {"content": {"parts": [{"text": "a"}]}, "outputDimensionality": 3}
    requests = [InlineRequest(orjson.dumps(asked), b"null", "r")]
    batch_id = await mistral.ended(NewBatch("codestral-embed", BatchKind.EMBED, requests))
    assert (await mistral.batches.list(CALLER, 1, None)).items[0].kind is BatchKind.EMBED
    [item] = await mistral.items(batch_id)
    assert len(item["response"]["embedding"]["values"]) == 3


async def test_thoughts_of_an_answer(mistral: MistralWithFake) -> None:
    asked = {**asking("a"), "generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW"}}}
    batch = NewBatch(
        MODEL, BatchKind.GENERATE, [InlineRequest(orjson.dumps(asked), b"null", "requests[0]")]
    )
    [item] = await mistral.items(await mistral.ended(batch))
    thought, text = item["response"]["candidates"][0]["content"]["parts"]
    assert thought == {"text": "It asks for an echo.", "thought": True}
    assert text == {"text": "echo: a"}


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (json_lines({"custom_id": "a", "body": {}, "method": "POST"}), "line 1: method"),
        (json_lines(native_line("a"), native_line("a")), "line 2: custom_id"),
        (json_lines(native_line("a" * 513)), "line 1: custom_id"),
        (json_lines({"custom_id": "a", "body": {"model": "other"}}), "line 1: body.model"),
        (json_lines({"custom_id": "a", "body": {"stream": False}}), "line 1: body.stream"),
        (json_lines({"custom_id": "a", "body": []}), "line 1: body"),
        (json_lines(native_line("a")) + gemini_lines("b"), "line 2"),
    ],
)
async def test_a_wrong_line_is_refused_before_anything_is_created(
    mistral: MistralWithFake, data: bytes, where: str
) -> None:
    file_id = await mistral.upload(data, "in.jsonl")
    error = await refused(mistral.batches.create(CALLER, from_file(file_id)))
    assert (error.status, error.path) == (Status.INVALID_ARGUMENT, where)
    assert await mistral.objects("batches") == []
    assert len(await mistral.objects("files")) == 1


async def test_a_file_for_another_purpose(mistral: MistralWithFake) -> None:
    form = FormData({"purpose": "ocr"})
    form.add_field("file", json_lines(native_line("a")), filename="in.jsonl")
    native = (await mistral.native("files", "POST", data=form))["id"]
    error = await refused(mistral.batches.create(CALLER, from_file(native_file_id(native))))
    assert error.status == Status.INVALID_ARGUMENT
    assert error.message == (
        "the file's purpose at Mistral is 'ocr', not 'batch': upload it again with a name that "
        "ends in .jsonl"
    )


# --- one job for one idempotency key, and nothing of a failed creation ----------------------------


def keyed(fingerprint: str = "f") -> NewBatch:
    return inline(*TEXTS, idempotency_key="once", fingerprint=fingerprint)


async def test_a_repeat_is_the_same_batch(mistral: MistralWithFake) -> None:
    made = {(await mistral.batches.create(CALLER, keyed())).id for _ in range(3)}
    assert await mistral.objects("batches") == list(made)


async def test_a_batch_whose_answer_was_lost_is_found_by_its_key(mistral: MistralWithFake) -> None:
    await mistral.strike("POST", "batch/jobs", "lose_answer")
    await mistral.strike("GET", "batch/jobs", "status", status=500, times=2 * ATTEMPTS)
    await refused(mistral.batches.create(CALLER, keyed()))
    [made] = await mistral.objects("batches")
    assert (await mistral.batches.create(CALLER, keyed())).id == made


async def test_concurrent_creations_with_one_key_are_one_batch(mistral: MistralWithFake) -> None:
    """Mistral deletes no running job, so the others are cancelled and hidden."""
    await mistral.post("/_fake/settings", {"auto_advance": False})
    creations = (mistral.batches.create(CALLER, keyed()) for _ in range(4))
    [made] = {created.id for created in await asyncio.gather(*creations)}
    assert await mistral.listed() == [made]
    others = [job for job in await mistral.objects("batches") if job != made]
    for other in others:
        job = await mistral.native(f"batch/jobs/{other}")
        assert job["status"] == "CANCELLATION_REQUESTED"
        error = await refused(mistral.batches.get(CALLER, other))
        assert error.status == Status.NOT_FOUND
    assert len(await mistral.objects("files")) == 1


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
@pytest.mark.parametrize("call", ["files", "batch/jobs"])
async def test_a_refused_creation_leaves_nothing(
    mistral: MistralWithFake, call: str, fault: Mapping[str, Any]
) -> None:
    await mistral.strike("POST", call, **fault)
    await refused(mistral.batches.create(CALLER, inline(*TEXTS)))
    assert (await mistral.objects("files"), await mistral.objects("batches")) == ([], [])
    # If the answer was lost, a repeat of the request would have to find the batch.
    lost = {"idempotency", "lost"} if (call, fault["kind"]) == ("batch/jobs", "reset") else set()
    assert {name.partition("/")[0] for name in mistral.state.objects} == lost


@pytest.mark.parametrize("call", ["files", "batch/jobs"])
async def test_a_lost_answer_is_looked_up(mistral: MistralWithFake, call: str) -> None:
    await mistral.strike("POST", call, "lose_answer")
    batch_id = await mistral.ended(inline(*TEXTS))
    assert await mistral.objects("batches") == [batch_id]
    assert len(await mistral.items(batch_id)) == len(TEXTS)


async def test_a_refusal_says_what_is_wrong(mistral: MistralWithFake) -> None:
    body = {"detail": [{"type": "missing", "loc": ["body", "model"], "msg": "Field required"}]}
    await mistral.strike("POST", "batch/jobs", "status", status=422, body=body)
    error = await refused(mistral.batches.create(CALLER, inline("a")))
    assert (error.status, error.message) == (
        Status.INVALID_ARGUMENT,
        "mistral: body.model: Field required",
    )


async def test_a_refusal_has_the_id_of_the_call(mistral: MistralWithFake) -> None:
    error = await refused(mistral.batches.get(CALLER, "01234567-89ab-4cde-8f01-23456789abcd"))
    assert error.status == Status.NOT_FOUND
    assert error.request_id


async def test_a_line_in_openais_format_is_told_mistrals_members(mistral: MistralWithFake) -> None:
    line = native_line("a") | {"method": "POST", "url": CHAT}
    file_id = await mistral.upload(json_lines(line), "in.jsonl")
    error = await refused(mistral.batches.create(CALLER, from_file(file_id)))
    assert error.status == Status.INVALID_ARGUMENT
    assert error.message == "line 1: method: unknown field; the known ones are body, custom_id"


async def test_a_name_that_mistral_gives_to_no_batch(mistral: MistralWithFake) -> None:
    for attempt in (
        mistral.batches.get(CALLER, "nope"),
        mistral.batches.cancel(CALLER, "nope"),
        mistral.batches.delete(CALLER, "nope"),
        mistral.files.download(CALLER, result_file_id("nope")),
    ):
        error = await refused(attempt)
        assert error.status == Status.NOT_FOUND
        assert error.message == (
            "mistral: nothing has this name: path.job_id: Input should be a valid UUID"
        )


# --- pages ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("page_size", [1, 2, 5, 100])
@pytest.mark.parametrize("page_limit", [None, 2])
async def test_pages_of_batches(
    mistral: MistralWithFake, page_size: int, page_limit: int | None
) -> None:
    made = [(await mistral.batches.create(CALLER, inline("a"))).id for _ in range(7)]
    await mistral.post("/_fake/settings", {"page_limit": page_limit})
    seen: list[str] = []
    sizes: list[int] = []
    token: str | None = None
    while not sizes or token:
        page = await mistral.batches.list(CALLER, page_size, token)
        seen += [batch.id for batch in page.items]
        sizes.append(len(page.items))
        token = page.next_page_token
    assert seen == made[::-1]
    assert all(size == page_size for size in sizes[:-1])
    assert sizes[-1] > 0
