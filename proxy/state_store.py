"""The state store that the settings name: one row a scheme."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from providers.state import State
from providers.upstream import Upstream, UpstreamError
from proxy.bucket_client import BucketAddress
from proxy.bucket_errors import UnfitBucket
from proxy.outbound import OutboundClient
from proxy.settings import Settings
from proxy.state_bucket import BucketState
from proxy.state_directory import DirectoryState

PROOF_SECONDS: Final = 10.0

_BUCKET: Final = "s3://"

_log: Final = logging.getLogger(__name__)


def state_store(settings: Settings, upstream: Upstream) -> DirectoryState | BucketState:
    """A directory is made at once; a bucket is reached once the application starts."""
    address = _bucket(settings)
    if address is None:
        return DirectoryState(settings.state_directory)
    return BucketState(address, upstream)


def opening(state: State) -> Callable[[web.Application], AsyncIterator[None]]:
    """For `app.cleanup_ctx`. A bucket that is away only degrades the proxy. Raises UnfitBucket."""

    async def context(_: web.Application) -> AsyncIterator[None]:
        if not isinstance(state, BucketState):
            yield
            return
        async with _open(state) as trouble:
            if trouble:
                _log.warning("%s: what needs it fails until it is back", trouble)
            yield

    return context


async def trouble_of(settings: Settings) -> str | None:
    """What is wrong with the bucket for now, if the settings name one. Raises UnfitBucket."""
    address = _bucket(settings)
    if address is None:
        return None
    upstream = OutboundClient()
    try:
        async with _open(BucketState(address, upstream)) as trouble:
            return trouble
    finally:
        await upstream.close()


def _bucket(settings: Settings) -> BucketAddress | None:
    if not settings.state_url.startswith(_BUCKET):
        return None
    bucket, _, prefix = settings.state_url.removeprefix(_BUCKET).partition("/")
    return BucketAddress(bucket, f"{prefix}/", settings.state_s3_endpoint_url)


@asynccontextmanager
async def _open(state: BucketState) -> AsyncIterator[str | None]:
    await state.open()
    try:
        yield await _proof(state)
    finally:
        await state.close()


async def _proof(state: BucketState) -> str | None:
    try:
        async with asyncio.timeout(PROOF_SECONDS):
            await state.prove()
    except UnfitBucket:
        raise
    except UpstreamError as error:
        return error.message
    except TimeoutError:
        return "the state store does not answer"
    return None
