"""Files that the requests of a job name: Bedrock reads media only next to the input."""

from typing import Any

import orjson
import pytest

from providers.resources import BatchKind, InlineRequest, NewBatch
from providers.status import Status
from tests.contract.bedrock_batching import (
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
    NOVA,
    PREFIX,
    BedrockWithFake,
    from_file,
    refused,
)
from tests.contract.provider_with_fake import json_lines, sha256

PNG = b"\x89PNG\r\n\x1a\n and so on"


def seeing(file_uri: str, text: str, mime_type: str = "image/png") -> dict[str, Any]:
    media = {"fileData": {"fileUri": file_uri, "mimeType": mime_type}}
    return {"contents": [{"role": "user", "parts": [media, {"text": text}]}]}


def batch_of(*documents: dict[str, Any], model: str = NOVA) -> NewBatch:
    listed = [
        InlineRequest(orjson.dumps(document), b"null", f"requests[{place}]")
        for place, document in enumerate(documents)
    ]
    return NewBatch(model, BatchKind.GENERATE, listed)


def media_of(line: dict[str, Any]) -> dict[str, Any]:
    block: dict[str, Any] = line["modelInput"]["messages"][0]["content"][0]
    return block


async def test_a_file_is_copied_next_to_the_input(bedrock: BedrockWithFake) -> None:
    file_id = await bedrock.upload(PNG, "cat.png", mime_type="image/png")
    written = [f"http://ferry.example:8080/v1beta/files/{file_id}", f"files/{file_id}"]
    batch_id = await ended(
        bedrock, batch_of(*(seeing(to, "what?") for to in (*written, written[0])))
    )
    folder = folder_of(bedrock, batch_id)
    source = native(bedrock, batch_id)["inputDataConfig"]["s3InputDataConfig"]["s3Uri"]
    assert source == uri(f"{folder}input/")
    copied = f"{folder}input/media-0.png"
    assert await bedrock.sha256_of(PREFIX + copied) == sha256(PNG)
    image = {"format": "png", "source": {"s3Location": {"uri": uri(copied)}}}
    up = input_lines(bedrock, f"{folder}input/input.jsonl")
    assert [media_of(line) for line in up] == [{"image": image}] * 3
    # Copied once for all requests that name it; the file itself stays.
    inputs = [key for key in await bedrock.keys() if key.startswith(f"{folder}input/")]
    assert inputs == [f"{folder}input/input.jsonl", copied]
    assert [text_of(item) for item in await items(bedrock, batch_id)] == ["echo: what?"] * 3
    await bedrock.batches.delete(CALLER, batch_id)
    assert len(await bedrock.keys()) == 1
    assert (await bedrock.files.get(CALLER, file_id)).size == len(PNG)


async def test_files_of_other_tools_and_of_a_file_of_requests(bedrock: BedrockWithFake) -> None:
    keys = ["pictures/a+b c.png", "報告.pdf"]
    for key in keys:
        bedrock.other_tool.put(PREFIX + key, key.encode())
    named = [(await bedrock.files.get(CALLER, key)).id for key in keys]
    types = ["image/png", "application/pdf"]
    asked = [
        {"key": str(place), "request": seeing(f"files/{name}", "what?", mime_type)}
        for place, (name, mime_type) in enumerate(zip(named, types, strict=True))
    ]
    asked.append({"key": "2", "request": seeing(f"files/{named[0]}", "and?")})
    bedrock.other_tool.put(f"{PREFIX}in.jsonl", json_lines(*asked))
    batch_id = await ended(bedrock, from_file("in.jsonl", model=NOVA))
    folder = f"{folder_of(bedrock, batch_id)}input/"
    for place, (key, ending) in enumerate(zip(keys, ("png", "pdf"), strict=True)):
        copied = bedrock.other_tool.read(f"{PREFIX}{folder}media-{place}.{ending}")
        assert copied == key.encode()
    results = await lines(bedrock, batch_id)
    assert sorted(text_of(line) for line in results) == ["echo: and?", "echo: what?", "echo: what?"]


@pytest.mark.parametrize("gone", ["files/none.png", "files/ominrq"])
async def test_a_missing_file_is_refused_with_its_path(bedrock: BedrockWithFake, gone: str) -> None:
    file_id = await bedrock.upload(PNG, "cat.png", mime_type="image/png")
    there = f"files/{file_id}"
    state = bedrock.state.objects
    asked = batch_of(seeing(there, "a"), seeing(there, "b"), seeing(gone, "c"))
    error = await refused(bedrock.batches.create(CALLER, asked))
    path = "requests[2].contents[0].parts[0].fileData.fileUri"
    assert (error.status, error.path) == (Status.INVALID_ARGUMENT, path)
    assert await bedrock.objects("batches") == []
    assert len(await bedrock.keys()) == 1
    assert bedrock.state.objects == state
    assert len(await bedrock.requests("PUT")) == 1


async def test_a_file_that_vanishes_before_it_is_copied(bedrock: BedrockWithFake) -> None:
    file_id = await bedrock.upload(PNG, "cat.png", mime_type="image/png")
    state = bedrock.state.objects
    await bedrock.strike_s3("PUT", "status", status=404, code="NoSuchKey")
    asked = batch_of(*[seeing(f"files/{file_id}", "a")] * 3)
    error = await refused(bedrock.batches.create(CALLER, asked))
    path = "requests[0].contents[0].parts[0].fileData.fileUri"
    assert (error.status, error.path) == (Status.INVALID_ARGUMENT, path)
    assert len(await bedrock.keys()) == 1
    assert bedrock.state.objects == state


async def test_a_copy_that_fails_with_the_status_200_is_tried_again(
    bedrock: BedrockWithFake,
) -> None:
    file_id = await bedrock.upload(PNG, "cat.png", mime_type="image/png")
    await bedrock.strike_s3("PUT", "status", status=200, code="InternalError")
    batch_id = await ended(bedrock, batch_of(*[seeing(f"files/{file_id}", "a")] * 3))
    assert [text_of(item) for item in await items(bedrock, batch_id)] == ["echo: a"] * 3


@pytest.mark.parametrize(
    "foreign",
    ["https://example.com/cat.png", "gs://bucket/cat.png", "https://example.com/files/cat.png"],
)
async def test_a_file_not_of_this_proxy_is_refused_with_its_path(
    bedrock: BedrockWithFake, foreign: str
) -> None:
    asked = batch_of(*[seeing(foreign, "a")] * 3)
    error = await refused(bedrock.batches.create(CALLER, asked))
    path = "requests[0].contents[0].parts[0].fileData.fileUri"
    assert (error.status, error.path) == (Status.INVALID_ARGUMENT, path)
    assert await bedrock.keys() == []


async def test_a_copied_text_file_is_not_read_as_input(bedrock: BedrockWithFake) -> None:
    """Its name in S3 ends in `.jsonl`, and Bedrock reads each such object as input."""
    file_id = await bedrock.upload(b"some notes", "notes.jsonl", mime_type="text/plain")
    asked = seeing(f"files/{file_id}", "what?", "text/plain")
    batch_id = await ended(bedrock, batch_of(*[asked] * 3))
    folder = f"{folder_of(bedrock, batch_id)}input/"
    assert f"{folder}media-0" in await bedrock.keys()
    assert [text_of(item) for item in await items(bedrock, batch_id)] == ["echo: what?"] * 3
