"""The input files of batches at OpenAI."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from providers.batches.input_keys import add_keys
from providers.batches.json_lines import NumberedSplitter
from providers.batches.request_table import RequestTable, RowKind
from providers.credential import Caller
from providers.errors import NotFound, invalid_argument
from providers.json_api.client import Answer, JsonApi
from providers.memory import Reservation
from providers.openai.file_naming import INPUT_PURPOSE, PURPOSE_HEADER


class InputFiles:
    def __init__(self, client: JsonApi, splitter: NumberedSplitter) -> None:
        self._client = client
        self._splitter = splitter

    async def check_purpose(self, caller: Caller, native_id: str) -> None:
        """Refuse a file that OpenAI does not accept as the input of a batch."""
        purpose = (await self._client.get(caller, f"files/{native_id}")).get("purpose")
        if isinstance(purpose, str) and purpose != INPUT_PURPOSE:
            raise invalid_argument(
                f"the file's purpose at OpenAI is {purpose!r}, not {INPUT_PURPOSE!r}: upload it "
                f"again with a name that ends in .jsonl, or with the header {PURPOSE_HEADER}: "
                f"{INPUT_PURPOSE}"
            )

    @asynccontextmanager
    async def opened(self, caller: Caller, native_id: str) -> AsyncIterator[AsyncIterator[bytes]]:
        async with await self._client.open(caller, f"files/{native_id}/content") as reply:
            yield reply.chunks()

    async def exists(self, caller: Caller, native: Answer) -> bool:
        """Whether OpenAI still has the input of the batch `native`."""
        input_file = native.get("input_file_id")
        if not input_file:
            return False
        try:
            await self._client.get(caller, f"files/{input_file}")
        except NotFound:
            return False
        return True

    async def keys(
        self, caller: Caller, native: Answer, reservation: Reservation
    ) -> RequestTable | None:
        """The custom ids in the input of the batch `native`; None if the input is gone."""
        input_file = native.get("input_file_id")
        if not input_file:
            return None
        table = RequestTable(RowKind.CUSTOM_ID)
        try:
            async with self.opened(caller, input_file) as chunks:
                await add_keys(table, chunks, self._splitter, "custom_id", reservation)
        except NotFound:
            return None
        return table
