"""Reads the result files of a batch: one of answers and one of errors."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from providers.batches.file_batches.api import FileBatchApi
from providers.batches.json_lines import ResultLine, ResultSplitter
from providers.body import Body
from providers.credential import Caller
from providers.errors import NotFound, not_found
from providers.json_api.client import Answer, JsonApi
from providers.resources import Failure


class FileResultLines:
    """Implements `ResultLines` and `ResultFiles`."""

    def __init__(
        self,
        client: JsonApi,
        api: FileBatchApi,
        caller: Caller,
        batch: Answer,
        splitter: ResultSplitter,
    ) -> None:
        self.id_member = api.id_member
        self._client = client
        self._api = api
        self._caller = caller
        self._batch = batch
        self._splitter = splitter
        self._files = api.result_files(batch)
        self._lost: list[str] = []
        self._failures = api.failures(batch)

    async def slices(self) -> AsyncGenerator[deque[ResultLine], None]:
        for name in self._files:
            async with aclosing(self._file(name)) as slices:
                async for lines in slices:
                    yield lines
        if self._files and self._lost == self._files:
            raise not_found(f"{self._api.limits.whose} no longer has the results of this batch")

    async def files(self) -> AsyncGenerator[Body, None]:
        await self.check_files()
        for name in self._files:
            async with await self._client.open(self._caller, f"files/{name}/content") as reply:
                yield Body(reply.chunks(), None)

    async def check_files(self) -> None:
        """Raise NOT_FOUND if a file is missing, since the others do not show that."""
        for name in self._files:
            await self._client.get(self._caller, f"files/{name}")

    def translate(self, line: dict[str, Any], /) -> dict[str, Any]:
        return self._api.translate(self._batch, line)

    def missing(self, line: int, /) -> Failure:
        return self._failures.lost if self._lost else self._failures.of_line(line)

    async def _file(self, name: str) -> AsyncGenerator[deque[ResultLine], None]:
        """The lines of one file. It may be missing: files expire, and other tools delete them."""
        try:
            reply = await self._client.open(self._caller, f"files/{name}/content")
        except NotFound:
            self._lost.append(name)
            return
        async with reply, aclosing(self._splitter.split(reply.chunks())) as slices:
            async for lines in slices:
                yield lines
                await asyncio.sleep(0)
