import re
from typing import Any, Final

import pytest

from providers.errors import FerryError
from providers.gemini_content.content_parts import ContentPart
from providers.gemini_content.function_calls import CallRules, PendingCalls
from providers.gemini_content.warnings import Warnings

_RULES: Final = CallRules("Elsewhere", longest_name=8, ids=re.compile("[a-z]+|call_[0-9_]+"))


def _exchange(
    called: list[dict[str, Any]], answered: list[dict[str, Any]]
) -> tuple[list[str], list[tuple[str, Any]]]:
    """The ids of the calls, and the id and the number of every answer."""
    calls = PendingCalls(_RULES, Warnings())
    ids = [
        calls.add(ContentPart("functionCall", call, f"calls[{number}]"), 1, number).id
        for number, call in enumerate(called)
    ]
    answers = calls.match(
        [
            ContentPart("functionResponse", answer, f"answers[{number}]")
            for number, answer in enumerate(answered)
        ]
    )
    calls.require_all_answered()
    return ids, [(answer.call_id, answer.response.get("n")) for answer in answers]


def _answer(number: int, **fields: str) -> dict[str, Any]:
    return {"response": {"n": number}, **fields}


@pytest.mark.parametrize(
    ("called", "answered", "ids"),
    [
        # By id, in any order.
        (
            [{"id": "a", "name": "f"}, {"id": "b", "name": "f"}],
            [_answer(0, id="b", name="f"), _answer(1, id="a")],
            ["b", "a"],
        ),
        # By name and order.
        (
            [{"name": "f"}, {"name": "g"}, {"name": "f"}],
            [_answer(0, name="g"), _answer(1, name="f"), _answer(2, name="f")],
            ["call_1_1", "call_1_0", "call_1_2"],
        ),
        # Those without an id match the calls that remain.
        (
            [{"id": "a", "name": "f"}, {"name": "f"}],
            [_answer(0, name="f"), _answer(1, id="a", name="f")],
            ["call_1_1", "a"],
        ),
        # A call that is written twice, as @google/generative-ai keeps the calls of a stream.
        (
            [
                {"id": "a", "name": "f", "args": {"n": 1}},
                {"id": "a", "name": "f", "args": {"n": 1}},
            ],
            [_answer(0, name="f"), _answer(1, name="f")],
            ["a", "call_1_1"],
        ),
        # Only the answers have ids, which the program made.
        (
            [{"name": "f"}, {"id": "b", "name": "f"}, {"name": "f"}],
            [_answer(0, id="x", name="f"), _answer(1, id="b", name="f"), _answer(2, name="f")],
            ["call_1_0", "b", "call_1_2"],
        ),
        # An empty name is none.
        ([{"id": "a", "name": "f"}], [_answer(0, id="a", name="")], ["a"]),
        # By the client's id, even if another is sent.
        (
            [{"id": "A", "name": "f"}, {"id": "B", "name": "f"}],
            [_answer(0, id="B"), _answer(1, id="A")],
            ["call_1_1", "call_1_0"],
        ),
    ],
)
def test_answers_are_matched_with_their_calls(
    called: list[dict[str, Any]], answered: list[dict[str, Any]], ids: list[str]
) -> None:
    sent, paired = _exchange(called, answered)
    assert sorted(sent) == sorted(ids)
    assert paired == [(call_id, number) for number, call_id in enumerate(ids)]


def test_a_call_keeps_its_arguments() -> None:
    part = ContentPart("functionCall", {"name": "f", "args": {"a_b": 1}}, "path")
    call = PendingCalls(_RULES, Warnings()).add(part, 1, 0)
    assert (call.name, call.args, call.path) == ("f", {"a_b": 1}, "path")
    bare = ContentPart("functionCall", {"name": "f"}, "path")
    assert PendingCalls(_RULES, Warnings()).add(bare, 1, 0).args == {}


