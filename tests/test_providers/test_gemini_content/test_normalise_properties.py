"""Properties of the normal form, over requests in which every object of the schema occurs."""

import functools
import json
import re
from collections.abc import Callable
from typing import Any, Final, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.errors import FerryError
from providers.gemini_content.normalise import normalise_embed, normalise_generate
from providers.gemini_content.schema import OBJECTS
from tests.test_providers.test_gemini_content import maximal_requests
from tests.test_providers.test_gemini_content.maximal_requests import (
    Steps,
    is_free_form,
    names_are_free,
    objects,
)

Normalise = Callable[[object, str], dict[str, Any]]

_PREFIX: Final = "batch.inputConfig.requests.requests[0].request"
_REQUESTS: Final[list[tuple[Normalise, dict[str, Any]]]] = [
    (normalise_generate, maximal_requests.GENERATE),
    (normalise_embed, maximal_requests.EMBED),
]
_PLACES: Final = [
    (normalise, request, at) for normalise, request in _REQUESTS for at in objects(request)
]


def _snake(name: str) -> str:
    return re.sub(r"(?<=.)([A-Z])", r"_\1", name).lower()


def _in_snake_case(value: Any, at: Steps = ()) -> Any:
    """`value` with every field's name in snake_case, and free-form maps unchanged."""
    if isinstance(value, list):
        return [_in_snake_case(entry, (*at, index)) for index, entry in enumerate(value)]
    if not isinstance(value, dict):
        return value
    return {
        key if names_are_free(at) else _snake(key): (
            inner if is_free_form(at, key) else _in_snake_case(inner, (*at, key))
        )
        for key, inner in value.items()
    }


def _in_snake_case_steps(at: Steps) -> Steps:
    return tuple(
        step if isinstance(step, int) or names_are_free(at[:place]) else _snake(step)
        for place, step in enumerate(at)
    )


def _path(at: Steps) -> str:
    path = _PREFIX
    for step in at:
        if isinstance(step, int):
            path += f"[{step}]"
        elif re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", step):
            path += f".{step}"
        else:
            path += f"[{json.dumps(step, ensure_ascii=False)}]"
    return path


_KNOWN: Final = {
    name
    for fields in OBJECTS.values()
    for field in fields
    for name in (field, _snake(field), "config")
}
_unknown_keys = st.one_of(
    st.sampled_from(["foo", "odd key", "$schema", "Text", "generation-config", "", "ünïcode"]),
    st.from_regex("[a-z]{1,8}(_[a-z]{1,8})?", fullmatch=True),
    st.text(max_size=8),
).filter(lambda key: key not in _KNOWN)


@pytest.mark.parametrize("spelling", ["camelCase", "snake_case"])
@settings(deadline=None, max_examples=500)
@given(place=st.sampled_from(_PLACES), key=_unknown_keys, position=st.integers(0, 30))
def test_an_unknown_key_is_refused_with_its_path(
    spelling: str, place: tuple[Normalise, dict[str, Any], Steps], key: str, position: int
) -> None:
    normalise, request, at = place
    if spelling == "snake_case":
        request, at = _in_snake_case(request), _in_snake_case_steps(at)
    request = json.loads(json.dumps(request))
    target: Any = request
    for step in at:
        target = target[step]
    fields = list(target.items())
    fields.insert(position, (key, 1))
    target.clear()
    target.update(fields)

    with pytest.raises(FerryError) as refused:
        normalise(request, _PREFIX)

    assert refused.value.path == _path((*at, key))


@pytest.mark.parametrize(("normalise", "request_"), _REQUESTS)
def test_both_spellings_have_one_normal_form(
    normalise: Normalise, request_: dict[str, Any]
) -> None:
    snake = _in_snake_case(request_)
    assert snake != request_
    assert normalise(snake, "") == normalise(request_, "")


@pytest.mark.parametrize(("normalise", "request_"), _REQUESTS)
def test_the_normal_form_of_a_normal_form_is_itself(
    normalise: Normalise, request_: dict[str, Any]
) -> None:
    normal = normalise(request_, "")
    assert normalise(normal, "") == normal


@settings(deadline=None)
@given(st.data())
def test_a_request_with_any_field_left_out_normalises_the_same_in_both_spellings(
    data: st.DataObject,
) -> None:
    request = json.loads(json.dumps(maximal_requests.GENERATE))
    for at in data.draw(st.lists(st.sampled_from(list(objects(request))), max_size=8)):
        target: Any = request
        for step in at:
            target = target.get(step, {}) if isinstance(target, dict) else target[step]
        removable = [key for key in target if key not in ("contents", "parts")]
        if removable:
            del target[data.draw(st.sampled_from(removable))]
    normal = normalise_generate(request, "")
    assert normalise_generate(_in_snake_case(request), "") == normal
    assert normalise_generate(normal, "") == normal


def test_the_maximal_requests_are_maximal() -> None:
    """Every field of the table occurs, so the properties above check every object."""
    fields = {field for fields in OBJECTS.values() for field in fields}
    occurring = {
        name
        for _, request, at in _PLACES
        for name in functools.reduce(lambda value, step: value[step], at, cast("Any", request))
    }
    assert occurring == fields
