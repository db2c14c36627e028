"""Creating a batch at Bedrock: the job's parameters, and its uploaded input."""

import re
from contextlib import suppress
from typing import Any

import orjson
import pytest

from providers.batches.request_table import indexed_id
from providers.errors import FerryError
from providers.observation import InputOutcome, Unobserved
from providers.resources import BatchKind, BatchState, InlineRequest, NewBatch
from providers.status import Status
from tests.contract.bedrock_batching import (
    TEXTS,
    claude_line,
    converse_line,
    created,
    ended,
    folder_of,
    input_lines,
    items,
    lines,
    native,
    text_of,
    uri,
)
from tests.contract.bedrock_with_fake import (
    CALLER,
    JOB,
    MODEL,
    NOVA,
    PREFIX,
    BedrockWithFake,
    from_file,
    inline,
    refused,
)
from tests.contract.provider_with_fake import asking, gemini_lines, json_lines
from tests.fakes.bedrock import ROLE_ARN

TOOL = {"functionDeclarations": [{"name": "look", "parameters": {"type": "OBJECT"}}]}
TITAN = "amazon.titan-embed-text-v2:0"


def with_tool(text: str) -> dict[str, Any]:
    return {**asking(text), "tools": [TOOL]}


def requests(*documents: dict[str, Any], model: str = MODEL, **said: Any) -> NewBatch:
    listed = [
        InlineRequest(orjson.dumps(document), b"null", f"requests[{place}]")
        for place, document in enumerate(documents)
    ]
    return NewBatch(model, said.pop("kind", BatchKind.GENERATE), listed, **said)


# --- inline ---------------------------------------------------------------------------------------


async def test_the_parameters_of_the_job(bedrock: BedrockWithFake) -> None:
    made = await bedrock.batches.create(CALLER, inline(*TEXTS, display_name="mine"))
    job = native(bedrock, made.id)
    assert re.fullmatch(r"gf-[0-9a-f]{32}", job["jobName"])
    token = job["jobName"].removeprefix("gf-")
    folder = f"genai-ferry/{token}/"
    told = (job["clientRequestToken"], job["roleArn"], job["modelId"], job["modelInvocationType"])
    assert told == (token, ROLE_ARN, MODEL, "Converse")
    source = {"s3Uri": uri(f"{folder}input/input.jsonl"), "s3InputFormat": "JSONL"}
    assert job["inputDataConfig"] == {"s3InputDataConfig": source}
    target = {"s3Uri": uri(f"{folder}output/")}
    assert job["outputDataConfig"] == {"s3OutputDataConfig": target}
    assert "tags" not in job


async def test_the_batch_that_the_client_gets(bedrock: BedrockWithFake) -> None:
    await bedrock.post("/_fake/settings", {"auto_advance": False})
    made = await bedrock.batches.create(CALLER, inline(*TEXTS, display_name="mine"))
    batch = made
    assert (batch.state, batch.native_status) == (BatchState.PENDING, "Submitted")
    assert (batch.display_name, batch.model, batch.kind) == ("mine", MODEL, BatchKind.GENERATE)
    assert batch.create_time == native(bedrock, batch.id)["submitTime"]
    assert (batch.output, batch.end_time, batch.failure, made.warnings) == (
        None,
        None,
        None,
        "",
    )
    assert await bedrock.batches.get(CALLER, batch.id) == batch


async def test_the_uploaded_input(bedrock: BedrockWithFake) -> None:
    batch_id = await created(bedrock, inline(*TEXTS))
    folder = folder_of(bedrock, batch_id)
    assert await bedrock.keys() == [f"{folder}input/input.jsonl"]
    up = input_lines(bedrock, f"{folder}input/input.jsonl")
    assert up == [converse_line(indexed_id(index), text) for index, text in enumerate(TEXTS)]
    [put] = await bedrock.requests("PUT")
    assert (put["headers"]["content-type"], put["chunked"]) == ("application/jsonl", False)


