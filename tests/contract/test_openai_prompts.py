"""Which of OpenAI's APIs answers a prompt, and what it is sent, against the fake."""

from typing import Any

import orjson
import pytest

from providers.openai.dialect import OPENAI_DIALECT, SERVER_DIALECT
from providers.openai.generate_api import GenerateApi
from providers.openai_content.dialect import Dialect
from providers.provider import Prompts
from providers.resources import Generated, Prompt
from providers.status import Status
from tests.contract.openai_with_fake import OpenAIWithFake
from tests.contract.provider_with_fake import asking, refused

CHAT, RESPONSES = "chat/completions", "responses"
PLAIN, THINKER = "gpt-4o-mini", "gpt-5"
THOUGHTS = {"thinkingConfig": {"includeThoughts": True}}
SEED = {"seed": 1}
WEATHER = {"name": "weather", "parametersJsonSchema": {"type": "object", "properties": {}}}
TOOLS = [{"functionDeclarations": [WEATHER]}]


def prompts(openai: OpenAIWithFake, api: GenerateApi = GenerateApi.AUTO) -> Prompts:
    made = openai.replica(generate_api=api).prompts
    assert made is not None
    return made


async def generate(
    openai: OpenAIWithFake,
    body: dict[str, Any],
    *,
    model: str = PLAIN,
    api: GenerateApi = GenerateApi.AUTO,
) -> Generated:
    prompt = Prompt(model, orjson.dumps(body))
    return await prompts(openai, api).generate(openai.caller, prompt)


async def streamed(openai: OpenAIWithFake, body: dict[str, Any], **how: Any) -> list[Any]:
    api = prompts(openai, how.get("api", GenerateApi.AUTO))
    prompt = Prompt(how.get("model", PLAIN), orjson.dumps(body))
    answer = await api.stream(openai.caller, prompt)
    try:
        return [orjson.loads(chunk) async for chunk in answer.chunks]
    finally:
        await answer.close()


def parts_of(*answers: Any) -> list[Any]:
    return [part for one in answers for part in one["candidates"][0]["content"]["parts"]]


def configured(**config: Any) -> dict[str, Any]:
    return asking("hello") | {"generationConfig": config}


def showing(*parts: Any) -> dict[str, Any]:
    return {"contents": [{"parts": list(parts)}]}


IMAGE = {"fileData": {"fileUri": "files/file-abc123", "mimeType": "image/png"}}
PDF = {"fileData": {"fileUri": "https://example.com/a.pdf", "mimeType": "application/pdf"}}
AUDIO = {"inlineData": {"mimeType": "audio/wav", "data": "AAAA"}}


@pytest.mark.parametrize(
    ("api", "body", "path"),
    [
        ("auto", asking("hello"), CHAT),
        ("auto", configured(**SEED), CHAT),
        ("auto", showing(AUDIO), CHAT),
        ("auto", showing(PDF), RESPONSES),
        ("auto", configured(**THOUGHTS), RESPONSES),
        ("auto", configured(**THOUGHTS, **SEED), CHAT),
        ("auto", configured(**THOUGHTS, maxOutputTokens=15), CHAT),
        ("chat", configured(**THOUGHTS), CHAT),
        ("responses", asking("hello"), RESPONSES),
    ],
)
async def test_the_api_that_is_asked(
    openai: OpenAIWithFake, api: str, body: dict[str, Any], path: str
) -> None:
    model = THINKER if path == RESPONSES and "generationConfig" in body else PLAIN
    answer = await generate(openai, body, model=model, api=GenerateApi(api))
    assert await openai.calls("POST", ".*") == [path]
    thoughts = "thinkingConfig" in body.get("generationConfig", {})
    dropped = "generationConfig.thinkingConfig.includeThoughts;count=1"
    assert answer.warnings == (dropped if thoughts and path == CHAT else "")


@pytest.mark.parametrize("asked", [generate, streamed])
async def test_a_model_without_thoughts_answers_in_chat(openai: OpenAIWithFake, asked: Any) -> None:
    """It refuses to be asked for a summary of them, which costs nothing."""
    await asked(openai, configured(**THOUGHTS), model=PLAIN)
    assert await openai.calls("POST", ".*") == [RESPONSES, CHAT]


@pytest.mark.parametrize("asked", [generate, streamed])
@pytest.mark.parametrize(
    ("model", "body"),
    [("gpt-5.6-terra", asking("hello") | {"tools": TOOLS}), ("gpt-5-codex", asking("hello"))],
)
async def test_what_only_responses_carry_is_asked_there(
    openai: OpenAIWithFake, model: str, body: dict[str, Any], asked: Any
) -> None:
    """OpenAI refuses it as a chat completion, which costs nothing, and names the other API."""
    answer = await asked(openai, body, model=model)
    assert await openai.calls("POST", ".*") == [CHAT, RESPONSES]
    assert asked is streamed or answer.warnings == ""


