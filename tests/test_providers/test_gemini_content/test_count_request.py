from typing import Any

import pytest

from providers.errors import FerryError
from providers.gemini_content.count_request import normalise_count
from providers.status import Status

CONTENTS = [{"parts": [{"text": "hello"}]}]
NORMAL = [{"role": "user", "parts": [{"text": "hello"}]}]


def normal(body: dict[str, Any]) -> tuple[dict[str, Any], str]:
    return normalise_count(body, "m", "OpenAI")


def test_contents_alone() -> None:
    assert normal({"contents": CONTENTS}) == ({"contents": NORMAL}, "")


@pytest.mark.parametrize("name", ["generateContentRequest", "generate_content_request"])
def test_a_whole_request(name: str) -> None:
    whole = {"model": "models/m", "contents": CONTENTS, "system_instruction": CONTENTS[0]}
    request, path = normal({name: whole, "contents": []})
    assert (request["contents"], path) == (NORMAL, "generateContentRequest")
    assert request["systemInstruction"] == {"parts": [{"text": "hello"}]}


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "contents"),
        ({"contents": []}, "contents"),
        ({"contents": None, "generateContentRequest": None}, "contents"),
        ({"contents": CONTENTS, "tools": []}, "tools"),
        ({"contents": CONTENTS, "generateContentRequest": {"contents": CONTENTS}}, "contents"),
        (
            {"generateContentRequest": {}, "generate_content_request": {}},
            "generate_content_request",
        ),
        ({"generateContentRequest": {}}, "generateContentRequest.contents"),
        ({"generateContentRequest": []}, "generateContentRequest"),
        ({"generateContentRequest": {"contents": CONTENTS, "x": 1}}, "generateContentRequest.x"),
        (
            {"generateContentRequest": {"contents": CONTENTS, "model": "models/other"}},
            "generateContentRequest.model",
        ),
        ({"generateContentRequest": {"contents": CONTENTS}, "model": "models/other"}, "model"),
    ],
)
def test_refusals(body: dict[str, Any], path: str) -> None:
    with pytest.raises(FerryError) as refused:
        normal(body)
    assert (refused.value.status, refused.value.path) == (Status.INVALID_ARGUMENT, path)
