"""Claude's thoughts that come back behind a changed conversation, against the strict fake."""

from typing import Any

import orjson
import pytest

from providers.resources import Prompt
from tests.contract.anthropic_with_fake import AnthropicWithFake
from tests.contract.provider_with_fake import refused

MODEL = "claude-fable-5-1"
MESSAGES = "messages"
SHOWN = {"thinkingLevel": "LOW", "includeThoughts": True}
F = {"name": "f", "parametersJsonSchema": {"type": "object", "properties": {}}}


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "parts": [{"text": text}]}


class Chat:
    """It keeps what it asked and what it was answered, as the SDK's chats do."""

    def __init__(self, anthropic: AnthropicWithFake, *, streamed: bool) -> None:
        self._anthropic = anthropic
        self._streamed = streamed
        self.contents: list[dict[str, Any]] = []
        self.warnings = ""

    async def say(self, text: str, **members: Any) -> None:
        self.contents.append(user(text))
        body = {
            "contents": self.contents,
            "generationConfig": {"thinkingConfig": SHOWN},
            **members,
        }
        prompts = self._anthropic.provider.prompts
        assert prompts is not None
        caller, prompt = self._anthropic.caller, Prompt(MODEL, orjson.dumps(body))
        if not self._streamed:
            answer = await prompts.generate(caller, prompt)
            self.warnings = answer.warnings
            self.contents.append(orjson.loads(answer.document)["candidates"][0]["content"])
            return
        stream = await prompts.stream(caller, prompt)
        self.warnings = stream.warnings
        async for chunk in stream.chunks:
            self.contents.append(orjson.loads(chunk)["candidates"][0]["content"])
        await stream.close()


@pytest.fixture(params=[False, True], ids=["whole", "streamed"])
def chat(anthropic: AnthropicWithFake, request: pytest.FixtureRequest) -> Chat:
    return Chat(anthropic, streamed=request.param)


def system(text: str) -> dict[str, Any]:
    return {"systemInstruction": {"parts": [{"text": text}]}}


async def test_a_chat_changes_nothing(anthropic: AnthropicWithFake, chat: Chat) -> None:
    for text in ("hello", "and then?", "thanks"):
        await chat.say(text, **system("Be short."))
    assert await anthropic.calls("POST", ".*") == [MESSAGES] * 3
    assert "thoughtSignature" not in chat.warnings


@pytest.mark.parametrize(
    "changed", [system("Be long."), {"tools": [{"functionDeclarations": [F]}]}]
)
async def test_thoughts_of_a_changed_conversation_are_dropped(
    anthropic: AnthropicWithFake, chat: Chat, changed: dict[str, Any]
) -> None:
    """Agents write the time or a state into the instruction. Gemini takes that."""
    await chat.say("hello", **system("Be short."))
    await chat.say("and then?", **changed)
    assert await anthropic.calls("POST", ".*") == [MESSAGES] * 3
    assert "contents[*].parts[*].thoughtSignature;count=1" in chat.warnings


@pytest.mark.parametrize(
    ("status", "message"), [(400, "no"), (403, "'bound to a different conversation' is bad")]
)
async def test_another_refusal_stays(
    anthropic: AnthropicWithFake, chat: Chat, status: int, message: str
) -> None:
    """Its message may quote the prompt."""
    body = orjson.dumps({"type": "error", "error": {"type": "x", "message": message}}).decode()
    await anthropic.strike("POST", MESSAGES, "status", status=status, body=body)
    error = await refused(chat.say("hello"))
    assert error.upstream_status == status
    assert await anthropic.calls("POST", ".*") == [MESSAGES]
