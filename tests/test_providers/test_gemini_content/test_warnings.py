import json
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from providers.gemini_content.warnings import Warnings, explain


def _dropped(*paths: str) -> str:
    warnings = Warnings()
    for path in paths:
        warnings.drop(path)
    return warnings.render()


def test_nothing_dropped() -> None:
    warnings = Warnings()
    assert not warnings
    assert warnings.render() == ""


def test_paths_are_counted_without_list_indices() -> None:
    warnings = Warnings()
    warnings.drop("requests[0].request.safetySettings")
    warnings.drop("requests[17].request.labels")
    warnings.drop("requests[17].request.safetySettings")
    assert warnings
    assert warnings.render() == (
        "requests[*].request.safetySettings;count=2, requests[*].request.labels;count=1"
    )


def test_paths_are_counted_without_line_numbers() -> None:
    rendered = _dropped("line 1: request.labels", "line 20: request.labels", "line 3: a.line 4")
    assert rendered == ("line%20*%3A%20request.labels;count=2, line%20*%3A%20a.line%204;count=1")


def test_characters_invalid_in_a_header_are_percent_encoded() -> None:
    assert _dropped('a["b; c=d,é\r\n%"]') == "a[%22b%3B%20c%3Dd%2C%C3%A9%0D%0A%25%22];count=1"


def test_a_filled_in_default_is_named() -> None:
    warnings = Warnings()
    warnings.fill("requests[0].request.generationConfig.maxOutputTokens", 4096)
    warnings.fill("requests[1].request.generationConfig.maxOutputTokens", 4096)
    warnings.fill("request.taskType", "a, b")
    assert warnings.render() == (
        "requests[*].request.generationConfig.maxOutputTokens=4096;count=2, "
        "request.taskType=a%2C%20b;count=1"
    )


def test_paths_that_do_not_fit_are_counted_together() -> None:
    rendered = _dropped(*[f"{letter * 1000}" for letter in "abcc"])
    assert rendered == f"{'a' * 1000};count=1, {'b' * 1000};count=1, ...;count=2"
    assert len(rendered) <= 2048


def test_a_path_longer_than_the_header_is_only_counted() -> None:
    assert _dropped("a" * 3000) == "...;count=1"


def test_many_invented_names_use_no_more_memory() -> None:
    warnings = Warnings()
    for number in range(10_000):
        warnings.drop(f"p{number}")
    counts = [int(entry.rpartition("=")[2]) for entry in warnings.render().split(", ")]
    assert sum(counts) == 10_000
    assert len(warnings.__dict__["_counts"]) < 1000


def test_the_readable_text() -> None:
    warnings = Warnings()
    for number in range(3):
        warnings.drop(f"requests[{number}].request.safetySettings")
    warnings.fill("requests[0].request.generationConfig.maxOutputTokens", 4096)
    warnings.drop("b" * 2000)
    assert explain(warnings.render()) == [
        "requests[*].request.safetySettings: dropped (3 times)",
        "requests[*].request.generationConfig.maxOutputTokens: filled in with 4096 (once)",
        "other fields: dropped or filled in (once)",
    ]


def test_without_warnings_there_is_no_text() -> None:
    assert explain("") == []


@settings(deadline=None)
@given(st.lists(st.text(max_size=60), max_size=100))
def test_the_readable_text_is_as_long_as_the_header(paths: list[str]) -> None:
    rendered = _dropped(*paths)
    sentences = explain(rendered)
    assert len(json.dumps(sentences)) <= 2048
    told = [re.search(r"\((?:once|([0-9]+) times)\)$", sentence) for sentence in sentences]
    assert sum(int(found[1] or 1) for found in told if found) == len(paths)


@given(st.text() | st.from_regex(r"[a-z.=;,% ]*;count=[0-9a-z]*", fullmatch=True))
def test_text_that_is_not_ours_is_harmless(text: str) -> None:
    assert len(json.dumps(explain(text))) <= 2048


@settings(deadline=None)
@given(st.lists(st.text(max_size=300), max_size=40))
def test_any_paths_make_a_header(paths: list[str]) -> None:
    rendered = _dropped(*paths)
    assert rendered.isascii()
    assert rendered.isprintable()
    assert len(rendered) <= 2048
    entries = rendered.split(", ") if rendered else []
    assert sum(int(entry.rpartition(";count=")[2]) for entry in entries) == len(paths)
