"""The results of jobs at Bedrock: one for each request, also with invalid output."""

from typing import Any

import pytest

from providers.batches.request_table import indexed_id
from providers.memory import Limits
from providers.resource_names import result_file_id
from providers.resources import ResultFile
from providers.status import Status
from tests.contract.bedrock_batching import (
    TEXTS,
    answer,
    claude_line,
    download,
    ended,
    items,
    lines,
    output_key,
    rewrite,
    text_of,
)
from tests.contract.bedrock_with_fake import (
    CALLER,
    PREFIX,
    BedrockWithFake,
    from_file,
    inline,
    refused,
)
from tests.contract.provider_with_fake import LIMITS, gemini_lines, json_lines

# RPC numbers.
INVALID_ARGUMENT, NOT_FOUND, RESOURCE_EXHAUSTED, INTERNAL, UNAVAILABLE = 3, 5, 8, 13, 14


async def of_a_file(bedrock: BedrockWithFake, *texts: str) -> str:
    bedrock.other_tool.put(f"{PREFIX}in.jsonl", gemini_lines(*(texts or TEXTS)))
    return await ended(bedrock, from_file("in.jsonl"))


# --- as Bedrock writes them -----------------------------------------------------------------------


async def test_inline_results_are_in_request_order_with_their_metadata(
    bedrock: BedrockWithFake,
) -> None:
    batch_id = await ended(bedrock, inline(*TEXTS))
    written = bedrock.other_tool.read(output_key(bedrock, batch_id)).splitlines()
    assert written != sorted(written)
    results = await items(bedrock, batch_id)
    assert [text_of(item) for item in results] == [f"echo: {text}" for text in TEXTS]
    assert [item["metadata"] for item in results] == [{"place": str(n)} for n in range(6)]


async def test_the_results_of_a_file_are_in_bedrocks_order_with_their_keys(
    bedrock: BedrockWithFake,
) -> None:
    batch_id = await of_a_file(bedrock)
    results = await lines(bedrock, batch_id)
    keys = [line["key"] for line in results]
    assert keys != sorted(keys)
    assert sorted(keys) == [f"k-{n}" for n in range(6)]
    assert all(text_of(line) == f"echo: {TEXTS[int(line['key'][2:])]}" for line in results)


async def test_the_file_of_results(bedrock: BedrockWithFake) -> None:
    batch_id = await of_a_file(bedrock)
    batch = await bedrock.batches.get(CALLER, batch_id)
    assert batch.output == ResultFile(result_file_id(batch_id))
    file = await bedrock.files.get(CALLER, result_file_id(batch_id))
    assert (file.id, file.source, file.downloadable) == (batch.output.id, "GENERATED", True)
    assert (file.mime_type, file.create_time) == ("application/jsonl", batch.end_time)


async def test_a_failed_record_is_one_error(bedrock: BedrockWithFake) -> None:
    batch_id = await ended(bedrock, inline("a", "please fail", "c"))
    first, failed, third = await items(bedrock, batch_id)
    assert (text_of(first), text_of(third)) == ("echo: a", "echo: c")
    assert failed["error"]["code"] == INVALID_ARGUMENT
    assert "asked to fail" in failed["error"]["message"]
    assert failed["metadata"] == {"place": "1"}


async def test_a_record_without_an_answer_from_bedrock_gets_an_error(
    bedrock: BedrockWithFake,
) -> None:
    batch_id = await of_a_file(bedrock, "a", "please lose", "c")
    results = {line["key"]: line for line in await lines(bedrock, batch_id)}
    assert results["k-1"]["error"]["code"] == INTERNAL
    assert "without an answer" in results["k-1"]["error"]["message"]
    assert len(results) == 3


@pytest.mark.parametrize(
    ("code", "rpc"),
    [(400, INVALID_ARGUMENT), (404, NOT_FOUND), (429, RESOURCE_EXHAUSTED), (500, UNAVAILABLE)],
)
async def test_the_codes_of_records_are_mapped(
    bedrock: BedrockWithFake, code: int, rpc: int
) -> None:
    batch_id = await ended(bedrock, inline(*TEXTS[:3]))
    error = {"errorCode": code, "errorMessage": "bad"}
    rewrite(bedrock, batch_id, {"recordId": indexed_id(1), "error": error})
    assert (await items(bedrock, batch_id))[1]["error"] == {"code": rpc, "message": "bad"}


