"""Anthropic's batches against the fake: the requests, and one result for each."""

from typing import Any

import pytest

from providers.memory import Limits
from providers.resource_names import result_file_id
from providers.resources import BatchKind, BatchState, Counts, InlineResults, ResultFile
from providers.status import Status
from tests.contract.anthropic_batching import (
    BATCHES,
    TEXTS,
    custom_ids,
    ended,
    items,
    lines,
    listed,
    native_line,
    text_of,
)
from tests.contract.anthropic_with_fake import (
    CALLER,
    MODEL,
    AnthropicWithFake,
    from_file,
    inline,
)
from tests.contract.provider_with_fake import gemini_lines, json_lines, refused

# --- when all is well -----------------------------------------------------------------------------


async def test_an_inline_batch(anthropic: AnthropicWithFake) -> None:
    batch_id = await ended(anthropic, inline(*TEXTS, display_name="dn"))
    batch = await anthropic.batches.get(CALLER, batch_id)
    assert (batch.id, batch.kind, batch.state) == (
        batch_id,
        BatchKind.GENERATE,
        BatchState.SUCCEEDED,
    )
    assert (batch.model, batch.display_name) == (MODEL, "dn")
    assert batch.counts == Counts(total=6, succeeded=6, failed=0)
    assert isinstance(batch.output, InlineResults)
    await batch.output.close()
    results = await items(anthropic, batch_id)
    assert [result["metadata"]["place"] for result in results] == list("012345")
    assert all(text in text_of(result) for text, result in zip(TEXTS, results, strict=True))


async def test_a_running_batch_has_no_results(anthropic: AnthropicWithFake) -> None:
    await anthropic.post("/_fake/settings", {"auto_advance": False})
    created = await anthropic.batches.create(CALLER, inline(*TEXTS, display_name="dn"))
    batch = await anthropic.batches.get(CALLER, created.id)
    assert batch == created
    assert (batch.state, batch.output, batch.display_name) == (BatchState.RUNNING, None, "dn")
    assert batch.counts == Counts(total=6, succeeded=0, failed=0)
    error = await refused(anthropic.files.download(CALLER, result_file_id(batch.id)))
    assert error.status == Status.NOT_FOUND


async def test_inline_results_hold_memory_until_they_are_closed(
    anthropic: AnthropicWithFake,
) -> None:
    batch_id = await ended(anthropic, inline(*TEXTS))
    output = (await anthropic.batches.get(CALLER, batch_id)).output
    assert isinstance(output, InlineResults)
    assert not anthropic.no_memory_reserved
    await output.close()
    assert anthropic.no_memory_reserved


async def test_inline_results_beyond_the_limit_are_a_file(anthropic: AnthropicWithFake) -> None:
    batch_id = await ended(anthropic, inline(*TEXTS))
    replica = anthropic.replica(limits=Limits(line=1 << 20, inline_results=500))
    assert replica.batches is not None
    batch = await replica.batches.get(CALLER, batch_id)
    assert batch.output == ResultFile(result_file_id(batch_id))
    assert sorted(line["key"] for line in await lines(anthropic, batch_id)) == list("123456")


async def test_a_batch_from_a_file(anthropic: AnthropicWithFake) -> None:
    file_id = await anthropic.upload(gemini_lines(*TEXTS), "in.jsonl")
    batch_id = await ended(anthropic, from_file(file_id, display_name="dn"))
    batch = await anthropic.batches.get(CALLER, batch_id)
    assert batch.output == ResultFile(result_file_id(batch_id))
    results = {result["key"]: text_of(result) for result in await lines(anthropic, batch_id)}
    assert results == {f"k-{n}": f"echo: {text}" for n, text in enumerate(TEXTS)}
    shown = await anthropic.files.get(CALLER, result_file_id(batch_id))
    assert (shown.downloadable, shown.source, shown.display_name) == (True, "GENERATED", "dn")
    error = await refused(anthropic.files.delete(CALLER, result_file_id(batch_id)))
    assert error.status == Status.FAILED_PRECONDITION


async def test_any_key_survives(anthropic: AnthropicWithFake) -> None:
    """A custom id may have only 64 characters of `[A-Za-z0-9_-]`."""
    keys = ["k" * 500, "two words", "schön 漢字 🎉", "a/b\\c\n\t", "", "r0000000001"]
    request = {"contents": [{"parts": [{"text": "hi"}]}]}
    data = json_lines(*({"key": key, "request": request} for key in keys))
    batch_id = await ended(anthropic, from_file(await anthropic.upload(data, "in.jsonl")))
    assert sorted(line["key"] for line in await lines(anthropic, batch_id)) == sorted(keys)


