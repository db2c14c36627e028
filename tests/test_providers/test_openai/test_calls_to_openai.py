from typing import Any

import pytest

from tests.test_providers.test_openai.translate import chat, model, refusal, user


def _calls(*calls: dict[str, Any]) -> dict[str, Any]:
    return model(*[{"functionCall": call} for call in calls])


def _answers(*answers: dict[str, Any]) -> dict[str, Any]:
    return user(*[{"functionResponse": answer} for answer in answers])


def _paired(called: dict[str, Any], answered: dict[str, Any]) -> list[tuple[str, str]]:
    """The id and the content of every tool message."""
    messages = chat(contents=[user({"text": "Hello"}), called, answered])["messages"]
    return [(m["tool_call_id"], m["content"]) for m in messages if m["role"] == "tool"]


def _answer(number: int, **fields: str) -> dict[str, Any]:
    return {"response": {"n": number}, **fields}


@pytest.mark.parametrize(
    ("called", "answered", "ids"),
    [
        # By id, in whichever order.
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
        # Those without an id take what those with one leave.
        (
            [{"id": "a", "name": "f"}, {"name": "f"}],
            [_answer(0, name="f"), _answer(1, id="a", name="f")],
            ["call_1_1", "a"],
        ),
    ],
)
def test_answers_find_their_calls(
    called: list[dict[str, Any]], answered: list[dict[str, Any]], ids: list[str]
) -> None:
    paired = _paired(_calls(*called), _answers(*answered))
    assert paired == [(call_id, f'{{"n":{number}}}') for number, call_id in enumerate(ids)]


def test_a_call_and_an_answer_without_content() -> None:
    contents = [user({"text": "Hello"}), _calls({"name": "f"}), _answers({"name": "f"})]
    _, called, answered = chat(contents=contents)["messages"]
    assert called["tool_calls"] == [
        {"id": "call_1_0", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    ]
    assert answered == {"role": "tool", "tool_call_id": "call_1_0", "content": "{}"}


@pytest.mark.parametrize(
    ("called", "answered", "path"),
    [
        ([{"name": "f"}], [{"name": "g"}], "contents[2].parts[0].functionResponse"),
        ([{"name": "f"}], [{}], "contents[2].parts[0].functionResponse"),
        ([{"name": "f"}], [{"id": "x"}], "contents[2].parts[0].functionResponse"),
        (
            [{"name": "f"}],
            [{"name": "f"}, {"name": "f"}],
            "contents[2].parts[1].functionResponse",
        ),
        (
            [{"id": "a", "name": "f"}],
            [{"id": "a", "name": "g"}],
            "contents[2].parts[0].functionResponse.name",
        ),
        (
            [{"name": "f"}, {"name": "f"}],
            [{"name": "f"}],
            "contents[1].parts[1].functionCall",
        ),
        (
            [{"id": "a", "name": "f"}, {"id": "a", "name": "g"}],
            [{"id": "a"}],
            "contents[1].parts[1].functionCall.id",
        ),
        ([{"name": "a.b"}], [{"name": "a.b"}], "contents[1].parts[0].functionCall.name"),
        ([{}], [{}], "contents[1].parts[0].functionCall.name"),
        (
            [{"name": "f"}],
            [{"name": "f", "parts": [{"inlineData": {}}]}],
            "contents[2].parts[0].functionResponse.parts",
        ),
        (
            [{"name": "f"}],
            [{"name": "f", "willContinue": True}],
            "contents[2].parts[0].functionResponse.willContinue",
        ),
        (
            [{"name": "f"}],
            [{"name": "f", "scheduling": "SILENT"}],
            "contents[2].parts[0].functionResponse.scheduling",
        ),
    ],
)
def test_calls_and_answers_that_do_not_fit(
    called: list[dict[str, Any]], answered: list[dict[str, Any]], path: str
) -> None:
    contents = [user({"text": "Hello"}), _calls(*called), _answers(*answered)]
    assert refusal(contents=contents).path == f"request.{path}"
