from typing import Any

import pytest

from providers.errors import FerryError
from providers.gemini_content.content_parts import ContentPart, content_part, content_parts
from providers.gemini_content.turns import PlacedPart, placed_parts
from providers.gemini_content.warnings import Warnings
from providers.status import Status


def _carried(*parts: dict[str, Any]) -> list[ContentPart]:
    placed = placed_parts({"parts": list(parts)}, "turn")
    return content_parts(placed, "turn", Warnings(), "Elsewhere")


def _refusal(*parts: dict[str, Any]) -> FerryError:
    with pytest.raises(FerryError) as refused:
        _carried(*parts)
    assert refused.value.status == Status.INVALID_ARGUMENT
    return refused.value


@pytest.mark.parametrize(
    "field", ["text", "inlineData", "fileData", "functionCall", "functionResponse"]
)
def test_a_part_is_reduced_to_its_content(field: str) -> None:
    part = content_part(PlacedPart({field: "value"}, "part"), Warnings(), "Elsewhere")
    assert part == ContentPart(field, "value", f"part.{field}")


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
def test_fields_that_other_providers_lack(field: str, value: Any) -> None:
    error = _refusal({"text": "Hello"}, {"text": "a", field: value})
    assert error.path == f"turn.parts[1].{field}"
    assert "Elsewhere" in error.message


@pytest.mark.parametrize(
    "part",
    [
        {},
        {"text": "a", "inlineData": {"mimeType": "image/png", "data": "AAAA"}},
        {"text": "a", "functionResponse": {"name": "f"}},
    ],
)
def test_a_part_has_one_content(part: dict[str, Any]) -> None:
    assert _refusal(part).path == "turn.parts[0]"


@pytest.mark.parametrize(
    ("part", "fields"),
    [
        ({"text": "a", "thought": True}, []),
        ({"text": "a", "thoughtSignature": "AAAA"}, ["text"]),
        ({"text": "a", "partMetadata": {}}, ["text"]),
        ({"thoughtSignature": "AAAA"}, []),
        # A call marked as a thought is still a call.
        ({"functionCall": {}, "thought": True}, ["functionCall"]),
    ],
)
def test_dropped_fields(part: dict[str, Any], fields: list[str]) -> None:
    warnings = Warnings()
    placed = placed_parts({"parts": [part, {"text": "b"}]}, "turn")
    carried = content_parts(placed, "turn", warnings, "Elsewhere")
    assert [one.field for one in carried] == [*fields, "text"]
    (dropped,) = part.keys() & {"thought", "thoughtSignature", "partMetadata"}
    assert warnings.render() == f"turn.parts[*].{dropped};count=1"


def test_a_turn_of_thoughts_only_is_refused() -> None:
    error = _refusal({"text": "Hm", "thought": True})
    assert error.path == "turn.parts"
    assert error.message.endswith(
        "; give a text that is not blank, a file, a function call or its response"
    )
