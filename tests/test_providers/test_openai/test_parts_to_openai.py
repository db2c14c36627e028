from typing import Any

import pytest

from tests.test_providers.test_openai.translate import refusal, user


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("executableCode", {"code": "1"}),
        ("codeExecutionResult", {"output": "1"}),
        ("toolCall", {}),
        ("toolResponse", {}),
        ("audioTranscription", {}),
        ("videoMetadata", {"fps": 1}),
        ("speechMetadata", {}),
        ("documentMetadata", {}),
        ("spreadsheetMetadata", {}),
        ("audioMetadata", {}),
        ("mediaProcessing", "ANY"),
        ("mediaResolution", {"level": "MEDIA_RESOLUTION_LOW"}),
    ],
)
def test_fields_that_openai_has_no_place_for(field: str, value: Any) -> None:
    error = refusal(contents=[user({"text": "Hello"}, {"text": "a", field: value})])
    assert error.path == f"request.contents[0].parts[1].{field}"


@pytest.mark.parametrize(
    "part",
    [
        {},
        {"text": None},
        {"text": "a", "inlineData": {"mimeType": "image/png", "data": "AAAA"}},
        {"text": "a", "functionResponse": {"name": "f"}},
    ],
)
def test_a_part_holds_one_thing(part: dict[str, Any]) -> None:
    assert refusal(contents=[user(part)]).path == "request.contents[0].parts[0]"
