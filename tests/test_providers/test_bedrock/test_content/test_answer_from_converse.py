from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.bedrock.content.answer_from_converse import from_converse_answer
from providers.claude_content.thought_signatures import thinking_block
from providers.errors import FerryError
from providers.status import Status
from tests.test_providers.test_bedrock.test_content.translate import converse, model_turn, user

_NOTHING = {"text": ""}
_TEXT = {"text": "4"}
_USE = {"toolUseId": "tooluse_1", "name": "f", "input": {"a_b": 1}}
_REASONING = {"reasoningText": {"text": "Hm", "signature": "sig"}}
_OMITTED = {"reasoningText": {"text": "", "signature": "sig"}}
_REDACTED = {"redactedContent": "AAAA"}


def _answer(*blocks: Any, thoughts: bool = True, **fields: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": list(blocks)}
    return from_converse_answer({"output": {"message": message}} | fields, thoughts=thoughts)


def _parts(*blocks: Any, thoughts: bool = True) -> Any:
    return _answer(*blocks, thoughts=thoughts)["candidates"][0]["content"]["parts"]


def test_an_answer() -> None:
    assert _answer(
        _TEXT,
        stopReason="end_turn",
        usage={"inputTokens": 3, "outputTokens": 5, "totalTokens": 8},
        metrics={"latencyMs": 9},
    ) == {
        "candidates": [
            {
                "content": {"role": "model", "parts": [{"text": "4"}]},
                "finishReason": "STOP",
                "index": 0,
            }
        ],
        "usageMetadata": {
            "promptTokenCount": 3,
            "candidatesTokenCount": 5,
            "totalTokenCount": 8,
        },
    }


def test_an_empty_answer() -> None:
    assert _answer() == {
        "candidates": [
            {
                "content": {"role": "model", "parts": [{"text": ""}]},
                "finishReason": "OTHER",
                "index": 0,
            }
        ]
    }


@pytest.mark.parametrize(
    ("block", "parts"),
    [
        (_TEXT, [{"text": "4"}]),
        (
            {"toolUse": _USE},
            [{"functionCall": {"id": "tooluse_1", "name": "f", "args": {"a_b": 1}}}],
        ),
        ({"toolUse": {"name": "f", "input": {}}}, [{"functionCall": {"name": "f", "args": {}}}]),
        ({"toolUse": _USE | {"type": "server_tool_use"}}, [_NOTHING]),
        ({"toolResult": {"toolUseId": "tooluse_1", "content": []}}, [_NOTHING]),
        ({"cachePoint": {"type": "default"}}, [_NOTHING]),
        (
            {"citationsContent": {"content": [{"text": "a"}, {"text": "b"}]}},
            [{"text": "a"}, {"text": "b"}],
        ),
        ({"citationsContent": {}}, [_NOTHING]),
        (
            {"reasoningContent": {"reasoningText": {"text": "Hm"}}},
            [{"text": "Hm", "thought": True}],
        ),
        ({"reasoningContent": {"reasoningText": {"text": "", "signature": ""}}}, [_NOTHING]),
    ],
)
def test_parts(block: dict[str, Any], parts: list[dict[str, Any]]) -> None:
    assert _parts(block) == parts


def test_thoughts_that_were_requested() -> None:
    thought, said = _parts({"reasoningContent": _REASONING}, _TEXT)
    assert {name: thought[name] for name in ("text", "thought")} == {"text": "Hm", "thought": True}
    block = {"type": "thinking", "thinking": "Hm", "signature": "sig"}
    assert (thinking_block(thought), said) == (block, _TEXT)


def test_thoughts_that_were_not_requested() -> None:
    reasoning = [{"reasoningContent": each} for each in (_REASONING, _OMITTED, _REDACTED)]
    omitted, redacted = _parts(*reasoning, _TEXT, thoughts=False)
    assert set(omitted) == {"thoughtSignature"}
    assert thinking_block(omitted) == {"type": "thinking", "thinking": "", "signature": "sig"}
    assert thinking_block(redacted) == {"type": "redacted_thinking", "data": "AAAA"}
    assert redacted["text"] == _TEXT["text"]


@pytest.mark.parametrize("reasoning", [_REASONING, _OMITTED, _REDACTED])
def test_an_answer_is_sent_back_unchanged(reasoning: dict[str, Any]) -> None:
    content = [{"reasoningContent": reasoning}, _TEXT, {"toolUse": _USE}]
    answer = {"functionResponse": {"id": "tooluse_1", "name": "f", "response": {}}}
    contents = [user({"text": "Hello"}), model_turn(*_parts(*content)), user(answer)]
    body = converse(contents=contents, tools=[{"functionDeclarations": [{"name": "f"}]}])
    assert body["messages"][1] == {"role": "assistant", "content": content}


@pytest.mark.parametrize(
    ("citation", "uri"),
    [
        ({"location": {"web": {"url": "https://a.example"}}, "title": "A"}, "https://a.example"),
        (
            {"source": "https://b.example", "location": {"searchResultLocation": {}}},
            "https://b.example",
        ),
        ({"location": {"documentChar": {"documentIndex": 0, "start": 1, "end": 2}}}, None),
        ({"location": {"documentPage": {"documentIndex": 0}}, "title": "B"}, None),
        ({"location": {"documentChunk": {"documentIndex": 0}}}, None),
        ({"title": "C"}, None),
    ],
)
def test_citations_cover_their_texts_in_bytes(citation: Any, uri: str | None) -> None:
    cited = {"content": [{"text": "é"}, {"text": "b"}], "citations": [citation, citation]}
    block = {"citationsContent": cited}
    candidate = _answer({"reasoningContent": _REASONING}, {"text": "Zoë"}, block, _TEXT)
    source: dict[str, Any] = {"startIndex": 4, "endIndex": 7} | ({"uri": uri} if uri else {})
    assert candidate["candidates"][0]["citationMetadata"] == {"citationSources": [source]}


@pytest.mark.parametrize(
    ("native", "finish"),
    [
        ("end_turn", {"finishReason": "STOP"}),
        ("stop_sequence", {"finishReason": "STOP"}),
        ("tool_use", {"finishReason": "STOP"}),
        ("max_tokens", {"finishReason": "MAX_TOKENS"}),
        ("model_context_window_exceeded", {"finishReason": "MAX_TOKENS"}),
        ("content_filtered", {"finishReason": "SAFETY"}),
        ("guardrail_intervened", {"finishReason": "SAFETY"}),
        ("malformed_tool_use", {"finishReason": "MALFORMED_FUNCTION_CALL"}),
        ("malformed_model_output", {"finishReason": "MALFORMED_RESPONSE"}),
        ("new", {"finishReason": "OTHER", "finishMessage": "new"}),
        (None, {"finishReason": "OTHER"}),
        ([], {"finishReason": "OTHER"}),
    ],
)
def test_finish_reasons(native: Any, finish: dict[str, str]) -> None:
    (candidate,) = _answer(_TEXT, stopReason=native)["candidates"]
    assert {name: candidate[name] for name in candidate if name.startswith("finish")} == finish


_CACHE = {"cacheReadInputTokens": 100, "cacheWriteInputTokens": 10}


@pytest.mark.parametrize(
    ("usage", "metadata"),
    [
        (
            {"inputTokens": 1, "outputTokens": 7, "totalTokens": 118} | _CACHE,
            {
                "promptTokenCount": 111,
                "candidatesTokenCount": 7,
                "cachedContentTokenCount": 100,
                "totalTokenCount": 118,
                "ferryCacheWriteTokenCount": 10,
            },
        ),
        # The total shows that the input tokens include the cache.
        (
            {"inputTokens": 111, "outputTokens": 7, "totalTokens": 118} | _CACHE,
            {
                "promptTokenCount": 111,
                "candidatesTokenCount": 7,
                "cachedContentTokenCount": 100,
                "totalTokenCount": 118,
                "ferryCacheWriteTokenCount": 10,
            },
        ),
        ({"inputTokens": 1}, {"promptTokenCount": 1}),
        ({"outputTokens": 2}, {"candidatesTokenCount": 2}),
        ({"inputTokens": -1, "outputTokens": True}, None),
        ({"inputTokens": 2**63 - 1, "cacheReadInputTokens": 1}, {"cachedContentTokenCount": 1}),
        (None, None),
        ({}, None),
    ],
)
def test_usage(usage: Any, metadata: Any) -> None:
    assert _answer(usage=usage).get("usageMetadata") == metadata


@pytest.mark.parametrize(
    ("block", "status"),
    [
        ("text", Status.INTERNAL),
        ({"text": None}, Status.INTERNAL),
        ({"toolUse": {"input": {}}}, Status.INTERNAL),
        ({"reasoningContent": {"reasoningText": {}}}, Status.INTERNAL),
        ({"reasoningContent": {"redactedContent": {}}}, Status.INTERNAL),
        ({"image": {"format": "png", "source": {}}}, Status.UNIMPLEMENTED),
        ({"of tomorrow": {}}, Status.UNIMPLEMENTED),
    ],
)
def test_content_that_cannot_be_translated(block: Any, status: Status) -> None:
    with pytest.raises(FerryError) as refused:
        _answer(block)
    assert refused.value.status == status


@pytest.mark.parametrize("written", [{"input": None}, {"input": ""}, {"input": "{}"}, {}])
def test_a_call_without_arguments(written: dict[str, Any]) -> None:
    assert _parts({"toolUse": {"toolUseId": "t", "name": "f"} | written}) == [
        {"functionCall": {"id": "t", "name": "f", "args": {}}}
    ]


def test_one_unreadable_member_affects_no_other() -> None:
    unread = "[genai-ferry] This part of the answer could not be read: output.message.content"
    image = {"format": "png", "source": {"bytes": "A" * 100_000}}
    blocks = [
        {"image": image},
        _TEXT,
        {"text": 5},
        {"toolUse": _USE},
        "odd",
        {"citationsContent": 1},
    ]
    (candidate,) = _answer(*blocks, stopReason="tool_use", usage=3)["candidates"]
    assert candidate["content"]["parts"] == [
        {"text": "4"},
        {"functionCall": {"id": "tooluse_1", "name": "f", "args": {"a_b": 1}}},
        {"text": f"{unread}[0] is of type 'image', which is not translated"},
        {"text": f"{unread}[2].text is not a string"},
        {"text": f"{unread}[4] is not an object"},
        {"text": f"{unread}[5].citationsContent is not an object"},
    ]


def test_one_unreadable_cited_text_affects_no_other() -> None:
    unread = "[genai-ferry] This part of the answer could not be read: output.message.content[0]"
    texts = [{"text": "a"}, None, {"text": 5}, {"text": "b"}]
    assert _parts({"citationsContent": {"content": texts}}) == [
        {"text": "a"},
        {"text": "b"},
        {"text": f"{unread}.citationsContent.content[1] is not an object"},
        {"text": f"{unread}.citationsContent.content[2].text is not a string"},
    ]


@pytest.mark.parametrize(
    ("native", "said"),
    [
        ("guardrail_intervened", True),
        ("malformed_tool_use", True),
        ("new", True),
        ("max_tokens", False),
        ("end_turn", False),
    ],
)
def test_an_answer_without_content_has_a_reason(native: str, said: bool) -> None:
    parts = _answer(stopReason=native)["candidates"][0]["content"]["parts"]
    reason = f"[genai-ferry] The provider ended the answer with the reason '{native}'."
    assert parts == ([{"text": reason}] if said else [_NOTHING])


@pytest.mark.parametrize("answer", [{}, {"output": {}}, {"output": {"message": {}}}])
def test_invalid_answers(answer: dict[str, Any]) -> None:
    with pytest.raises(FerryError) as refused:
        from_converse_answer(answer, thoughts=True)
    assert refused.value.status == Status.INTERNAL


@given(
    content=st.lists(
        st.sampled_from([_TEXT, {"toolUse": _USE}, {"reasoningContent": _REASONING}]), max_size=5
    ),
    thoughts=st.booleans(),
)
def test_every_block_is_a_part_in_its_order(content: list[Any], thoughts: bool) -> None:
    fields = {"text": "text", "toolUse": "functionCall", "reasoningContent": "thought"}
    expected = [fields[kind] for block in content for kind in block]
    found = [
        "thought" if "thought" in part else next(iter(part))
        for part in _parts(*content, thoughts=thoughts)
    ]
    assert found == ([kind for kind in expected if thoughts or kind != "thought"] or ["text"])
