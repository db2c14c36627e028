"""Misspelt `x-ferry-` headers are refused; known ones are ignored by calls that do not use them."""

from dataclasses import replace

import pytest

from middlewares.ferry_headers import EXPIRES_AFTER, IDEMPOTENCY_KEY, RESULTS
from providers.body import in_memory
from providers.prompt_cache import CACHE_HEADER
from providers.provider import Provider
from providers.resources import (
    Batch,
    BatchKind,
    BatchState,
    Download,
    Generated,
    Page,
    ResultForm,
)
from tests.test_middlewares.running_chain import (
    Scripted,
    ScriptedReply,
    running_chain,
    scripted_provider,
)

PURPOSE = "x-ferry-openai-purpose"
REGION = "x-ferry-aws-region"
KNOWN = ", ".join((REGION, EXPIRES_AFTER, IDEMPOTENCY_KEY, PURPOSE, RESULTS))
DOWNLOAD = "/genai/v1/files/file-1:download?alt=media"


def providers(files: Scripted) -> list[Provider]:
    openai, bedrock = (scripted_provider(name, files=files) for name in ("openai", "bedrock"))
    return [
        replace(openai, passed_headers=frozenset({"openai-project", PURPOSE})),
        replace(bedrock, passed_headers=frozenset({REGION})),
    ]


@pytest.mark.parametrize(
    ("header", "hint"),
    [
        ("x-ferry-idempotency", f"did you mean {IDEMPOTENCY_KEY}?"),
        ("X-Ferry-OpenAI-Purposes", f"did you mean {PURPOSE}?"),
        ("x-ferry-result", f"did you mean {RESULTS}?"),
        ("x-ferry-region", f"did you mean {REGION}?"),
        ("x-ferry-", f"known: {KNOWN}"),
        ("x-ferry-" + "z" * 5000, f"known: {KNOWN}"),
    ],
)
async def test_an_unknown_header_of_ours_is_reported(header: str, hint: str) -> None:
    files = Scripted(lambda *_: Page([]))
    async with running_chain(*providers(files)) as client:
        headers = {"x-goog-api-key": "a", header: "value-of-it"}
        async with client.get("/genai/v1/files", headers=headers) as reply:
            error = (await reply.json())["error"]
    assert (reply.status, error["status"]) == (400, "INVALID_ARGUMENT")
    assert error["message"] == f"unknown request header {header.lower()[:80]}; {hint}"
    assert files.calls == []


@pytest.mark.parametrize(
    "header",
    [IDEMPOTENCY_KEY, EXPIRES_AFTER, RESULTS, PURPOSE, REGION, "X-Ferry-AWS-Region", "x-f"],
)
@pytest.mark.parametrize("asked", ["openai", "bedrock"])
async def test_a_known_header_is_accepted_with_any_call(header: str, asked: str) -> None:
    """An SDK sends the headers of its client with every call, to every provider."""
    files = Scripted(lambda *_: Page([]))
    async with running_chain(*providers(files)) as client:
        headers = {"x-goog-api-key": "a", "x-model-provider": asked, header: "x"}
        async with client.get("/genai/v1/files", headers=headers) as reply:
            assert reply.status == 200


# --- the form of results --------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("headers", "form"),
    [
        ({}, ResultForm.GEMINI),
        ({RESULTS: "gemini"}, ResultForm.GEMINI),
        ({RESULTS: "native"}, ResultForm.NATIVE),
        ({"X-Ferry-Results": "native"}, ResultForm.NATIVE),
    ],
)
async def test_a_download_has_the_requested_format(
    method: str, headers: dict[str, str], form: ResultForm
) -> None:
    files = Scripted(lambda *_: Download(in_memory(b"lines"), "application/jsonl"))
    async with running_chain(scripted_provider("openai", files=files)) as client:
        said = {"x-goog-api-key": "a", **headers}
        async with client.request(method, DOWNLOAD, headers=said) as reply:
            assert (reply.status, await reply.read()) == (
                200,
                b"lines" if method == "GET" else b"",
            )
    ((name, _, file_id, asked),) = files.calls
    assert (name, file_id, asked) == ("download", "file-1", form)


@pytest.mark.parametrize("value", ["", "Native", "raw", "native,gemini", "nativ\xe9"])
@pytest.mark.parametrize("capability", ["files", "relay"])
async def test_another_form_is_refused(value: str, capability: str) -> None:
    """Also at a provider that has only one form."""
    asked = Scripted(lambda *_: None)
    provider = scripted_provider("openai", files=asked)
    if capability == "relay":
        provider = scripted_provider("gemini", relay=asked)
    async with running_chain(provider) as client:
        headers = {"x-goog-api-key": "a", RESULTS: value}
        async with client.get(DOWNLOAD, headers=headers) as reply:
            error = (await reply.json())["error"]
    assert (reply.status, error["status"]) == (400, "INVALID_ARGUMENT")
    assert error["message"] == f"{RESULTS} must be gemini or native"
    assert asked.calls == []