async def test_what_responses_cannot_carry_either_has_the_reason_of_chat(
    openai: OpenAIWithFake,
) -> None:
    body = configured(**SEED) | {"tools": TOOLS}
    error = await refused(generate(openai, body, model="gpt-5.6-terra"))
    assert "use /v1/responses or set reasoning_effort" in str(error)
    assert await openai.calls("POST", ".*") == [CHAT]


async def test_another_refusal_of_chat_stays(openai: OpenAIWithFake) -> None:
    await openai.strike("POST", CHAT, "status", status=400)
    error = await refused(generate(openai, asking("hello")))
    assert error.upstream_status == 400
    assert await openai.calls("POST", ".*") == [CHAT]


@pytest.mark.parametrize("status", [401, 429, 500, 503])
async def test_what_was_not_refused_for_its_api_is_asked_once(
    openai: OpenAIWithFake, status: int
) -> None:
    """A failed call may be paid for, and its message may quote the prompt."""
    body = '{"error": {"message": "no answer to: what is v1/responses?"}}'
    await openai.strike("POST", CHAT, "status", status=status, body=body)
    await refused(generate(openai, asking("hello")))
    assert await openai.calls("POST", ".*") == [CHAT]


async def test_the_chat_setting_asks_no_other(openai: OpenAIWithFake) -> None:
    asked = generate(openai, asking("hello"), model="gpt-5-codex", api=GenerateApi.CHAT)
    assert "only supported in v1/responses" in str(await refused(asked))
    assert await openai.calls("POST", ".*") == [CHAT]


async def test_thoughts_that_no_model_has_are_named(openai: OpenAIWithFake) -> None:
    answer = await generate(openai, configured(**THOUGHTS), model=PLAIN)
    assert answer.warnings == "generationConfig.thinkingConfig.includeThoughts;count=1"


async def test_what_chat_refuses_too_has_the_reason_of_chat(openai: OpenAIWithFake) -> None:
    await openai.strike("POST", CHAT, "status", status=400)
    error = await refused(generate(openai, configured(**THOUGHTS), model=PLAIN))
    assert error.upstream_status == 400
    assert "reasoning.summary" not in str(error)
    assert await openai.calls("POST", ".*") == [RESPONSES, CHAT]


async def test_the_responses_setting_asks_no_other(openai: OpenAIWithFake) -> None:
    asked = generate(openai, configured(**THOUGHTS), model=PLAIN, api=GenerateApi.RESPONSES)
    error = await refused(asked)
    assert "reasoning.summary" in str(error)
    assert await openai.calls("POST", ".*") == [RESPONSES]


async def test_an_uploaded_image_needs_responses(openai: OpenAIWithFake) -> None:
    uploaded = await openai.upload(b"an image", "a.png")
    image = {"fileData": {"fileUri": f"files/{uploaded}", "mimeType": "image/png"}}
    await generate(openai, showing(image))
    assert await openai.calls("POST", f"{CHAT}|{RESPONSES}") == [RESPONSES]


@pytest.mark.parametrize(
    ("api", "body", "path"),
    [
        ("chat", showing(IMAGE), "contents[0].parts[0].fileData.mimeType"),
        ("responses", showing(AUDIO), "contents[0].parts[0].inlineData.mimeType"),
        ("responses", configured(seed=1), "generationConfig.seed"),
        ("responses", configured(stopSequences=["x"]), "generationConfig.stopSequences"),
        ("responses", configured(presencePenalty=1), "generationConfig.presencePenalty"),
        ("responses", configured(candidateCount=2), "generationConfig.candidateCount"),
        ("responses", configured(maxOutputTokens=15), "generationConfig.maxOutputTokens"),
        ("auto", configured(topK=3), "generationConfig.topK"),
        ("auto", showing(IMAGE, AUDIO), "contents[0].parts[0].fileData.mimeType"),
    ],
)
async def test_what_the_api_cannot_carry(
    openai: OpenAIWithFake, api: str, body: dict[str, Any], path: str
) -> None:
    error = await refused(generate(openai, body, api=GenerateApi(api)))
    assert (error.status, error.path) == (Status.INVALID_ARGUMENT, path)
    assert await openai.calls("POST", ".*") == []


async def test_settings_of_a_response(openai: OpenAIWithFake) -> None:
    config = {
        "maxOutputTokens": 16,
        "temperature": 0.5,
        "topP": 0.9,
        "responseLogprobs": True,
        "logprobs": 1,
    }
    body = asking("word " * 40) | {"generationConfig": config}
    answer = orjson.loads((await generate(openai, body, api=GenerateApi.RESPONSES)).document)
    (candidate,) = answer["candidates"]
    assert candidate["finishReason"] == "MAX_TOKENS"
    assert len(candidate["logprobsResult"]["chosenCandidates"]) == 16
    assert answer["responseId"].startswith("resp_")
    assert answer["usageMetadata"]["promptTokenCount"] == 40


