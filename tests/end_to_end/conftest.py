"""The fakes, one proxy in front of them, and a process for each SDK, started once a session.

Tests that use them run in the session's event loop:
`pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]`.
"""

import secrets
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import ClientSession, ClientTimeout

from tests.buckets import FakeS3, aws_environment, new_prefix
from tests.end_to_end.batch_client import Document, asking, inline
from tests.end_to_end.fake_client import IMMEDIATE, KINDS, FakeClient, Kind
from tests.end_to_end.pattern import pattern_bytes
from tests.end_to_end.sdk_process import (
    GO,
    JAVA,
    JAVA_1X,
    JAVASCRIPT,
    PYTHON_NEWEST,
    Sdk,
    SdkProcess,
)
from tests.end_to_end.upload_client import UploadClient
from tests.fakes.s3 import BUCKET, FILES_BUCKET
from tests.processes import SECRET_KEY, Process, Upstreams, proxy
from tests.processes import fake as fake_process

MIB = 1 << 20

AT_BEDROCK = (PYTHON_NEWEST, JAVASCRIPT, GO, JAVA, JAVA_1X)
"""The SDKs for Bedrock in tests over all SDKs and upstreams.

Differences between SDKs matter only up to the proxy, and the other upstreams get every SDK.
"""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = [item for item in items if _is_left_out(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def _is_left_out(item: pytest.Item) -> bool:
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    sdk = parameters.get("sdk", PYTHON_NEWEST)
    return parameters.get("fake") == "bedrock" and sdk not in AT_BEDROCK


@dataclass(frozen=True)
class Ferry:
    """The proxy and its fakes; `state` is the directory of its state store."""

    proxy: Process
    upstreams: Upstreams
    state: Path

    @property
    def base_url(self) -> str:
        return f"{self.proxy.url}/genai"

    def forget_files(self) -> None:
        """Delete the files that the proxy keeps itself."""
        for kept in ("staged", "staged-content"):
            shutil.rmtree(self.state / kept, ignore_errors=True)

    def leaks(self) -> list[str]:
        """The secrets of the tests that appear in the proxy's output."""
        secrets = [secret for kind in KINDS.values() for secret in kind.secrets]
        marks = ["upload_id=", SECRET_KEY, "X-Amz-Signature", *secrets]
        return [mark for mark in marks if mark in self.proxy.output]


class Sdks:
    """A process for each SDK and kind of upstream, started at its first use."""

    def __init__(self, base_url: str, stack: AsyncExitStack) -> None:
        self._base_url = base_url
        self._stack = stack
        self._started: dict[tuple[str, str], SdkProcess] = {}

    async def get(self, sdk: Sdk, kind: Kind) -> SdkProcess:
        known = self._started.get((sdk.name, kind.name))
        if known is not None:
            return known
        client = sdk.start(self._base_url, api_key=kind.key, headers=dict(kind.headers))
        started = await self._stack.enter_async_context(client)
        self._started[sdk.name, kind.name] = started
        return started


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def http() -> AsyncIterator[ClientSession]:
    """A plain HTTP client."""
    async with ClientSession(timeout=ClientTimeout(total=60)) as session:
        yield session


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def fakes(http: ClientSession) -> AsyncIterator[Mapping[str, FakeClient]]:
    async with AsyncExitStack() as stack:
        started = {
            name: await stack.enter_async_context(fake_process(name, *kind.fake_options))
            for name, kind in KINDS.items()
        }
        yield {name: FakeClient(kind, started[name], http) for name, kind in KINDS.items()}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def ferry(
    fakes: Mapping[str, FakeClient], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Ferry]:
    state = tmp_path_factory.mktemp("state")
    upstreams = {name: fake.as_upstream for name, fake in fakes.items()}
    async with proxy(state, upstreams) as process:
        yield (ferry := Ferry(process, upstreams, state))
    assert ferry.leaks() == []


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def immediate_proxy(
    fakes: Mapping[str, FakeClient], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Process]:
    """A proxy that runs Bedrock's small batches itself."""
    upstreams = {"bedrock": {**fakes["bedrock"].as_upstream, **IMMEDIATE}}
    async with proxy(tmp_path_factory.mktemp("at-once"), upstreams) as process:
        yield process
    assert not [one for one in KINDS["bedrock"].secrets if one in process.output]


def new_s3_prefix() -> dict[str, str]:
    """Headers for files and immediate batches at Bedrock that no other test sees."""
    return {"x-ferry-bedrock-s3-uri": f"s3://{FILES_BUCKET}/{new_prefix()}"}


@pytest_asyncio.fixture(loop_scope="session", params=list(KINDS))
async def fake(
    request: pytest.FixtureRequest, fakes: Mapping[str, FakeClient], ferry: Ferry
) -> FakeClient:
    """Each upstream in turn, after a reset."""
    for each in fakes.values():
        await each.reset()
    ferry.forget_files()
    chosen: FakeClient = fakes[request.param]
    return chosen


@pytest_asyncio.fixture(loop_scope="session")
async def openai(fakes: Mapping[str, FakeClient], ferry: Ferry) -> FakeClient:
    """The fake after a reset."""
    await fakes["openai"].reset()
    return fakes["openai"]


@pytest_asyncio.fixture(loop_scope="session")
async def anthropic(fakes: Mapping[str, FakeClient], ferry: Ferry) -> FakeClient:
    """The fake after a reset."""
    await fakes["anthropic"].reset()
    ferry.forget_files()
    return fakes["anthropic"]


@pytest_asyncio.fixture(loop_scope="session")
async def mistral(fakes: Mapping[str, FakeClient], ferry: Ferry) -> FakeClient:
    """The fake after a reset."""
    await fakes["mistral"].reset()
    return fakes["mistral"]


@pytest_asyncio.fixture(loop_scope="session")
async def bedrock(fakes: Mapping[str, FakeClient], ferry: Ferry) -> FakeClient:
    """The fake after a reset."""
    await fakes["bedrock"].reset()
    return fakes["bedrock"]


@pytest.fixture(params=["openai", "anthropic", "mistral", "bedrock"])
def translated(request: pytest.FixtureRequest) -> FakeClient:
    """Each upstream that needs translation, after a reset."""
    chosen: FakeClient = request.getfixturevalue(request.param)
    return chosen


@pytest_asyncio.fixture(loop_scope="session")
async def client(fake: FakeClient, ferry: Ferry, http: ClientSession) -> UploadClient:
    """A client of the upload protocols without an SDK."""
    return UploadClient(ferry.base_url, fake.kind, http)


@pytest.fixture
def one() -> Document:
    """A batch of one request that no other test sends: an equal one may be taken for its repeat."""
    return inline({"request": asking("hello"), "metadata": {"n": secrets.token_hex(8)}})


@pytest.fixture(params=["directory", "bucket"])
def a_store(
    request: pytest.FixtureRequest, tmp_path: Path, s3_process: FakeS3
) -> Mapping[str, str]:
    """The settings of a proxy with an empty state store, of each kind in turn."""
    if request.param == "bucket":
        return on_a_bucket(s3_process)
    return {"FERRY_STATE_URL": tmp_path.as_uri()}


def on_a_bucket(s3: FakeS3) -> Mapping[str, str]:
    """The settings of a proxy whose state store is a bucket, with its own prefix."""
    return {
        **aws_environment(),
        "FERRY_STATE_URL": f"s3://{BUCKET}/{new_prefix().rstrip('/')}",
        "FERRY_STATE_S3_ENDPOINT_URL": s3.url,
    }


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sdks(ferry: Ferry) -> AsyncIterator[Sdks]:
    async with AsyncExitStack() as stack:
        yield Sdks(ferry.base_url, stack)


@pytest.fixture(scope="session")
def twenty_mib(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two and a half chunks, of a type that upstreams with multipart uploads take in parts."""
    path = tmp_path_factory.mktemp("files") / "twenty.png"
    path.write_bytes(pattern_bytes(20 * MIB))
    return path