async def test_a_batch_in_anthropics_own_format_is_sent_unchanged(
    anthropic: AnthropicWithFake,
) -> None:
    data = json_lines(*(native_line(name, "hi") for name in ("a", "b-_1", "c" * 64)))
    batch_id = await ended(anthropic, from_file(await anthropic.upload(data, "in.jsonl")))
    assert await custom_ids(anthropic, batch_id) == ["a", "b-_1", "c" * 64]
    assert sorted(line["key"] for line in await lines(anthropic, batch_id)) == [
        "a",
        "b-_1",
        "c" * 64,
    ]


@pytest.mark.parametrize(
    ("params", "version"), [({}, "2026-10-21"), ({"temperature": 0.5}, "2023-06-01")]
)
async def test_one_request_decides_the_version_for_all(
    anthropic: AnthropicWithFake, params: dict[str, Any], version: str
) -> None:
    data = json_lines(native_line("a"), native_line("b", **params))
    await anthropic.strike("POST", BATCHES, "status", status=400, read_body=False)
    await refused(
        anthropic.batches.create(CALLER, from_file(await anthropic.upload(data, "in.jsonl")))
    )
    batch_id = await ended(anthropic, from_file(await anthropic.upload(data, "in.jsonl", "s2")))
    sent = (await anthropic.get("/_fake/requests", {"method": "POST"}))["requests"]
    assert {request["headers"]["anthropic-version"] for request in sent} == {version}
    assert all("response" in line for line in await lines(anthropic, batch_id))


async def test_the_input_may_be_deleted_once_the_batch_is_created(
    anthropic: AnthropicWithFake,
) -> None:
    file_id = await anthropic.upload(gemini_lines(*TEXTS), "in.jsonl")
    created = await anthropic.batches.create(CALLER, from_file(file_id))
    await anthropic.files.delete(CALLER, file_id)
    await anthropic.move(created.id, "ended")
    assert len(await lines(anthropic, created.id)) == len(TEXTS)


async def test_another_replica_reads_our_records_of_a_batch(anthropic: AnthropicWithFake) -> None:
    batch_id = await ended(anthropic, inline(*TEXTS, display_name="dn"))
    anthropic.provider = anthropic.replica()
    [batch] = (await anthropic.batches.list(CALLER, 10, None)).items
    assert (batch.model, batch.display_name, batch.output) == (MODEL, "dn", None)
    assert len(await items(anthropic, batch_id)) == len(TEXTS)


# --- what the state store does not know -----------------------------------------------------------


@pytest.mark.parametrize("names", ["abc", ["r0000000001", "r0000000001-" + "0" * 32]])
async def test_another_tools_batch_is_listed_and_read(
    anthropic: AnthropicWithFake, names: list[str]
) -> None:
    """Even where its custom ids look like ours."""
    order = {"requests": [native_line(name) for name in names]}
    batch_id = (await anthropic.native(BATCHES, "POST", json=order))["id"]
    await anthropic.move(batch_id, "ended")
    assert await listed(anthropic) == [batch_id]
    batch = await anthropic.batches.get(CALLER, batch_id)
    assert (batch.model, batch.output) == (None, ResultFile(result_file_id(batch_id)))
    assert sorted(line["key"] for line in await lines(anthropic, batch_id)) == sorted(names)


async def test_a_crash_before_the_record_loses_no_key(anthropic: AnthropicWithFake) -> None:
    file_id = await anthropic.upload(gemini_lines(*TEXTS), "in.jsonl")
    from_lines = await ended(anthropic, from_file(file_id, display_name="dn"))
    from_body = await ended(anthropic, inline(*TEXTS))
    await anthropic.lose("records/")
    batch = await anthropic.batches.get(CALLER, from_lines)
    assert (batch.output, batch.display_name) == (ResultFile(result_file_id(from_lines)), None)
    found = await lines(anthropic, from_lines)
    assert sorted(line["key"] for line in found) == [f"k-{n}" for n in range(6)]
    results = await items(anthropic, from_body)
    assert [result["metadata"]["place"] for result in results] == list("012345")


async def test_the_store_is_lost(anthropic: AnthropicWithFake) -> None:
    """Jobs, states and results remain, keyed by native id."""
    batch_id = await ended(anthropic, inline(*TEXTS))
    await anthropic.lose("")
    batch = await anthropic.batches.get(CALLER, batch_id)
    assert batch.output == ResultFile(result_file_id(batch_id))
    keys = sorted(line["key"] for line in await lines(anthropic, batch_id))
    assert keys == await custom_ids(anthropic, batch_id)
    assert [key[:11] for key in keys] == [f"r{n:010d}" for n in range(6)]