@pytest.mark.parametrize("asked", [generate, streamed])
async def test_thoughts_go_on_after_a_function(openai: OpenAIWithFake, asked: Any) -> None:
    """The signature brings the model's reasoning back to it, without anything kept at OpenAI."""
    question = {"role": "user", "parts": [{"text": "call the tool"}]}
    body = {"contents": [question], "tools": TOOLS, "generationConfig": THOUGHTS}
    first = await asked(openai, body, model=THINKER)
    chunks = [orjson.loads(first.document)] if isinstance(first, Generated) else first
    thought, call = parts_of(*chunks)[-2:]
    assert (thought["thought"], "thoughtSignature" in thought) == (True, True)
    result = {"name": call["functionCall"]["name"], "response": {"result": "sunny"}}
    # As SDKs send a streamed answer back: one content for each chunk.
    contents = [
        question,
        *(one["candidates"][0]["content"] for one in chunks),
        {"role": "user", "parts": [{"functionResponse": result}]},
    ]
    second = await asked(openai, body | {"contents": contents}, model=THINKER)
    chunks = [orjson.loads(second.document)] if isinstance(second, Generated) else second
    thoughts = "".join(part["text"] for part in parts_of(*chunks) if part.get("thought"))
    assert thoughts.startswith("I go on thinking")


async def test_a_history_with_thoughts_needs_no_wish_for_them(openai: OpenAIWithFake) -> None:
    question = {"role": "user", "parts": [{"text": "call the tool"}]}
    body = {"contents": [question], "tools": TOOLS}
    first = await generate(openai, body, model=THINKER, api=GenerateApi.RESPONSES)
    content = orjson.loads(first.document)["candidates"][0]["content"]
    (part,) = content["parts"]
    assert "thoughtSignature" in part
    result = {"name": "weather", "response": {"result": "sunny"}}
    answered = {"role": "user", "parts": [{"functionResponse": result}]}
    body["contents"] = [question, content, answered]
    second = await generate(openai, body, model=THINKER)
    assert second.warnings == ""
    assert await openai.calls("POST", ".*") == [RESPONSES, RESPONSES]


async def test_a_refusal(openai: OpenAIWithFake) -> None:
    body = asking("please refuse")
    answer = await generate(openai, body, api=GenerateApi.RESPONSES)
    chunks = await streamed(openai, body, api=GenerateApi.RESPONSES)
    for said in ([orjson.loads(answer.document)], chunks):
        assert "".join(part["text"] for part in parts_of(*said)).startswith("I'm sorry")
        assert said[-1]["candidates"][0]["finishReason"] == "SAFETY"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("fail midway", Status.UNAVAILABLE),
        ("break midway", Status.RESOURCE_EXHAUSTED),
        ("please fail", Status.INVALID_ARGUMENT),
    ],
)
async def test_errors_of_a_stream(openai: OpenAIWithFake, text: str, status: Status) -> None:
    error = await refused(streamed(openai, asking(text), api=GenerateApi.RESPONSES))
    assert error.status == status


async def test_a_failed_response_names_openais_reason(openai: OpenAIWithFake) -> None:
    asked = generate(openai, asking("fail midway"), api=GenerateApi.RESPONSES)
    error = await refused(asked)
    assert (error.status, error.reason) == (Status.UNAVAILABLE, "server_error")
    assert error.message == "The model failed midway."


@pytest.mark.parametrize("fault", ["cut_chunks", "truncate"])
async def test_a_stream_that_breaks_off(openai: OpenAIWithFake, fault: str) -> None:
    await openai.strike("POST", RESPONSES, fault, after_bytes=3000)
    error = await refused(streamed(openai, asking("word " * 100), api=GenerateApi.RESPONSES))
    assert error.status == Status.UNAVAILABLE


@pytest.mark.parametrize(
    ("dialect", "stream"), [(OPENAI_DIALECT, {}), (SERVER_DIALECT, {"stream": False})]
)
async def test_another_server_is_told_not_to_stream(
    openai: OpenAIWithFake,
    monkeypatch: pytest.MonkeyPatch,
    dialect: Dialect,
    stream: dict[str, bool],
) -> None:
    """Some stream if the request does not say."""
    asked = openai.replica(generate_api=GenerateApi.CHAT, dialect=dialect).prompts
    assert asked is not None
    requests = openai.record(monkeypatch)
    await asked.generate(openai.caller, Prompt(PLAIN, orjson.dumps(asking("hello"))))
    assert isinstance(requests[-1].body, bytes)
    body = orjson.loads(requests[-1].body)
    assert {name: value for name, value in body.items() if name == "stream"} == stream
