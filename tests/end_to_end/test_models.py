"""The list of models, and single models, through Google's SDK."""

import asyncio
from collections.abc import Sequence

import pytest
from google import genai
from google.genai import errors, types

from tests.end_to_end.conftest import Ferry
from tests.end_to_end.fake_client import FakeClient
from tests.end_to_end.google_client import TRANSLATED, sdk

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]


def listed(client: genai.Client, page_size: int | None = None) -> Sequence[types.Model]:
    return list(client.models.list(config=types.ListModelsConfig(page_size=page_size)))


async def test_the_pager_reads_every_page(ferry: Ferry, fake: FakeClient) -> None:
    def read() -> tuple[Sequence[types.Model], Sequence[types.Model]]:
        with sdk(ferry, fake) as client:
            return listed(client), listed(client, page_size=1)

    whole, in_pages = await asyncio.to_thread(read)
    assert [model.name for model in in_pages] == [model.name for model in whole]
    assert len({model.name for model in whole}) == len(whole) > 1


@TRANSLATED
async def test_a_name_from_the_list_works_in_other_calls(ferry: Ferry, fake: FakeClient) -> None:
    """Every model that generates, as the provider says; at OpenAI, which says nothing, the chat."""

    def use() -> Sequence[str]:
        said = []
        with sdk(ferry, fake) as client:
            for model in listed(client):
                assert model.name is not None
                assert client.models.get(model=model.name) == model
                actions = model.supported_actions
                if "generateContent" in (actions or ()) or model.name == "models/gpt-4o-mini":
                    answer = client.models.generate_content(model=model.name, contents="hello")
                    said.append(answer.text or "")
        return said

    said = await asyncio.to_thread(use)
    assert said == ["echo: hello"] * len(said)
    assert said


@pytest.mark.parametrize("fake", ["anthropic"], indirect=True)
async def test_what_the_sdk_reads_of_a_model(ferry: Ferry, fake: FakeClient) -> None:
    with sdk(ferry, fake) as client:
        model = await asyncio.to_thread(client.models.get, model="claude-haiku-4-5")
    assert (model.name, model.display_name) == (
        "models/claude-haiku-4-5-20251001",
        "Claude Haiku 4.5",
    )
    assert (model.input_token_limit, model.output_token_limit) == (200_000, 64_000)
    assert model.supported_actions is not None
    assert set(model.supported_actions) >= {"generateContent", "countTokens"}


@TRANSLATED
async def test_an_unknown_model(ferry: Ferry, fake: FakeClient) -> None:
    with sdk(ferry, fake) as client, pytest.raises(errors.ClientError) as refused:
        await asyncio.to_thread(client.models.get, model="publisher/none:1")
    assert (refused.value.code, refused.value.status) == (404, "NOT_FOUND")
    expected = f"models/publisher/none:1 is not found on {fake.kind.name}. "
    assert str(refused.value.message).startswith(expected)


@TRANSLATED
async def test_a_filter_is_refused(ferry: Ferry, fake: FakeClient) -> None:
    config = types.ListModelsConfig(filter="labels.x=1")
    with sdk(ferry, fake) as client, pytest.raises(errors.ClientError) as refused:
        await asyncio.to_thread(client.models.list, config=config)
    assert refused.value.code == 400
    assert str(refused.value.message).startswith("filter: ")
    assert await fake.requests() == []
