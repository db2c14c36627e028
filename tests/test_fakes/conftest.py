from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestClient
from pytest_aiohttp import AiohttpClient

from tests.buckets import FakeS3, new_prefix
from tests.fakes.anthropic import anthropic_app
from tests.fakes.gemini import gemini_app
from tests.fakes.mistral import mistral_app
from tests.fakes.openai import openai_app
from tests.fakes.s3 import FILES_BUCKET
from tests.processes import Process, fake
from tests.test_fakes import s3_client
from tests.test_fakes.fake_bedrock_client import (
    RECORDS,
    FakeBedrockClient,
    fake_bedrock_client,
    lines,
)

Client = TestClient[web.Request, web.Application]


@pytest.fixture
async def gemini(aiohttp_client: AiohttpClient) -> Client:
    return await aiohttp_client(gemini_app(), headers={"x-goog-api-key": "AIzaOne"})


@pytest.fixture
async def openai(aiohttp_client: AiohttpClient) -> Client:
    return await aiohttp_client(openai_app(), headers={"Authorization": "Bearer sk-one"})


@pytest.fixture
async def mistral(aiohttp_client: AiohttpClient) -> Client:
    return await aiohttp_client(mistral_app(), headers={"Authorization": f"Bearer {'a' * 32}"})


@pytest.fixture
async def anthropic(aiohttp_client: AiohttpClient) -> Client:
    headers = {"x-api-key": "sk-ant-api03-one", "anthropic-version": "2023-06-01"}
    return await aiohttp_client(anthropic_app(), headers=headers)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def bedrock_process() -> AsyncIterator[Process]:
    async with fake("bedrock", "--min-records", "2") as process:
        yield process


@pytest.fixture(scope="session")
def bedrock_running(bedrock_process: Process) -> Iterator[FakeBedrockClient]:
    with fake_bedrock_client(bedrock_process.url, bedrock_process.ready["s3_url"]) as work:
        yield work


@pytest.fixture
def bedrock(bedrock_running: FakeBedrockClient) -> FakeBedrockClient:
    """The fake after a reset; a job has at least two records."""
    bedrock_running.control("reset", {})
    return bedrock_running


@pytest.fixture
def job(bedrock: FakeBedrockClient) -> str:
    """The id of a new Bedrock job over `RECORDS`."""
    bedrock.put("in/a.jsonl", lines(RECORDS))
    return bedrock.create()


@pytest.fixture
async def client(s3: FakeS3) -> AsyncIterator[s3_client.Client]:
    """A client of S3."""
    async with ClientSession() as session:
        yield s3_client.Client(s3.url, session)


@pytest.fixture
def files(s3: FakeS3) -> str:
    """A new folder in the bucket of files."""
    return f"{s3.url}/{FILES_BUCKET}/{new_prefix()}"
