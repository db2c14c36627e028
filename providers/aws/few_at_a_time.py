"""Many small calls to S3, a few at a time."""

import asyncio
from collections.abc import Awaitable, Iterable
from itertools import islice
from typing import Final

_CALLS_AT_ONCE: Final = 16


async def few_at_a_time(calls: Iterable[Awaitable[None]]) -> None:
    """Make every call; after an error no further one begins.

    Calls under way are awaited first, so none is still running when the error is raised.
    """
    remaining = iter(calls)
    while group := list(islice(remaining, _CALLS_AT_ONCE)):
        for outcome in await asyncio.gather(*group, return_exceptions=True):
            if outcome is not None:
                raise outcome
