"""The results of batches at Anthropic: one for each request."""

from unittest.mock import patch

import orjson
import pytest

from providers.memory import Limits
from providers.resource_names import result_file_id
from providers.resources import BatchState, Failure, InlineResults, ResultFile
from providers.retries import ATTEMPTS
from providers.status import Status
from tests.contract.anthropic_batching import (
    RESULTS,
    TEXTS,
    answered_with,
    custom_ids,
    download,
    ended,
    items,
    lines,
)
from tests.contract.anthropic_with_fake import (
    CALLER,
    AnthropicWithFake,
    from_file,
    inline,
)
from tests.contract.provider_with_fake import LIMITS, gemini_lines, refused


async def test_failed_expired_and_lost_requests_have_their_errors(
    anthropic: AnthropicWithFake,
) -> None:
    texts = ["fine", "please fail", "please expire", "please lose", "fine too"]
    batch_id = await ended(
        anthropic, from_file(await anthropic.upload(gemini_lines(*texts), "in.jsonl"))
    )
    results = {result["key"]: result for result in await lines(anthropic, batch_id)}
    assert sorted(results) == [f"k-{n}" for n in range(5)]
    codes = [results[f"k-{n}"].get("error", {}).get("code") for n in range(5)]
    assert codes == [None, 3, 4, 13, None]


async def test_results_full_of_invalid_lines(anthropic: AnthropicWithFake) -> None:
    """A second answer, an unknown request, invalid lines: each request has one result."""
    batch_id = await ended(anthropic, inline(*TEXTS[:3]))
    _, second, third = await custom_ids(anthropic, batch_id)
    failed = {"type": "errored", "error": {"error": {"type": "t", "message": "first"}}}
    await answered_with(
        anthropic,
        b"no json\n",
        {"custom_id": second, "result": failed},
        {"custom_id": second, "result": {"type": "expired"}},
        {"custom_id": "r0000000099", "result": failed},
        {"custom_id": "somebody's", "result": failed},
        {"custom_id": 7},
        b"\n",
        b"[1]\n",
        b'"text"\n',
        b'{"custom_id": "%s", "result": "cut off' % third.encode(),
    )
    results = await items(anthropic, batch_id)
    assert [result["error"]["message"] for result in results][1] == "first"
    assert [result["error"]["code"] for result in results] == [13, 2, 13]
    assert sorted(line["key"] for line in await lines(anthropic, batch_id)) == ["1", "2", "3"]


@pytest.mark.parametrize("first", [b"no json\n", b"[1]\n", b"{}\n", b""])
async def test_an_invalid_result_without_the_batchs_record(
    anthropic: AnthropicWithFake, first: bytes
) -> None:
    batch_id = await ended(anthropic, inline("a"))
    await anthropic.lose("records/")
    await answered_with(anthropic, first)
    assert (await anthropic.batches.get(CALLER, batch_id)).output
    assert await lines(anthropic, batch_id) == []


@pytest.mark.parametrize("after", [0, 700])
async def test_truncated_results_never_end_cleanly(
    anthropic: AnthropicWithFake, after: int
) -> None:
    batch_id = await ended(anthropic, inline(*TEXTS))
    await anthropic.strike("GET", RESULTS, "truncate", after_bytes=after, times=2)
    error = await refused(download(anthropic, result_file_id(batch_id)))
    assert error.status == Status.UNAVAILABLE
    error = await refused(anthropic.batches.get(CALLER, batch_id))
    assert error.status == Status.UNAVAILABLE
    assert anthropic.no_memory_reserved


async def test_an_abandoned_download_holds_no_memory(anthropic: AnthropicWithFake) -> None:
    batch_id = await ended(anthropic, inline(*TEXTS))
    opened = await anthropic.files.download(CALLER, result_file_id(batch_id))
    chunks = aiter(opened.body.chunks)
    assert await anext(chunks)
    assert not anthropic.no_memory_reserved
    await opened.close()
    assert anthropic.no_memory_reserved


