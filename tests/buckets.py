"""State stores in a bucket of the fake S3, for any test."""

import os
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientSession
from yarl import URL

from providers.deadlines import TimeLimits
from proxy.outbound import OutboundClient, Timeouts
from proxy.state_bucket import BucketAddress, BucketState
from tests.fakes.s3 import ACCESS_KEY_ID, BUCKET, SECRET_ACCESS_KEY


def aws_environment() -> dict[str, str]:
    """The fake's credentials, without any configuration of the developer's."""
    return {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def new_prefix() -> str:
    return f"tests/{secrets.token_hex(8)}/"


@dataclass(frozen=True)
class FakeS3:
    """The running fake: its address and its control endpoints."""

    url: str

    def address(self, prefix: str, bucket: str = BUCKET) -> BucketAddress:
        return BucketAddress(bucket, prefix, URL(self.url))

    def settings(self, prefix: str, bucket: str = BUCKET) -> dict[str, str]:
        """The settings of a proxy that keeps its state there."""
        return {
            **aws_environment(),
            "FERRY_STATE_URL": f"s3://{bucket}/{prefix}",
            "FERRY_STATE_S3_ENDPOINT_URL": self.url,
        }

    async def arm(self, match: Mapping[str, Any], kind: str, **fault: Any) -> None:
        await self.post("faults", {"match": match, "fault": {"kind": kind, **fault}})

    async def requests(self, prefix: str) -> list[dict[str, Any]]:
        """The requests whose path contains `prefix`."""
        found: list[dict[str, Any]] = (await self._get("requests", path=prefix))["requests"]
        return found

    async def received(self, prefix: str, count: int) -> None:
        """Waits until `count` bytes of a request's body have arrived."""
        await self._get("events", wait="bytes", path=prefix, count=str(count))

    async def post(self, path: str, order: Any) -> None:
        async with ClientSession() as session:
            async with session.post(f"{self.url}/_fake/{path}", json=order) as reply:
                assert reply.status == 200, await reply.text()

    async def _get(self, path: str, /, **query: str) -> Any:
        async with ClientSession() as session:
            async with session.get(f"{self.url}/_fake/{path}", params=query) as reply:
                assert reply.status == 200, await reply.text()
                return await reply.json()


@asynccontextmanager
async def opened(address: BucketAddress) -> AsyncIterator[BucketState]:
    upstream = OutboundClient(Timeouts(connect=5, limits=TimeLimits(30, 30, 30)))
    try:
        yield BucketState(address, upstream)
    finally:
        await upstream.close()
