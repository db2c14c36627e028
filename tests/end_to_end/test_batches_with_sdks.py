"""Batches through every SDK and for each provider, with every result compared."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.end_to_end.batch_client import EMBEDDING_MODELS, LOOKS, MODELS, by_key, text_of
from tests.end_to_end.batch_client import gemini_line as line
from tests.end_to_end.conftest import Sdks
from tests.end_to_end.fake_client import FakeClient
from tests.end_to_end.sdk_process import EVERY_SDK, GO, JAVA, Sdk, SdkError, SdkProcess

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

ENDED = {
    "JOB_STATE_SUCCEEDED",
    "JOB_STATE_FAILED",
    "JOB_STATE_CANCELLED",
    "JOB_STATE_EXPIRED",
}
WEATHER = {
    "type": "OBJECT",
    "properties": {"city": {"type": "STRING"}, "days": {"type": "INTEGER"}},
    "required": ["city"],
}
THREE_REQUESTS = [
    {
        "contents": [{"role": "user", "parts": [{"text": "What is 2+2?"}]}],
        "metadata": {"question": "sum", "asked by": "Zoë"},
        "config": {
            "responseModalities": ["TEXT"],
            "maxOutputTokens": 64,
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
        },
    },
    {
        "contents": [{"role": "user", "parts": [{"text": "Please call the tool."}]}],
        "metadata": {"question": "tool"},
        "config": {
            "tools": [
                {
                    "functionDeclarations": [
                        {"name": "forecast", "description": "Tells it.", "parameters": WEATHER}
                    ]
                }
            ],
            "toolConfig": {"functionCallingConfig": {"mode": "ANY"}},
        },
    },
    {
        "contents": [{"role": "user", "parts": [{"text": "How will the weather be?"}]}],
        "config": {"responseMimeType": "application/json", "responseSchema": WEATHER},
    },
]
LINES = 1000
SIZES = {
    EMBEDDING_MODELS["gemini"]: 4,
    EMBEDDING_MODELS["openai"]: 4,
    EMBEDDING_MODELS["mistral"]: 4,
    EMBEDDING_MODELS["bedrock"]: 256,
}
"""The requested size; Titan has only a few."""


@pytest.fixture(params=EVERY_SDK, ids=str)
def sdk(request: pytest.FixtureRequest) -> Sdk:
    chosen: Sdk = request.param
    chosen.require()
    return chosen


@pytest_asyncio.fixture(loop_scope="session")
async def process(sdk: Sdk, fake: FakeClient, sdks: Sdks) -> SdkProcess:
    return await sdks.get(sdk, fake.kind)


@pytest.fixture
def model(fake: FakeClient) -> str:
    return MODELS[fake.kind.name]


@pytest.fixture
def embedding_model(fake: FakeClient) -> str:
    if fake.kind.name not in EMBEDDING_MODELS:
        pytest.skip(f"{fake.kind.name} has no embeddings")
    return EMBEDDING_MODELS[fake.kind.name]


Upload = Callable[[list[Any]], Awaitable[str]]


@pytest.fixture
def upload(process: SdkProcess, tmp_path: Path) -> Upload:
    """A function that uploads lines and returns the file's name."""

    async def upload(lines: list[Any]) -> str:
        path = tmp_path / "lines.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        file = await process.call("files.upload", path=str(path), mime_type="application/jsonl")
        return str(file["name"])

    return upload


async def test_three_inline_requests(process: SdkProcess, model: str) -> None:
    job = await process.call(
        "batches.create", model=model, src=THREE_REQUESTS, config={"displayName": "three"}
    )
    assert (job["displayName"], job["model"]) == ("three", f"models/{model}")

    job = await ended(process, job["name"])

    assert (job["state"], job["displayName"]) == ("JOB_STATE_SUCCEEDED", "three")
    plain, tool, schema = job["dest"]["inlinedResponses"]
    assert [one.get("metadata") for one in (plain, tool, schema)] == [
        request.get("metadata") for request in THREE_REQUESTS
    ]
    assert text_of(plain) == "echo: What is 2+2?"
    (called,) = tool["response"]["candidates"][0]["content"]["parts"]
    assert called["functionCall"]["name"] == "forecast"
    assert called["functionCall"]["args"] == {"city": "text", "days": 1}
    assert json.loads(text_of(schema)) == {"city": "text", "days": 1}
    for one in (plain, tool, schema):
        assert one["response"]["candidates"][0]["finishReason"] == "STOP"
        assert one["response"]["usageMetadata"]["totalTokenCount"] > 0


