"""The results of an ended batch, from where Anthropic says that they are."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from providers.anthropic.batch_records import state_of
from providers.anthropic.result_from_anthropic import from_anthropic_line, missing_result
from providers.credential import Caller
from providers.errors import not_found
from providers.json_api import Answer, JsonApi
from providers.json_lines import ResultLine, ResultSplitter, TooLong
from providers.request_table import job_of
from providers.resources import Failure
from providers.result_lines import id_of


class AnthropicResultLines:
    """Implements `providers.batch_results.ResultLines`."""

    id_member = "custom_id"

    def __init__(
        self, client: JsonApi, caller: Caller, batch: Answer, splitter: ResultSplitter
    ) -> None:
        self._client = client
        self._caller = caller
        self._batch = batch
        self._splitter = splitter

    async def job_id(self) -> str | None:
        """The job that the results name; None in a batch that another tool made."""
        async with aclosing(self.slices()) as slices:
            async for lines in slices:
                named = next(filter(None, map(self._id_of, lines)), None)
                if named is not None:
                    return job_of(named)
        return None

    async def slices(self) -> AsyncGenerator[deque[ResultLine], None]:
        url = self._batch.get("results_url")
        if not isinstance(url, str):
            raise not_found("Anthropic no longer has the results of this batch")
        async with await self._client.open_url(self._caller, url) as reply:
            async with aclosing(self._splitter.split(reply.chunks())) as slices:
                async for lines in slices:
                    yield lines
                    await asyncio.sleep(0)

    def translate(self, line: dict[str, Any], /) -> dict[str, Any]:
        return from_anthropic_line(line)

    def missing(self, _: int, /) -> Failure:
        return missing_result(state_of(self._batch))

    def _id_of(self, line: ResultLine) -> str | None:
        size = 0 if isinstance(line, TooLong) else len(line)
        with self._splitter.working(size):
            return id_of(line, self.id_member)
