"""Every form of the state store, created for each test; and one Bedrock for all tests."""

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from providers.state import State
from proxy.state_directory import DirectoryState
from proxy.state_store import bounded
from tests.buckets import FakeS3, new_prefix, opened
from tests.contract.anthropic_with_fake import AnthropicWithFake, anthropic_with_fake
from tests.contract.bedrock_with_fake import (
    MINIMUM,
    BedrockWithFake,
    bedrock_with_fake,
    shows_no_secret,
)
from tests.contract.mistral_with_fake import MistralWithFake, mistral_with_fake
from tests.contract.openai_with_fake import OpenAIWithFake, openai_with_fake
from tests.contract.own_batch_service import Service, own_batch_service
from tests.contract.provider_with_fake import ProviderWithFake
from tests.memory_state import MemoryState
from tests.processes import Process, fake
from tests.test_fakes.fake_bedrock_client import FakeBedrockClient as OtherTool
from tests.test_fakes.fake_bedrock_client import fake_bedrock_client

FORMS = ["directory", "bucket", "memory"]


class Replicas:
    """Stores of one form over the same objects, as replicas have them."""

    def __init__(self, form: str, path: Path, s3: FakeS3, stack: AsyncExitStack) -> None:
        self._form = form
        self._path = path
        self._s3 = s3
        self._stack = stack
        self._prefix = new_prefix()
        self._memory = MemoryState()

    async def another(self) -> State:
        match self._form:
            case "directory":
                return bounded(DirectoryState(self._path))
            case "bucket":
                address = self._s3.address(self._prefix)
                return bounded(await self._stack.enter_async_context(opened(address)))
            case _:
                return self._memory


@pytest.fixture(params=FORMS)
async def replicas(
    request: pytest.FixtureRequest, tmp_path: Path, s3: FakeS3
) -> AsyncIterator[Replicas]:
    async with AsyncExitStack() as stack:
        yield Replicas(request.param, tmp_path / "state", s3, stack)


@pytest.fixture
async def state(replicas: Replicas) -> State:
    return await replicas.another()


# --- Bedrock --------------------------------------------------------------------------------------


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def bedrock_process() -> AsyncIterator[Process]:
    async with fake("bedrock", "--min-records", str(MINIMUM)) as process:
        yield process


@pytest.fixture(scope="session")
def other_tool(bedrock_process: Process) -> Iterator[OtherTool]:
    with fake_bedrock_client(bedrock_process.url, bedrock_process.ready["s3_url"]) as work:
        yield work


@pytest.fixture
async def bedrock(
    bedrock_process: Process, other_tool: OtherTool, caplog: pytest.LogCaptureFixture
) -> AsyncIterator[BedrockWithFake]:
    """After every test, no memory is reserved and no secret was logged."""
    caplog.set_level(logging.DEBUG, "genai_ferry")
    async with bedrock_with_fake(bedrock_process, other_tool) as work:
        yield work
        assert work.no_memory_reserved
    assert shows_no_secret(caplog.text)


# --- the other providers --------------------------------------------------------------------------


@pytest.fixture
async def openai() -> AsyncIterator[OpenAIWithFake]:
    async with openai_with_fake() as work:
        yield work
        assert work.no_memory_reserved


@pytest.fixture
async def anthropic() -> AsyncIterator[AnthropicWithFake]:
    async with anthropic_with_fake() as work:
        yield work
        assert work.no_memory_reserved


@pytest.fixture
async def mistral() -> AsyncIterator[MistralWithFake]:
    async with mistral_with_fake() as work:
        yield work
        assert work.no_memory_reserved


@pytest.fixture
def translating(
    openai: OpenAIWithFake,
    anthropic: AnthropicWithFake,
    mistral: MistralWithFake,
    bedrock: BedrockWithFake,
) -> dict[str, ProviderWithFake]:
    """Every provider that translates, with its fake, by their names."""
    return {"openai": openai, "anthropic": anthropic, "mistral": mistral, "bedrock": bedrock}


@pytest.fixture(params=["openai", "anthropic", "mistral"])
async def service(request: pytest.FixtureRequest) -> AsyncIterator[Service]:
    """A provider whose batches the proxy runs itself."""
    async with own_batch_service(request.param) as made:
        yield made
