"""Single requests, streams and chats on every provider, with every SDK.

Two Python releases, sync and async, JavaScript, Go and two Java releases. What a program does is in
the SDK's runner; `sdk_process.py` describes it.
"""

import base64
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio

from tests.end_to_end.batch_client import EMBEDDING_MODELS, MODELS
from tests.end_to_end.conftest import Sdks
from tests.end_to_end.fake_client import GEMINI, KINDS, FakeClient
from tests.end_to_end.sdk_process import (
    GO,
    JAVA,
    JAVA_1X,
    JAVASCRIPT,
    PYTHON_2X,
    PYTHON_2X_ASYNC,
    PYTHON_NEWEST,
    PYTHON_NEWEST_ASYNC,
    Sdk,
    SdkError,
    SdkProcess,
)
from tests.fakes.media import seen

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

EVERYWHERE: Final = (PYTHON_NEWEST, PYTHON_NEWEST_ASYNC, JAVASCRIPT, GO, JAVA)
OLDER: Final = (PYTHON_2X, PYTHON_2X_ASYNC, JAVA_1X)
"""They differ only up to the proxy, so they ask one provider."""

ANSWER: Final = {
    "method": "POST",
    "path": "completions$|messages$|stream$|streamGenerateContent$",
}
"""The fakes' request for a stream."""

LEAVING_SECONDS: Final = 1.0

LONG: Final = "hello " * 100

SOME_BYTES: Final = 1500
"""Of the fakes' streams: several chunks, and not the end."""

FORECAST: Final = {
    "type": "OBJECT",
    "properties": {"city": {"type": "STRING"}, "days": {"type": "INTEGER"}},
    "required": ["city"],
}
PDF: Final = base64.b64encode(b"%PDF-1.4 one page").decode()
PIXEL: Final = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\xfb\xff\xfe" * 8).decode()


def columns(*left_out: Sdk, providers: Sequence[str] = tuple(KINDS)) -> pytest.MarkDecorator:
    """The providers and the SDKs that ask them."""
    pairs = [(provider, sdk) for provider in KINDS for sdk in EVERYWHERE]
    pairs += [("openai", sdk) for sdk in OLDER]
    kept = [(name, sdk) for name, sdk in pairs if sdk not in left_out and name in providers]
    names = [f"{provider}-{sdk}" for provider, sdk in kept]
    return pytest.mark.parametrize(("fake", "sdk"), kept, ids=names, indirect=["fake"])


class Program:
    """The SDK's runner, with one provider's model."""

    def __init__(self, process: SdkProcess, provider: str) -> None:
        self._process = process
        self.sdk = process.sdk
        self.provider = provider

    async def call(self, call: str, **args: Any) -> Any:
        return await self._process.call(call, model=MODELS[self.provider], **args)

    async def upload(self, path: Path, mime_type: str) -> Any:
        asked = {"path": str(path), "mime_type": mime_type}
        return await self._process.call("files.upload", **asked)

    async def embed(self, texts: Sequence[str], **args: Any) -> list[list[float]]:
        model = EMBEDDING_MODELS[self.provider]
        asked = {"model": model, "contents": texts, **args}
        answer = await self._process.call("models.embed", **asked)
        return [each["values"] for each in answer["embeddings"]]

    async def ask(self, call: str, *parts: Mapping[str, Any], **args: Any) -> Any:
        return await self.call(call, contents=[{"role": "user", "parts": list(parts)}], **args)


@pytest_asyncio.fixture(loop_scope="session")
async def program(sdk: Sdk, fake: FakeClient, sdks: Sdks) -> Program:
    return Program(await sdks.get(sdk, fake.kind), fake.kind.name)


# --- single requests -----------------------------------------------------------------------------


@columns()
async def test_an_answer(program: Program) -> None:
    answer = await program.ask("models.generate", {"text": "hello"})
    assert text_of([answer]) == "echo: hello"
    assert answer["candidates"][0]["finishReason"] == "STOP"
    assert answer["usageMetadata"]["totalTokenCount"] > answer["usageMetadata"]["promptTokenCount"]
    assert answer["modelVersion"] == MODELS[program.provider]
    assert answer["responseId"]