async def test_a_line_beyond_the_limit_in_the_results(anthropic: AnthropicWithFake) -> None:
    batch_id = await ended(anthropic, inline(*TEXTS))
    limits = Limits(line=100, inline_results=LIMITS.inline_results)
    with patch("providers.batches.json_lines.RESULT_EXTRA", 0):
        replica = anthropic.replica(limits=limits)
        assert replica.batches is not None
        output = (await replica.batches.get(CALLER, batch_id)).output
    assert isinstance(output, InlineResults)
    errors = [orjson.loads(item)["error"] for item in output.items]
    assert {error["code"] for error in errors} == {13}
    assert all("longer than FERRY_MAX_LINE_BYTES" in error["message"] for error in errors)
    await output.close()


# --- where the results are ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "/elsewhere/{id}.jsonl?a=b%2Fc",
        "{id}/results",
        "http://127.0.0.1:1/{id}",
        "https://api.anthropic.com/v1/messages/batches/{id}/results",
        "http://api.anthropic.com@127.0.0.1/{id}",
    ],
)
async def test_results_do_not_depend_on_their_url(anthropic: AnthropicWithFake, url: str) -> None:
    await anthropic.post("/_fake/settings", {"results_url": url})
    inlined = await ended(anthropic, inline(*TEXTS))
    file_id = await anthropic.upload(gemini_lines(*TEXTS), "in.jsonl")
    from_a_file = await ended(anthropic, from_file(file_id))
    assert len(await items(anthropic, inlined)) == len(TEXTS)
    assert len(await lines(anthropic, from_a_file)) == len(TEXTS)


WHY_GONE = "Anthropic no longer has the results of this batch: it keeps them for 29 days."
GONE = {"code": 5, "message": WHY_GONE}


async def test_results_that_are_no_longer_kept(anthropic: AnthropicWithFake) -> None:
    inlined = await ended(anthropic, inline(*TEXTS))
    file_id = await anthropic.upload(gemini_lines(*TEXTS), "in.jsonl")
    from_a_file = await ended(anthropic, from_file(file_id))
    for batch_id in (inlined, from_a_file):
        await anthropic.post(f"/_fake/batches/{batch_id}", {"archived": True})
    [of_list, _] = (await anthropic.batches.list(CALLER, 10, None)).items
    assert of_list.failure == Failure(Status.NOT_FOUND, WHY_GONE)
    found = await items(anthropic, inlined)
    assert [item["error"] for item in found] == [GONE] * len(TEXTS)
    batch = await anthropic.batches.get(CALLER, from_a_file)
    assert (batch.state, batch.failure) == (BatchState.SUCCEEDED, of_list.failure)
    assert batch.output == ResultFile(result_file_id(from_a_file))
    keyed = await lines(anthropic, from_a_file)
    assert keyed == [{"key": f"k-{n}", "error": GONE} for n in range(len(TEXTS))]


async def test_results_that_are_no_longer_kept_of_another_tools_batch(
    anthropic: AnthropicWithFake,
) -> None:
    batch_id = await ended(anthropic, inline(*TEXTS))
    await anthropic.post(f"/_fake/batches/{batch_id}", {"archived": True})
    for name in await anthropic.kept():
        await anthropic.state.delete(name)
    batch = await anthropic.batches.get(CALLER, batch_id)
    assert (batch.output, batch.failure) == (None, Failure(Status.NOT_FOUND, WHY_GONE))
    for attempt in (
        anthropic.files.get(CALLER, result_file_id(batch_id)),
        anthropic.files.download(CALLER, result_file_id(batch_id)),
    ):
        assert (await refused(attempt)).status == Status.NOT_FOUND


async def test_results_that_are_deleted_while_they_are_read(anthropic: AnthropicWithFake) -> None:
    batch_id = await ended(anthropic, inline(*TEXTS))
    await anthropic.strike("GET", RESULTS, "status", status=404, times=2)
    batch = await anthropic.batches.get(CALLER, batch_id)
    assert (batch.state, batch.output) == (BatchState.SUCCEEDED, None)
    error = await refused(anthropic.files.download(CALLER, result_file_id(batch_id)))
    assert error.status == Status.NOT_FOUND


@pytest.mark.parametrize("status", [403, 429, 500])
async def test_results_that_are_refused(anthropic: AnthropicWithFake, status: int) -> None:
    batch_id = await ended(anthropic, inline(*TEXTS))
    await anthropic.strike("GET", RESULTS, "status", status=status, times=ATTEMPTS)
    error = await refused(anthropic.batches.get(CALLER, batch_id))
    assert error.upstream_status == status
