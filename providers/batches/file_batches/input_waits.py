"""Waits until a provider has read an input file: Azure takes no other (openai.md section 10)."""

import asyncio
from collections.abc import Mapping
from time import monotonic
from typing import Any, Final

from providers.credential import Caller
from providers.errors import FerryError, unavailable
from providers.json_api.answer_shape import text_or_none
from providers.json_api.client import Answer, JsonApi
from providers.json_api.redaction import without_secret
from providers.status import Status

# In seconds. Files of some MB take about a minute.
FIRST_PAUSE: Final = 0.5
_LAST_PAUSE: Final = 10.0
WAIT_SECONDS: Final = 300.0

_UNREAD: Final = frozenset({"pending", "running"})
_UNREADABLE: Final = "error"
_REASON_CHARACTERS: Final = 500


def is_unread(file: Mapping[str, Any]) -> bool:
    """Whether the provider still reads a file."""
    return _status(file) in _UNREAD


def why_unreadable(file: Mapping[str, Any]) -> str | None:
    """What the provider says of a file that it cannot read; None for any other file."""
    if _status(file) != _UNREADABLE:
        return None
    said = text_or_none(file.get("status_details"))
    return said[:_REASON_CHARACTERS] if said else "the provider says: error"


async def wait_until_read(client: JsonApi, caller: Caller, file: Answer) -> None:
    """Raises UNAVAILABLE if it takes too long, INVALID_ARGUMENT if the provider cannot read it."""
    began, pause = monotonic(), FIRST_PAUSE
    while is_unread(file):
        if monotonic() - began >= WAIT_SECONDS:
            raise unavailable(
                f"{client.name}: the input file is still {file['status']!r}; try again later"
            )
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LAST_PAUSE)
        file = await client.get_object(caller, "files", file.id, "file")
    why = why_unreadable(file)
    if why is not None:
        raise FerryError(
            Status.INVALID_ARGUMENT,
            f"{client.name} could not read the input file: {without_secret(why, caller)}",
            provider=client.name,
        )


def _status(file: Mapping[str, Any]) -> str:
    return str(file.get("status")).lower()
