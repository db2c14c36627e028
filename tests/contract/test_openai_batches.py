"""OpenAI's batches against the fake: one job, every result once, nothing left behind."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson
import pytest

from providers.errors import FerryError
from providers.openai.batches import Limits, result_file_id
from providers.resource_names import FileId, FileKind, parse_file_id
from providers.resources import Batch, BatchKind, BatchState, InlineResults, NewBatch, ResultFile
from tests.contract.openai_at_work import (
    CALLER,
    LIMITS,
    MODEL,
    SECRET,
    OpenAIAtWork,
    from_file,
    gemini_lines,
    inline,
    json_lines,
    openai_at_work,
)

TEXTS = [f"question {number}" for number in range(6)]
CHAT = "/v1/chat/completions"


@pytest.fixture
async def openai() -> AsyncIterator[OpenAIAtWork]:
    async with openai_at_work() as at_work:
        yield at_work
        assert at_work.nothing_held


async def refused(attempt: Any) -> FerryError:
    with pytest.raises(FerryError) as caught:
        await attempt
    assert SECRET not in f"{caught.value!r} {caught.value} {vars(caught.value)}"
    return caught.value


async def ended(openai: OpenAIAtWork, batch: NewBatch, status: str = "completed") -> str:
    created = await openai.batches.create(CALLER, batch)
    await openai.move(created.batch.id, status)
    return created.batch.id


async def items(openai: OpenAIAtWork, batch_id: str) -> list[dict[str, Any]]:
    """The inline results; their memory is given back."""
    output = (await openai.batches.get(CALLER, batch_id)).output
    assert isinstance(output, InlineResults)
    parsed = [orjson.loads(item) for item in output.items]
    await output.close()
    return parsed


async def download(openai: OpenAIAtWork, file_id: str) -> bytes:
    opened = await openai.files.download(CALLER, file_id)
    try:
        return b"".join([chunk async for chunk in opened.body.chunks])
    finally:
        await opened.close()


async def lines(openai: OpenAIAtWork, batch_id: str) -> list[dict[str, Any]]:
    data = await download(openai, result_file_id(batch_id))
    return [orjson.loads(line) for line in data.splitlines()]


def text_of(result: Mapping[str, Any]) -> str:
    return str(result["response"]["candidates"][0]["content"]["parts"][0]["text"])


def native_line(custom_id: str, text: str = "hi") -> dict[str, Any]:
    body = {"model": MODEL, "messages": [{"role": "user", "content": text}]}
    return {"custom_id": custom_id, "method": "POST", "url": CHAT, "body": body}


async def answered_with(openai: OpenAIAtWork, *raw: object) -> None:
    """What OpenAI's output file holds from now on, in place of what it is."""
    body = b"".join(line if isinstance(line, bytes) else json_lines(line) for line in raw)
    await openai.strike(
        "GET", "files/[^/]+/content", "status", status=200, body=body.decode(), times=9
    )


# --- when all is well -----------------------------------------------------------------------------


async def test_an_inline_batch(openai: OpenAIAtWork) -> None:
    batch_id = await ended(openai, inline(*TEXTS, display_name="dn"))
    batch = await openai.batches.get(CALLER, batch_id)
    assert (batch.id, batch.kind, batch.state) == (
        batch_id,
        BatchKind.GENERATE,
        BatchState.SUCCEEDED,
    )
    assert (batch.model, batch.display_name) == (MODEL, "dn")
    assert isinstance(batch.output, InlineResults)
    await batch.output.close()
    results = await items(openai, batch_id)
    assert [result["metadata"]["place"] for result in results] == list("012345")
    assert all(text in text_of(result) for text, result in zip(TEXTS, results, strict=True))


async def test_inline_results_are_held_until_they_are_closed(openai: OpenAIAtWork) -> None:
    batch_id = await ended(openai, inline(*TEXTS))
    output = (await openai.batches.get(CALLER, batch_id)).output
    assert isinstance(output, InlineResults)
    assert not openai.nothing_held
    await output.close()
    assert openai.nothing_held


