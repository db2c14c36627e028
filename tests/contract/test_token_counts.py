"""Each provider's own count of a prompt's tokens, against its fake."""

from typing import Any

import orjson
import pytest

from providers.resources import Counted, Prompt
from providers.status import Status
from tests.contract.anthropic_with_fake import AnthropicWithFake
from tests.contract.bedrock_with_fake import NOVA, BedrockWithFake
from tests.contract.openai_with_fake import OpenAIWithFake
from tests.contract.provider_with_fake import ProviderWithFake, asking, refused

OPENAI = "gpt-4o-mini"
# It takes prefill, thinking with a budget, and no effort.
HAIKU = "claude-haiku-4-5"
BEDROCK = "anthropic.claude-haiku-4-5-20251001-v1:0"

WEATHER = {"name": "weather", "parametersJsonSchema": {"type": "object", "properties": {}}}
CALL = {"functionCall": {"name": "weather"}}
ANSWERED = {"functionResponse": {"name": "weather", "response": {"result": "sunny"}}}
CHAT = [
    {"role": "user", "parts": [{"text": "hello"}]},
    {"role": "model", "parts": [CALL]},
    {"role": "user", "parts": [ANSWERED]},
    {"role": "model", "parts": [{"text": "It is sunny."}]},
]
SCHEMA = {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}, "required": ["a"]}
WHOLE = {
    "contents": CHAT,
    "systemInstruction": {"parts": [{"text": "be brief"}]},
    "tools": [{"functionDeclarations": [WEATHER]}],
    "toolConfig": {"functionCallingConfig": {"mode": "AUTO"}},
    "generationConfig": {"maxOutputTokens": 100, "stopSequences": ["x"], "temperature": 0.5},
}
COUNTED_AS = "totalTokens=the%20count%20of%20the%20same%20request%20to%20%2Fv1%2Fresponses;count=1"


async def count(work: ProviderWithFake, model: str, body: Any) -> Counted:
    assert work.provider.tokens is not None
    prompt = Prompt(model, orjson.dumps(body))
    return await work.provider.tokens.count(work.caller, prompt)


def whole(**members: Any) -> dict[str, Any]:
    return {"generateContentRequest": asking("hello") | members}


async def test_everything_that_is_read_counts(
    openai: OpenAIWithFake, anthropic: AnthropicWithFake, bedrock: BedrockWithFake
) -> None:
    config = {"responseMimeType": "application/json", "responseSchema": SCHEMA}
    works: list[tuple[ProviderWithFake, str]] = [
        (openai, OPENAI),
        (anthropic, HAIKU),
        (bedrock, BEDROCK),
    ]
    for work, model in works:
        short = await count(work, model, asking("hello"))
        longer = await count(work, model, asking("hello, this is a longer text"))
        system = await count(work, model, whole(systemInstruction=WHOLE["systemInstruction"]))
        tools = await count(work, model, whole(tools=WHOLE["tools"]))
        schema = await count(work, model, whole(generationConfig=config))
        assert 0 < short.total < min(longer.total, system.total, tools.total, schema.total)


async def test_a_whole_chat(
    openai: OpenAIWithFake, anthropic: AnthropicWithFake, bedrock: BedrockWithFake
) -> None:
    """Its last turn is the model's, and settings that change no count are not sent."""
    body = {"generateContentRequest": WHOLE}
    assert (await count(openai, OPENAI, body)).warnings == COUNTED_AS
    assert (await count(anthropic, HAIKU, body)).warnings == ""
    assert (await count(bedrock, BEDROCK, body)).warnings == ""


async def test_refusals_have_the_path_in_the_clients_body(
    openai: OpenAIWithFake, anthropic: AnthropicWithFake, bedrock: BedrockWithFake
) -> None:
    works: list[tuple[ProviderWithFake, str]] = [
        (openai, OPENAI),
        (anthropic, HAIKU),
        (bedrock, BEDROCK),
    ]
    unanswered = {"contents": CHAT[:2], "tools": WHOLE["tools"]}
    for work, model in works:
        error = await refused(count(work, model, whole(cachedContent="cachedContents/x")))
        assert error.path == "generateContentRequest.cachedContent"
        error = await refused(count(work, model, whole(model="models/another")))
        assert error.path == "generateContentRequest.model"
        error = await refused(count(work, model, {"generateContentRequest": unanswered}))
        assert error.path == "generateContentRequest.contents[1].parts[0].functionCall"
        error = await refused(count(work, model, {"contents": []}))
        assert error.path == "contents"
        assert await work.calls("POST", ".*count.*|.*input_tokens") == []


