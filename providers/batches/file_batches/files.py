"""The files of a batch at its provider: its input and its results."""

import re
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from providers.batches.ended_results import lines_of
from providers.batches.file_batches.api import FileBatchApi
from providers.batches.file_batches.input_waits import wait_until_read
from providers.batches.json_lines import NumberedSplitter, ResultLine, ResultSplitter
from providers.batches.request_table import RequestTable, RowKind, add_keys
from providers.body import Body
from providers.credential import Caller
from providers.errors import NotFound, invalid_argument, not_found
from providers.json_api.client import Answer, JsonApi
from providers.json_api.redaction import failure_without_secret, result_without_secret
from providers.memory import Reservation
from providers.resources import Failure

INPUT_PURPOSE: Final = "batch"
_DERIVED: Final = re.compile(r"ferry-[0-9a-f]{32}\.jsonl")


def derived_file_name(job: str) -> str:
    """The name of a file that the proxy makes for a batch; lists do not show such files."""
    return f"ferry-{job}.jsonl"


def is_derived(file_name: object) -> bool:
    return _DERIVED.fullmatch(str(file_name)) is not None


class InputFiles:
    def __init__(self, client: JsonApi, api: FileBatchApi, splitter: NumberedSplitter) -> None:
        self._client = client
        self._api = api
        self._splitter = splitter

    async def check(self, caller: Caller, native_id: str) -> None:
        """Refuse a file that the provider does not accept as the input of a batch.

        Waits until the provider has read it.
        """
        file = await self._client.get(caller, f"files/{native_id}")
        purpose = file.get("purpose")
        if isinstance(purpose, str) and purpose != INPUT_PURPOSE:
            raise invalid_argument(
                f"the file's purpose at {self._api.limits.whose} is {purpose!r}, not "
                f"{INPUT_PURPOSE!r}: {self._api.input_advice}"
            )
        await wait_until_read(self._client, caller, file)

    async def named(self, caller: Caller, file_name: str) -> Answer | None:
        """The newest input with this name, for an upload whose answer was lost."""
        newest = await self._api.newest_inputs(caller)
        return next((file for file in newest if file.get("filename") == file_name), None)

    @asynccontextmanager
    async def opened(self, caller: Caller, native_id: str) -> AsyncIterator[AsyncIterator[bytes]]:
        async with await self._client.open(caller, f"files/{native_id}/content") as reply:
            yield reply.chunks()

    async def exist(self, caller: Caller, native: Answer) -> bool:
        """Whether the provider still has all of the input of the batch `native`."""
        input_files = self._api.input_files(native)
        try:
            for name in input_files:
                await self._client.get(caller, f"files/{name}")
        except NotFound:
            return False
        return bool(input_files)

    async def keys(
        self, caller: Caller, native: Answer, reservation: Reservation
    ) -> RequestTable | None:
        """The ids in the input of the batch `native`; None if some of the input is gone."""
        table = RequestTable(RowKind.CUSTOM_ID)
        try:
            for name in (input_files := self._api.input_files(native)):
                async with self.opened(caller, name) as chunks:
                    member = self._api.id_member
                    await add_keys(table, chunks, self._splitter, member, reservation)
        except NotFound:
            return None
        return table if input_files else None


class FileResultLines:
    """Implements `providers.batches.ended_results.Results`."""

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

    def slices(self) -> AsyncGenerator[deque[ResultLine], None]:
        return lines_of(self._remaining_files(), self._splitter)

    async def files(self) -> AsyncGenerator[Body, None]:
        await self.check_files()
        for name in self._files:
            async with await self._client.open(self._caller, f"files/{name}/content") as reply:
                yield Body(reply.chunks(), None)

    async def check_files(self) -> None:
        """Raise NOT_FOUND if a file is missing, since the others do not show that."""
        for name in self._files:
            await self._client.get(self._caller, f"files/{name}")

    def plain(self, line: dict[str, Any], /) -> dict[str, Any] | None:
        return self._api.plain(self._batch, line)

    def translate(self, line: dict[str, Any], /) -> dict[str, Any]:
        return result_without_secret(self._api.translate(self._batch, line), self._caller)

    def missing(self, line: int, /) -> Failure:
        failure = self._failures.lost if self._lost else self._failures.of_line(line)
        return failure_without_secret(failure, self._caller)

    async def _remaining_files(self) -> AsyncGenerator[Body, None]:
        """Without those that are missing: files expire, and other tools delete them."""
        for name in self._files:
            try:
                reply = await self._client.open(self._caller, f"files/{name}/content")
            except NotFound:
                self._lost.append(name)
                continue
            async with reply:
                yield Body(reply.chunks(), None)
        if self._files and self._lost == self._files:
            raise not_found(f"{self._api.limits.whose} no longer has the results of this batch")