async def test_inline_results_beyond_the_limit_are_a_file(openai: OpenAIAtWork) -> None:
    batch_id = await ended(openai, inline(*TEXTS))
    replica = openai.replica(limits=Limits(line=1 << 20, inline_results=500))
    assert replica.batches is not None
    batch = await replica.batches.get(CALLER, batch_id)
    assert batch.output == ResultFile(result_file_id(batch_id))
    assert sorted(line["key"] for line in await lines(openai, batch_id)) == list("123456")


async def test_a_batch_from_a_file(openai: OpenAIAtWork) -> None:
    file_id = await openai.upload(gemini_lines(*TEXTS), "in.jsonl")
    batch_id = await ended(openai, from_file(file_id))
    batch = await openai.batches.get(CALLER, batch_id)
    assert batch.output == ResultFile(result_file_id(batch_id))
    results = await lines(openai, batch_id)
    assert sorted(result["key"] for result in results) == [f"k-{n}" for n in range(6)]
    assert {r["key"]: TEXTS[int(r["key"][2:])] in text_of(r) for r in results} == dict.fromkeys(
        [f"k-{n}" for n in range(6)], True
    )
    shown = await openai.files.get(CALLER, result_file_id(batch_id))
    assert (shown.downloadable, shown.source) == (True, "GENERATED")


async def test_a_batch_in_openais_own_format_goes_as_it_is(openai: OpenAIAtWork) -> None:
    file_id = await openai.upload(json_lines(*map(native_line, "abc")), "in.jsonl")
    batch_id = await ended(openai, from_file(file_id))
    assert len(await openai.calls("POST", "files")) == 1
    assert sorted(result["key"] for result in await lines(openai, batch_id)) == ["a", "b", "c"]
    await openai.batches.delete(CALLER, batch_id)
    assert parse_file_id(file_id).native in await openai.objects("files")


async def test_the_input_may_go_once_the_batch_is_made(openai: OpenAIAtWork) -> None:
    file_id = await openai.upload(gemini_lines(*TEXTS), "in.jsonl")
    created = await openai.batches.create(CALLER, from_file(file_id))
    await openai.files.delete(CALLER, file_id)
    await openai.move(created.batch.id, "completed")
    assert len(await lines(openai, created.batch.id)) == len(TEXTS)


async def test_another_tools_batch_is_listed_and_read(openai: OpenAIAtWork) -> None:
    file_id = await openai.upload(json_lines(*map(native_line, "abc")), "in.jsonl")
    order = {
        "input_file_id": parse_file_id(file_id).native,
        "endpoint": CHAT,
        "completion_window": "24h",
    }
    batch_id = (await openai.native("batches", "POST", json=order))["id"]
    await openai.move(batch_id, "completed")
    page = await openai.batches.list(CALLER, 10, None)
    assert [batch.id for batch in page.items] == [batch_id]
    assert sorted(result["key"] for result in await lines(openai, batch_id)) == ["a", "b", "c"]


# --- every request gets exactly one result --------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "codes"), [("cancelled", {1}), ("expired", {4}), ("failed", {13})]
)
async def test_a_batch_that_ended_early(openai: OpenAIAtWork, status: str, codes: set[int]) -> None:
    created = await openai.batches.create(CALLER, inline(*TEXTS))
    if status != "failed":
        await openai.move(created.batch.id, "in_progress")
    await openai.move(created.batch.id, status)
    results = await items(openai, created.batch.id)
    assert [result["metadata"]["place"] for result in results] == list("012345")
    assert {r["error"]["code"] for r in results if "error" in r} == codes
    assert len(await lines(openai, created.batch.id)) == len(TEXTS)


async def test_failed_and_lost_requests_have_their_errors(openai: OpenAIAtWork) -> None:
    texts = ["fine", "please fail", "please lose", "fine too"]
    file_id = await openai.upload(gemini_lines(*texts), "in.jsonl")
    batch_id = await ended(openai, from_file(file_id))
    results = {result["key"]: result for result in await lines(openai, batch_id)}
    assert sorted(results) == ["k-0", "k-1", "k-2", "k-3"]
    assert [results[f"k-{n}"].get("error", {}).get("code") for n in range(4)] == [
        None,
        3,
        13,
        None,
    ]