@columns()
@pytest.mark.parametrize("call", ["models.generate", "models.stream"])
async def test_a_refusal(program: Program, call: str) -> None:
    with pytest.raises(SdkError, match="asked to fail") as refused:
        await program.ask(call, {"text": "please fail"})
    assert refused.value.code == 400


@columns()
async def test_a_schema_constrains_the_answer(program: Program) -> None:
    config = {"responseMimeType": "application/json", "responseSchema": FORECAST}
    answer = await program.ask("models.generate", {"text": "How is it?"}, config=config)
    assert json.loads(text_of([answer])) == {"city": "text", "days": 1}


@columns()
async def test_an_image_and_a_document(program: Program) -> None:
    """Inline. The fakes answer with the hashes of what they got."""
    image = {"inlineData": {"mimeType": "image/png", "data": PIXEL}}
    document = {"inlineData": {"mimeType": "application/pdf", "data": PDF}}
    answer = await program.ask("models.generate", {"text": "See "}, image, document)
    assert text_of([answer]) == f"echo: See {seen(PIXEL)}{seen(PDF)}"


@columns(providers=("gemini", "openai", "anthropic", "bedrock"))
async def test_an_uploaded_document(program: Program, tmp_path: Path) -> None:
    path = tmp_path / "page.pdf"
    path.write_bytes(base64.b64decode(PDF))
    file = await program.upload(path, "application/pdf")
    document = {"fileData": {"fileUri": file["uri"], "mimeType": "application/pdf"}}
    answer = await program.ask("models.generate", {"text": "Read it."}, document)
    assert text_of([answer]).startswith("echo: Read it.")


@columns(GO)
async def test_automatic_function_calling(program: Program) -> None:
    answer = await program.ask("models.generate", {"text": "call the tool"}, tool=True)
    assert "sunny in text" in text_of([answer])


# --- what a model is and counts ------------------------------------------------------------------


@columns(providers=("gemini", "openai", "anthropic", "bedrock"))
async def test_a_count(program: Program) -> None:
    counts = [
        (await program.ask("models.count", {"text": text}))["totalTokens"]
        for text in ("hello", "hello, this is a longer text")
    ]
    assert 0 < counts[0] < counts[1]


@columns(providers=("mistral",))
async def test_no_count(program: Program) -> None:
    with pytest.raises(SdkError) as refused:
        await program.ask("models.count", {"text": "hello"})
    assert (refused.value.code, refused.value.status) == (501, "UNIMPLEMENTED")


@columns(providers=tuple(EMBEDDING_MODELS))
async def test_embeddings_in_the_order_of_their_texts(program: Program) -> None:
    config = {"outputDimensionality": 256}
    together = await program.embed(["a", "b"], config=config)
    one, other = [await program.embed([text], config=config) for text in ("a", "b")]
    assert together == one + other
    assert one != other
    assert [len(values) for values in together] == [256, 256]


@columns(providers=("anthropic",))
async def test_no_embeddings(program: Program) -> None:
    with pytest.raises(SdkError) as refused:
        await program.call("models.embed", contents=["a"], config={})
    assert (refused.value.code, refused.value.status) == (501, "UNIMPLEMENTED")


@columns()
async def test_the_models(program: Program) -> None:
    """The pager reads every page, and each name from the list can be got."""
    whole = (await program.call("models.list"))["items"]
    paged = await program.call("models.list", page_size=1)
    assert paged["items"] == whole
    assert paged["pages"] == len(whole) > 1
    assert await program.call("models.get", name=whole[-1]["name"]) == whole[-1]


# --- streams -------------------------------------------------------------------------------------


