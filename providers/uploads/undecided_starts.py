"""Starts of uploads whose first bytes decide what the file is (`batch_inputs.py`).

The details of such a session are the start itself. With the first bytes the target describes the
file; what it says is stored once, so that every replica goes on with the same.
"""

from collections.abc import Mapping
from typing import Final

import orjson

from providers.body import Body
from providers.errors import unavailable
from providers.state import State, read_as, write
from providers.upload import UploadStart
from providers.uploads.batch_inputs import by_first_line
from providers.uploads.upload_target import UNDECIDED, OpenSession, UploadTarget, session_object

_SIZE: Final = "size"


Details = dict[str, str]


def undecided_details(start: UploadStart) -> Mapping[str, str]:
    details = {
        "display_name": start.display_name or "",
        "mime_type": start.mime_type or "",
        "file_name": start.file_name or "",
        "expires_after": str(start.expires_after or ""),
        UNDECIDED: "yes",
    }
    return {name: value for name, value in details.items() if value}


class UndecidedStarts:
    def __init__(self, target: UploadTarget, state: State) -> None:
        self._target = target
        self._state = state

    async def recall(self, session: OpenSession) -> None:
        """Gives the session its details if an earlier request has decided."""
        if session.undecided:
            session.details = await self._stored(session) or session.details

    async def decide(self, session: OpenSession, body: Body) -> Body:
        """Gives the session its details by the first bytes; returns the same body."""
        batch_input, body = await by_first_line(body)
        start = _start(session.details, batch_input)
        details = dict(await self._target.describe(session.caller, start))
        if _SIZE in session.details:
            details[_SIZE] = session.details[_SIZE]
        if await write(self._state, _name(session), orjson.dumps(details)):
            session.details = details
        else:
            await self.recall(session)
        if session.undecided:
            raise unavailable("the upload session has ended")
        return body

    async def _stored(self, session: OpenSession) -> Details | None:
        return await read_as(self._state, _name(session), Details)


def _name(session: OpenSession) -> str:
    return session_object(session.id, "details")


def _start(details: Mapping[str, str], batch_input: bool) -> UploadStart:
    expires_after, size = details.get("expires_after"), details.get(_SIZE)
    return UploadStart(
        display_name=details.get("display_name"),
        mime_type=details.get("mime_type"),
        file_name=details.get("file_name"),
        size=int(size) if size else None,
        expires_after=int(expires_after) if expires_after else None,
        batch_input=batch_input,
    )
