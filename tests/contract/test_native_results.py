"""Results in the provider's own format: exactly the bytes that the provider wrote."""

from collections.abc import Sequence

import orjson
import pytest

from providers.batches.immediate.job import is_immediate
from providers.batches.immediate.jobs import ImmediateUse
from providers.batches.request_table import indexed_id
from providers.provider import Provider
from providers.resource_names import result_file_id
from providers.resources import NewBatch, ResultForm
from providers.status import Status
from tests.contract import (
    anthropic_batching,
    anthropic_with_fake,
    bedrock_batching,
    bedrock_with_fake,
    openai_batching,
    openai_with_fake,
)
from tests.contract.anthropic_with_fake import AnthropicWithFake
from tests.contract.bedrock_immediate import has_ended
from tests.contract.bedrock_with_fake import PREFIX, BedrockWithFake
from tests.contract.openai_with_fake import CALLER, OpenAIWithFake
from tests.contract.provider_with_fake import ProviderWithFake, gemini_lines, json_lines, refused

TEXTS = ["fine", "please fail", "please lose", "fine too"]
# Not JSON, not UTF-8, and not ended; the line separator is one that some readers cut lines at.
ODD = '\ufeff{"custom_id" : "a",  "n": 1.50}\r\n\n{"a": "\u2028"}\nno json {"cut": "o'


@pytest.fixture
def small(bedrock: BedrockWithFake) -> BedrockWithFake:
    """The provider runs batches below the minimum itself."""
    bedrock.provider = bedrock.replica(immediate=ImmediateUse.SMALL)
    return bedrock


async def native(work: ProviderWithFake, batch_id: str, provider: Provider | None = None) -> bytes:
    files = (provider or work.provider).files
    assert files is not None
    opened = await files.download(work.caller, result_file_id(batch_id), ResultForm.NATIVE)
    try:
        # Nothing is translated, so no memory is reserved.
        assert work.no_memory_reserved
        return b"".join([chunk async for chunk in opened.body.chunks])
    finally:
        await opened.close()


def ids(lines: bytes, member: str) -> list[str]:
    return sorted(orjson.loads(line)[member] for line in lines.splitlines())


# --- OpenAI ---------------------------------------------------------------------------------------


async def openais_files(openai: OpenAIWithFake, batch_id: str) -> tuple[bytes, bytes]:
    """The output, and the errors."""
    batch = await openai.native(f"batches/{batch_id}")
    names = (batch["output_file_id"], batch["error_file_id"])
    output, errors = [await openai.native(f"files/{name}/content") for name in names]
    assert output
    assert errors
    return output, errors


@pytest.mark.parametrize("source", ["file", "inline"])
async def test_openais_output_and_then_its_errors(openai: OpenAIWithFake, source: str) -> None:
    batch: NewBatch = openai_with_fake.inline(*TEXTS)
    if source == "file":
        file_id = await openai.upload(gemini_lines(*TEXTS), "in.jsonl")
        batch = openai_with_fake.from_file(file_id)
    batch_id = await openai_batching.ended(openai, batch)
    output, errors = await openais_files(openai, batch_id)

    found = await native(openai, batch_id)

    assert found == output + errors
    # The lost request has no line: only Gemini's format names every request.
    assert ids(found, "custom_id") == [indexed_id(n) for n in (0, 1, 3)]


async def test_lines_of_openais_own_format_keep_their_ids(openai: OpenAIWithFake) -> None:
    file_id = await openai.upload(json_lines(*map(openai_batching.native_line, "abc")), "in.jsonl")
    batch_id = await openai_batching.ended(openai, openai_with_fake.from_file(file_id))
    assert ids(await native(openai, batch_id), "custom_id") == ["a", "b", "c"]


async def test_invalid_bytes_of_openai_arrive_unchanged(openai: OpenAIWithFake) -> None:
    batch_id = await openai_batching.ended(openai, openai_with_fake.inline(*TEXTS))
    await openai_batching.answered_with(openai, ODD.encode())
    # One line break separates the two files, whose last lines have none.
    assert await native(openai, batch_id) == f"{ODD}\n{ODD}".encode()