async def test_dropped_fields_are_warned_of(bedrock: BedrockWithFake) -> None:
    safety = {"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_LOW_AND_ABOVE"}
    document = {**asking("hi"), "safetySettings": [safety]}
    made = await bedrock.batches.create(CALLER, requests(*[document] * 3))
    assert "safetySettings" in made.warnings


async def test_our_record_is_written_before_the_job_is_created(
    bedrock: BedrockWithFake,
) -> None:
    """Otherwise, after a crash in between, the results of a paid batch would have no keys."""
    await bedrock.strike("POST", JOB, "delay", name="slow", at="request")
    async with bedrock.creating(inline(*TEXTS, display_name="mine")) as creating:
        await bedrock.happened("slow")
        there = sorted(name.split("/")[0] for name in bedrock.state.objects)
        assert there == ["batches", "records"]
        assert len(await bedrock.keys()) == 1
        assert await bedrock.objects("batches") == []
        await bedrock.release("slow")
        batch_id = (await creating).id
    await bedrock.move(batch_id, "Completed")
    assert [item["metadata"] for item in await items(bedrock, batch_id)] == [
        {"place": str(place)} for place in range(len(TEXTS))
    ]


# --- from a file ----------------------------------------------------------------------------------


async def test_from_a_file_in_geminis_format(bedrock: BedrockWithFake) -> None:
    file_id = await bedrock.upload(gemini_lines(*TEXTS), "in.jsonl")
    batch_id = await ended(bedrock, from_file(file_id))
    folder = folder_of(bedrock, batch_id)
    up = input_lines(bedrock, f"{folder}input/input.jsonl")
    assert up == [converse_line(indexed_id(index), text) for index, text in enumerate(TEXTS)]
    results = {line["key"]: text_of(line) for line in await lines(bedrock, batch_id)}
    assert results == {f"k-{place}": f"echo: {text}" for place, text in enumerate(TEXTS)}


async def test_from_another_tools_file_by_its_key(bedrock: BedrockWithFake) -> None:
    bedrock.other_tool.put(f"{PREFIX}their inputs/a+b.txt", gemini_lines(*TEXTS))
    batch_id = await ended(bedrock, from_file("their inputs/a+b.txt"))
    assert len(await lines(bedrock, batch_id)) == len(TEXTS)


@pytest.mark.parametrize(
    ("line", "invocation", "model"),
    [
        (converse_line, "Converse", MODEL),
        (claude_line, "InvokeModel", MODEL),
        (converse_line, "Converse", "amazon.nova-lite-v1:0"),
    ],
)
async def test_from_a_native_file(
    bedrock: BedrockWithFake, line: Any, invocation: str, model: str
) -> None:
    """Its invocation type is recognised; its results come in Gemini's shape, by record id."""
    written = [line(f"my-{place}", text) for place, text in enumerate(TEXTS)]
    bedrock.other_tool.put(f"{PREFIX}in.jsonl", json_lines(*written))
    batch_id = await ended(bedrock, from_file("in.jsonl", model=model))
    assert native(bedrock, batch_id)["modelInvocationType"] == invocation
    folder = folder_of(bedrock, batch_id)
    assert input_lines(bedrock, f"{folder}input/input.jsonl") == written
    results = {line["key"]: text_of(line) for line in await lines(bedrock, batch_id)}
    assert results == {f"my-{place}": f"echo: {text}" for place, text in enumerate(TEXTS)}


async def test_the_input_file_stays_unchanged(bedrock: BedrockWithFake) -> None:
    data = gemini_lines(*TEXTS)
    bedrock.other_tool.put(f"{PREFIX}in.jsonl", data)
    batch_id = await ended(bedrock, from_file("in.jsonl"))
    await bedrock.batches.delete(CALLER, batch_id)
    assert await bedrock.keys() == ["in.jsonl"]
    assert bedrock.other_tool.read(f"{PREFIX}in.jsonl") == data


# --- one way for a whole job ----------------------------------------------------------------------