async def test_an_output_full_of_nonsense(openai: OpenAIAtWork) -> None:
    """A second answer, an unknown request, lines that are none: each request has one result."""
    batch_id = await ended(openai, inline(*TEXTS[:3]))
    error = {"error": {"code": "c", "message": "first"}, "response": None}
    await answered_with(
        openai,
        {"custom_id": "r0000000001", **error},
        {"custom_id": "r0000000001", "error": {"message": "second"}},
        {"custom_id": "r0000000099", **error},
        {"custom_id": "somebody's", **error},
        {"custom_id": 7},
        b"\n",
        b"no json\n",
        b"[1]\n",
        b'"text"\n',
        b'{"custom_id": "r0000000002", "response": "cut off',
    )
    results = await items(openai, batch_id)
    assert [result["error"]["message"] for result in results][1] == "first"
    assert [result["error"]["code"] for result in results] == [13, 2, 13]
    assert sorted(line["key"] for line in await lines(openai, batch_id)) == ["1", "2", "3"]


@pytest.mark.parametrize("after", [0, 700])
async def test_a_truncated_output_never_ends_cleanly(openai: OpenAIAtWork, after: int) -> None:
    batch_id = await ended(openai, inline(*TEXTS))
    await openai.strike("GET", "files/[^/]+/content", "truncate", after_bytes=after, times=2)
    error = await refused(download(openai, result_file_id(batch_id)))
    assert error.status == "UNAVAILABLE"
    error = await refused(openai.batches.get(CALLER, batch_id))
    assert error.status == "UNAVAILABLE"
    assert openai.nothing_held


async def test_a_download_that_cannot_begin_is_refused_before_it_does(
    openai: OpenAIAtWork,
) -> None:
    batch_id = await ended(openai, inline(*TEXTS))
    await openai.strike("GET", "files/[^/]+/content", "status", status=404, times=2)
    error = await refused(openai.files.download(CALLER, result_file_id(batch_id)))
    assert error.status == "NOT_FOUND"


async def test_a_download_given_up_holds_nothing(openai: OpenAIAtWork) -> None:
    batch_id = await ended(openai, from_file(await openai.upload(gemini_lines(*TEXTS), "i.jsonl")))
    opened = await openai.files.download(CALLER, result_file_id(batch_id))
    chunks = aiter(opened.body.chunks)
    assert await anext(chunks)
    assert not openai.nothing_held
    await opened.close()
    assert openai.nothing_held


async def test_a_line_beyond_the_limit_in_the_output(openai: OpenAIAtWork) -> None:
    batch_id = await ended(openai, inline(*TEXTS))
    replica = openai.replica(limits=Limits(line=100, inline_results=LIMITS.inline_results))
    assert replica.batches is not None
    await refused(replica.batches.get(CALLER, batch_id))
    assert openai.nothing_held


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
    openai: OpenAIAtWork, call: str, fault: Mapping[str, Any]
) -> None:
    await openai.strike("POST", call, **fault)
    await refused(openai.batches.create(CALLER, inline(*TEXTS)))
    assert await openai.objects("files") == []
    assert await openai.objects("batches") == []
    assert openai.state.objects == {}
    assert openai.nothing_held


@pytest.mark.parametrize("call", ["files", "batches"])
async def test_a_lost_answer_is_looked_up(openai: OpenAIAtWork, call: str) -> None:
    await openai.strike("POST", call, "lose_answer")
    batch_id = await ended(openai, inline(*TEXTS))
    assert await openai.objects("batches") == [batch_id]
    assert len(await items(openai, batch_id)) == len(TEXTS)
    assert len(await openai.calls("POST", call)) == 1


async def test_an_input_is_kept_while_it_is_unknown_whether_its_batch_was_made(
    openai: OpenAIAtWork,
) -> None:
    await openai.strike("POST", "batches", "lose_answer")
    await openai.strike("GET", "batches", "status", status=500, times=9)
    error = await refused(openai.batches.create(CALLER, inline(*TEXTS)))
    assert error.status == "UNAVAILABLE"
    assert len(await openai.objects("files")) == 1
    assert await openai.calls("DELETE") == []


