"""The input files of batches at their provider."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from providers.batches.file_batches.api import FileBatchApi
from providers.batches.json_lines import NumberedSplitter
from providers.batches.request_table import RequestTable, RowKind, add_keys
from providers.credential import Caller
from providers.errors import NotFound, invalid_argument
from providers.json_api.client import Answer, JsonApi
from providers.memory import Reservation

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

    async def check_purpose(self, caller: Caller, native_id: str) -> None:
        """Refuse a file that the provider does not accept as the input of a batch."""
        purpose = (await self._client.get(caller, f"files/{native_id}")).get("purpose")
        if isinstance(purpose, str) and purpose != INPUT_PURPOSE:
            raise invalid_argument(
                f"the file's purpose at {self._api.limits.whose} is {purpose!r}, not "
                f"{INPUT_PURPOSE!r}: {self._api.input_advice}"
            )

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
