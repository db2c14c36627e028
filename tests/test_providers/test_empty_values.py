"""Values that are empty are refused with their path, at every provider that translates."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from providers.errors import FerryError
from tests.test_providers.test_bedrock.test_content import translate as bedrock
from tests.test_providers.test_claude_content import translate as anthropic
from tests.test_providers.test_mistral import translate as mistral
from tests.test_providers.test_openai_content import translate as openai

Refusal = Callable[..., FerryError]
_REFUSALS: Final[list[Refusal]] = [
    openai.refusal,
    mistral.refusal,
    anthropic.refusal,
    bedrock.refusal,
]
_NAMES: Final = ["OpenAI", "Mistral", "Anthropic", "Bedrock"]


@pytest.mark.parametrize("refusal", _REFUSALS, ids=_NAMES)
@pytest.mark.parametrize(("stops", "index"), [([""], 0), (["a", ""], 1)])
def test_an_empty_stop_sequence(refusal: Refusal, stops: list[str], index: int) -> None:
    refused = refusal(generationConfig={"stopSequences": stops})
    assert refused.path == f"request.generationConfig.stopSequences[{index}]"


@pytest.mark.parametrize("refusal", [anthropic.refusal, bedrock.refusal], ids=_NAMES[2:])
def test_claude_stops_at_no_white_space(refusal: Refusal) -> None:
    refused = refusal(generationConfig={"stopSequences": ["a", " \n"]})
    assert refused.path == "request.generationConfig.stopSequences[1]"


@pytest.mark.parametrize("stop", ["\n", " "])
def test_openai_stops_at_white_space(stop: str) -> None:
    assert openai.chat(generationConfig={"stopSequences": [stop]})["stop"] == [stop]


@pytest.mark.parametrize("refusal", _REFUSALS, ids=_NAMES)
@pytest.mark.parametrize(
    ("part", "field"),
    [
        ({"inlineData": {"mimeType": "image/png", "data": ""}}, "inlineData.data"),
        ({"inlineData": {"mimeType": "image/png"}}, "inlineData.data"),
        ({"inlineData": {"mimeType": "application/pdf", "data": ""}}, "inlineData.data"),
        ({"inlineData": {"mimeType": "audio/wav", "data": "="}}, "inlineData.data"),
        ({"inlineData": {"mimeType": "text/plain", "data": ""}}, "inlineData.data"),
        ({"inlineData": {"mimeType": "", "data": "AAAA"}}, "inlineData.mimeType"),
        ({"fileData": {"mimeType": "image/png", "fileUri": ""}}, "fileData.fileUri"),
        ({"fileData": {"mimeType": "image/png"}}, "fileData.fileUri"),
    ],
)
def test_empty_media(refusal: Refusal, part: dict[str, Any], field: str) -> None:
    refused = refusal(contents=[openai.user({"text": "Hello"}, part)])
    assert refused.path == f"request.contents[0].parts[1].{field}"
