"""What every SDK shows of a citation, a call without arguments, and an unknown member."""

from typing import Any

import pytest
from aiohttp import ClientSession

from tests.end_to_end.batch_client import MODELS, BatchClient, by_key, from_file, gemini_line
from tests.end_to_end.conftest import Ferry, Sdks
from tests.end_to_end.fake_client import FakeClient
from tests.end_to_end.sdk_process import EVERY_SDK, Sdk
from tests.end_to_end.test_batches_with_sdks import ended

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

PAGE = "https://a.example"
UNREAD = "[genai-ferry] This part of the answer could not be read: "

ANSWERS: dict[str, dict[str, Any]] = {
    "openai": {
        "choices": [
            {
                "index": 0,
                "finish_reason": "tool_calls",
                "message": {
                    "content": [{"type": "text", "text": "Zoë"}, {"type": "odd"}],
                    "annotations": [
                        {
                            "type": "url_citation",
                            "url_citation": {"start_index": 0, "end_index": 3, "url": PAGE},
                        }
                    ],
                    "tool_calls": [
                        {
                            "id": "call_1",
                            "type": "function",
                            "function": {"name": "f", "arguments": None},
                        }
                    ],
                },
            }
        ]
    },
    "anthropic": {
        "stop_reason": "tool_use",
        "content": [
            {
                "type": "text",
                "text": "Zoë",
                "citations": [{"type": "web_search_result_location", "url": PAGE}],
            },
            {"type": "odd"},
            {"type": "tool_use", "id": "call_1", "name": "f", "input": None},
        ],
    },
    "mistral": {
        "choices": [
            {
                "index": 0,
                "finish_reason": "tool_calls",
                "message": {
                    "content": [{"type": "text", "text": "Zoë"}, {"type": "odd"}],
                    "tool_calls": [{"id": "call_1", "function": {"name": "f", "arguments": {}}}],
                },
            }
        ]
    },
    "bedrock": {
        "stopReason": "tool_use",
        "output": {
            "message": {
                "role": "assistant",
                "content": [
                    {
                        "citationsContent": {
                            "content": [{"text": "Zoë"}],
                            "citations": [{"location": {"web": {"url": PAGE}}}],
                        }
                    },
                    {"odd": {}},
                    {"toolUse": {"toolUseId": "call_1", "name": "f"}},
                ],
            }
        },
    },
}
UNREAD_PATHS = {
    "openai": "choices[0].message.content[1]",
    "anthropic": "content[1]",
    "mistral": "choices[0].message.content[1]",
    "bedrock": "output.message.content[1]",
}
WITHOUT_CITATIONS = ("mistral",)


@pytest.fixture(params=EVERY_SDK, ids=str)
def sdk(request: pytest.FixtureRequest) -> Sdk:
    chosen: Sdk = request.param
    chosen.require()
    return chosen


async def test_every_sdk_shows_everything(sdk: Sdk, translated: FakeClient, sdks: Sdks) -> None:
    await translated.settings(answer=ANSWERS[translated.kind.name])
    process = await sdks.get(sdk, translated.kind)
    source = [{"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}]

    job = await process.call("batches.create", model=MODELS[translated.kind.name], src=source)
    (result,) = (await ended(process, job["name"]))["dest"]["inlinedResponses"]

    (candidate,) = result["response"]["candidates"]
    check_parts(candidate["content"]["parts"], translated)
    assert candidate["finishReason"] == "STOP"
    citations = candidate.get("citationMetadata", {}).get("citations", [])
    # SDKs treat an absent value as 0.
    assert [{"startIndex": 0} | citation for citation in citations] == cited(translated)


async def test_a_results_file_has_everything(
    translated: FakeClient, ferry: Ferry, http: ClientSession
) -> None:
    await translated.settings(answer=ANSWERS[translated.kind.name])
    client = BatchClient(ferry.base_url, translated.kind, http)
    name = await client.upload_lines([gemini_line("a", "hello")])

    results = by_key(await client.finished(from_file(name)))

    (candidate,) = results["a"]["response"]["candidates"]
    check_parts(candidate["content"]["parts"], translated)
    citations = candidate.get("citationMetadata", {}).get("citationSources", [])
    assert citations == cited(translated)
    assert "createTime" not in results["a"]["response"]


async def test_a_body_given_as_text(openai: FakeClient, ferry: Ferry, http: ClientSession) -> None:
    await openai.settings(body_as_text=True)
    client = BatchClient(ferry.base_url, openai.kind, http)
    name = await client.upload_lines([gemini_line("a", "hello"), gemini_line("b", "please fail")])

    results = by_key(await client.finished(from_file(name)))

    (candidate,) = results["a"]["response"]["candidates"]
    assert candidate["content"]["parts"] == [{"text": "echo: hello"}]
    assert "asked to fail" in results["b"]["error"]["message"]


def cited(fake: FakeClient) -> list[dict[str, Any]]:
    if fake.kind.name in WITHOUT_CITATIONS:
        return []
    return [{"startIndex": 0, "endIndex": 4, "uri": PAGE}]


def check_parts(parts: list[dict[str, Any]], fake: FakeClient) -> None:
    text, called, unread = parts
    assert text == {"text": "Zoë"}
    call = {"args": {}} | called["functionCall"]
    assert call == {"id": "call_1", "name": "f", "args": {}}
    assert unread["text"].startswith(UNREAD + UNREAD_PATHS[fake.kind.name])