def test_an_id_is_sent_once() -> None:
    calls = PendingCalls(_RULES, Warnings())

    def exchanged(turn: int, given: str | None) -> str:
        value = {"id": given, "name": "f"} if given else {"name": "f"}
        call = calls.add(ContentPart("functionCall", value, "path"), turn, 0)
        (answer,) = calls.match([ContentPart("functionResponse", value, "path")])
        assert answer.call_id == call.id
        return call.id

    given = [(1, "a"), (3, "a"), (5, "call_7_0"), (7, None)]
    assert [exchanged(*one) for one in given] == ["a", "call_3_0", "call_7_0", "call_7_0_"]


@pytest.mark.parametrize(
    ("called", "answered", "path"),
    [
        ([{"name": "f"}], [{"name": "g"}], "answers[0]"),
        ([{"name": "f"}], [{}], "answers[0]"),
        ([{"name": "f"}], [{"id": "x"}], "answers[0]"),
        ([{"name": "f"}], [{"name": "f"}, {"name": "f"}], "answers[1]"),
        ([{"id": "a", "name": "f"}], [{"id": "a", "name": "g"}], "answers[0].name"),
        ([{"name": "f"}, {"name": "f"}], [{"name": "f"}], "calls[1]"),
        ([{"id": "a", "name": "f"}, {"id": "a", "name": "g"}], [], "calls[1].id"),
        ([{"id": "A", "name": "f"}, {"id": "A", "name": "g"}], [], "calls[1].id"),
        ([{"id": "a", "name": "f"}, {"id": "a", "name": "f", "args": {"n": 1}}], [], "calls[1].id"),
        ([{"id": "a", "name": "f"}] * 2, [{"id": "a"}, {"id": "a"}], "answers[1]"),
        (
            [{"id": "a", "name": "f"}, {"name": "f"}],
            [{"id": "a", "name": "f"}, {"id": "a", "name": "f"}],
            "answers[1]",
        ),
        ([{"name": ""}], [], "calls[0].name"),
        ([{}], [], "calls[0].name"),
        ([{"id": "a", "name": "f"}], [{"id": "x", "name": "f"}], "answers[0]"),
        ([{"name": "a.b"}], [{"name": "a_b"}], "answers[0]"),
        ([{"name": "f"}], [{"name": "f", "parts": [{}]}], "answers[0].parts"),
        ([{"name": "f"}], [{"name": "f", "willContinue": True}], "answers[0].willContinue"),
        ([{"name": "f"}], [{"name": "f", "scheduling": "SILENT"}], "answers[0].scheduling"),
    ],
)
def test_calls_and_answers_that_do_not_match(
    called: list[dict[str, Any]], answered: list[dict[str, Any]], path: str
) -> None:
    with pytest.raises(FerryError) as refused:
        _exchange(called, answered)
    assert refused.value.path == path


def test_a_made_id_is_made_again_if_the_client_has_it() -> None:
    rules = CallRules(
        "Elsewhere", longest_name=8, ids=re.compile("[a-z0-9]+"), make_id=lambda *n: f"id{n[2]}"
    )
    calls = PendingCalls(rules, Warnings())
    given = [{"name": "f", "id": "id0"}, {"name": "f", "id": "no form"}, {"name": "f"}]
    ids = [calls.add(ContentPart("functionCall", call, "p"), 1, 0).id for call in given]
    assert ids == ["id0", "id1", "id2"]


@pytest.mark.parametrize(
    ("given", "sent"),
    [("a.b", "a_b"), ("$f", "_f"), ("f\n", "f_"), ("функция", "_______"), ("f" * 9, "f" * 8)],
)
def test_a_name_that_the_model_made_up_is_replaced(given: str, sent: str) -> None:
    """It was never declared, and the answer says so; the conversation goes on."""
    warnings = Warnings()
    calls = PendingCalls(_RULES, warnings)
    call = calls.add(ContentPart("functionCall", {"name": given}, "calls[0]"), 1, 0)
    (answer,) = calls.match([ContentPart("functionResponse", {"name": given}, "answers[0]")])
    assert (call.name, answer.call_id) == (sent, call.id)
    assert warnings.render() == "calls[*].name;count=1"
