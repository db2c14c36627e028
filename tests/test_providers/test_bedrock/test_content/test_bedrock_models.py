import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from providers.bedrock.content.bedrock_models import (
    ModelFamily,
    claude_name,
    model_family,
    require_batched,
)
from providers.claude_content import claude_models
from providers.errors import FerryError
from providers.status import Status

_ARN = "arn:aws:bedrock:us-east-1"


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("anthropic.claude-3-haiku-20240307-v1:0", ModelFamily.CLAUDE),
        ("anthropic.claude-3-haiku-20240307-v1:0:200k", ModelFamily.CLAUDE),
        ("amazon.nova-pro-v1:0", ModelFamily.NOVA),
        ("amazon.titan-embed-text-v1", ModelFamily.TITAN_EMBED_V1),
        ("amazon.titan-embed-text-v2:0", ModelFamily.TITAN_EMBED_V2),
        ("amazon.titan-embed-image-v1", ModelFamily.OTHER),
        ("cohere.embed-english-v3", ModelFamily.COHERE_EMBED_V3),
        ("cohere.embed-multilingual-v3", ModelFamily.COHERE_EMBED_V3),
        ("cohere.embed-v4:0", ModelFamily.COHERE_EMBED_V4),
        ("cohere.command-r-v1:0", ModelFamily.OTHER),
        ("meta.llama3-1-70b-instruct-v1:0", ModelFamily.OTHER),
        ("openai.gpt-oss-120b-1:0", ModelFamily.OTHER),
    ],
)
@pytest.mark.parametrize(
    "written",
    [
        "{}",
        "models/{}",
        "us.{}",
        "us-gov.{}",
        "apac.{}",
        "global.{}",
        "eu.west.{}",
        _ARN + "::foundation-model/{}",
        _ARN + ":123456789012:inference-profile/us.{}",
        _ARN + ":123456789012:custom-model/{}/a1b2c3d4e5f6",
    ],
)
def test_a_family_is_recognised_in_every_form_of_its_model(
    written: str, name: str, family: ModelFamily
) -> None:
    assert model_family(written.format(name)) is family


@pytest.mark.parametrize(
    "name",
    [
        f"{_ARN}:123456789012:application-inference-profile/a1b2c3d4e5f6",
        f"{_ARN}:123456789012:inference-profile/a1b2c3d4e5f6",
        "my-model",
        "",
    ],
)
def test_a_name_of_no_known_family(name: str) -> None:
    assert model_family(name) is ModelFamily.UNKNOWN


@pytest.mark.parametrize(
    "resource",
    [
        "provisioned-model/a1b2c3d4e5f6",
        "imported-model/a1b2c3d4e5f6",
        "custom-model-deployment/a1b2c3d4e5f6",
        "prompt/ABCDEFGHIJ",
        "default-prompt-router/anthropic.claude:1",
        "provisioned-model",
    ],
)
def test_models_without_batches(resource: str) -> None:
    with pytest.raises(FerryError) as refused:
        require_batched(f"{_ARN}:123456789012:{resource}")
    assert refused.value.status == Status.INVALID_ARGUMENT
    assert resource.partition("/")[0] in refused.value.message


def test_single_calls_take_every_arn() -> None:
    assert model_family(f"{_ARN}:1:provisioned-model/a1b2c3d4e5f6") is ModelFamily.UNKNOWN


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("anthropic.claude-opus-4-7-20260401-v1:0", "claude-opus-4-7-20260401-v1:0"),
        ("us.anthropic.claude-opus-4-6-v1", "claude-opus-4-6-v1"),
        (f"{_ARN}:1:inference-profile/eu.anthropic.claude-haiku-4-5", "claude-haiku-4-5"),
        ("my-model", "my-model"),
    ],
)
def test_claudes_name(model: str, name: str) -> None:
    assert claude_name(model) == name


@pytest.mark.parametrize(
    ("model", "refuses_sampling", "refuses_adaptive"),
    [
        ("us.anthropic.claude-opus-4-7-20260401-v1:0", True, False),
        ("anthropic.claude-opus-4-6-v1", False, False),
        ("anthropic.claude-sonnet-4-20250514-v1:0", False, True),
        ("anthropic.claude-3-7-sonnet-20250219-v1:0", False, True),
    ],
)
def test_the_rules_for_claude_also_hold_at_bedrock(
    model: str, refuses_sampling: bool, refuses_adaptive: bool
) -> None:
    name = claude_name(model)
    assert claude_models.refuses_sampling(name) is refuses_sampling
    assert claude_models.refuses_adaptive_thinking(name) is refuses_adaptive


@given(st.text() | st.text().map(f"{_ARN}:1:inference-profile/{{}}".format))
def test_any_text_except_an_arn_has_a_family(text: str) -> None:
    assume(not text.removeprefix("models/").startswith("arn:") or "inference-profile" in text)
    assert model_family(text) in ModelFamily