@columns()
async def test_a_stream(program: Program) -> None:
    chunks = (await program.ask("models.stream", {"text": "hello"}))["items"]
    assert text_of(chunks) == "echo: hello"
    assert len(chunks) > 2
    candidates = [chunk["candidates"][0] for chunk in chunks]
    assert all(candidate["content"]["parts"] for candidate in candidates)
    ends = [candidate.get("finishReason") for candidate in candidates]
    assert ends == [None] * (len(chunks) - 1) + ["STOP"]
    assert chunks[-1]["usageMetadata"]["totalTokenCount"] > 0
    assert {chunk["responseId"] for chunk in chunks} == {chunks[0]["responseId"]}


@columns()
@pytest.mark.parametrize("fault", ["cut_chunks", "truncate"])
async def test_a_provider_that_breaks_off_is_an_error(
    program: Program, fake: FakeClient, fault: str
) -> None:
    await fake.arm(ANSWER, fault, after_bytes=SOME_BYTES)
    with pytest.raises(SdkError) as broken:
        await program.ask("models.stream", {"text": LONG})
    # A relayed stream breaks off as the provider's did.
    assert broken.value.code == (None if fake.kind is GEMINI else 503)


@columns()
async def test_a_client_that_leaves_ends_the_providers_stream(
    program: Program, fake: FakeClient
) -> None:
    await fake.arm(ANSWER, "pause", after_bytes=SOME_BYTES)
    left = await program.ask("models.stream_and_leave", {"text": LONG})
    before = time.monotonic()
    await fake.ended(method="POST", outcome="client_gone")
    assert time.monotonic() - before < LEAVING_SECONDS
    assert "echo".startswith(text_of([left["item"]])[:4])


# --- chats ---------------------------------------------------------------------------------------


@columns()
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
async def test_a_chat_of_three_turns_with_a_tool(program: Program, streamed: bool) -> None:
    messages = ["hello", "call the tool", "again"]
    talked = await program.call("chats.talk", messages=messages, stream=streamed, tool=True)
    first, second, third = talked["items"]
    assert first["text"] == "echo: hello"
    assert "sunny in text" in second["text"]
    assert third["text"] == "echo: again"
    if program.provider != "gemini":
        # The fake Gemini counts the last turn only.
        assert third["promptTokenCount"] > second["promptTokenCount"] > first["promptTokenCount"]
    parts = [part for turn in talked["history"] for part in turn.get("parts", ())]
    asked = [part["text"] for part in parts if part.get("text") in messages]
    assert asked == messages
    assert [part["functionCall"]["args"] for part in parts if "functionCall" in part] == [
        {"place": "text"}
    ]


@columns(providers=("anthropic", "bedrock"))
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("shown", [False, True], ids=["hidden", "shown"])
async def test_a_chat_with_thoughts_and_a_tool(
    program: Program, streamed: bool, shown: bool
) -> None:
    """The signature of a thought must come back with the call, or the provider refuses it."""
    config = {"thinkingConfig": {"includeThoughts": shown, "thinkingBudget": 2000}}
    messages = ["hello", "call the tool", "again"]
    talked = await program.call(
        "chats.talk", messages=messages, stream=streamed, tool=True, config=config
    )
    assert "sunny in text" in talked["items"][1]["text"]
    assert talked["items"][2]["text"] == "echo: again"
    parts = [part for turn in talked["history"] for part in turn.get("parts", ())]
    assert any(part.get("thought") for part in parts) is shown


@columns()
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
async def test_two_calls_of_one_function(program: Program, streamed: bool) -> None:
    """SDKs answer calls without their ids. The fakes answer in the order of their calls' ids."""
    messages = ["call the tool twice", "again"]
    talked = await program.call("chats.talk", messages=messages, stream=streamed, tool=True)
    said = talked["items"][0]["text"]
    assert 0 < said.index('sunny in text"') < said.index('sunny in text again"')
    assert talked["items"][1]["text"] == "echo: again"


def text_of(chunks: Sequence[Any]) -> str:
    parts = [part for chunk in chunks for part in chunk["candidates"][0]["content"]["parts"]]
    return "".join(part.get("text", "") for part in parts)