@pytest.mark.parametrize("field", ["output_file_id", "error_file_id"])
async def test_a_missing_file_of_openai_is_reported_before_the_first_byte(
    openai: OpenAIWithFake, field: str
) -> None:
    batch_id = await openai_batching.ended(openai, openai_with_fake.inline(*TEXTS))
    gone = (await openai.native(f"batches/{batch_id}"))[field]
    await openai.native(f"files/{gone}", "DELETE")
    error = await refused(native(openai, batch_id))
    assert error.status == Status.NOT_FOUND
    assert gone in error.message
    assert [path for path in await openai.calls("GET") if path.endswith("/content")] == []


async def test_a_batch_without_any_output_from_openai(openai: OpenAIWithFake) -> None:
    batch_id = await openai_batching.ended(openai, openai_with_fake.inline(*TEXTS), "failed")
    error = await refused(native(openai, batch_id))
    assert (error.status, error.upstream_status) == (Status.NOT_FOUND, None)
    assert "wrote no results for this batch" in error.message
    assert len(await openai_batching.lines(openai, batch_id)) == len(TEXTS)


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("after", [0, 200])
async def test_openais_files_that_break_off_never_end_cleanly(
    openai: OpenAIWithFake, nth: int, after: int
) -> None:
    batch_id = await openai_batching.ended(openai, openai_with_fake.inline(*TEXTS))
    await openai.strike(
        "GET", "files/[^/]+/content", "truncate", after_bytes=after, nth=nth, times=1
    )
    assert (await refused(native(openai, batch_id))).status == Status.UNAVAILABLE


async def test_the_format_matters_only_for_results(openai: OpenAIWithFake) -> None:
    data = gemini_lines(*TEXTS)
    file_id = await openai.upload(data, "in.jsonl")
    for form in ResultForm:
        opened = await openai.files.download(CALLER, file_id, form)
        assert b"".join([chunk async for chunk in opened.body.chunks]) == data
        await opened.close()


# --- Anthropic ------------------------------------------------------------------------------------


async def anthropics_results(anthropic: AnthropicWithFake, batch_id: str) -> bytes:
    data: bytes = await anthropic.native(f"messages/batches/{batch_id}/results")
    return data


@pytest.mark.parametrize("source", ["file", "inline"])
async def test_anthropics_results_unchanged(anthropic: AnthropicWithFake, source: str) -> None:
    batch: NewBatch = anthropic_with_fake.inline(*TEXTS)
    if source == "file":
        file_id = await anthropic.upload(gemini_lines(*TEXTS), "in.jsonl")
        batch = anthropic_with_fake.from_file(file_id)
    batch_id = await anthropic_batching.ended(anthropic, batch)

    found = await native(anthropic, batch_id)

    assert found == await anthropics_results(anthropic, batch_id)
    # The number of the request, then the job.
    assert [name[:11] for name in ids(found, "custom_id")] == [indexed_id(n) for n in (0, 1, 3)]


async def test_anthropics_results_of_another_tools_batch(anthropic: AnthropicWithFake) -> None:
    batch_id = await anthropic_batching.ended(anthropic, anthropic_with_fake.inline(*TEXTS))
    await anthropic.lose("")
    assert await native(anthropic, batch_id) == await anthropics_results(anthropic, batch_id)


async def test_invalid_bytes_of_anthropic_arrive_unchanged(anthropic: AnthropicWithFake) -> None:
    batch_id = await anthropic_batching.ended(anthropic, anthropic_with_fake.inline(*TEXTS))
    await anthropic_batching.answered_with(anthropic, ODD.encode())
    assert await native(anthropic, batch_id) == ODD.encode()


async def test_results_that_anthropic_has_archived(anthropic: AnthropicWithFake) -> None:
    batch_id = await anthropic_batching.ended(anthropic, anthropic_with_fake.inline(*TEXTS))
    await anthropic.post(f"/_fake/batches/{batch_id}", {"archived": True})
    error = await refused(native(anthropic, batch_id))
    assert error.status == Status.NOT_FOUND
    assert "keeps them for 29 days" in error.message


