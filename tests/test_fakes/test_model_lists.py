"""The providers' own clients read the fakes' lists of models."""

import anthropic as anthropic_sdk
import botocore.exceptions
import openai as openai_sdk
import pytest
from mistralai.client import Mistral, errors, models

from .conftest import Client
from .fake_bedrock_client import FakeBedrockClient
from .test_mistral_sdk import require_published, show

PROFILE_ARN = "application-inference-profile/ferrytests01"


def address(client: Client) -> str:
    return str(client.make_url("")).rstrip("/")


async def test_openais_client(openai: Client) -> None:
    async with openai_sdk.AsyncOpenAI(api_key="sk-one", base_url=f"{address(openai)}/v1") as sdk:
        listed = [model async for model in sdk.models.list()]
        assert listed[0] == await sdk.models.retrieve(listed[0].id)
        for model in listed:
            openai_sdk.types.Model.model_validate(model.to_dict(), strict=True)
        with pytest.raises(openai_sdk.NotFoundError):
            await sdk.models.retrieve("gpt-99")
        with pytest.raises(openai_sdk.BadRequestError):
            await sdk.models.list(extra_query={"limit": 1})


async def test_anthropics_client(anthropic: Client) -> None:
    key = "sk-ant-api03-one"
    async with anthropic_sdk.AsyncAnthropic(api_key=key, base_url=address(anthropic)) as sdk:
        listed = [model async for model in sdk.models.list(limit=1)]
        assert len({model.id for model in listed}) == len(listed) > 1
        for model in listed:
            assert model == await sdk.models.retrieve(model.id)
        assert (await sdk.models.retrieve("claude-haiku-4-5")).id.startswith("claude-haiku-4-5-")
        with pytest.raises(anthropic_sdk.NotFoundError):
            await sdk.models.retrieve("claude-99")


async def test_mistrals_client(mistral: Client) -> None:
    async with Mistral(api_key="a" * 32, server_url=address(mistral)) as sdk:
        listed = (await sdk.models.list_async()).data or []
        assert {model.id for model in listed} > {"mistral-small-latest", "mistral-embed"}
        with pytest.raises(errors.SDKError):
            await sdk.models.retrieve_async(model_id="mistral-none")
    for model in listed:
        require_published(models.BaseModelCard, await show(mistral, f"/v1/models/{model.id}"))


def test_botocore(bedrock: FakeBedrockClient) -> None:
    control = bedrock.bedrock
    listed = control.list_foundation_models()["modelSummaries"]
    for model in listed:
        found = control.get_foundation_model(modelIdentifier=model["modelId"])["modelDetails"]
        assert found["modelArn"] == model["modelArn"]
    pages = control.get_paginator("list_inference_profiles")
    profiles = pages.paginate(PaginationConfig={"PageSize": 1}).build_full_result()
    arns = [profile["inferenceProfileArn"] for profile in profiles["inferenceProfileSummaries"]]
    assert arns[-1].endswith(PROFILE_ARN)
    for arn, profile in zip(arns, profiles["inferenceProfileSummaries"], strict=True):
        found = control.get_inference_profile(inferenceProfileIdentifier=arn)
        assert found["inferenceProfileId"] == profile["inferenceProfileId"]
    for unknown in ("amazon.none-v1:0", "none"):
        with pytest.raises(botocore.exceptions.ClientError):
            control.get_foundation_model(modelIdentifier=unknown)


def test_bedrock_refuses_a_model_that_is_called_by_its_profile(bedrock: FakeBedrockClient) -> None:
    model, messages = (
        "anthropic.claude-opus-4-7-20260401-v1:0",
        [{"role": "user", "content": [{"text": "hello"}]}],
    )
    bedrock.runtime.converse(modelId=f"us.{model}", messages=messages)
    with pytest.raises(botocore.exceptions.ClientError, match="on-demand throughput"):
        bedrock.runtime.converse(modelId=model, messages=messages)
