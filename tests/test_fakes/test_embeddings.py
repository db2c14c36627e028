"""The providers' own clients read the fakes' embeddings; bad requests are refused as there."""

from typing import Any

import openai as openai_sdk
import pytest
from mistralai.client import Mistral
from mistralai.client import errors as mistral_errors

from ..fakes.sample import vector
from .conftest import Client

SMALL, OLD = "text-embedding-3-small", "text-embedding-ada-002"
WORDS = "a " * 8000


def address(client: Client) -> str:
    return str(client.make_url("")).rstrip("/")


@pytest.mark.parametrize("encoding", ["float", "base64"])
async def test_openais_client(openai: Client, encoding: Any) -> None:
    async with openai_sdk.AsyncOpenAI(api_key="sk-one", base_url=f"{address(openai)}/v1") as sdk:
        answer = await sdk.embeddings.create(
            model=SMALL, input=["a b", "c"], dimensions=3, encoding_format=encoding
        )
    assert [each.index for each in answer.data] == [0, 1]
    assert answer.usage.prompt_tokens == 3
    if encoding == "float":
        assert [each.embedding for each in answer.data] == [vector("a b", 3), vector("c", 3)]


@pytest.mark.parametrize(
    "asked",
    [
        {"input": ""},
        {"input": ["a", ""]},
        {"input": []},
        {"input": ["a"] * 2049},
        {"input": WORDS * 2},
        {"input": [WORDS] * 38},
        {"input": "a", "dimensions": 0},
        {"input": "a", "dimensions": 1537},
        {"input": "a", "model": OLD, "dimensions": 256},
        {"input": "a", "model": "gpt-4o-mini"},
        {"input": "a", "task_type": "x"},
    ],
    ids=lambda asked: str(asked)[:40],
)
async def test_what_openai_refuses(openai: Client, asked: dict[str, Any]) -> None:
    body = {"model": SMALL, **asked}
    async with openai.post("/v1/embeddings", json=body) as answer:
        assert 400 <= answer.status < 500
        assert "error" in await answer.json()


async def test_mistrals_client(mistral: Client) -> None:
    async with Mistral(api_key="a" * 32, server_url=address(mistral)) as sdk:
        answer = await sdk.embeddings.create_async(
            model="codestral-embed", inputs=["a b", "c"], output_dimension=3
        )
    assert [each.embedding for each in answer.data] == [vector("a b", 3), vector("c", 3)]
    assert answer.usage.prompt_tokens == 3


@pytest.mark.parametrize(
    ("inputs", "said"),
    [(["a"] * 513, "Too many inputs in request"), ([WORDS] * 3, "Too many tokens in batch")],
    ids=["inputs", "tokens"],
)
async def test_what_mistral_refuses(mistral: Client, inputs: list[str], said: str) -> None:
    async with Mistral(api_key="a" * 32, server_url=address(mistral)) as sdk:
        with pytest.raises(mistral_errors.SDKError, match=said):
            await sdk.embeddings.create_async(model="mistral-embed", inputs=inputs)