async def test_a_file_of_a_thousand_lines(
    process: SdkProcess, model: str, upload: Upload, tmp_path: Path
) -> None:
    failing = set(range(0, LINES, 7))
    texts = ["please fail" if n in failing else f"question {n}" for n in range(LINES)]
    name = await upload([line(f"key {n}", text) for n, text in enumerate(texts)])

    job = await process.call("batches.create", model=model, src=name)
    job = await ended(process, job["name"])

    assert job["state"] == "JOB_STATE_SUCCEEDED"
    results = by_key(await download(process, job, tmp_path))
    assert set(results) == {f"key {n}" for n in range(LINES)}
    for number, text in enumerate(texts):
        result = results[f"key {number}"]
        if number in failing:
            assert result.keys() == {"key", "error"}
            assert (result["error"]["code"], "asked to fail" in result["error"]["message"]) == (
                3,
                True,
            )
        else:
            assert result.keys() == {"key", "response"}
            assert text_of(result) == f"echo: {text}"


async def test_inline_embeddings(process: SdkProcess, embedding_model: str) -> None:
    contents = [{"role": "user", "parts": [{"text": text}]} for text in ("a", "b", "c")]
    size = SIZES[embedding_model]
    source = {"contents": contents, "config": {"outputDimensionality": size}}

    job = await process.call(
        "batches.create_embeddings", model=embedding_model, src={"inlinedRequests": source}
    )
    job = await ended(process, job["name"])

    assert job["state"] == "JOB_STATE_SUCCEEDED"
    answered = job["dest"]["inlinedEmbedContentResponses"]
    vectors = [one["response"]["embedding"]["values"] for one in answered]
    assert [len(vector) for vector in vectors] == [size] * 3
    assert len({tuple(vector) for vector in vectors}) == 3


async def test_embeddings_from_a_file(
    process: SdkProcess, embedding_model: str, upload: Upload, tmp_path: Path
) -> None:
    texts = {"one": "a stone", "two": "a river", "three": "please fail"}
    name = await upload(
        [{"key": k, "request": {"content": {"parts": [{"text": t}]}}} for k, t in texts.items()]
    )

    job = await process.call(
        "batches.create_embeddings", model=embedding_model, src={"fileName": name}
    )
    job = await ended(process, job["name"])

    results = by_key(await download(process, job, tmp_path))
    assert results.keys() == texts.keys()
    assert results["three"]["error"]["code"] == 3
    one, two = (results[key]["response"]["embedding"]["values"] for key in ("one", "two"))
    assert len(one) == len(two) > 0
    assert one != two


async def test_cancel_and_delete(process: SdkProcess, model: str) -> None:
    kept = await process.call("batches.create", model=model, src=THREE_REQUESTS[:1])
    job = await process.call("batches.create", model=model, src=THREE_REQUESTS[:1])

    assert await process.call("batches.cancel", name=job["name"]) is None
    job = await ended(process, job["name"])
    assert job["state"] == "JOB_STATE_CANCELLED"
    await check_no_second_cancel(process, job["name"])
    await process.call("batches.delete", name=job["name"])

    with pytest.raises(SdkError) as gone:
        await process.call("batches.get", name=job["name"])
    assert (gone.value.code, gone.value.status) == (404, "NOT_FOUND")
    listed = await process.call("batches.list", page_size=1)
    assert [one["name"] for one in listed["items"]] == [kept["name"]]


async def test_pages_of_batches(process: SdkProcess, model: str) -> None:
    made = [
        (await process.call("batches.create", model=model, src=THREE_REQUESTS[:1]))["name"]
        for _ in range(5)
    ]

    listed = await process.call("batches.list", page_size=2)

    assert listed["pages"] == 3
    assert [one["name"] for one in listed["items"]] == made[::-1]
    assert [one.get("dest") for one in listed["items"]] == [None] * 5


# -------------------------------------------------------------------------------------------------


async def ended(process: SdkProcess, name: str) -> Any:
    for _ in range(LOOKS):
        job = await process.call("batches.get", name=name)
        if job["state"] in ENDED:
            return job
    raise AssertionError(f"{name} did not end")


async def check_no_second_cancel(process: SdkProcess, name: str) -> None:
    if process.sdk is JAVA:
        assert await process.call("batches.cancel", name=name) is None, "Java reads no such answer"
        return
    with pytest.raises(SdkError) as refused:
        await process.call("batches.cancel", name=name)
    assert (refused.value.code, refused.value.status) == (400, "FAILED_PRECONDITION")


async def download(process: SdkProcess, job: Any, folder: Path) -> list[Any]:
    name = job["dest"]["fileName"]
    file = await process.call("files.get", name=name)
    assert file["source"] == "GENERATED"
    # Go cuts a name at its first hyphen if it gets a file (sdk-wire.md section 8), and
    # Google's names contain one.
    cut = process.sdk is GO and "-" in name
    path = folder / "results.jsonl"
    handed = {"name": name} if cut else {"file": file}
    await process.call("files.download", path=str(path), **handed)
    return [json.loads(text) for text in path.read_text().splitlines()]