async def test_a_client_that_leaves_after_the_batch_was_made(openai: OpenAIAtWork) -> None:
    await openai.strike("POST", "batches", "delay", name="slow", at="answer")
    batch = inline(*TEXTS, idempotency_key="once", fingerprint="f")
    creating = asyncio.create_task(openai.batches.create(CALLER, batch))
    await openai.happened("slow")
    creating.cancel()
    with pytest.raises(asyncio.CancelledError):
        await creating
    assert openai.nothing_held
    again = await openai.batches.create(CALLER, batch)
    assert await openai.objects("batches") == [again.batch.id]
    assert len(await openai.objects("files")) == 1
    await openai.move(again.batch.id, "completed")
    assert len(await items(openai, again.batch.id)) == len(TEXTS)


async def test_a_client_that_leaves_before_the_batch_was_made(openai: OpenAIAtWork) -> None:
    await openai.strike("POST", "batches", "delay", name="slow", at="request")
    creating = asyncio.create_task(openai.batches.create(CALLER, inline(*TEXTS)))
    await openai.happened("slow")
    creating.cancel()
    with pytest.raises(asyncio.CancelledError):
        await creating
    assert await openai.objects("files") == []
    assert openai.nothing_held


async def test_a_client_that_leaves_after_the_input_was_made(openai: OpenAIAtWork) -> None:
    await openai.strike("POST", "files", "delay", name="slow", at="answer")
    creating = asyncio.create_task(openai.batches.create(CALLER, inline(*TEXTS)))
    await openai.happened("slow")
    creating.cancel()
    with pytest.raises(asyncio.CancelledError):
        await creating
    assert await openai.objects("files") == []
    assert openai.nothing_held


@pytest.mark.parametrize("nth", [1, 2])
async def test_an_input_that_breaks_off(openai: OpenAIAtWork, nth: int) -> None:
    file_id = await openai.upload(gemini_lines(*TEXTS * 50), "in.jsonl")
    await openai.strike("GET", "files/[^/]+/content", "truncate", nth=nth, after_bytes=5000)
    error = await refused(openai.batches.create(CALLER, from_file(file_id)))
    assert error.status == "UNAVAILABLE"
    assert await openai.objects("files") == [parse_file_id(file_id).native]
    assert openai.nothing_held


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
async def test_an_input_that_is_wrong_is_refused_whole(
    openai: OpenAIAtWork, data: bytes, where: str | None
) -> None:
    file_id = await openai.upload(data, "in.jsonl")
    error = await refused(openai.batches.create(CALLER, from_file(file_id)))
    assert error.status == "INVALID_ARGUMENT"
    assert where is None or str(error.path).startswith(where)
    assert await openai.objects("batches") == []
    assert len(await openai.objects("files")) == 1
    # At once, and not when the collector comes by.
    assert openai.nothing_held


async def test_a_file_that_is_not_there(openai: OpenAIAtWork) -> None:
    for file_id in ("file-none", str(FileId(FileKind.NATIVE, "file-none"))):
        error = await refused(openai.batches.create(CALLER, from_file(file_id)))
        assert error.status == "NOT_FOUND"
    results = str(FileId(FileKind.RESULTS, "batch_1"))
    error = await refused(openai.batches.create(CALLER, from_file(results)))
    assert error.status == "INVALID_ARGUMENT"


@pytest.mark.parametrize("answer", [{}, {"id": None}, []])
@pytest.mark.parametrize("call", ["files", "batches"])
async def test_an_answer_that_makes_no_sense_is_the_upstreams_fault(
    openai: OpenAIAtWork, call: str, answer: Any
) -> None:
    await openai.strike("POST", call, "status", status=200, body=answer)
    error = await refused(openai.batches.create(CALLER, inline(*TEXTS)))
    assert error.status == "UNAVAILABLE"


# --- one job for one idempotency key --------------------------------------------------------------


def keyed(fingerprint: str = "f") -> NewBatch:
    return inline(*TEXTS, idempotency_key="once", fingerprint=fingerprint)


async def listed(openai: OpenAIAtWork) -> list[str]:
    return [batch.id for batch in (await openai.batches.list(CALLER, 100, None)).items]


async def test_a_repeat_is_the_same_batch(openai: OpenAIAtWork) -> None:
    made = {(await openai.batches.create(CALLER, keyed())).batch.id for _ in range(3)}
    assert await openai.objects("batches") == list(made)