@pytest.mark.parametrize("value", ["gemini", "native"])
async def test_a_download_with_one_format_is_relayed(value: str) -> None:
    relay = Scripted(lambda *_: ScriptedReply(body=b"Google's own lines"))
    async with running_chain(scripted_provider("gemini", relay=relay)) as client:
        headers = {"x-goog-api-key": "a", RESULTS: value}
        async with client.get(DOWNLOAD, headers=headers) as reply:
            assert await reply.read() == b"Google's own lines"
    assert len(relay.calls) == 1


# --- the expiry of files --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["files", "fileSearchStores/a:uploadToFileSearchStore"], ids=["files", "a store"]
)
@pytest.mark.parametrize("protocol", ["resumable", "raw"])
async def test_an_expiry_is_refused_for_each_kind_of_upload(path: str, protocol: str) -> None:
    asked = Scripted(lambda *_: None)
    provider = scripted_provider("gemini", relay=asked, uploads=asked)
    command = {"x-goog-upload-command": "start"} if protocol == "resumable" else {}
    async with running_chain(provider) as client:
        headers = {"x-goog-api-key": "a", "x-goog-upload-protocol": protocol, EXPIRES_AFTER: "60"}
        url = f"/genai/upload/v1beta/{path}"
        async with client.post(url, headers=headers | command, data=b"{}") as reply:
            error = (await reply.json())["error"]
    assert (reply.status, error["status"]) == (400, "INVALID_ARGUMENT")
    assert error["message"] == f"gemini cannot expire files: remove {EXPIRES_AFTER}"
    assert asked.calls == []


# --- the prompt cache -----------------------------------------------------------------------------

PROMPT = b'{"contents": [{"parts": [{"text": "a"}]}]}'
CACHE = {"x-goog-api-key": "a", CACHE_HEADER: "5m"}
GENERATE = "/genai/v1/models/m:generateContent"


@pytest.mark.parametrize(
    "call", ["generateContent", "streamGenerateContent", "batchGenerateContent"]
)
@pytest.mark.parametrize("capability", ["translated", "relayed"])
async def test_a_cache_is_refused_where_there_is_none(call: str, capability: str) -> None:
    asked = Scripted(lambda *_: None)
    provider = scripted_provider("openai", prompts=asked, batches=asked)
    if capability == "relayed":
        provider = scripted_provider("gemini", relay=asked)
    other = replace(scripted_provider("anthropic"), passed_headers=frozenset({CACHE_HEADER}))
    async with running_chain(provider, other) as client:
        url = f"/genai/v1/models/m:{call}"
        async with client.post(url, data=PROMPT, headers=CACHE) as reply:
            error = (await reply.json())["error"]
    assert (reply.status, error["status"]) == (400, "INVALID_ARGUMENT")
    assert error["message"] == (
        f"{provider.name} has no prompt cache that can be asked for: remove {CACHE_HEADER}"
    )
    assert asked.calls == []


async def test_a_cache_is_passed_to_the_provider_that_has_one() -> None:
    prompts = Scripted(lambda *_: Generated(b"{}"))
    provider = scripted_provider("anthropic", prompts=prompts)
    provider = replace(provider, passed_headers=frozenset({CACHE_HEADER}))
    async with running_chain(provider) as client:
        async with client.post(GENERATE, data=PROMPT, headers=CACHE) as reply:
            assert reply.status == 200
    assert prompts.caller.headers == {CACHE_HEADER: "5m"}


async def test_a_batch_with_another_cache_is_another_batch() -> None:
    batches = Scripted(lambda *_: Batch("b", BatchKind.GENERATE, BatchState.PENDING, "p"))
    provider = scripted_provider("anthropic", batches=batches)
    provider = replace(provider, passed_headers=frozenset({CACHE_HEADER}))
    request = {"request": {"contents": [{"parts": [{"text": "a"}]}]}}
    body = {"batch": {"inputConfig": {"requests": {"requests": [request]}}}}
    async with running_chain(provider) as client:
        for headers in ({}, {CACHE_HEADER: "5m"}, {CACHE_HEADER: "1h"}, {CACHE_HEADER: "1h"}):
            url, sent = "/genai/v1/models/m:batchGenerateContent", {**CACHE, **headers}
            if not headers:
                del sent[CACHE_HEADER]
            async with client.post(url, json=body, headers=sent) as reply:
                assert reply.status == 200, await reply.text()
    prints = [call[2].fingerprint for call in batches.calls]
    assert len(set(prints)) == 3
    assert prints[2] == prints[3]
