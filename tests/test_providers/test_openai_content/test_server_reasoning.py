from base64 import b64encode
from typing import Any

import orjson
import pytest

from providers.openai_content.reasoning_signatures import reasoning_item
from providers.openai_content.server_reasoning import (
    DetailPieces,
    kept_members,
    kept_signature,
    own_reasoning,
    write_reasoning,
)

_DETAIL = {"type": "reasoning.encrypted", "data": "AA==", "id": "tool_f", "index": 0}
_EXTRA = {"google": {"thought_signature": "Sig="}}


def _back(kept: dict[str, Any], call: dict[str, Any] | None = None) -> dict[str, Any] | None:
    """What a call carries to the next request."""
    signature = kept_signature(kept, call or {})
    assert signature is not None
    part = {"functionCall": {"name": "f"}, "thoughtSignature": signature}
    assert reasoning_item(part) is None
    return own_reasoning(part)


@pytest.mark.parametrize("text", ["Hm é", ""])
def test_reasoning_there_and_back(text: str) -> None:
    kept = kept_members({"content": "a", "reasoning_content": text, "reasoning": "b"})
    assert kept == {"reasoning_content": text}
    assert _back(kept) == kept


def test_details_there_and_back() -> None:
    kept = kept_members({"reasoning": "b", "reasoning_details": [_DETAIL], "tool_calls": []})
    assert kept == {"reasoning_details": [_DETAIL]}
    assert _back(kept) == kept
    both = kept | {"reasoning_content": "c"}
    assert _back(both) == both


def test_what_belongs_to_a_call_there_and_back() -> None:
    assert _back({}, {"extra_content": _EXTRA, "id": "c"}) == {"call": {"extra_content": _EXTRA}}
    assert _back({"reasoning_content": "a"}, {"extra_content": _EXTRA}) == {
        "reasoning_content": "a",
        "call": {"extra_content": _EXTRA},
    }


@pytest.mark.parametrize(
    ("message", "call"),
    [
        ({}, {}),
        ({"reasoning": "a"}, {"function": {}}),
        ({"reasoning_content": None, "reasoning_details": []}, {"extra_content": None}),
        ({"reasoning_details": "text"}, {"extra_content": {}}),
    ],
)
def test_nothing_is_kept(message: dict[str, Any], call: dict[str, Any]) -> None:
    assert kept_signature(kept_members(message), call) is None


def test_another_signature_keeps_nothing() -> None:
    theirs = b64encode(b"genai-ferry/openai/reasoning:rs_1:secret").decode()
    for part in ({"text": "a"}, {"text": "a", "thoughtSignature": theirs}):
        assert own_reasoning(part) is None


@pytest.mark.parametrize(
    "forged",
    [
        b"",
        b"{",
        b"[1]",
        orjson.dumps({"message": [], "call": 1}),
        orjson.dumps({"message": {"content": "no", "role": "system"}, "call": {"id": "x"}}),
        orjson.dumps({"message": {"reasoning_details": {}}, "call": {"extra_content": "x"}}),
    ],
)
def test_a_client_adds_nothing_else_to_a_message(forged: bytes) -> None:
    signature = b64encode(b"genai-ferry/openai/kept:" + forged).decode()
    assert own_reasoning({"thoughtSignature": signature}) == {}


def test_the_reasoning_of_a_message() -> None:
    first = {"reasoning_content": "a", "reasoning_details": [_DETAIL], "call": {}}
    second = {"reasoning_content": "b", "reasoning_details": [_DETAIL | {"index": 1}]}
    assert write_reasoning([first, {"call": {}}, second]) == {
        "reasoning_content": "ab",
        "reasoning_details": [_DETAIL, _DETAIL | {"index": 1}],
    }
    assert write_reasoning([{"call": {}}]) == {}


def _text(index: int | None, **members: str | None) -> dict[str, Any]:
    return {"type": "reasoning.text", "format": "anthropic-claude-v1", "index": index, **members}


def test_pieces_of_a_detail_are_one() -> None:
    """Claude's signature is over the whole text."""
    pieces = DetailPieces()
    pieces.add([_text(0, text="Let", signature=None)])
    pieces.add([_text(0, text=" me")])
    pieces.add([_text(0, signature="Sig=", id="t1")])
    pieces.add([_text(1, text="then")])
    assert pieces.whole == [
        _text(0, text="Let me", signature="Sig=", id="t1"),
        _text(1, text="then"),
    ]


def test_details_that_are_no_pieces_of_each_other() -> None:
    details = [
        {"type": "reasoning.summary", "summary": "a", "index": 0},
        {"type": "reasoning.encrypted", "data": "AA==", "index": 0, "id": "rs_1"},
        {"type": "reasoning.encrypted", "data": "BB==", "index": 0, "id": "rs_2"},
        _text(None, text="c"),
        _text(None, text="d"),
    ]
    pieces = DetailPieces()
    for detail in details:
        pieces.add([detail])
    pieces.add("no list")
    pieces.add([None, "no object"])
    assert pieces.whole == details


def test_too_many_details_are_not_kept() -> None:
    pieces = DetailPieces()
    for _ in range(40):
        pieces.add([_text(0, text="a" * (1 << 20))])
    assert pieces.whole == []
