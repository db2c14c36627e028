"""Prompts that OpenAI answers in its Responses API, because the program asks for thoughts."""

import json
from typing import Any, Final

import pytest

from tests.end_to_end.conftest import Sdks
from tests.end_to_end.fake_client import FakeClient
from tests.end_to_end.sdk_process import (
    JAVASCRIPT,
    PYTHON_NEWEST,
    PYTHON_NEWEST_ASYNC,
    Sdk,
    SdkError,
    SdkProcess,
)
from tests.end_to_end.test_prompts_with_sdks import FORECAST, LONG, SOME_BYTES, text_of

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.parametrize("fake", ["openai"], indirect=True),
    pytest.mark.parametrize("sdk", [PYTHON_NEWEST, PYTHON_NEWEST_ASYNC, JAVASCRIPT], ids=str),
]

MODEL: Final = "gpt-5"
THINKING: Final = {"thinkingConfig": {"includeThoughts": True, "thinkingLevel": "LOW"}}
RESPONSES: Final = {"method": "POST", "path": "^/v1/responses$"}
EITHER: Final = ["models.generate", "models.stream"]


async def asking(
    sdks: Sdks, sdk: Sdk, fake: FakeClient, call: str, text: str, **config: Any
) -> list[Any]:
    """The chunks, or the one answer."""
    process: SdkProcess = await sdks.get(sdk, fake.kind)
    contents = [{"role": "user", "parts": [{"text": text}]}]
    answered = await process.call(
        call, model=MODEL, contents=contents, config={**THINKING, **config}
    )
    chunks: list[Any] = answered.get("items") or [answered]
    assert len(await fake.requests(**RESPONSES)) == 1
    return chunks


def parts_of(chunks: list[Any]) -> list[Any]:
    return [part for chunk in chunks for part in chunk["candidates"][0]["content"]["parts"]]


@pytest.mark.parametrize("call", EITHER)
async def test_an_answer_with_its_thoughts(
    sdks: Sdks, sdk: Sdk, fake: FakeClient, call: str
) -> None:
    chunks = await asking(sdks, sdk, fake, call, "hello")
    parts = parts_of(chunks)
    thoughts = [part for part in parts if part.get("thought")]
    assert "".join(part["text"] for part in thoughts) == "I think about: hello"
    assert ["thoughtSignature" in part for part in thoughts] == [False] * (len(thoughts) - 1) + [
        True
    ]
    said = [part["text"] for part in parts if not part.get("thought")]
    assert "".join(said) == "echo: hello"
    assert chunks[-1]["candidates"][0]["finishReason"] == "STOP"
    assert chunks[-1]["usageMetadata"]["thoughtsTokenCount"] > 0
    assert {chunk["responseId"][:5] for chunk in chunks} == {"resp_"}


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
async def test_a_chat_thinks_on_after_its_function(
    sdks: Sdks, sdk: Sdk, fake: FakeClient, streamed: bool
) -> None:
    process = await sdks.get(sdk, fake.kind)
    talked = await process.call(
        "chats.talk",
        model=MODEL,
        messages=["hello", "call the tool", "again"],
        stream=streamed,
        tool=True,
        config=THINKING,
    )
    assert "sunny in text" in talked["items"][1]["text"]
    assert talked["items"][2]["text"].endswith("echo: again")
    parts = [part for turn in talked["history"] for part in turn.get("parts", ())]
    thoughts = "".join(part["text"] for part in parts if part.get("thought"))
    assert thoughts.startswith("I think about: hello")
    # The fake says so if it gets its own reasoning back, unchanged.
    assert thoughts.count("I go on thinking about: ") == 3
    assert len(await fake.requests(**RESPONSES)) == 4


async def test_a_schema_constrains_the_answer(sdks: Sdks, sdk: Sdk, fake: FakeClient) -> None:
    config = {"responseMimeType": "application/json", "responseSchema": FORECAST}
    parts = parts_of(await asking(sdks, sdk, fake, "models.generate", "How is it?", **config))
    said = "".join(part["text"] for part in parts if not part.get("thought"))
    assert json.loads(said) == {"city": "text", "days": 1}


@pytest.mark.parametrize("call", EITHER)
async def test_a_refusal(sdks: Sdks, sdk: Sdk, fake: FakeClient, call: str) -> None:
    chunks = await asking(sdks, sdk, fake, call, "please refuse")
    assert text_of(chunks).endswith("I'm sorry, I cannot help with that.")
    assert chunks[-1]["candidates"][0]["finishReason"] == "SAFETY"


@pytest.mark.parametrize("fault", ["cut_chunks", "truncate"])
async def test_a_stream_that_breaks_off_is_an_error(
    sdks: Sdks, sdk: Sdk, fake: FakeClient, fault: str
) -> None:
    await fake.arm(RESPONSES, fault, after_bytes=SOME_BYTES * 3)
    with pytest.raises(SdkError) as broken:
        await asking(sdks, sdk, fake, "models.stream", LONG)
    assert broken.value.code == 503


@pytest.mark.parametrize(("text", "code"), [("break midway", 429), ("fail midway", 503)])
async def test_an_error_inside_a_stream(
    sdks: Sdks, sdk: Sdk, fake: FakeClient, text: str, code: int
) -> None:
    with pytest.raises(SdkError, match="midway") as failed:
        await asking(sdks, sdk, fake, "models.stream", text)
    assert failed.value.code == code
