"""Function calls in pieces, as users report them of compatible servers (openai.md section 10)."""

from time import process_time
from typing import Any

import pytest

from providers.gemini_content.candidate import Candidate
from providers.gemini_content.streamed_answer import StreamedAnswer
from providers.openai_content.call_pieces import CallPieces
from providers.upstream import UpstreamError


def piece(
    name: str | None = None, arguments: Any = None, call_id: Any = None, **index: Any
) -> dict[str, Any]:
    return {"id": call_id, "function": {"name": name, "arguments": arguments}, **index}


def calls_of(*pieces: dict[str, Any]) -> list[tuple[str, Any]]:
    answer = StreamedAnswer()
    calls = CallPieces(answer)
    for each in pieces:
        calls.add(each)
    (last,) = answer.end(Candidate(0, "STOP", "tool_calls"), {})
    (candidate,) = last["candidates"]
    made = [part["functionCall"] for part in candidate["content"]["parts"]]
    return [(call["name"], call["args"]) for call in made]


F, G = ("f", {"a": 1}), ("g", {"b": 2})


@pytest.mark.parametrize("call_id", [None, "", "own"])
@pytest.mark.parametrize("index", [{"index": 0}, {"index": None}, {}])
def test_whole_calls_with_one_index(call_id: str | None, index: dict[str, Any]) -> None:
    ids = ("1", "2") if call_id == "own" else (call_id, call_id)
    pieces = [piece("f", '{"a":1}', ids[0], **index), piece("g", '{"b":2}', ids[1], **index)]
    assert calls_of(*pieces) == [F, G]


def test_two_calls_of_one_function_without_ids() -> None:
    pieces = [piece("f", {"a": number}, index=0) for number in (1, 2)]
    assert calls_of(*pieces) == [("f", {"a": 1}), ("f", {"a": 2})]


def test_calls_without_index_and_arguments() -> None:
    assert calls_of(piece("f", ""), piece("g", "")) == [("f", {}), ("g", {})]


@pytest.mark.parametrize("more", [{}, {"call_id": "1"}, {"call_id": ""}])
def test_a_name_that_is_repeated(more: dict[str, str]) -> None:
    pieces = [piece("f", '{"a"', "1", index=0), piece("f", ":1}", **more, index=0)]
    assert calls_of(*pieces) == [F]


def test_a_name_that_comes_later() -> None:
    assert calls_of(piece(None, None, "1", index=0), piece("f", '{"a":1}', index=0)) == [F]


def test_an_id_decides_before_an_index() -> None:
    pieces = [
        piece("f", "", "1", index=0),
        piece("g", "", "2", index=0),
        piece(None, '{"a":1}', "1", index=0),
        piece(None, '{"b":2}', "2", index=0),
    ]
    assert calls_of(*pieces) == [F, G]
    moved = [piece("f", '{"a"', "1", index=0), piece(None, ":1}", "1", index=1)]
    assert calls_of(*moved) == [F]


def test_two_calls_with_one_id() -> None:
    assert calls_of(piece("f", '{"a":1}', "x", index=0), piece("g", '{"b":2}', "x", index=1)) == [
        F,
        G,
    ]


def test_an_index_as_text() -> None:
    pieces = [
        piece("f", '{"a":1}', "1", index="0"),
        piece("g", '{"b"', "2", index="1"),
        piece(None, ":2}", index="1"),
    ]
    assert calls_of(*pieces) == [F, G]


def test_pieces_without_index_belong_to_the_last_call() -> None:
    pieces = [piece("f", '{"a":1}', "1", index=0), piece("g", '{"b"', "2"), piece(None, ":2}")]
    assert calls_of(*pieces) == [F, G]


@pytest.mark.parametrize("arguments", ["", '{"a"'])
def test_another_name_within_a_call_is_refused(arguments: str) -> None:
    """It may be the rest of the name, or another call."""
    with pytest.raises(UpstreamError, match="names another function"):
        calls_of(piece("f", arguments, index=0), piece("g", "{}", index=0))


def test_many_pieces_with_a_name_are_not_parsed_each_time() -> None:
    answer = StreamedAnswer()
    calls = CallPieces(answer)
    calls.add(piece("f", '{"a":"' + "b" * (1 << 20), index=0))
    begun = process_time()
    for _ in range(10_000):
        calls.add(piece("f", "b", index=0))
    assert process_time() - begun < 5
