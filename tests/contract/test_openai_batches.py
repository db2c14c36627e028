"""OpenAI's batches against the fake: the requests, and one result for each."""

from unittest.mock import patch

import pytest

from providers.memory import Limits
from providers.resource_names import parse_file_id, result_file_id
from providers.resources import BatchKind, BatchState, InlineResults, ResultFile
from providers.status import Status
from tests.contract.openai_batching import (
    CHAT,
    TEXTS,
    answered_with,
    download,
    ended,
    items,
    lines,
    native_line,
    text_of,
)
from tests.contract.openai_with_fake import (
    CALLER,
    MODEL,
    OpenAIWithFake,
    from_file,
    inline,
)
from tests.contract.provider_with_fake import LIMITS, gemini_lines, json_lines, refused

# --- when all is well -----------------------------------------------------------------------------


async def test_an_inline_batch(openai: OpenAIWithFake) -> None:
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


async def test_inline_results_hold_memory_until_they_are_closed(openai: OpenAIWithFake) -> None:
    batch_id = await ended(openai, inline(*TEXTS))
    output = (await openai.batches.get(CALLER, batch_id)).output
    assert isinstance(output, InlineResults)
    assert not openai.no_memory_reserved
    await output.close()
    assert openai.no_memory_reserved


async def test_inline_results_beyond_the_limit_are_a_file(openai: OpenAIWithFake) -> None:
    batch_id = await ended(openai, inline(*TEXTS))
    replica = openai.replica(limits=Limits(line=1 << 20, inline_results=500))
    assert replica.batches is not None
    batch = await replica.batches.get(CALLER, batch_id)
    assert batch.output == ResultFile(result_file_id(batch_id))
    assert sorted(line["key"] for line in await lines(openai, batch_id)) == list("123456")


async def test_a_batch_from_a_file(openai: OpenAIWithFake) -> None:
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


async def test_a_batch_in_openais_own_format_is_sent_unchanged(openai: OpenAIWithFake) -> None:
    file_id = await openai.upload(json_lines(*map(native_line, "abc")), "in.jsonl")
    batch_id = await ended(openai, from_file(file_id))
    assert len(await openai.calls("POST", "files")) == 1
    assert sorted(result["key"] for result in await lines(openai, batch_id)) == ["a", "b", "c"]
    await openai.batches.delete(CALLER, batch_id)
    assert parse_file_id(file_id).native in await openai.objects("files")


async def test_the_input_may_be_deleted_once_the_batch_is_created(openai: OpenAIWithFake) -> None:
    file_id = await openai.upload(gemini_lines(*TEXTS), "in.jsonl")
    created = await openai.batches.create(CALLER, from_file(file_id))
    await openai.files.delete(CALLER, file_id)
    await openai.move(created.id, "completed")
    assert len(await lines(openai, created.id)) == len(TEXTS)


async def test_another_tools_batch_is_listed_and_read(openai: OpenAIWithFake) -> None:
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
    ("status", "codes"), [("cancelled", {1}), ("expired", {4}), ("failed", {3})]
)
async def test_a_batch_that_ended_early(
    openai: OpenAIWithFake, status: str, codes: set[int]
) -> None:
    created = await openai.batches.create(CALLER, inline(*TEXTS))
    if status != "failed":
        await openai.move(created.id, "in_progress")
    await openai.move(created.id, status)
    results = await items(openai, created.id)
    assert [result["metadata"]["place"] for result in results] == list("012345")
    assert {r["error"]["code"] for r in results if "error" in r} == codes
    assert len(await lines(openai, created.id)) == len(TEXTS)


async def test_failed_and_lost_requests_have_their_errors(openai: OpenAIWithFake) -> None:
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


async def test_an_output_full_of_invalid_lines(openai: OpenAIWithFake) -> None:
    """A second answer, an unknown request, invalid lines: each request has one result."""
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
async def test_a_truncated_output_never_ends_cleanly(openai: OpenAIWithFake, after: int) -> None:
    batch_id = await ended(openai, inline(*TEXTS))
    await openai.strike("GET", "files/[^/]+/content", "truncate", after_bytes=after, times=2)
    error = await refused(download(openai, result_file_id(batch_id)))
    assert error.status == Status.UNAVAILABLE
    error = await refused(openai.batches.get(CALLER, batch_id))
    assert error.status == Status.UNAVAILABLE
    assert openai.no_memory_reserved


async def test_a_download_that_cannot_start_is_refused_first(
    openai: OpenAIWithFake,
) -> None:
    batch_id = await ended(openai, inline(*TEXTS))
    await openai.strike("GET", "files/[^/]+/content", "status", status=404, times=2)
    error = await refused(openai.files.download(CALLER, result_file_id(batch_id)))
    assert error.status == Status.NOT_FOUND


async def test_an_abandoned_download_holds_no_memory(openai: OpenAIWithFake) -> None:
    batch_id = await ended(openai, from_file(await openai.upload(gemini_lines(*TEXTS), "i.jsonl")))
    opened = await openai.files.download(CALLER, result_file_id(batch_id))
    chunks = aiter(opened.body.chunks)
    assert await anext(chunks)
    assert not openai.no_memory_reserved
    await opened.close()
    assert openai.no_memory_reserved


async def test_a_server_that_keeps_no_metadata(openai: OpenAIWithFake) -> None:
    await openai.post("/_fake/settings", {"keeps_metadata": False})
    batch_id = await ended(openai, inline(*TEXTS, display_name="mine"))
    assert [item["metadata"] for item in await items(openai, batch_id)] == [
        {"place": str(place)} for place in range(len(TEXTS))
    ]
    [listed] = (await openai.batches.list(CALLER, 10, None)).items
    assert (listed.id, listed.display_name, listed.model) == (batch_id, "mine", MODEL)
    await openai.batches.delete(CALLER, batch_id)
    assert await openai.objects("files") == []
    assert not [name for name in openai.state.objects if name.startswith("metadata/")]


async def test_a_line_beyond_the_limit_in_the_output(openai: OpenAIWithFake) -> None:
    batch_id = await ended(openai, inline(*TEXTS))
    limits = Limits(line=100, inline_results=LIMITS.inline_results)
    with patch("providers.batches.json_lines.RESULT_EXTRA", 0):
        openai.provider = openai.replica(limits=limits)
        errors = [item["error"] for item in await items(openai, batch_id)]
    assert [error["code"] for error in errors] == [13] * len(TEXTS)
    assert all("longer than FERRY_MAX_LINE_BYTES" in error["message"] for error in errors)
    assert openai.no_memory_reserved
