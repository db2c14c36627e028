"""Each conversation that is valid for Gemini becomes one that is valid for Anthropic."""

import re
from itertools import pairwise
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from providers.claude_content.generate_to_anthropic import to_anthropic_message
from providers.errors import FerryError
from providers.gemini_content.normalise import normalise_generate
from providers.gemini_content.warnings import Warnings
from providers.status import Status
from tests.test_providers.test_claude_content.translate import message, require_message
from tests.test_providers.test_gemini_content.conversations import conversations, pieces_of
from tests.test_providers.test_gemini_content.maximal_requests import GENERATE

_ID: Final = re.compile(r"[a-zA-Z0-9_-]+")


@settings(deadline=None, max_examples=300)
@given(contents=conversations())
def test_a_conversation_valid_for_gemini_is_valid_for_anthropic(
    contents: list[dict[str, Any]],
) -> None:
    messages = message(contents=contents)["messages"]
    roles = [sent["role"] for sent in messages]
    assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"]
    called_ids = [block["id"] for sent in messages for block in _of(sent, "tool_use")]
    assert len(called_ids) == len(set(called_ids))
    assert all(_ID.fullmatch(call_id) for call_id in called_ids)
    for before, after in pairwise(messages):
        results = _of(after, "tool_result")
        assert after["content"][: len(results)] == results
        called = sorted(block["id"] for block in _of(before, "tool_use"))
        assert called == sorted(block["tool_use_id"] for block in results)
    texts = [block["text"] for sent in messages for block in _of(sent, "text")]
    assert all(text.strip() for text in texts)


def _of(sent: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [block for block in sent["content"] if block["type"] == kind]


# Any piece of a request may be missing.


@settings(deadline=None, max_examples=500)
@given(request=pieces_of(GENERATE), model=st.sampled_from(["claude-opus-4-6", "claude-opus-4-7"]))
def test_a_request_is_translated_or_refused_with_a_path(
    request: dict[str, Any], model: str
) -> None:
    outcome = _translated(request, model)
    if isinstance(outcome, FerryError):
        assert outcome.status == Status.INVALID_ARGUMENT
        assert (outcome.path or "").startswith("request.")
    else:
        assert {"model", "max_tokens", "messages"} <= outcome.keys()
        require_message(outcome, "2023-06-01")


def _translated(request: dict[str, Any], model: str) -> dict[str, Any] | FerryError:
    try:
        return to_anthropic_message(
            normalise_generate(request, "request"),
            model=model,
            path="request",
            warnings=Warnings(),
            file_ids=lambda *_: "file_1",
            default_max_tokens=4096,
            api_version="2023-06-01",
        )
    except FerryError as error:
        return error