async def test_thoughts_are_returned_if_requested(bedrock: BedrockWithFake) -> None:
    thinking = {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 2000}
    asked = [claude_line(f"id-{n}", "why?", **thinking) for n in range(3)]
    bedrock.other_tool.put(f"{PREFIX}in.jsonl", json_lines(*asked))
    batch_id = await ended(bedrock, from_file("in.jsonl"))
    for line in await lines(bedrock, batch_id):
        thought, text = line["response"]["candidates"][0]["content"]["parts"]
        assert thought["thought"] is True
        assert text["text"] == "echo: why?"


# --- as they might be found -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "raw",
    [
        [],
        [b"garbage\n", b'{"recordId": "r0000000001"\n', b"[]\n", b"\xff\xfe\n", b"\n\n", b"null\n"],
        [answer("unknown", "x"), answer(indexed_id(99), "x"), answer("", "x"), {"recordId": 7}],
        [{"modelOutput": {}}],
    ],
    ids=["nothing", "garbage", "unknown", "no id"],
)
async def test_lines_that_name_no_request_are_left_out(
    bedrock: BedrockWithFake, raw: list[Any]
) -> None:
    batch_id = await ended(bedrock, inline(*TEXTS[:3]))
    there = answer(indexed_id(1), "here")
    rewrite(bedrock, batch_id, *raw, there)
    first, second, third = await items(bedrock, batch_id)
    assert text_of(second) == "here"
    assert first["error"]["code"] == third["error"]["code"] == INTERNAL


async def test_the_first_of_two_answers_counts(bedrock: BedrockWithFake) -> None:
    batch_id = await of_a_file(bedrock, "a", "b", "c")
    answers = [answer(indexed_id(n), text) for n, text in ((0, "one"), (0, "two"), (1, "b"))]
    rewrite(bedrock, batch_id, *answers, answers[0])
    results = await lines(bedrock, batch_id)
    assert [line["key"] for line in results] == ["k-0", "k-1", "k-2"]
    assert [text_of(line) for line in results[:2]] == ["one", "b"]
    assert "error" in results[2]


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"modelOutput": None},
        {"modelOutput": []},
        {"modelOutput": {"output": {}}},
        {"modelOutput": {"output": {"message": {"content": 7}}}},
        {"error": []},
        {"error": "x"},
    ],
    ids=str,
)
async def test_an_invalid_answer_is_one_failed_item(
    bedrock: BedrockWithFake, broken: dict[str, Any]
) -> None:
    batch_id = await ended(bedrock, inline("a", "b", "c"))
    broken = {"recordId": indexed_id(1), **broken}
    rewrite(bedrock, batch_id, answer(indexed_id(0), "a"), broken, answer(indexed_id(2), "c"))
    first, second, third = await items(bedrock, batch_id)
    assert (text_of(first), text_of(third)) == ("a", "c")
    assert second["error"]["code"] == INTERNAL


async def test_a_line_beyond_the_limit_is_one_failed_item(bedrock: BedrockWithFake) -> None:
    batch_id = await ended(bedrock, inline("a", "b", "c"))
    huge = answer(indexed_id(1), "x" * (2 << 20))
    rewrite(bedrock, batch_id, answer(indexed_id(0), "a"), huge, answer(indexed_id(2), "c"))
    first, second, third = await items(bedrock, batch_id)
    assert (text_of(first), text_of(third)) == ("a", "c")
    assert "longer than FERRY_MAX_LINE_BYTES" in second["error"]["message"]


async def test_an_answer_that_is_too_long_only_with_its_request_is_read(
    bedrock: BedrockWithFake,
) -> None:
    batch_id = await ended(bedrock, inline("a", "b", "c"))
    long = answer(indexed_id(0), "a") | {"modelInput": {"text": "x" * LIMITS.line}}
    rewrite(bedrock, batch_id, long)
    assert text_of((await items(bedrock, batch_id))[0]) == "a"


async def test_an_invalid_character_in_an_answer_affects_only_that_answer(
    bedrock: BedrockWithFake,
) -> None:
    batch_id = await ended(bedrock, inline("a", "b", "c"))
    line = json_lines(answer(indexed_id(0), "here"))
    rewrite(bedrock, batch_id, line.replace(b"here", rb"h\ud83dere"))
    assert text_of((await items(bedrock, batch_id))[0]) == "h\ufffdere"


async def test_unreadable_answers_are_errors_by_key(bedrock: BedrockWithFake) -> None:
    batch_id = await ended(bedrock, inline("a", "b", "c"))
    own, whose = b'{"recordId":"%s","modelOutput":' % indexed_id(1).encode(), b'{"modelOutput":'
    rewrite(bedrock, batch_id, answer(indexed_id(0), "a"), own + b"\n", whose + b"\n")
    first, second, third = await items(bedrock, batch_id)
    assert text_of(first) == "a"
    assert second["error"]["message"] == "The result of this request cannot be read."
    assert third["error"]["message"].endswith("name no request: 1.")