async def test_another_body_with_the_same_key(openai: OpenAIAtWork) -> None:
    await openai.batches.create(CALLER, keyed())
    error = await refused(openai.batches.create(CALLER, keyed("another")))
    assert (error.status, error.code) == ("ALREADY_EXISTS", 409)


async def test_without_a_key_each_request_is_its_own_job(openai: OpenAIAtWork) -> None:
    made = [(await openai.batches.create(CALLER, inline("a"))).batch.id for _ in range(2)]
    assert sorted(await openai.objects("batches")) == sorted(made)
    assert made[0] != made[1]


async def test_creations_at_once_with_one_key_are_one_batch(openai: OpenAIAtWork) -> None:
    await openai.post("/_fake/settings", {"auto_advance": False})
    creations = (openai.batches.create(CALLER, keyed()) for _ in range(4))
    [made] = {created.batch.id for created in await asyncio.gather(*creations)}
    assert await listed(openai) == [made]
    [batch] = [
        native
        for native in (await openai.native("batches"))["data"]
        if native["status"] not in ("cancelling", "cancelled")
    ]
    assert batch["id"] == made
    # What was sent up for the others is gone.
    assert await openai.objects("files") == [batch["input_file_id"]]


@pytest.mark.parametrize("fault", ["lose_answer", "status"])
async def test_a_second_batch_is_hidden_even_where_it_cannot_be_cancelled(
    openai: OpenAIAtWork, fault: str
) -> None:
    await openai.strike("POST", "batches", "delay", name="slow", at="request")
    await openai.strike("POST", "batches/[^/]+/cancel", fault)
    slow = asyncio.create_task(openai.batches.create(CALLER, keyed()))
    await openai.happened("slow")
    fast = await openai.batches.create(CALLER, keyed())
    await openai.release("slow")
    assert (await slow).batch.id == fast.batch.id
    assert await listed(openai) == [fast.batch.id]


async def test_a_batch_found_by_its_key_is_found_again(openai: OpenAIAtWork) -> None:
    """However many are made after it: what was looked up once is recorded."""
    await openai.strike("POST", "batches", "lose_answer")
    await openai.strike("GET", "batches", "status", status=500, times=2)
    await refused(openai.batches.create(CALLER, keyed()))
    [made] = await openai.objects("batches")
    found = await openai.batches.create(CALLER, keyed())
    assert found.batch.id == made
    lookups = len(await openai.calls("GET", "batches"))
    assert (await openai.batches.create(CALLER, keyed())).batch.id == made
    assert len(await openai.calls("GET", "batches")) == lookups


async def test_a_creation_that_was_refused_may_be_tried_again(openai: OpenAIAtWork) -> None:
    await openai.strike("POST", "batches", "status", status=429)
    await refused(openai.batches.create(CALLER, keyed()))
    made = await openai.batches.create(CALLER, keyed())
    assert await openai.objects("batches") == [made.batch.id]


# --- cancel, delete, list -------------------------------------------------------------------------


async def test_a_batch_is_cancelled_and_deleted_in_that_order(openai: OpenAIAtWork) -> None:
    batch_id = (await openai.batches.create(CALLER, inline(*TEXTS))).batch.id
    error = await refused(openai.batches.delete(CALLER, batch_id))
    assert (error.status, error.code) == ("FAILED_PRECONDITION", 400)
    await openai.batches.cancel(CALLER, batch_id)
    await openai.move(batch_id, "cancelled")
    error = await refused(openai.batches.cancel(CALLER, batch_id))
    assert (error.status, error.code) == ("FAILED_PRECONDITION", 400)
    await openai.batches.delete(CALLER, batch_id)
    for attempt in (
        openai.batches.get(CALLER, batch_id),
        openai.batches.cancel(CALLER, batch_id),
        openai.batches.delete(CALLER, batch_id),
        openai.files.get(CALLER, result_file_id(batch_id)),
        openai.files.download(CALLER, result_file_id(batch_id)),
    ):
        assert (await refused(attempt)).status == "NOT_FOUND"
    assert await listed(openai) == []
    assert await openai.objects("files") == []
    assert [name for name in openai.state.objects if name.startswith("batches/")] == []


