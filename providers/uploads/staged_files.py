"""Files that the proxy keeps itself, because their provider neither reads nor returns them.

Content and record are two objects; a file exists as soon as its record does. Ids begin with the
inverted time, so the store lists the newest first.
"""

import re
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Final

import orjson

from providers.body import Body, close
from providers.credential import Caller
from providers.errors import FerryError, not_found
from providers.kept_records import KeptRecords
from providers.resource_names import FileId, FileKind
from providers.resources import Download, File
from providers.state import State, read_as, write
from providers.stored_objects import STAGED, STAGED_CONTENT

_END_OF_TIME: Final = 1 << 56
STAGED_ID: Final = re.compile(r"[0-9a-f]{30}")


def new_staged_id() -> str:
    age = _END_OF_TIME - time.time_ns() // 1000
    return f"{age:014x}{secrets.token_hex(8)}"


def staged_file_id(staged_id: str) -> str:
    return str(FileId(FileKind.STAGED, staged_id))


def _no_such_file(staged_id: str) -> FerryError:
    return not_found(f"files/{staged_file_id(staged_id)} does not exist")


class StagedFiles:
    """The files of one upstream, separate for each tenant. `life` is how long they are kept."""

    def __init__(self, upstream: str, state: State, life: timedelta) -> None:
        self._upstream = upstream
        self._state = state
        self._kept = KeptRecords(state, File, str)  # by their names in the store
        self.life = life

    def content_name(self, caller: Caller, staged_id: str) -> str:
        return STAGED_CONTENT.name(self._upstream, caller.tenant, staged_id)

    async def record(self, caller: Caller, staged_id: str, file: File) -> File:
        """Record a file whose content is stored. A repeat returns the file as first recorded."""
        if await write(self._state, self._record_name(caller, staged_id), orjson.dumps(file)):
            return file
        return await self.get(caller, staged_id)

    async def get(self, caller: Caller, staged_id: str) -> File:
        # A client can send any id, and this one becomes part of an object's name.
        if not STAGED_ID.fullmatch(staged_id):
            raise _no_such_file(staged_id)
        file = await self.find(caller, staged_id)
        if file is None:
            raise _no_such_file(staged_id)
        return file

    async def find(self, caller: Caller, staged_id: str) -> File | None:
        """The file of an id that this class has made."""
        return await read_as(self._state, self._record_name(caller, staged_id), File)

    async def download(self, caller: Caller, staged_id: str) -> Download:
        file = await self.get(caller, staged_id)
        body = await self.content(caller, staged_id)
        return Download(body, file.mime_type or "application/octet-stream", partial(close, body))

    async def content(self, caller: Caller, staged_id: str) -> Body:
        """The content of a file that `get` has found."""
        body = await self._state.get(self.content_name(caller, staged_id))
        if body is None:
            raise _no_such_file(staged_id)
        return body

    @asynccontextmanager
    async def opened(self, caller: Caller, staged_id: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """The content while it is read."""
        body = await self.content(caller, staged_id)
        try:
            yield aiter(body.chunks)
        finally:
            await close(body)

    async def delete(self, caller: Caller, staged_id: str) -> None:
        await self.get(caller, staged_id)
        await self._kept.delete(self._record_name(caller, staged_id))
        await self._state.delete(self.content_name(caller, staged_id))

    async def page(
        self, caller: Caller, after: str, page_size: int
    ) -> tuple[Sequence[File], str | None]:
        """The files after the id `after`, newest first, and the last id if others follow."""
        files: list[File] = []
        last = ""
        async for staged_id, file in self.after(caller, after):
            if len(files) == page_size:
                return files, last
            files.append(file)
            last = staged_id
        return files, None

    async def after(self, caller: Caller, staged_id: str) -> AsyncIterator[tuple[str, File]]:
        """The files after `staged_id` in the list, newest first, with their ids."""
        prefix = self._record_name(caller, "")
        async for info in self._state.list(prefix, prefix + staged_id):
            found = info.name.removeprefix(prefix)
            file = await self._kept.read(info.name)
            if file is not None:
                yield found, file

    def _record_name(self, caller: Caller, staged_id: str) -> str:
        return STAGED.name(self._upstream, caller.tenant, staged_id)