async def test_results_may_be_in_several_objects(bedrock: BedrockWithFake) -> None:
    """Anywhere below the output folder; other objects are not read."""
    batch_id = await of_a_file(bedrock, "a", "b", "c")
    rewrite(bedrock, batch_id, answer(indexed_id(1), "b"))
    put = bedrock.other_tool.put
    put(
        output_key(bedrock, batch_id, "deeper/more.jsonl.out"),
        json_lines(answer(indexed_id(0), "a")),
    )
    put(output_key(bedrock, batch_id, "z.jsonl.out"), json_lines(answer(indexed_id(2), "c")))
    put(output_key(bedrock, batch_id, "a.jsonl"), json_lines(answer(indexed_id(0), "wrong")))
    await bedrock.post("/_fake/settings", {"page_limit": 1})
    results = {line["key"]: text_of(line) for line in await lines(bedrock, batch_id)}
    assert results == {"k-0": "a", "k-1": "b", "k-2": "c"}


async def test_deleted_output_is_missing_results(bedrock: BedrockWithFake) -> None:
    """A rule of the bucket or a person deleted it."""
    batch_id = await ended(bedrock, inline("a", "b", "c"))
    bedrock.delete(output_key(bedrock, batch_id))
    assert [item["error"]["code"] for item in await items(bedrock, batch_id)] == [INTERNAL] * 3


async def test_inline_results_beyond_the_limit_are_a_file(bedrock: BedrockWithFake) -> None:
    bedrock.provider = bedrock.replica(limits=Limits(line=LIMITS.line, inline_results=1000))
    batch_id = await ended(bedrock, inline(*TEXTS))
    batch = await bedrock.batches.get(CALLER, batch_id)
    assert batch.output == ResultFile(result_file_id(batch_id))
    assert bedrock.no_memory_reserved
    results = {line["key"]: text_of(line) for line in await lines(bedrock, batch_id)}
    assert results == {str(n + 1): f"echo: {text}" for n, text in enumerate(TEXTS)}


async def test_inline_results_that_exceed_the_memory_budget(bedrock: BedrockWithFake) -> None:
    batch_id = await ended(bedrock, inline(*TEXTS))
    with bedrock.memory.reserve(bedrock.memory._left - 1000):
        error = await refused(bedrock.batches.get(CALLER, batch_id))
    assert (error.status, error.code) == (Status.RESOURCE_EXHAUSTED, 429)
    assert len(await items(bedrock, batch_id)) == len(TEXTS)


# --- S3 has a bad moment --------------------------------------------------------------------------


async def test_results_that_cannot_be_read_now_are_not_missing(
    bedrock: BedrockWithFake,
) -> None:
    batch_id = await of_a_file(bedrock)
    await bedrock.strike_s3("GET", "status", status=503, times=9, code="SlowDown")
    error = await refused(download(bedrock, result_file_id(batch_id)))
    assert error.status == Status.RESOURCE_EXHAUSTED


async def test_results_that_break_off_never_end_cleanly(bedrock: BedrockWithFake) -> None:
    batch_id = await of_a_file(bedrock, *TEXTS[:3] * 100)
    key = output_key(bedrock, batch_id)
    await bedrock.strike("GET", f"ferry-files/{key}", "truncate", after_bytes=20_000)
    error = await refused(download(bedrock, result_file_id(batch_id)))
    assert error.status == Status.UNAVAILABLE


async def test_inline_results_that_break_off_are_not_returned_in_part(
    bedrock: BedrockWithFake,
) -> None:
    batch_id = await ended(bedrock, inline(*TEXTS))
    key = output_key(bedrock, batch_id)
    await bedrock.strike("GET", f"ferry-files/{key}", "truncate", after_bytes=300)
    error = await refused(bedrock.batches.get(CALLER, batch_id))
    assert error.status == Status.UNAVAILABLE
    assert len(await items(bedrock, batch_id)) == len(TEXTS)


async def test_an_abandoned_download_holds_no_memory(bedrock: BedrockWithFake) -> None:
    batch_id = await of_a_file(bedrock, *TEXTS[:3] * 1000)
    opened = await bedrock.files.download(CALLER, result_file_id(batch_id))
    assert await anext(aiter(opened.body.chunks))
    await opened.close()
    assert bedrock.no_memory_reserved
