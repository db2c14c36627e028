from collections.abc import Callable
from typing import Any, Final

import pytest

from providers.errors import FerryError
from providers.gemini_content.settings import settings_in_range, stop_sequences

RANGES: Final = (("temperature", "temperature", 0, 2), ("topK", "top_k", 1, 9))


@pytest.mark.parametrize(
    ("config", "settings"),
    [
        ({}, {}),
        ({"temperature": 0, "topK": 9, "seed": 1}, {"temperature": 0, "top_k": 9}),
        ({"temperature": 2}, {"temperature": 2}),
    ],
)
def test_settings_get_the_providers_names(config: dict[str, Any], settings: dict[str, Any]) -> None:
    assert settings_in_range(config, RANGES, "config", "Elsewhere") == settings


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"temperature": 2.1}, "config.temperature: Elsewhere takes 0 to 2"),
        ({"temperature": 1, "topK": 0}, "config.topK: Elsewhere takes 1 to 9"),
    ],
)
def test_values_outside_their_range(config: dict[str, Any], message: str) -> None:
    with pytest.raises(FerryError) as refused:
        settings_in_range(config, RANGES, "config", "Elsewhere")
    assert refused.value.message == message


def test_stop_sequences_stay_as_they_are() -> None:
    assert stop_sequences({"stopSequences": ["a", " "]}, "config", "Elsewhere", most=2) == [
        "a",
        " ",
    ]
    assert stop_sequences({}, "config", "Elsewhere") == []


@pytest.mark.parametrize(
    ("stops", "accepts", "message"),
    [
        (["a", "b", "c"], bool, "config.stopSequences: Elsewhere takes at most 2"),
        (["a", ""], bool, "config.stopSequences[1]: must not be empty"),
        ([""], str.strip, "config.stopSequences[0]: must not be empty"),
        (["\n"], str.strip, "config.stopSequences[0]: must not be white space alone"),
    ],
)
def test_stop_sequences_that_are_refused(
    stops: list[str], accepts: Callable[[str], object], message: str
) -> None:
    with pytest.raises(FerryError) as refused:
        stop_sequences({"stopSequences": stops}, "config", "Elsewhere", accepts=accepts, most=2)
    assert refused.value.message == message
