"""A creation makes one batch or none, and leaves nothing unfinished."""

import asyncio
from typing import Any
from urllib.parse import unquote

import pytest
from aiohttp import ClientSession

from tests.end_to_end.batch_client import (
    BatchClient,
    Document,
    asking,
    chat_line,
    from_file,
    gemini_line,
    inline,
    text_of,
)
from tests.end_to_end.conftest import Ferry
from tests.end_to_end.fake_client import FakeClient

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

CREATE = {"method": "POST", "path": "^/v1/batches$"}
SEND_UP = {"method": "POST", "path": "^/v1/files$"}


@pytest.fixture
def client(openai: FakeClient, ferry: Ferry, http: ClientSession) -> BatchClient:
    return BatchClient(ferry.base_url, openai.kind, http)


async def left(openai: FakeClient) -> tuple[int, int]:
    """The number of files and of batches at OpenAI."""
    objects = await openai.objects()
    return len(objects["files"]), len(objects["batches"])


# --- an upstream that fails ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, (400, "INVALID_ARGUMENT")),
        (401, (401, "UNAUTHENTICATED")),
        (429, (429, "RESOURCE_EXHAUSTED")),
        (500, (503, "UNAVAILABLE")),
        (503, (503, "UNAVAILABLE")),
    ],
    ids=str,
)
async def test_a_batch_that_openai_refuses_leaves_no_file(
    client: BatchClient, openai: FakeClient, status: int, error: tuple[int, str], one: Document
) -> None:
    refusal = {"error": {"message": "not now", "type": "the_type", "code": None, "param": None}}
    await openai.arm(
        CREATE, "status", status=status, body=refusal, headers={"x-request-id": "req_1"}
    )

    refused = await client.create(one)

    assert refused.error == error
    (info,) = refused.document["error"]["details"]
    assert (info["domain"], info["reason"]) == ("openai", "the_type")
    assert info["metadata"]["requestId"] == "req_1"
    assert await left(openai) == (0, 0)


@pytest.mark.parametrize("fault", ["reset", "lose_answer"])
async def test_a_translation_that_breaks_off_leaves_nothing(
    client: BatchClient, openai: FakeClient, fault: str, one: Document
) -> None:
    """The answer to the upload is lost: the new file is found by its name, if there is one."""
    await openai.arm(SEND_UP, fault)

    created = await client.create(one)

    if created.code == 200:
        assert await left(openai) == (1, 1)
        await has_its_result(client, created.ok["name"])
    else:
        assert created.error == (503, "UNAVAILABLE")
        assert await left(openai) == (0, 0)


@pytest.mark.parametrize("source", ["inline", "file", "native"])
async def test_a_batch_whose_answer_is_lost_is_found(
    client: BatchClient, openai: FakeClient, source: str, one: Document
) -> None:
    lines: dict[str, Any] = {"file": gemini_line("a", "hello"), "native": chat_line("a", "hello")}
    config = from_file(await client.upload_lines([lines[source]])) if source in lines else one
    await openai.arm(CREATE, "lose_answer")

    created = await client.create(config, displayName="found again")

    assert created.ok["metadata"]["displayName"] == "found again"
    asked = await openai.requests(method="POST", path="^/v1/batches$")
    assert len(asked) == 1, "a creation of unknown outcome is never repeated"
    assert (await left(openai))[1] == 1
    await has_its_result(client, created.ok["name"])


async def test_a_client_that_disconnects_creates_nothing(
    client: BatchClient, openai: FakeClient, one: Document
) -> None:
    fault = await openai.arm(CREATE, "delay", at="request")
    creating = asyncio.create_task(client.create(one))
    await openai.struck(fault)
    creating.cancel()

    await openai.ended(method="DELETE", path="^/v1/files/")

    await openai.release(fault)
    assert await left(openai) == (0, 0)


# --- what is dropped, and what is refused --------------------------------------------------------