@pytest.mark.parametrize("after", [0, 200])
async def test_anthropics_results_that_break_off_never_end_cleanly(
    anthropic: AnthropicWithFake, after: int
) -> None:
    batch_id = await anthropic_batching.ended(anthropic, anthropic_with_fake.inline(*TEXTS))
    await anthropic.strike("GET", anthropic_batching.RESULTS, "truncate", after_bytes=after)
    assert (await refused(native(anthropic, batch_id))).status == Status.UNAVAILABLE


# --- Bedrock --------------------------------------------------------------------------------------


async def of_a_file(bedrock: BedrockWithFake, texts: Sequence[str] = TEXTS) -> str:
    bedrock.other_tool.put(f"{PREFIX}in.jsonl", gemini_lines(*texts))
    return await bedrock_batching.ended(bedrock, bedrock_with_fake.from_file("in.jsonl"))


@pytest.mark.parametrize("source", ["file", "inline"])
async def test_bedrocks_output_unchanged(bedrock: BedrockWithFake, source: str) -> None:
    if source == "file":
        batch_id = await of_a_file(bedrock)
    else:
        batch_id = await bedrock_batching.ended(bedrock, bedrock_with_fake.inline(*TEXTS))
    written = bedrock.other_tool.read(bedrock_batching.output_key(bedrock, batch_id))

    found = await native(bedrock, batch_id)

    assert found == written
    assert ids(found, "recordId") == [indexed_id(n) for n in (0, 1, 3)]


async def test_bedrocks_several_objects_and_invalid_bytes(bedrock: BedrockWithFake) -> None:
    """The manifest is not a result file, so it is left out."""
    batch_id = await of_a_file(bedrock)
    for name in ("a.jsonl.out", "b.jsonl.out"):
        key = bedrock_batching.output_key(bedrock, batch_id, name)
        bedrock.other_tool.put(key, ODD.encode())
    bedrock_batching.rewrite(bedrock, batch_id, b"last\n")
    assert await native(bedrock, batch_id) == f"{ODD}\n{ODD}\nlast\n".encode()


async def test_bedrocks_results_that_were_deleted(bedrock: BedrockWithFake) -> None:
    batch_id = await of_a_file(bedrock)
    await bedrock.files.delete(bedrock.caller, result_file_id(batch_id))
    assert (await bedrock_with_fake.refused(native(bedrock, batch_id))).status == Status.NOT_FOUND


async def test_a_job_without_any_output_from_bedrock(bedrock: BedrockWithFake) -> None:
    batch_id = await bedrock_batching.created(bedrock, bedrock_with_fake.inline(*TEXTS))
    await bedrock.move(batch_id, "Failed")
    error = await bedrock_with_fake.refused(native(bedrock, batch_id))
    assert error.status == Status.NOT_FOUND
    assert "wrote no results for this batch" in error.message


async def test_bedrocks_output_that_breaks_off_never_ends_cleanly(bedrock: BedrockWithFake) -> None:
    batch_id = await of_a_file(bedrock)
    key = bedrock_batching.output_key(bedrock, batch_id)
    await bedrock.strike("GET", f"ferry-files/{key}", "truncate", after_bytes=200)
    assert (await bedrock_with_fake.refused(native(bedrock, batch_id))).status == Status.UNAVAILABLE


async def test_results_of_the_proxy_have_the_format_of_a_jobs_output(
    small: BedrockWithFake,
) -> None:
    batch_id = await bedrock_batching.created(
        small, bedrock_with_fake.inline("fine", "please fail")
    )
    assert is_immediate(batch_id)
    await has_ended(small, batch_id)

    found = [orjson.loads(line) for line in (await native(small, batch_id)).splitlines()]

    answered, failed = sorted(found, key=lambda line: str(line["recordId"]))
    assert answered["recordId"] == indexed_id(0)
    message = answered["modelOutput"]["output"]["message"]
    assert message == {"role": "assistant", "content": [{"text": "echo: fine"}]}
    assert (failed["recordId"], failed["error"]["errorCode"]) == (indexed_id(1), 400)


async def test_results_of_the_proxys_own_that_were_deleted(small: BedrockWithFake) -> None:
    batch_id = await bedrock_batching.created(small, bedrock_with_fake.inline("a"))
    await has_ended(small, batch_id)
    await small.files.delete(small.caller, result_file_id(batch_id))
    assert (await bedrock_with_fake.refused(native(small, batch_id))).status == Status.NOT_FOUND
