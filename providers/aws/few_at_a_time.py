"""Many small calls to S3, a few at a time."""

import asyncio
from collections.abc import Awaitable, Iterable
from itertools import islice
from typing import Final

_CALLS_AT_ONCE: Final = 16


async def few_at_a_time(calls: Iterable[Awaitable[None]]) -> None:
    """Make every call; the first error ends it.

    Those under way are waited for, so that none still is when the error is dealt with.
    """
    left = iter(calls)
    while some := list(islice(left, _CALLS_AT_ONCE)):
        for outcome in await asyncio.gather(*some, return_exceptions=True):
            if outcome is not None:
                raise outcome
