from collections.abc import Iterator
from time import process_time
from typing import Any

import pytest

from providers.gemini_content.candidate import Candidate
from providers.gemini_content.streamed_answer import Chunk, StreamedAnswer
from providers.json_api.answer_shape import UnreadableAnswer
from providers.limits import STREAM_CALLS
from providers.upstream import UpstreamError

STOP = {"finishReason": "STOP", "index": 0}


def parts_of(chunks: Iterator[Chunk]) -> list[dict[str, Any]]:
    found = []
    for chunk in chunks:
        (candidate,) = chunk["candidates"]
        assert candidate["content"]["role"] == "model"
        found += candidate["content"]["parts"]
    return found


def ended(answer: StreamedAnswer, native: str = "stop", reason: str = "STOP") -> Chunk:
    *_, last = answer.end(Candidate(0, reason, native), {"usageMetadata": {"totalTokenCount": 1}})
    return last


def test_a_text_is_said_at_once() -> None:
    answer = StreamedAnswer()
    answer.model, answer.answer_id = "m", "a1"
    assert list(answer.say("Hel")) == [
        {
            "candidates": [{"content": {"role": "model", "parts": [{"text": "Hel"}]}, "index": 0}],
            "modelVersion": "m",
            "responseId": "a1",
        }
    ]


def test_the_last_chunk_has_a_part_the_reason_and_the_usage() -> None:
    answer = StreamedAnswer()
    list(answer.say("hello"))
    assert ended(answer) == {
        "candidates": [{"content": {"role": "model", "parts": [{"text": ""}]}, **STOP}],
        "usageMetadata": {"totalTokenCount": 1},
    }


def test_an_empty_answer_has_a_part() -> None:
    (candidate,) = ended(StreamedAnswer())["candidates"]
    assert candidate["content"]["parts"] == [{"text": ""}]


def test_an_empty_answer_says_why_it_ended() -> None:
    (candidate,) = ended(StreamedAnswer(), "filtered", "SAFETY")["candidates"]
    (note,) = candidate["content"]["parts"]
    assert "'filtered'" in note["text"]


def test_a_piece_of_a_thought_waits_for_its_signature() -> None:
    answer = StreamedAnswer()
    assert parts_of(answer.think("a")) == []
    assert parts_of(answer.think("b")) == [{"text": "a", "thought": True}]
    signed = {"text": "b", "thought": True, "thoughtSignature": "Uw=="}
    assert parts_of(answer.sign("Uw==")) == [signed]
    assert parts_of(answer.say("c")) == [{"text": "c"}]


def test_a_thought_without_a_signature_is_not_lost() -> None:
    answer = StreamedAnswer()
    list(answer.think("a"))
    assert parts_of(answer.say("b")) == [{"text": "a", "thought": True}, {"text": "b"}]
    list(answer.think("c"))
    (_, last) = list(answer.end(Candidate(0, "STOP", None), {}))
    assert last["candidates"][0]["finishReason"] == "STOP"


def test_a_signature_without_a_thought_goes_on_the_next_part() -> None:
    answer = StreamedAnswer()
    assert parts_of(answer.sign("Uw==")) == []
    assert parts_of(answer.say("a")) == [{"text": "a", "thoughtSignature": "Uw=="}]


def test_no_signature_is_lost_before_another_thought() -> None:
    answer = StreamedAnswer()
    assert parts_of(answer.sign("QQ==")) == []
    assert parts_of(answer.sign("Qg==")) == [{"text": "", "thoughtSignature": "QQ=="}]
    assert parts_of(answer.think("a")) == [{"text": "", "thoughtSignature": "Qg=="}]
    signed = {"text": "a", "thought": True, "thoughtSignature": "Qw=="}
    assert parts_of(answer.sign("Qw==")) == [signed]


