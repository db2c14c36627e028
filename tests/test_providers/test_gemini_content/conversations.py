"""Strategies: conversations that are valid for Gemini, and requests with any fields missing."""

from typing import Any

from hypothesis import strategies as st

from providers.claude_content.thought_signatures import (
    render_redacted_thinking,
    render_thinking_signature,
)

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
        {"thoughtSignature": render_redacted_thinking("AAAA")},
        {"text": "b", "thoughtSignature": render_thinking_signature("s")},
    ]
)
_calls = st.lists(
    st.fixed_dictionaries({"id": _given_ids, "name": st.sampled_from(["f", "g"])}), max_size=3
)


@st.composite
def conversations(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Turns of the user and of the model in which every call is answered, in any order."""
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


def pieces_of(value: Any) -> st.SearchStrategy[Any]:
    """`value` with any fields and list items of its objects left out."""
    if isinstance(value, dict) and value:
        fields = {name: pieces_of(inner) for name, inner in value.items()}
        return st.fixed_dictionaries({}, optional=fields)
    if isinstance(value, list) and value:
        return st.lists(st.one_of([pieces_of(inner) for inner in value]), max_size=len(value))
    return st.just(value)
