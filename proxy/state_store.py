"""Opens and checks the state store that the settings name."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from threading import Thread
from typing import Final

from aiohttp import web

from providers.upstream import Upstream, UpstreamError
from proxy.bounded_state import STALL_SECONDS, BoundedState
from proxy.bucket_errors import UnusableBucket
from proxy.outbound_settings import outbound_client
from proxy.parts_as_objects import PartsAsObjects
from proxy.settings import Settings
from proxy.state_bucket import BucketAddress, BucketState
from proxy.state_directory import DirectoryState, try_directory

VERIFY_SECONDS: Final = 10.0

Store = DirectoryState | BucketState

_BUCKET: Final = "s3://"

_log: Final = logging.getLogger(__name__)


def state_store(settings: Settings, upstream: Upstream) -> Store:
    """Does not access the store; opening or using it does."""
    address = _bucket(settings)
    if address is None:
        return DirectoryState(settings.state_directory)
    return BucketState(address, upstream)


def bounded(store: Store) -> BoundedState:
    state = BoundedState(store)
    if isinstance(store, DirectoryState):
        # Joining the parts of a large object takes longer than one read or write may take.
        state.multipart = PartsAsObjects(state)
    return state


def opening(
    store: Store,
) -> Callable[[web.Application], AsyncIterator[None]]:
    """For `app.cleanup_ctx`. A store that cannot be reached only degrades the proxy.

    Raises UnusableBucket.
    """

    async def context(_: web.Application) -> AsyncIterator[None]:
        if isinstance(store, DirectoryState):
            with suppress(OSError):  # old drafts that remain do no harm
                await store.remove_leftovers()
            yield
            return
        if problem := await _problem_of(store):
            _log.warning("%s: calls that need it fail until it is available", problem)
        yield

    return context


def directory_problem(settings: Settings, seconds: float = STALL_SECONDS) -> str | None:
    """Why the directory cannot be used, if the settings name one. Blocks.

    It is tried in a thread that ends with the process, since a disk may hang.
    """
    if _bucket(settings) is not None:
        return None
    root = settings.state_directory
    found: list[str | None] = [f"the directory {root} did not answer within {seconds:g} s"]

    def attempt() -> None:
        found.insert(0, try_directory(root))

    thread = Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(seconds)
    return found[0]


async def bucket_problem(settings: Settings) -> str | None:
    """The bucket's temporary problem, if the settings name a bucket. Raises UnusableBucket."""
    address = _bucket(settings)
    if address is None:
        return None
    upstream = outbound_client(settings)
    try:
        return await _problem_of(BucketState(address, upstream))
    finally:
        await upstream.close()


def _bucket(settings: Settings) -> BucketAddress | None:
    if not settings.state_url.startswith(_BUCKET):
        return None
    bucket, _, prefix = settings.state_url.removeprefix(_BUCKET).partition("/")
    return BucketAddress(bucket, f"{prefix}/", settings.state_s3_endpoint_url)


async def _problem_of(state: BucketState) -> str | None:
    try:
        async with asyncio.timeout(VERIFY_SECONDS):
            await state.verify()
    except UnusableBucket:
        raise
    except UpstreamError as error:
        return error.message
    except TimeoutError:
        return "the state store does not answer"
    return None
