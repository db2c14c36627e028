import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from pytest_aiohttp import AiohttpClient

from tests.fakes.anthropic import anthropic_app
from tests.fakes.gemini import gemini_app
from tests.fakes.openai import openai_app

Client = TestClient[web.Request, web.Application]


@pytest.fixture
async def gemini(aiohttp_client: AiohttpClient) -> Client:
    return await aiohttp_client(gemini_app(), headers={"x-goog-api-key": "AIzaOne"})


@pytest.fixture
async def openai(aiohttp_client: AiohttpClient) -> Client:
    return await aiohttp_client(openai_app(), headers={"Authorization": "Bearer sk-one"})


@pytest.fixture
async def anthropic(aiohttp_client: AiohttpClient) -> Client:
    headers = {"x-api-key": "sk-ant-api03-one", "anthropic-version": "2023-06-01"}
    return await aiohttp_client(anthropic_app(), headers=headers)
