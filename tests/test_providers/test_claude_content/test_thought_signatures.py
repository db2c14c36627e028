from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.claude_content.thought_signatures import (
    render_redacted_thinking,
    render_thinking_signature,
    thinking_block,
)


@given(opaque=st.text(), thinking=st.text())
def test_supported_fields_are_recovered(opaque: str, thinking: str) -> None:
    shown = {
        "text": thinking,
        "thought": True,
        "thoughtSignature": render_thinking_signature(opaque),
    }
    assert thinking_block(shown) == {
        "type": "thinking",
        "thinking": thinking,
        "signature": opaque,
    }
    redacted = {"thoughtSignature": render_redacted_thinking(opaque)}
    assert thinking_block(redacted) == {"type": "redacted_thinking", "data": opaque}


def _signed(carried: bytes) -> dict[str, Any]:
    return {"text": "a", "thought": True, "thoughtSignature": b64encode(carried).decode()}


@pytest.mark.parametrize(
    "part",
    [
        {},
        {"text": "a", "thought": True},
        _signed(b""),
        _signed(b"Gemini's own"),
        _signed(b"genai-ferry/anthropic/thinking"),
        _signed(b"genai-ferry/anthropic/thinking:\xff"),
        _signed(b" genai-ferry/anthropic/thinking:a"),
    ],
)
def test_parts_that_are_not_thoughts_of_claude(part: dict[str, Any]) -> None:
    assert thinking_block(part) is None


@given(carried=st.binary())
def test_no_other_signature_is_mistaken_for_claudes(carried: bytes) -> None:
    block = thinking_block(_signed(carried))
    assert (block is not None) <= carried.startswith(b"genai-ferry/anthropic/")
