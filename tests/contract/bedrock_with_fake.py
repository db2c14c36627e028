"""The Bedrock provider, and the fake Bedrock with its S3, with sockets between them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from aiohttp import ClientSession, web
from yarl import URL

from providers.aws.keys import AwsKeys
from providers.aws.target import AwsTargetOptions
from providers.batches.immediate.jobs import ImmediateOptions, ImmediateUse
from providers.bedrock.provider import BedrockOptions, bedrock
from providers.credential import Caller, Credential
from providers.errors import FerryError
from providers.memory import Limits
from providers.observation import UNOBSERVED, Observer
from providers.prompt_cache import CacheLife
from providers.provider import Provider
from providers.resources import Batch, BatchKind, InlineResults, NewBatch
from providers.state import State
from proxy.background import BackgroundTasks
from proxy.outbound import OutboundClient
from tests.contract import provider_with_fake
from tests.contract.provider_with_fake import LIMITS, ProviderWithFake, inline_batch
from tests.fakes.bedrock import LONG_TERM, REGION, ROLE_ARN, TEMPORARY
from tests.fakes.s3 import FILES_BUCKET
from tests.memory_state import MemoryState
from tests.processes import Process
from tests.test_fakes.fake_bedrock_client import FakeBedrockClient as OtherTool

CALLER = Caller(Credential(api_key=LONG_TERM.api_key), "tenant")
MODEL = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
NOVA = "amazon.nova-lite-v1:0"
PREFIX = "a/prefix/"
S3_URI = f"s3://{FILES_BUCKET}/a/prefix"
# The service's minimum is 100; the fake is started with this one.
MINIMUM = 3
MOST_SETTING = "FERRY_PROVIDERS__BEDROCK__IMMEDIATE_REQUESTS"
# The number of attempts for a call that may be repeated.
ATTEMPTS = 3
UPLOAD_LIFE = timedelta(hours=24)
IN_S3 = f"{FILES_BUCKET}/.*"
JOB = "model-invocation-job"

_SECRETS = (
    LONG_TERM.access_key_id,
    LONG_TERM.secret_access_key,
    TEMPORARY.access_key_id,
    TEMPORARY.secret_access_key,
    str(TEMPORARY.session_token),
    "X-Amz-Signature",
    "X-Amz-Security-Token",
)


def inline(*texts: str, model: str = MODEL, **said: Any) -> NewBatch:
    return inline_batch(model, texts, **said)


def from_file(file_id: str, *, model: str = MODEL, **said: Any) -> NewBatch:
    return NewBatch(model, BatchKind.GENERATE, file_id, **said)


def shows_no_secret(text: str) -> bool:
    """Neither keys nor anything made from them, such as presigned URLs."""
    return not any(secret in text for secret in _SECRETS)


async def the_own_keys() -> AwsKeys:
    """The proxy's own keys, instead of AWS's chain."""
    return AwsKeys(TEMPORARY.access_key_id, TEMPORARY.secret_access_key, TEMPORARY.session_token)


async def refused(attempt: Awaitable[object]) -> FerryError:
    """The error that `attempt` ends in; no secret is in it."""
    error = await provider_with_fake.refused(attempt)
    assert shows_no_secret(f"{error!r} {error} {vars(error)}")
    return error


class BedrockWithFake(ProviderWithFake):
    """`other_tool` uses the same account and shares nothing else."""

    state: MemoryState
    base_path = "/"

    def __init__(
        self,
        urls: tuple[URL, URL],
        upstream: OutboundClient,
        control: ClientSession,
        background: BackgroundTasks,
        other_tool: OtherTool,
    ) -> None:
        url, self.s3_url = urls
        super().__init__(CALLER, url, upstream, control, MemoryState())
        self.background = background
        self.other_tool = other_tool
        self.provider = self.replica()

    def replica(
        self,
        *,
        minimum: int = MINIMUM,
        immediate: ImmediateUse = ImmediateUse.NEVER,
        most: int = 10_000,
        limits: Limits = LIMITS,
        state: State | None = None,
        observer: Observer = UNOBSERVED,
        cache: CacheLife | None = None,
        **target: Any,
    ) -> Provider:
        """Another process with the same state, or with `state`."""
        options = BedrockOptions(
            replace(self._target_options(), **target),
            minimum,
            ImmediateOptions(immediate, requests=most, calls=32, setting=MOST_SETTING),
            UPLOAD_LIFE,
            limits,
            cache,
        )
        kept = state or self.state
        return bedrock(options, self.upstream, kept, self.memory, self.background, observer)

    def _target_options(self) -> AwsTargetOptions:
        return AwsTargetOptions(
            name="bedrock",
            base_url=self.url,
            runtime_url=None,
            s3_endpoint_url=self.s3_url,
            region=REGION,
            role_arn=ROLE_ARN,
            s3_uri=S3_URI,
            headers=True,
            dns_suffixes={REGION: "amazonaws.com", "eu-central-1": "amazonaws.com"},
        )

    async def lose(self, prefix: str) -> None:
        """The objects with this prefix in the state store."""
        for name in self.state.objects:
            if name.startswith(prefix):
                await self.state.delete(name)

    # --- what there is in S3 ---

    async def keys(self, below: str = PREFIX) -> list[str]:
        """The keys of the objects, without the common prefix."""
        found = await self.objects("files")
        return [key.removeprefix(below) for key in found if key.startswith(below)]

    def head(self, key: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.other_tool.s3.head_object(Bucket=FILES_BUCKET, Key=key)
        return found

    async def s3_calls(self, method: str, mark: str = "") -> list[dict[str, str]]:
        """The queries of the requests to S3 so far that have the parameter `mark`."""
        asked = await self.requests(method, IN_S3)
        return [request["query"] for request in asked if not mark or mark in request["query"]]

    async def strike_s3(
        self, method: str, kind: str, *, query: str = "", code: str = "", **fault: Any
    ) -> None:
        """Arms a fault of S3; one with `code` is a refusal in its XML."""
        if code:
            fault["body"] = f"<Error><Code>{code}</Code><Message>no</Message></Error>"
        await self.strike(method, IN_S3, kind, query=query, **fault)

    def delete(self, key: str) -> None:
        self.other_tool.s3.delete_object(Bucket=FILES_BUCKET, Key=key)

    def begin_upload(self, key: str) -> str:
        """The id of an upload of the other tool."""
        begun = self.other_tool.s3.create_multipart_upload(Bucket=FILES_BUCKET, Key=key)
        return str(begun["UploadId"])

    def abort_all(self) -> None:
        """Aborts all open uploads, as a rule of the bucket would."""
        s3 = self.other_tool.s3
        for begun in s3.list_multipart_uploads(Bucket=FILES_BUCKET).get("Uploads", ()):
            named = {"Key": begun["Key"], "UploadId": begun["UploadId"]}
            s3.abort_multipart_upload(Bucket=FILES_BUCKET, **named)

    # --- jobs ---

    async def job(self, batch_id: str) -> dict[str, Any]:
        """The job as it was sent, without advancing it."""
        found: dict[str, Any] = await self.post(f"/_fake/batches/{batch_id}", {})
        return found

    @asynccontextmanager
    async def creating(self, batch: NewBatch) -> AsyncIterator[asyncio.Task[Batch]]:
        """A creation in progress; it is cancelled at the end of the block."""
        task = asyncio.create_task(self.batches.create(self.caller, batch))
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def give_back(self, batch: Batch) -> None:
        """The memory of its inline results."""
        if isinstance(batch.output, InlineResults):
            await batch.output.close()

    async def steer(self, job: str, **order: Any) -> None:
        await self.post(f"/_fake/batches/{job}", order)


@asynccontextmanager
async def bedrock_with_fake(
    process: Process, other_tool: OtherTool
) -> AsyncIterator[BedrockWithFake]:
    """The provider, with the fake as if it had just been started."""
    upstream, background = OutboundClient(), BackgroundTasks()
    running = asynccontextmanager(background.running)
    urls = URL(process.url), URL(process.ready["s3_url"])
    async with ClientSession() as control, running(web.Application()):
        try:
            work = BedrockWithFake(urls, upstream, control, background, other_tool)
            await work.post("/_fake/reset", {})
            yield work
        finally:
            await upstream.close()
