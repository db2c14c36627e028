"""Reads the result files of a batch: its output file and its error file."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from providers.batches.json_lines import ResultLine, ResultSplitter
from providers.body import Body
from providers.credential import Caller
from providers.errors import NotFound, not_found
from providers.json_api.client import JsonApi
from providers.openai.batch_failures import LOST, RequestFailures
from providers.openai_content.result_from_openai import from_openai_line
from providers.resources import Failure


class OpenAIResultLines:
    """Implements `ResultLines` and `ResultFiles`."""

    id_member = "custom_id"

    def __init__(
        self, client: JsonApi, caller: Caller, batch: Mapping[str, Any], splitter: ResultSplitter
    ) -> None:
        self._client = client
        self._caller = caller
        self._batch = batch
        self._splitter = splitter
        self._lost: list[str] = []
        self._failures = RequestFailures(batch)

    async def slices(self) -> AsyncGenerator[deque[ResultLine], None]:
        files = output_files(self._batch)
        for name in files:
            async with aclosing(self._file(name)) as slices:
                async for lines in slices:
                    yield lines
        if files and self._lost == files:
            raise not_found("OpenAI no longer has the results of this batch")

    async def files(self) -> AsyncGenerator[Body, None]:
        await self.check_files()
        for name in output_files(self._batch):
            async with await self._client.open(self._caller, f"files/{name}/content") as reply:
                yield Body(reply.chunks(), None)

    async def check_files(self) -> None:
        """Raise NOT_FOUND if a file is missing, since the others do not show that."""
        for name in output_files(self._batch):
            await self._client.get(self._caller, f"files/{name}")

    def translate(self, line: dict[str, Any], /) -> dict[str, Any]:
        return from_openai_line(line, str(self._batch.get("endpoint")))

    def missing(self, line: int, /) -> Failure:
        return LOST if self._lost else self._failures.for_line(line)

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


def output_files(batch: Mapping[str, Any]) -> list[str]:
    """The native ids of the result files; each of the two may be absent."""
    return [str(batch[n]) for n in ("output_file_id", "error_file_id") if batch.get(n)]
