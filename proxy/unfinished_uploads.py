"""The bytes of unfinished uploads whose parts a list of objects does not show.

To count them takes a call for each upload. So that the calls do not grow with the replicas too, one
replica counts in each hour, and the others read its figures.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

import orjson

from providers.limits import UNFINISHED_BYTES
from providers.multipart_uploads import UploadEnded
from providers.state import State, parse_as, read, write
from providers.stored_objects import UNFINISHED, tenant_in

_HOUR: Final = timedelta(hours=1)

Figures = Mapping[str, int]
"""The bytes of all unfinished uploads of a tenant, under the name of one of them."""

Count = Callable[[State, datetime], Awaitable[Figures]]


async def count_parts(state: State, now: datetime) -> Figures:  # noqa: ARG001 - a `Count`
    sizes: dict[str, tuple[str, int]] = {}
    async for upload in state.multipart.unlisted():
        tenant = tenant_in(upload.name)
        with suppress(UploadEnded):  # meanwhile
            async for part in state.multipart.parts(upload):
                _, size = sizes.get(tenant, ("", 0))
                sizes[tenant] = upload.name, size + part.size
    return dict(sizes.values())


async def count_once_an_hour(state: State, now: datetime) -> Figures:
    """If the counting replica has not finished, or stopped, the figures of the hour before.

    Without those this replica counts too: a quota must not ignore what is there.
    """
    if not await _any(state):
        return {}
    if await write(state, UNFINISHED.name(_hour(now), "begun"), b""):
        figures = await count_parts(state, now)
        await write(state, UNFINISHED.name(_hour(now), "figures"), orjson.dumps(figures))
        return figures
    for hour in (now, now - _HOUR):
        found = await read(state, UNFINISHED.name(_hour(hour), "figures"), UNFINISHED_BYTES)
        if found is not None:
            return parse_as(found, dict[str, int])
    return await count_parts(state, now)


async def _any(state: State) -> bool:
    """So nothing is written to a directory, where there are none, and whose disk may be full."""
    async for _ in state.multipart.unlisted():
        return True
    return False


def _hour(time: datetime) -> str:
    return f"{time:%Y%m%d%H}"
