from base64 import b64encode
from typing import Any

import pytest

from providers.claude_content.thought_signatures import thinking_block
from providers.openai_content.reasoning_signatures import (
    reasoning_item,
    reasoning_signature,
)

ITEM = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA:x=="}


def signature() -> str:
    made = reasoning_signature(ITEM)
    assert made is not None
    return made


def test_there_and_back() -> None:
    assert reasoning_item({"text": "Rome", "thoughtSignature": signature()}) == ITEM


def test_the_text_of_a_thought_is_its_summary() -> None:
    part = {"text": "Hm", "thought": True, "thoughtSignature": signature()}
    assert reasoning_item(part) == ITEM | {"summary": [{"type": "summary_text", "text": "Hm"}]}


@pytest.mark.parametrize(
    "item", [{}, {"id": "rs_1"}, {"id": "rs_1", "encrypted_content": None}, {**ITEM, "id": 7}]
)
def test_what_cannot_be_sent_back_is_not_signed(item: dict[str, Any]) -> None:
    assert reasoning_signature(item) is None


@pytest.mark.parametrize(
    "part",
    [
        {"text": "a"},
        {"text": "a", "thoughtSignature": b64encode(b"of Gemini").decode()},
        {"thoughtSignature": b64encode(b"genai-ferry/openai/reasoning:\xff").decode()},
        {"thoughtSignature": b64encode(b"genai-ferry/anthropic/thinking:x").decode()},
    ],
)
def test_another_providers_signature(part: dict[str, Any]) -> None:
    assert reasoning_item(part) is None


@pytest.mark.parametrize("carried", ["rs_1", "rs_1:", ":gAAA", ""])
def test_a_signature_without_all_of_the_reasoning(carried: str) -> None:
    forged = b64encode(f"genai-ferry/openai/reasoning:{carried}".encode()).decode()
    assert reasoning_item({"text": "Rome", "thoughtSignature": forged}) is None


def test_claude_takes_no_reasoning_of_openai() -> None:
    assert thinking_block({"thoughtSignature": signature()}) is None
