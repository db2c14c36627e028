"""Whatever conversation Gemini follows becomes one that Anthropic follows."""

import re
from itertools import pairwise
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from providers.anthropic.generate_to_anthropic import to_anthropic_message
from providers.anthropic.thought_signatures import (
    render_redacted_thinking,
    render_thinking_signature,
)
from providers.errors import FerryError
from providers.gemini_content.normalise import normalise_generate
from providers.gemini_content.warnings import Warnings
from tests.test_providers.test_anthropic.translate import message
from tests.test_providers.test_gemini_content.maximal_requests import GENERATE

_ID: Final = re.compile(r"[a-zA-Z0-9_-]+")

_given_ids = st.sampled_from([None, "a", "a.b", "ü", "call_1_0", "call_3_0", "call_5_1"])
_said: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {"text": "a"},
        {"text": ""},
        {"text": " "},
        {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
    ]
)
_thoughts: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {"text": "Hm", "thought": True},
        {"text": "Hm", "thought": True, "thoughtSignature": render_thinking_signature("s")},
        {"thoughtSignature": render_redacted_thinking("d")},
        {"text": "b", "thoughtSignature": render_thinking_signature("s")},
    ]
)
_calls = st.lists(
    st.fixed_dictionaries({"id": _given_ids, "name": st.sampled_from(["f", "g"])}), max_size=3
)


@st.composite
def _conversations(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Turns of the user's and the model's in which every call is answered, in whichever order."""
    contents: list[dict[str, Any]] = [{"role": "user", "parts": [{"text": "Hello"}]}]
    for _ in range(draw(st.integers(0, 3))):
        calls = draw(_calls.filter(lambda calls: len(_named(calls)) == len(set(_named(calls)))))
        called = [{"functionCall": call} for call in calls]
        thoughts = draw(st.lists(_thoughts, max_size=2))
        begin: list[dict[str, Any]] = [{"text": "a"}]
        contents.append({"role": "model", "parts": begin + thoughts + called})
        answers: list[dict[str, Any]] = [
            {"functionResponse": call | {"response": {"n": n}}} for n, call in enumerate(calls)
        ]
        said = draw(st.lists(_said, max_size=2))
        end: list[dict[str, Any]] = [{"text": "b"}]
        parts = list(draw(st.permutations(answers + said + end)))
        cut = draw(st.integers(0, len(parts)))
        turns = [turn for turn in (parts[:cut], parts[cut:]) if _says_something(turn)]
        whole = turns if sum(map(len, turns)) == len(parts) else [parts]
        contents += [{"role": "user", "parts": turn} for turn in whole]
    return contents


def _named(calls: list[dict[str, Any]]) -> list[str]:
    return [call["id"] for call in calls if call["id"]]


def _says_something(parts: list[dict[str, Any]]) -> bool:
    return any(part.get("text", "a").strip() for part in parts)


@settings(deadline=None, max_examples=300)
@given(contents=_conversations())
def test_a_conversation_that_gemini_follows_is_one_for_anthropic(
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


def _pieces_of(value: Any) -> st.SearchStrategy[Any]:
    """`value` with any fields and list items of its objects left out."""
    if isinstance(value, dict) and value:
        fields = {name: _pieces_of(inner) for name, inner in value.items()}
        return st.fixed_dictionaries({}, optional=fields)
    if isinstance(value, list) and value:
        return st.lists(st.one_of([_pieces_of(inner) for inner in value]), max_size=len(value))
    return st.just(value)


@settings(deadline=None, max_examples=500)
@given(request=_pieces_of(GENERATE), model=st.sampled_from(["claude-opus-4-6", "claude-opus-4-7"]))
def test_a_request_is_translated_or_refused_with_a_path(
    request: dict[str, Any], model: str
) -> None:
    outcome = _translated(request, model)
    if isinstance(outcome, FerryError):
        assert outcome.status == "INVALID_ARGUMENT"
        assert (outcome.path or "").startswith("request.")
    else:
        assert {"model", "max_tokens", "messages"} <= outcome.keys()


def _translated(request: dict[str, Any], model: str) -> dict[str, Any] | FerryError:
    try:
        return to_anthropic_message(
            normalise_generate(request, "request"),
            model=model,
            path="request",
            warnings=Warnings(),
            file_ids=lambda _: "file_1",
            default_max_tokens=4096,
            api_version="2023-06-01",
        )
    except FerryError as error:
        return error
