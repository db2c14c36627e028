"""A tenant's jobs, newest first, a page at a time."""

import re
from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from providers.batches.immediate.job_store import JobKey, JobStore
from providers.resources import Batch

# For providers.json_api.page_tokens.
POSITION: Final = re.compile(r"([0-9]{1,12})\.([a-z0-9-]{1,64})")


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """The position of a job in the list, valid after its deletion. Newer jobs come first.

    It uses the store's time in whole seconds, since some stores give fractions only in some
    answers. Jobs of the same second are ordered by id.
    """

    negative_seconds: int
    job_id: str

    def __str__(self) -> str:
        return f"{-self.negative_seconds}.{self.job_id}"


@dataclass(frozen=True, slots=True)
class ListedJobs:
    """`more`: the list continues after the position `last`."""

    jobs: Sequence[tuple[Position, Batch]]
    last: Position | None
    more: bool


def parse_position(text: str) -> Position:
    """Parse a `str(position)`. Raises ValueError."""
    found = POSITION.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no position in a list")
    return Position(-int(found.group(1)), found.group(2))


async def newest(
    store: JobStore, tenant: str, after: Position | None, count: int
) -> Sequence[Position]:
    """The first `count` positions after `after`, in order; no more are kept in memory."""
    best: list[Position] = []
    async for key, info in store.of_tenant(tenant):
        position = _position(key, info.created)
        if after is None or position > after:
            insort(best, position)
            del best[count:]
    return best


def _position(key: JobKey, created: datetime) -> Position:
    return Position(-int(created.timestamp()), key.job_id)