def test_all_calls_are_in_the_last_chunk() -> None:
    answer = StreamedAnswer()
    list(answer.say("I look."))
    list(answer.sign("Uw=="))
    answer.call(0, "f", "c1", "calls[0]")
    answer.call(1, "g", None, "calls[1]")
    for number, piece in [(0, '{"a"'), (1, ""), (0, ":1}")]:
        answer.add_arguments(number, piece)
    (candidate,) = ended(answer, "tool_calls")["candidates"]
    assert candidate["content"]["parts"] == [
        {"functionCall": {"id": "c1", "name": "f", "args": {"a": 1}}, "thoughtSignature": "Uw=="},
        {"functionCall": {"name": "g", "args": {}}},
    ]


def test_arguments_that_were_cut_are_named() -> None:
    answer = StreamedAnswer()
    answer.call(0, "f", "c1", "calls[0]")
    answer.add_arguments(0, '{"a":')
    (candidate,) = ended(answer, "length", "MAX_TOKENS")["candidates"]
    assert candidate["finishReason"] == "MALFORMED_FUNCTION_CALL"
    (note,) = candidate["content"]["parts"]
    assert '{"a":' in note["text"]


def test_too_many_arguments_end_the_stream() -> None:
    answer = StreamedAnswer()
    answer.call(0, "f", "c1", "calls[0]")
    answer.add_arguments(0, "a" * (STREAM_CALLS - 1000))
    with pytest.raises(UpstreamError, match="function calls"):
        answer.add_arguments(0, "a" * 1000)


@pytest.mark.parametrize(
    ("name", "call_id"), [("f", "c"), ("f" * 10_000, None), (None, "c" * 10_000), (["f"], None)]
)
def test_too_many_calls_end_the_stream(name: object, call_id: str | None) -> None:
    answer = StreamedAnswer()

    def begin_calls() -> None:
        for number in range(STREAM_CALLS // 50):
            answer.call(number, name, call_id, "calls[0]")

    with pytest.raises(UpstreamError, match="function calls"):
        begin_calls()


def test_what_is_no_name_of_a_call_is_not_kept() -> None:
    answer = StreamedAnswer()
    assert parts_of(answer.say("Hi")) == [{"text": "Hi"}]
    answer.call(0, {"a": "b"}, ["c"], "calls[0]")
    (candidate,) = ended(answer, "tool_calls")["candidates"]
    (note,) = candidate["content"]["parts"]
    assert "calls[0].name is not a string" in note["text"]


def test_an_answer_of_which_nothing_can_be_read_is_an_error() -> None:
    answer = StreamedAnswer()
    answer.call(0, {"a": "b"}, ["c"], "calls[0]")
    with pytest.raises(UnreadableAnswer, match="is not a string"):
        ended(answer, "tool_calls")


def test_a_signature_does_not_go_with_sources_but_with_the_text_after_them() -> None:
    answer = StreamedAnswer()
    said = [*answer.sign("S"), *answer.cite(["https://a.example", None]), *answer.say("Hi")]
    (source,) = said[0]["candidates"][0]["citationMetadata"]["citationSources"]
    assert source == {"uri": "https://a.example"}
    assert parts_of(iter(said)) == [{"text": ""}, {"text": "Hi", "thoughtSignature": "S"}]


def test_arguments_in_many_pieces_are_joined_once() -> None:
    """Copying what is there for each piece would take minutes."""
    answer = StreamedAnswer()
    answer.call(0, "f", "c1", "calls[0]")
    pieces = STREAM_CALLS // 8
    begun = process_time()
    answer.add_arguments(0, '{"a":\r\n"')
    for _ in range(pieces):
        answer.add_arguments(0, "é\\n")
    answer.add_arguments(0, '"}')
    (candidate,) = ended(answer, "tool_calls")["candidates"]
    assert process_time() - begun < 10
    (part,) = candidate["content"]["parts"]
    assert part["functionCall"]["args"] == {"a": "é\n" * pieces}


@pytest.mark.parametrize("kind", ["say", "think"])
def test_a_long_piece_is_cut(kind: str) -> None:
    answer = StreamedAnswer()
    text = "ab" * 100_000
    said = parts_of(getattr(answer, kind)(text)) + parts_of(answer.say("end"))
    assert "".join(part["text"] for part in said) == text + "end"
    assert max(len(part["text"]) for part in said) <= 1 << 16