async def test_harmless_dropped_fields_are_named(client: BatchClient) -> None:
    safety = [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_LOW_AND_ABOVE"}]
    request = asking("hello", safetySettings=safety, labels={"team": "ours"})

    created = await client.create(inline(*[{"request": request}] * 3))

    assert created.code == 200
    warnings = created.headers["x-ferry-warnings"]
    assert (warnings.isascii(), len(warnings) <= 2048) == (True, True)
    assert "safetySettings" in unquote(warnings)
    assert "labels" in unquote(warnings)
    plain = await client.create(inline({"request": asking("hello again")}))
    assert "x-ferry-warnings" not in plain.headers


async def test_dropped_fields_of_a_file_are_counted_over_its_lines(client: BatchClient) -> None:
    lines = [gemini_line(str(n), "hello", labels={"n": str(n)}) for n in range(1000)]

    created = await client.create(from_file(await client.upload_lines(lines)))

    assert unquote(created.headers["x-ferry-warnings"]) == "line *: request.labels;count=1000"


AT = "batch.inputConfig.requests.requests"
REFUSED: dict[str, tuple[Document, str]] = {
    "topK": (asking("x", generationConfig={"topK": 3}), f"{AT}[1].request.generationConfig.topK"),
    "top_k": (
        asking("x", generation_config={"top_k": 3}),
        f"{AT}[1].request.generationConfig.topK",
    ),
    "both spellings": (
        asking("x", generation_config={}, generationConfig={}),
        f"{AT}[1].request.generationConfig",
    ),
    "unknown in snake case": (
        asking("x", generation_config={"nonsense": 3}),
        f"{AT}[1].request.generation_config.nonsense",
    ),
    "cachedContent": (asking("x", cachedContent="c/1"), f"{AT}[1].request.cachedContent"),
    "googleSearch": (asking("x", tools=[{"googleSearch": {}}]), f"{AT}[1].request.tools[0]"),
    "unknown": (asking("x", nonsense=1), f"{AT}[1].request.nonsense"),
    "config": (asking("x", config={"temperature": 1}), f"{AT}[1].request.config"),
    "unknown in a part": (
        {"contents": [{"parts": [{"text": "x", "nonsense": 1}]}]},
        f"{AT}[1].request.contents[0].parts[0].nonsense",
    ),
    "no contents": ({"contents": []}, f"{AT}[1].request.contents"),
    "another model": (asking("x", model="models/gpt-4o"), f"{AT}[1].request.model"),
    "a file that is not there": (
        {
            "contents": [
                {
                    "parts": [
                        {"fileData": {"fileUri": "files/file-abc", "mimeType": "application/pdf"}}
                    ]
                }
            ]
        },
        f"{AT}[1].request",
    ),
}


@pytest.mark.parametrize("refusal", REFUSED.values(), ids=REFUSED)
async def test_a_field_of_a_request_is_refused_with_its_path(
    client: BatchClient, openai: FakeClient, refusal: tuple[Document, str]
) -> None:
    request, path = refusal

    refused = await client.create(inline({"request": asking("fine")}, {"request": request}))

    assert refused.error == (400, "INVALID_ARGUMENT")
    assert path in refused.message
    await nothing_was_created(openai)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("webhookConfig", {"uris": ["https://example.org"]}),
        ("webhook_config", {"uris": ["https://example.org"]}),
        ("priority", "5"),
        ("nonsense", 1),
        ("name", "batches/mine"),
        ("displayName", 5),
        ("model", "models/gpt-4o"),
    ],
)
async def test_a_field_of_the_batch_is_refused_with_its_path(
    client: BatchClient, openai: FakeClient, field: str, value: object, one: Document
) -> None:
    body = {"batch": {"inputConfig": one, field: value}}
    path = f"v1beta/models/{client.model}:batchGenerateContent"

    refused = await client.call("POST", path, body)

    assert refused.error == (400, "INVALID_ARGUMENT")
    assert f"batch.{field}" in refused.message
    await nothing_was_created(openai)


async def test_a_line_is_refused_with_its_number_and_path(
    client: BatchClient, openai: FakeClient
) -> None:
    lines = [gemini_line("a", "x"), gemini_line("b", "y", generationConfig={"topK": 1})]
    name = await client.upload_lines(lines)

    refused = await client.create(from_file(name))

    assert refused.error == (400, "INVALID_ARGUMENT")
    assert "line 2: request.generationConfig.topK" in refused.message
    assert await left(openai) == (1, 0)


# -------------------------------------------------------------------------------------------------


async def has_its_result(client: BatchClient, name: str) -> None:
    (result,) = await client.results(await client.ended(name))
    assert text_of(result) == "echo: hello"


async def nothing_was_created(openai: FakeClient) -> None:
    assert await openai.requests(method="POST") == []
    assert await left(openai) == (0, 0)