async def test_a_cancel_that_openai_refuses_is_one_too_late(openai: OpenAIAtWork) -> None:
    batch_id = (await openai.batches.create(CALLER, inline(*TEXTS))).batch.id
    await openai.strike("POST", "batches/[^/]+/cancel", "status", status=409)
    error = await refused(openai.batches.cancel(CALLER, batch_id))
    assert (error.status, error.code) == ("FAILED_PRECONDITION", 400)


async def test_deleted_results_leave_the_batch(openai: OpenAIAtWork) -> None:
    file_id = await openai.upload(gemini_lines(*TEXTS), "in.jsonl")
    batch_id = await ended(openai, from_file(file_id))
    await openai.files.delete(CALLER, result_file_id(batch_id))
    batch = await openai.batches.get(CALLER, batch_id)
    assert (batch.state, batch.output) == (BatchState.SUCCEEDED, None)
    for attempt in (
        openai.files.get(CALLER, result_file_id(batch_id)),
        openai.files.download(CALLER, result_file_id(batch_id)),
        openai.files.delete(CALLER, result_file_id(batch_id)),
    ):
        assert (await refused(attempt)).status == "NOT_FOUND"
    await openai.batches.delete(CALLER, batch_id)
    assert await openai.objects("files") == [parse_file_id(file_id).native]


async def test_a_delete_that_was_interrupted_is_finished_by_the_next(
    openai: OpenAIAtWork,
) -> None:
    batch_id = await ended(openai, inline(*TEXTS))
    await openai.strike("DELETE", "files/[^/]+", "status", nth=2, status=503)
    await refused(openai.batches.delete(CALLER, batch_id))
    await openai.batches.delete(CALLER, batch_id)
    assert await openai.objects("files") == []
    assert await listed(openai) == []


@pytest.mark.parametrize("page_size", [1, 2, 5, 100])
async def test_pages_are_filled_up_past_what_was_deleted(
    openai: OpenAIAtWork, page_size: int
) -> None:
    made = [await ended(openai, inline("a")) for _ in range(7)]
    for deleted in (made[1], made[2], made[6]):
        await openai.batches.delete(CALLER, deleted)
    seen: list[str] = []
    sizes: list[int] = []
    token: str | None = None
    while not sizes or token:
        page = await openai.batches.list(CALLER, page_size, token)
        seen += [batch.id for batch in page.items]
        sizes.append(len(page.items))
        token = page.next_page_token
    assert seen == [made[5], made[4], made[3], made[0]]
    assert all(size == page_size for size in sizes[:-1])


async def test_a_list_never_has_results(openai: OpenAIAtWork) -> None:
    await ended(openai, inline(*TEXTS))
    page = await openai.batches.list(CALLER, 10, None)
    assert [batch.output for batch in page.items] == [None]
    assert await openai.calls("GET", "files/.*") == []


async def test_a_running_batch_has_no_results(openai: OpenAIAtWork) -> None:
    await openai.post("/_fake/settings", {"auto_advance": False})
    created = await openai.batches.create(CALLER, inline(*TEXTS))
    batch: Batch = await openai.batches.get(CALLER, created.batch.id)
    assert (batch.state, batch.output) == (BatchState.PENDING, None)
    error = await refused(openai.files.download(CALLER, result_file_id(batch.id)))
    assert error.status == "NOT_FOUND"


async def test_the_table_is_lost(openai: OpenAIAtWork) -> None:
    """Jobs, states and results remain, keyed by native id."""
    batch_id = await ended(openai, inline(*TEXTS))
    for name in openai.state.objects:
        await openai.state.delete(name)
    batch = await openai.batches.get(CALLER, batch_id)
    assert batch.output == ResultFile(result_file_id(batch_id))
    keys = sorted(line["key"] for line in await lines(openai, batch_id))
    assert keys == [f"r{n:010d}" for n in range(6)]


async def test_an_empty_budget_refuses_before_anything_is_made(openai: OpenAIAtWork) -> None:
    with openai.memory.reserve(openai.memory._left):
        error = await refused(openai.batches.create(CALLER, inline(*TEXTS)))
    assert (error.status, error.code) == ("RESOURCE_EXHAUSTED", 429)
    assert await openai.objects("files") == []