async def test_one_request_with_a_tool_puts_the_whole_job_in_claudes_schema(
    bedrock: BedrockWithFake,
) -> None:
    batch = requests(asking("a"), with_tool("call the tool"), asking("c"))
    batch_id = await ended(bedrock, batch)
    assert native(bedrock, batch_id)["modelInvocationType"] == "InvokeModel"
    up = input_lines(bedrock, f"{folder_of(bedrock, batch_id)}input/input.jsonl")
    assert all(line["modelInput"]["anthropic_version"] == "bedrock-2023-05-31" for line in up)
    first, called, third = await items(bedrock, batch_id)
    assert (text_of(first), text_of(third)) == ("echo: a", "echo: c")
    [part] = called["response"]["candidates"][0]["content"]["parts"]
    assert part["functionCall"]["name"] == "look"


class LinesSeen(Unobserved):
    def __init__(self) -> None:
        self.lines: list[tuple[InputOutcome, int]] = []

    def input_checked(self, outcome: InputOutcome, lines: int) -> None:
        self.lines.append((outcome, lines))


@pytest.mark.parametrize(
    ("model", "counted"),
    [(MODEL, (InputOutcome.TRANSLATED, 3)), (NOVA, (InputOutcome.REFUSED, 1))],
)
async def test_lines_that_are_checked_for_two_schemas_are_counted_once(
    bedrock: BedrockWithFake, model: str, counted: tuple[InputOutcome, int]
) -> None:
    """First for Converse, and because of the tool for the model's own schema."""
    seen = LinesSeen()
    batches = bedrock.replica(observer=seen).batches
    assert batches is not None
    batch = requests(asking("a"), with_tool("call the tool"), asking("c"), model=model)

    with suppress(FerryError):
        await batches.create(CALLER, batch)

    assert seen.lines == [counted]


@pytest.mark.parametrize("model", ["amazon.nova-lite-v1:0", "meta.llama3-1-8b-instruct-v1:0"])
async def test_a_tool_for_another_model_is_refused_with_its_path(
    bedrock: BedrockWithFake, model: str
) -> None:
    batch = requests(asking("a"), asking("b"), with_tool("c"), with_tool("d"), model=model)
    error = await refused(bedrock.batches.create(CALLER, batch))
    assert (error.status, error.path) == (Status.INVALID_ARGUMENT, "requests[2].tools")
    assert await bedrock.keys() == []
    assert bedrock.state.objects == {}


async def test_embeddings(bedrock: BedrockWithFake) -> None:
    asked = [{"content": {"parts": [{"text": text}]}} for text in TEXTS]
    batch_id = await ended(bedrock, requests(*asked, model=TITAN, kind=BatchKind.EMBED))
    assert native(bedrock, batch_id)["modelInvocationType"] == "InvokeModel"
    results = await items(bedrock, batch_id)
    assert all(len(item["response"]["embedding"]["values"]) > 0 for item in results)
    [listed] = (await bedrock.batches.list(CALLER, 10, None)).items
    assert listed.kind is BatchKind.EMBED


# --- the model ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "model",
    [
        "anthropic.claude-haiku-4-5-20251001-v1:0",
        "eu.anthropic.claude-haiku-4-5-20251001-v1:0",
        "global.amazon.nova-lite-v1:0",
        "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0",
        "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0",
        "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/ferrytests01",
    ],
)
async def test_profiles_and_arns_are_accepted_as_models(
    bedrock: BedrockWithFake, model: str
) -> None:
    batch_id = await ended(bedrock, inline(*TEXTS, model=model))
    assert native(bedrock, batch_id)["modelId"] == model
    [listed] = (await bedrock.batches.list(CALLER, 10, None)).items
    assert (listed.id, listed.model) == (batch_id, model)
    results = [text_of(item) for item in await items(bedrock, batch_id)]
    assert results == [f"echo: {text}" for text in TEXTS]


async def test_an_unknown_model(bedrock: BedrockWithFake) -> None:
    error = await refused(bedrock.batches.create(CALLER, inline(*TEXTS, model="no.such-model")))
    assert (error.status, error.reason) == (Status.INVALID_ARGUMENT, "ValidationException")
    assert "model identifier is invalid" in error.message
    assert await bedrock.keys() == []
    assert bedrock.state.objects == {}
