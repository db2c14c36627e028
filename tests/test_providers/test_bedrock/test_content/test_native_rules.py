from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.bedrock.content.native_rules import NativeRules
from providers.errors import FerryError
from providers.status import Status

RULES = NativeRules(lambda uri: uri.startswith("s3://own/prefix/"))
OTHERS = "s3://other/salaries.pdf"
IN_AN_IMAGE = "messages[0].content[0].image.source.s3Location.uri"


def _image(uri: str) -> dict[str, Any]:
    return {"image": {"format": "png", "source": {"s3Location": {"uri": uri}}}}


def _asking(*content: object) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(content)}]}


@pytest.mark.parametrize(
    ("model_input", "path"),
    [
        (_asking(_image(OTHERS)), IN_AN_IMAGE),
        (
            _asking({"toolResult": {"content": [_image(OTHERS)]}}),
            "messages[0].content[0].toolResult.content[0].image.source.s3Location.uri",
        ),
        (
            _asking({"video": {"source": {"s3Location": {"uri": OTHERS, "bucketOwner": "1"}}}}),
            "messages[0].content[0].video.source.s3Location.uri",
        ),
        (
            {"additionalModelRequestFields": {"s3Location": {"uri": OTHERS}}},
            "additionalModelRequestFields.s3Location.uri",
        ),
        (_asking(_image("S3://own/prefix/a")), IN_AN_IMAGE),
        (_asking(_image(" s3://other/a")), IN_AN_IMAGE),
        (_asking({"text": {"uri": OTHERS}}), "messages[0].content[0].text.uri"),
    ],
)
def test_what_is_not_the_callers_to_name_is_refused(model_input: dict[str, Any], path: str) -> None:
    with pytest.raises(FerryError) as refused:
        RULES.check_media(model_input, "")
    assert (refused.value.status, refused.value.path) == (Status.INVALID_ARGUMENT, path)


@pytest.mark.parametrize(
    "model_input",
    [
        _asking(_image("s3://own/prefix/cat.png")),
        _asking({"text": f"{OTHERS} is where they lie"}),
        _asking({"text": OTHERS}),
        {},
    ],
)
def test_what_is_the_callers_own_and_prose_pass(model_input: dict[str, Any]) -> None:
    RULES.check_media(model_input, "")


@given(st.integers(1, 3000))
def test_it_is_found_however_deep_it_stands(depth: int) -> None:
    value: Any = OTHERS
    for _ in range(depth):
        value = [value]
    with pytest.raises(FerryError):
        RULES.check_media({"a": value}, "")
