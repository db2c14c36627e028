"""The real google-genai SDK works with the fake."""

import asyncio
import io
import os

import pytest
from google import genai
from google.genai import errors, types

from .conftest import Client

MIB = 1024 * 1024


@pytest.fixture
def sdk(gemini: Client) -> genai.Client:
    options = types.HttpOptions(base_url=str(gemini.make_url("")))
    return genai.Client(api_key="AIzaOne", http_options=options)


async def test_the_sdk_uploads_lists_and_gets_results(gemini: Client, sdk: genai.Client) -> None:
    await asyncio.to_thread(whole_workflow, sdk)
    chunks = await (await gemini.get("/_fake/requests?path=/upload/")).json()
    lengths = [chunk["received"] for chunk in chunks["requests"]][1:4]
    assert lengths == [8 * MIB, 8 * MIB, 4 * MIB]
    assert "AIzaOne" not in str(chunks)


def whole_workflow(sdk: genai.Client) -> None:
    data = os.urandom(20 * MIB)
    config = types.UploadFileConfig(display_name="big", mime_type="text/plain")
    file = sdk.files.upload(file=io.BytesIO(data), config=config)
    assert file.state == types.FileState.ACTIVE
    assert (file.display_name, file.size_bytes) == ("big", 20 * MIB)
    for number in range(4):
        sdk.files.upload(file=io.BytesIO(b"x"), config={"mime_type": "t/x", "name": f"n{number}"})
    names = [listed.name for listed in sdk.files.list(config={"page_size": 2})]
    assert names == ["files/n3", "files/n2", "files/n1", "files/n0", file.name]
    with pytest.raises(errors.ClientError, match="generated"):
        sdk.files.download(file=file.name or "")

    requests: list[types.InlinedRequestDict] = [
        {"contents": [{"parts": [{"text": "one"}], "role": "user"}], "metadata": {"k": "1"}},
        {"contents": "please fail"},
    ]
    batch = sdk.batches.create(model="gemini-2.5-flash", src=requests)
    while not batch.done:
        batch = sdk.batches.get(name=batch.name or "")
    assert batch.dest is not None
    first, second = batch.dest.inlined_responses or []
    assert first.response is not None
    assert (first.response.text, first.metadata) == ("echo: one", {"k": "1"})
    assert second.error is not None
    assert second.error.code == 3

    answer = sdk.models.generate_content(model="gemini-2.5-flash", contents="hello")
    assert answer.text == "echo: hello"
    stream = sdk.models.generate_content_stream(model="gemini-2.5-flash", contents="a b")
    chunks = list(stream)
    assert [chunk.text for chunk in chunks] == ["echo:", " a b", ""]
    assert [chunk.candidates[0].finish_reason for chunk in chunks if chunk.candidates] == [
        None,
        None,
        types.FinishReason.STOP,
    ]
    assert chunks[-1].usage_metadata is not None
    assert chunks[-1].usage_metadata.total_token_count == 5
    assert {chunk.response_id for chunk in chunks} == {chunks[0].response_id}


@pytest.mark.filterwarnings("ignore:.*create_embeddings.* is experimental")
async def test_the_sdk_reads_a_results_file_and_embeddings(sdk: genai.Client) -> None:
    await asyncio.to_thread(file_and_embeddings, sdk)


def file_and_embeddings(sdk: genai.Client) -> None:
    line = b'{"key":"a","request":{"contents":[{"parts":[{"text":"one"}]}]}}\n'
    source = sdk.files.upload(file=io.BytesIO(line), config={"mime_type": "application/jsonl"})
    batch = sdk.batches.create(model="gemini-2.5-flash", src=source.name or "")
    while not batch.done:
        batch = sdk.batches.get(name=batch.name or "")
    assert batch.dest is not None
    results = sdk.files.get(name=batch.dest.file_name or "")
    assert results.download_uri is not None
    assert b"echo: one" in sdk.files.download(file=results)

    source_of = types.EmbeddingsBatchJobSource(
        inlined_requests=types.EmbedContentBatch(contents=["one", "two"])
    )
    batch = sdk.batches.create_embeddings(model="gemini-embedding-001", src=source_of)
    while not batch.done:
        batch = sdk.batches.get(name=batch.name or "")
    assert batch.dest is not None
    found = batch.dest.inlined_embed_content_responses or []
    assert len(found) == 2
    assert found[0].response is not None
    assert found[0].response.embedding is not None
    assert len(found[0].response.embedding.values or []) == 8
