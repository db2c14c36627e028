"""The lists of models of every provider, and single models."""

from collections.abc import Sequence

import pytest

from providers.errors import FerryError
from providers.json_api.page_tokens import encode_page_token
from providers.provider import Models
from providers.resources import Action, Model
from providers.status import Status
from tests.contract.anthropic_with_fake import AnthropicWithFake
from tests.contract.bedrock_with_fake import BedrockWithFake
from tests.contract.mistral_with_fake import MistralWithFake
from tests.contract.openai_with_fake import OpenAIWithFake
from tests.contract.provider_with_fake import ProviderWithFake, refused

PROVIDERS = ["openai", "anthropic", "mistral", "bedrock"]
GENERATES = (Action.GENERATE, Action.STREAM)
ARN = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/ferrytests01"
OPUS = "anthropic.claude-opus-4-7-20260401-v1:0"


@pytest.fixture(params=PROVIDERS)
def work(request: pytest.FixtureRequest) -> ProviderWithFake:
    found: ProviderWithFake = request.getfixturevalue(request.param)
    return found


def models_of(work: ProviderWithFake) -> Models:
    assert work.provider.models is not None
    return work.provider.models


async def listed(work: ProviderWithFake, page_size: int) -> Sequence[Model]:
    """Every page but the last is full."""
    models: list[Model] = []
    token: str | None = None
    while True:
        page = await models_of(work).list(work.caller, page_size, token)
        models += page.items
        token = page.next_page_token
        if token is None:
            assert page.items
            return models
        assert len(page.items) == page_size


async def found(work: ProviderWithFake) -> dict[str, Model]:
    return {model.id: model for model in await listed(work, 100)}


async def unknown(work: ProviderWithFake, model_id: str) -> FerryError:
    error = await refused(models_of(work).get(work.caller, model_id))
    assert error.status == Status.NOT_FOUND
    assert error.message.startswith(f"models/{model_id} is not found on {work.provider.name}.")
    return error


# --- every provider ---


@pytest.mark.parametrize("page_size", [1, 2, 3])
async def test_pages_have_every_model_once(work: ProviderWithFake, page_size: int) -> None:
    if not isinstance(work, BedrockWithFake):
        await work.post("/_fake/settings", {"page_limit": None})
    whole = await listed(work, 100)
    assert len({model.id for model in whole}) == len(whole) > 2
    assert await listed(work, page_size) == whole


async def test_a_listed_model_is_found_by_its_name(work: ProviderWithFake) -> None:
    for model in await listed(work, 100):
        assert await models_of(work).get(work.caller, model.id) == model


async def test_an_unknown_model(work: ProviderWithFake) -> None:
    error = await unknown(work, "nothing-like-this")
    assert error.provider == work.provider.name


@pytest.mark.parametrize("token", ["%%%", encode_page_token("a b"), encode_page_token("")])
async def test_not_a_page_token(work: ProviderWithFake, token: str) -> None:
    token = token or "="
    error = await refused(models_of(work).list(work.caller, 2, token))
    assert (error.status, error.path) == (Status.INVALID_ARGUMENT, "pageToken")


async def test_a_refused_key(work: ProviderWithFake) -> None:
    await work.strike("GET", "(v1/)?(models|foundation-models)", "status", status=403)
    error = await refused(models_of(work).list(work.caller, 2, None))
    assert error.status == Status.PERMISSION_DENIED


# --- what each of them says ---


async def test_openai_says_only_the_name(openai: OpenAIWithFake) -> None:
    models = await found(openai)
    assert list(models) == sorted(models)
    assert list(models.values()) == [Model(model_id) for model_id in models]
    assert "ft:gpt-4o-mini-2024-07-18:acme:support:AbCdEf12" in models


async def test_a_server_without_a_call_for_one_model(openai: OpenAIWithFake) -> None:
    """As vLLM, which has only the list."""
    for status in (404, 405):
        await openai.strike("GET", "models/.*", "status", status=status, times=2)
        model = await models_of(openai).get(openai.caller, "gpt-4o-mini")
        assert model == Model("gpt-4o-mini")
        await unknown(openai, "gpt-99")


UNNAMED = ("a%2fb", "a/../b", "\u00e9", "", "x" * 3000, 7)


async def test_an_id_that_cannot_be_named_is_not_listed(openai: OpenAIWithFake) -> None:
    data = [{"id": each} for each in ("a/b:c@d", *UNNAMED)]
    await openai.strike(
        "GET", "models", "status", status=200, body={"object": "list", "data": data}
    )
    assert list(await found(openai)) == ["a/b:c@d"]


async def test_nor_is_it_at_anthropic(anthropic: AnthropicWithFake) -> None:
    data = [{"id": each, "type": "model"} for each in ("claude-9", *UNNAMED)]
    page = {"data": data, "has_more": False, "first_id": None, "last_id": None}
    await anthropic.strike("GET", "models", "status", status=200, body=page)
    assert list(await found(anthropic)) == ["claude-9"]


