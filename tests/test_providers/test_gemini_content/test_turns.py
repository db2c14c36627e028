from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.errors import FerryError
from providers.gemini_content.turns import Turn, joined_turns
from providers.gemini_content.warnings import Warnings
from providers.status import Status

_SIGNATURE = "U0lHTg=="
_CALL: dict[str, Any] = {"functionCall": {"name": "f"}}


def _content(role: str, *parts: dict[str, Any]) -> dict[str, Any]:
    return {"role": role, "parts": list(parts)}


def _turns(*contents: dict[str, Any]) -> list[Turn]:
    return list(joined_turns({"contents": list(contents)}, "request", Warnings()))


def _joined(*contents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The parts of the only turn that these contents of the model become."""
    (turn,) = _turns(*(_content("model", *parts) for parts in contents))
    return [part.fields for part in turn.parts]


def _thought(text: str, **more: str) -> dict[str, Any]:
    return {"text": text, "thought": True, **more}


def test_the_pieces_of_a_text_are_one_text() -> None:
    assert _joined([{"text": "Hel"}], [{"text": "lo"}], [{"text": ""}]) == [{"text": "Hello"}]


def test_texts_of_one_content_stay_apart() -> None:
    assert _joined([{"text": "a"}, {"text": "b"}]) == [{"text": "a"}, {"text": "b"}]


def test_a_text_goes_on_after_its_signature() -> None:
    signed = {"text": "a", "thoughtSignature": _SIGNATURE}
    assert _joined([signed], [{"text": "b"}]) == [{"text": "ab", "thoughtSignature": _SIGNATURE}]


def test_a_signature_begins_another_text() -> None:
    signed = {"text": "b", "thoughtSignature": _SIGNATURE}
    assert _joined([{"text": "a"}], [signed]) == [{"text": "a"}, signed]


@pytest.mark.parametrize("apart", [True, False])
def test_the_pieces_of_a_thought_are_one_thought(apart: bool) -> None:
    pieces = [_thought("a "), _thought("b "), _thought("c", thoughtSignature=_SIGNATURE)]
    contents = [[piece] for piece in pieces] if apart else [pieces]
    assert _joined(*contents, [_CALL]) == [_thought("a b c", thoughtSignature=_SIGNATURE), _CALL]


def test_a_signature_ends_a_thought() -> None:
    signed = _thought("a", thoughtSignature=_SIGNATURE)
    assert _joined([signed], [_thought("b")], [_CALL]) == [signed, _thought("b"), _CALL]


def test_a_thought_is_no_text() -> None:
    assert _joined([_thought("a")], [{"text": "b"}]) == [_thought("a"), {"text": "b"}]


def test_what_is_between_texts_keeps_them_apart() -> None:
    assert _joined([{"text": "a"}], [_CALL], [{"text": "b"}]) == [
        {"text": "a"},
        _CALL,
        {"text": "b"},
    ]


def test_an_empty_text_with_a_signature_is_kept() -> None:
    signed = {"text": "", "thoughtSignature": _SIGNATURE}
    assert _joined([{"text": "a"}], [signed]) == [{"text": "a"}, signed]


def test_an_empty_text_of_the_user_is_kept() -> None:
    (turn,) = _turns(_content("user", {"text": ""}), _content("user"))
    assert [part.fields for part in turn.parts] == [{"text": ""}]


def test_a_turn_in_which_the_model_said_nothing_is_left_out() -> None:
    a, b, nothing = {"text": "a"}, {"text": "b"}, _content("model", {"text": ""})
    (turn,) = _turns(_content("user", a), nothing, nothing, _content("user", b))
    assert [part.fields for part in turn.parts] == [a, b]
    assert [part.path for part in turn.parts] == [
        "request.contents[0].parts[0]",
        "request.contents[3].parts[0]",
    ]


@pytest.mark.parametrize(
    "thoughts",
    [
        [[_thought("a")]],
        [[_thought("a"), _thought("b", thoughtSignature=_SIGNATURE)]],
        [[_thought("a")], [{"text": ""}], [{"text": "", "thoughtSignature": _SIGNATURE}]],
        [[{"thoughtSignature": _SIGNATURE}]],
    ],
)
def test_a_turn_in_which_the_model_only_thought_is_left_out(
    thoughts: list[list[dict[str, Any]]],
) -> None:
    """As after an answer that was cut off; chats send it back."""
    a, b, warnings = {"text": "a"}, {"text": "b"}, Warnings()
    contents = [_content("user", a), *(_content("model", *parts) for parts in thoughts)]
    request = {"contents": [*contents, _content("user", b)]}
    (turn,) = joined_turns(request, "request", warnings)
    assert [part.fields for part in turn.parts] == [a, b]
    assert warnings.render() == "request.contents[*];count=1"


@pytest.mark.parametrize("said", [{"text": "b"}, _CALL, _CALL | {"thought": True}])
def test_a_thought_stays_with_what_was_said(said: dict[str, Any]) -> None:
    assert _joined([_thought("a")], [said]) == [_thought("a"), said]


def test_the_users_contents_stay_apart() -> None:
    a, b = {"text": "a"}, {"text": "b"}
    (turn,) = _turns(_content("user", a), _content("user"), _content("user", {"text": ""}, b))
    assert [[part.fields for part in content] for content in turn.contents] == [[a], [], [b]]


def test_a_turn_has_the_path_of_its_first_content_and_a_part_its_own() -> None:
    user, model = _turns(
        _content("user", {"text": "a"}),
        _content("model", {"text": "b"}),
        _content("model", {"text": "c"}, _CALL),
    )
    assert (user.index, user.path) == (0, "request.contents[0]")
    assert (model.index, model.path) == (1, "request.contents[1]")
    assert [part.path for part in model.parts] == [
        "request.contents[1].parts[0]",
        "request.contents[2].parts[1]",
    ]


def test_a_turn_without_parts_is_refused() -> None:
    with pytest.raises(FerryError) as refused:
        _turns(_content("user", {"text": "a"}), _content("model"), _content("model"))
    assert refused.value.status == Status.INVALID_ARGUMENT
    assert refused.value.path == "request.contents[1].parts"


@given(st.lists(st.text(max_size=3), min_size=1, max_size=8))
def test_no_text_is_lost_or_added(pieces: list[str]) -> None:
    joined = _joined([{"text": "-"}], *([{"text": piece}] for piece in pieces))
    assert joined == [{"text": "-" + "".join(pieces)}]
