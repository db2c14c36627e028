"""Google's SDK in this process, for the provider that a test's fake stands for."""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest
from google import genai
from google.genai import types

from tests.end_to_end.batch_client import MODELS
from tests.end_to_end.conftest import Ferry
from tests.end_to_end.fake_client import FakeClient

TRANSLATED = pytest.mark.parametrize(
    "fake", ["openai", "anthropic", "mistral", "bedrock"], indirect=True
)


def sdk(
    ferry: Ferry, fake: FakeClient, headers: Mapping[str, str] = MappingProxyType({})
) -> genai.Client:
    sent = {"x-model-provider": fake.kind.name, **fake.kind.headers, **headers}
    options = types.HttpOptions(base_url=ferry.base_url, headers=sent)
    return genai.Client(api_key=fake.kind.key, http_options=options)


async def ask(
    ferry: Ferry, fake: FakeClient, contents: Any, **config: Any
) -> types.GenerateContentResponse:
    with sdk(ferry, fake) as client:
        return await asyncio.to_thread(
            client.models.generate_content,
            model=MODELS[fake.kind.name],
            contents=contents,
            config=types.GenerateContentConfig(**config),
        )
