"""The results of an ended batch.

They are read from the configured address. The batch's own `results_url` may be relative, or may
name a host that the proxy cannot reach and that must not get the key.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from providers.anthropic.batch_records import ARCHIVED, has_results, state_of
from providers.anthropic.result_from_anthropic import from_anthropic_line, missing_result
from providers.batches.json_lines import ResultLine, ResultSplitter, TooLong
from providers.batches.request_table import job_of
from providers.batches.result_lines import id_of
from providers.body import Body
from providers.credential import Caller
from providers.errors import not_found
from providers.json_api.client import Answer, JsonApi
from providers.resources import Failure


class AnthropicResultLines:
    """Implements `ResultLines` and `ResultFiles`."""

    id_member = "custom_id"

    def __init__(
        self, client: JsonApi, caller: Caller, batch: Answer, splitter: ResultSplitter
    ) -> None:
        self._client = client
        self._caller = caller
        self._batch = batch
        self._splitter = splitter

    async def job_id(self) -> str | None:
        """The job that the results name; None for a batch of another tool."""
        async with aclosing(self.slices()) as slices:
            async for lines in slices:
                named = next(filter(None, map(self._id_of, lines)), None)
                if named is not None:
                    return job_of(named)
        return None

    async def slices(self) -> AsyncGenerator[deque[ResultLine], None]:
        """The result lines; no lines if Anthropic has archived the results."""
        if not has_results(self._batch):
            return
        async with await self._client.open(self._caller, results_path(self._batch)) as reply:
            async with aclosing(self._splitter.split(reply.chunks())) as slices:
                async for lines in slices:
                    yield lines
                    await asyncio.sleep(0)

    async def files(self) -> AsyncGenerator[Body, None]:
        if not has_results(self._batch):
            raise not_found(ARCHIVED.message)
        async with await self._client.open(self._caller, results_path(self._batch)) as reply:
            yield Body(reply.chunks(), None)

    def translate(self, line: dict[str, Any], /) -> dict[str, Any]:
        return from_anthropic_line(line)

    def missing(self, _: int, /) -> Failure:
        return missing_result(state_of(self._batch)) if has_results(self._batch) else ARCHIVED

    def _id_of(self, line: ResultLine) -> str | None:
        size = 0 if isinstance(line, TooLong) else len(line)
        with self._splitter.working(size):
            return id_of(line, self.id_member)


def results_path(batch: Answer) -> str:
    return f"v1/messages/batches/{batch.id}/results"