async def test_nor_is_it_at_bedrock(bedrock: BedrockWithFake) -> None:
    models = [{"modelId": each} for each in ("acme.one", *UNNAMED)]
    profiles = [{"inferenceProfileId": each} for each in ("us.acme.one", *UNNAMED)]
    answers = {
        "foundation-models": {"modelSummaries": models},
        "inference-profiles": {"inferenceProfileSummaries": profiles},
    }
    for path, body in answers.items():
        await bedrock.strike("GET", path, "status", status=200, body=body)
    assert list(await found(bedrock)) == ["acme.one", "us.acme.one"]


async def test_a_model_that_goes_between_two_pages_takes_no_other_with_it(
    openai: OpenAIWithFake,
) -> None:
    page = await models_of(openai).list(openai.caller, 2, None)
    rest = [model.id for model in await listed(openai, 100)][2:]
    data = [{"id": each} for each in rest]
    await openai.strike(
        "GET", "models", "status", status=200, body={"object": "list", "data": data}
    )
    after = await models_of(openai).list(openai.caller, 100, page.next_page_token)
    assert [model.id for model in after.items] == rest


async def test_bedrocks_models_are_asked_for_once_for_a_page(bedrock: BedrockWithFake) -> None:
    await models_of(bedrock).list(bedrock.caller, 100, None)
    assert await bedrock.calls("GET", "foundation-models|inference-profiles") == [
        "foundation-models",
        "inference-profiles",
    ]


async def test_what_mistral_says(mistral: MistralWithFake) -> None:
    models = await found(mistral)
    assert models["mistral-small-latest"] == Model(
        "mistral-small-latest",
        display_name="mistral-small-latest",
        description="The model mistral-small-latest.",
        input_token_limit=131_072,
        actions=GENERATES,
        temperature=0.3,
    )
    assert models["mistral-embed"].actions is None
    assert models["mistral-embed"].temperature is None


async def test_what_anthropic_says(anthropic: AnthropicWithFake) -> None:
    model = (await found(anthropic))["claude-haiku-4-5-20251001"]
    assert model == Model(
        "claude-haiku-4-5-20251001",
        display_name="Claude Haiku 4.5",
        input_token_limit=200_000,
        output_token_limit=64_000,
        actions=[*GENERATES, Action.COUNT, Action.BATCH],
        thinking=True,
    )
    assert await models_of(anthropic).get(anthropic.caller, "claude-haiku-4-5") == model


async def test_anthropic_may_say_less(anthropic: AnthropicWithFake) -> None:
    said = {"id": "claude-haiku-4-5", "max_tokens": None, "capabilities": None}
    await anthropic.strike("GET", "models/.*", "status", status=200, body=said)
    model = await models_of(anthropic).get(anthropic.caller, "claude-haiku-4-5")
    assert model == Model("claude-haiku-4-5", actions=[*GENERATES, Action.COUNT])


async def test_bedrock_lists_what_calls_take(bedrock: BedrockWithFake) -> None:
    models = await found(bedrock)
    assert OPUS not in models
    assert {model_id: list(model.actions or ()) for model_id, model in models.items()} == {
        "amazon.nova-lite-v1:0": [*GENERATES],
        "amazon.titan-embed-text-v2:0": [Action.EMBED],
        "amazon.titan-image-generator-v2:0": [],
        "anthropic.claude-haiku-4-5-20251001-v1:0": [*GENERATES],
        "meta.llama3-8b-instruct-v1:0": [*GENERATES],
        ARN: [*GENERATES],
        "us.amazon.nova-lite-v1:0": [*GENERATES],
        "us.anthropic.claude-haiku-4-5-20251001-v1:0": [*GENERATES],
        f"us.{OPUS}": [*GENERATES],
    }
    assert models["amazon.nova-lite-v1:0"].display_name == "Nova Lite"


async def test_bedrock_pages_of_profiles(bedrock: BedrockWithFake) -> None:
    await bedrock.post("/_fake/settings", {"page_limit": 1})
    whole = {model.id for model in await listed(bedrock, 2)}
    assert whole == set(await found(bedrock))
    assert len(await bedrock.calls("GET", "inference-profiles")) > 4


async def test_a_bedrock_model_that_is_called_by_its_profile(bedrock: BedrockWithFake) -> None:
    model = await models_of(bedrock).get(bedrock.caller, OPUS)
    assert model == Model(OPUS, display_name="Claude Opus 4.7", actions=())


async def test_a_bedrock_model_by_its_arn(bedrock: BedrockWithFake) -> None:
    arn = "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0"
    assert (await models_of(bedrock).get(bedrock.caller, arn)).id == "amazon.nova-lite-v1:0"
    await unknown(bedrock, ARN.replace("ferrytests01", "another"))


async def test_an_answer_without_a_name_is_the_upstreams_fault(openai: OpenAIWithFake) -> None:
    for name in (7, "", "a%2fb"):
        body = {"id": name, "object": "model"}
        await openai.strike("GET", "models/.*", "status", status=200, body=body)
        error = await refused(models_of(openai).get(openai.caller, "gpt-4o-mini"))
        assert error.status == Status.UNAVAILABLE
