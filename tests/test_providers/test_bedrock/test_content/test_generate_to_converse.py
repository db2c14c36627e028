from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.bedrock.content.generate_to_converse import to_converse
from providers.errors import FerryError
from providers.gemini_content.normalise import normalise_generate
from providers.gemini_content.warnings import Warnings
from providers.status import Status
from tests.test_providers.test_bedrock.test_content.converse_shape import require_converse
from tests.test_providers.test_bedrock.test_content.translate import (
    CLAUDE,
    NEW_CLAUDE,
    NOVA,
    OPAQUE,
    OTHER,
    converse,
    dropped,
    refusal,
    translate,
    user,
)
from tests.test_providers.test_gemini_content.conversations import pieces_of
from tests.test_providers.test_gemini_content.maximal_requests import GENERATE


@pytest.mark.parametrize("model", [CLAUDE, NOVA, OTHER, OPAQUE])
def test_a_body_has_no_model(model: str) -> None:
    assert converse(model=model, contents=[user({"text": "a"})]) == {
        "messages": [{"role": "user", "content": [{"text": "a"}]}]
    }


def test_a_whole_request() -> None:
    body = converse(
        contents=[user({"text": "a"})],
        systemInstruction={"parts": [{"text": "b"}]},
        generationConfig={"temperature": 0.5},
        tools=[{"functionDeclarations": [{"name": "f"}]}],
    )
    assert set(body) == {"messages", "system", "inferenceConfig", "toolConfig"}


@pytest.mark.parametrize("name", [CLAUDE, f"models/{CLAUDE}"])
def test_a_request_may_name_the_batchs_own_model(name: str) -> None:
    request = {"contents": [user({"text": "a"})]}
    assert translate({"model": name} | request, CLAUDE) == translate(request, CLAUDE)


def test_a_request_may_not_name_another_model() -> None:
    with pytest.raises(FerryError) as refused:
        translate({"model": NOVA}, CLAUDE)
    assert refused.value.path == "request.model"


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({"cachedContent": "cachedContents/c"}, "cachedContent"),
        ({"store": True}, "store"),
        ({"continuationToken": "AAAA"}, "continuationToken"),
    ],
)
def test_fields_that_bedrock_lacks(request_: dict[str, Any], field: str) -> None:
    assert refusal(**request_).path == f"request.{field}"


def test_neutral_fields_are_dropped() -> None:
    settings_ = [{"category": "C", "threshold": "BLOCK_LOW_AND_ABOVE"}]
    request: dict[str, Any] = {"labels": {"a": "b"}, "serviceTier": "FLEX"}
    request["safetySettings"] = settings_
    names = ("labels", "serviceTier", "safetySettings")
    assert dropped(**request) == ", ".join(f"request.{name};count=1" for name in names)


def _translated(request: dict[str, Any], model: str) -> tuple[dict[str, Any] | FerryError, str]:
    warnings = Warnings()
    try:
        body = to_converse(
            normalise_generate(request, "request"),
            model=model,
            path="request",
            warnings=warnings,
            media_uri=lambda *_: "s3://bucket/a",
        )
    except FerryError as error:
        return error, ""
    return body, warnings.render()


_MODELS = st.sampled_from([CLAUDE, NEW_CLAUDE, NOVA, OTHER, OPAQUE])


@settings(deadline=None, max_examples=500)
@given(request=pieces_of(GENERATE), model=_MODELS)
def test_a_request_is_translated_or_refused_with_a_path(
    request: dict[str, Any], model: str
) -> None:
    outcome, _ = _translated(request, model)
    if isinstance(outcome, FerryError):
        assert outcome.status == Status.INVALID_ARGUMENT
        assert (outcome.path or "").startswith("request.")
    else:
        require_converse(outcome)


# One field at a time in an otherwise valid request: no field is lost silently.

_BASE: dict[str, Any] = {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}
# Settings that block nothing have the same meaning as none.
_WITHOUT_A_WORD = ("safetySettings",)


def _requests() -> list[tuple[str, dict[str, Any]]]:
    whole = {field: {field: value} for field, value in GENERATE.items() if field != "contents"}
    config = {
        f"generationConfig.{field}": {"generationConfig": {field: value}}
        for field, value in GENERATE["generationConfig"].items()
    }
    thinking = {
        f"generationConfig.thinkingConfig.{field}": {
            "generationConfig": {"thinkingConfig": {field: value}}
        }
        for field, value in GENERATE["generationConfig"]["thinkingConfig"].items()
    }
    del whole["generationConfig"], config["generationConfig.thinkingConfig"]
    return [*whole.items(), *config.items(), *thinking.items()]


@pytest.mark.parametrize("model", [CLAUDE, OTHER])
@pytest.mark.parametrize(("field", "request_"), _requests(), ids=lambda value: str(value)[:40])
def test_no_field_is_silently_lost(field: str, request_: dict[str, Any], model: str) -> None:
    outcome, warnings = _translated(_BASE | request_, model)
    if isinstance(outcome, FerryError):
        assert (outcome.path or "").startswith(f"request.{field}".partition("[")[0])
        return
    plain, _ = _translated(_BASE, model)
    carried = outcome != plain
    assert carried or field in warnings or field in _WITHOUT_A_WORD


_PARTS = {
    f"{number}.{field}": {"text": "Hello"} | {field: value}
    for number, content in enumerate(GENERATE["contents"])
    for part in content["parts"]
    for field, value in part.items()
    if field not in ("text", "inlineData", "fileData", "functionCall", "functionResponse")
}


@pytest.mark.parametrize("field", _PARTS)
def test_no_field_of_a_part_is_silently_lost(field: str) -> None:
    part = _PARTS[field]
    contents = [{"role": "user", "parts": [{"text": "a"}, part]}]
    outcome, warnings = _translated({"contents": contents}, CLAUDE)
    name = field.partition(".")[2]
    if isinstance(outcome, FerryError):
        assert outcome.path == f"request.contents[0].parts[1].{name}"
    else:
        assert f"request.contents[*].parts[*].{name};count=1" in warnings
