from typing import Any

import pytest

from providers.errors import FerryError
from providers.gemini_content.unsupported import check_request_fields
from providers.gemini_content.warnings import Warnings


@pytest.mark.parametrize(
    ("request_fields", "rendered"),
    [
        ({}, ""),
        (
            {"labels": {}, "serviceTier": "FLEX"},
            "request.labels;count=1, request.serviceTier;count=1",
        ),
        ({"safetySettings": [{"threshold": "BLOCK_NONE"}, {"threshold": "OFF"}]}, ""),
        ({"safetySettings": [{"threshold": "OFF"}, {}]}, "request.safetySettings;count=1"),
    ],
)
def test_the_warnings(request_fields: dict[str, Any], rendered: str) -> None:
    warnings = Warnings()
    check_request_fields(request_fields, "request", warnings, "OpenAI")
    assert warnings.render() == rendered


def test_a_cache_of_geminis_is_refused_with_what_would_be_right() -> None:
    with pytest.raises(FerryError) as refused:
        check_request_fields({"cachedContent": "cachedContents/x"}, "", Warnings(), "OpenAI")
    assert refused.value.message == (
        "cachedContent: OpenAI cannot read content that Gemini caches; send the content itself "
        "with the request"
    )