# --- OpenAI ---------------------------------------------------------------------------------------


async def test_openai_counts_no_audio(openai: OpenAIWithFake) -> None:
    audio = {"inlineData": {"mimeType": "audio/wav", "data": "AAAA"}}
    error = await refused(count(openai, OPENAI, {"contents": [{"parts": [audio]}]}))
    assert error.path == "contents[0].parts[0].inlineData.mimeType"


async def test_an_unknown_model_is_not_found(openai: OpenAIWithFake) -> None:
    error = await refused(count(openai, "no-such-model", asking("hello")))
    assert (error.status, error.reason) == (Status.NOT_FOUND, "model_not_found")


@pytest.mark.parametrize("status", [404, 405])
async def test_a_server_without_the_call(openai: OpenAIWithFake, status: int) -> None:
    await openai.strike(
        "POST", "responses/input_tokens", "status", status=status, body={"detail": "no"}
    )
    error = await refused(count(openai, OPENAI, asking("hello")))
    assert error.status == Status.UNIMPLEMENTED
    assert error.message == (
        f"openai has no count of tokens: it answered {status} to POST responses/input_tokens"
    )


async def test_an_answer_without_a_count(openai: OpenAIWithFake) -> None:
    await openai.strike(
        "POST", "responses/input_tokens", "status", status=200, body={"input_tokens": "7"}
    )
    error = await refused(count(openai, OPENAI, asking("hello")))
    assert (error.status, error.message) == (
        Status.UNAVAILABLE,
        "openai did not answer with a count of tokens",
    )


# --- Claude ---------------------------------------------------------------------------------------


async def test_a_budget_for_thinking(anthropic: AnthropicWithFake) -> None:
    config = {"thinkingConfig": {"thinkingBudget": 2000}}
    counted = await count(anthropic, HAIKU, whole(generationConfig=config))
    assert (counted.total > 0, counted.warnings) == (True, "")


@pytest.mark.parametrize(
    "model",
    [
        f"us.{BEDROCK}",
        f"global.{BEDROCK}",
        f"models/{BEDROCK}",
        f"arn:aws:bedrock:us-east-1::foundation-model/{BEDROCK}",
        f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.{BEDROCK}",
    ],
)
async def test_bedrock_counts_for_the_model_of_a_profile(
    bedrock: BedrockWithFake, model: str
) -> None:
    assert (await count(bedrock, model, asking("hello"))).total
    calls = await bedrock.calls("POST", "model/.*")
    assert calls[-1] == f"model/{BEDROCK}/count-tokens"


@pytest.mark.parametrize(
    "model",
    [
        NOVA,
        "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/ferrytests01",
        f"arn:aws:bedrock:us-east-1:123456789012:custom-model/{BEDROCK}/abc",
    ],
)
async def test_bedrock_counts_for_no_other_model(bedrock: BedrockWithFake, model: str) -> None:
    error = await refused(count(bedrock, model, asking("hello")))
    assert error.status == Status.UNIMPLEMENTED
    assert model in error.message


async def test_what_converse_lacks_is_counted_in_claudes_schema(bedrock: BedrockWithFake) -> None:
    """A schema for the answer can be sent to Converse, but not counted in its form."""
    config = {"responseMimeType": "application/json", "responseSchema": SCHEMA}
    file = {"fileData": {"fileUri": "files/oabcdefgh", "mimeType": "application/pdf"}}
    counted = await count(bedrock, BEDROCK, whole(generationConfig=config))
    assert counted.warnings == (
        "generateContentRequest.generationConfig.maxOutputTokens=4096;count=1"
    )
    contents = [{"parts": [{"text": "read"}, file]}]
    error = await refused(
        count(bedrock, BEDROCK, whole(generationConfig=config, contents=contents))
    )
    assert error.path == "generateContentRequest.contents[0].parts[1].fileData"
