"""Opens and checks the state store that the settings name."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Final

from aiohttp import web

from providers.spool import OpenSpool, no_spool
from providers.upstream import Upstream, UpstreamError
from proxy.bounded_state import BoundedState
from proxy.bucket_errors import UnusableBucket
from proxy.directory_trial import DirectoryProblem, try_in_time
from proxy.input_spools import InputSpools
from proxy.outbound_settings import outbound_client
from proxy.parts_as_objects import PartsAsObjects
from proxy.settings import Settings
from proxy.state_bucket import BucketAddress, BucketState
from proxy.state_directory import DirectoryState

VERIFY_SECONDS: Final = 10.0
STOP_SECONDS: Final = 1.0

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


def open_spool_of(store: Store) -> OpenSpool:
    """Spools need a directory: with a bucket there may be no disk for them."""
    return InputSpools(store.drafts).open if isinstance(store, DirectoryState) else no_spool


def opening(
    store: Store,
) -> Callable[[web.Application], AsyncIterator[None]]:
    """For `app.cleanup_ctx`. A store that cannot be reached only degrades the proxy.

    Raises UnusableBucket.
    """

    async def context(_: web.Application) -> AsyncIterator[None]:
        if isinstance(store, DirectoryState):
            task = asyncio.create_task(_remove_leftovers(store))  # a silent disk delays no start
            yield
            task.cancel()
            await asyncio.wait({task}, timeout=STOP_SECONDS)
            return
        if problem := await _problem_of(store):
            _log.warning("%s: calls that need it fail until it is available", problem)
        yield

    return context


def directory_problem(settings: Settings) -> DirectoryProblem | None:
    """Why the directory cannot be used, if the settings name one. Blocks."""
    if _bucket(settings) is not None:
        return None
    return try_in_time(settings.state_directory, VERIFY_SECONDS)


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
    return BucketAddress(
        bucket, f"{prefix}/", settings.state_s3_endpoint_url, settings.state_s3_sse
    )


async def _remove_leftovers(store: DirectoryState) -> None:
    with suppress(OSError):  # drafts that remain do no harm
        await store.remove_leftovers()


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
