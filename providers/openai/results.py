"""A batch's results: output and error file merged, each request answered exactly once."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import orjson

from providers.credential import Caller
from providers.errors import FerryError, not_found
from providers.held_json import render_held
from providers.json_lines import ResultSplitter
from providers.openai.client import OpenAIClient
from providers.openai.result_from_openai import from_openai_line, lost_result, missing_result
from providers.request_table import RequestTable, RowKind


@dataclass(frozen=True, slots=True)
class Result:
    """`index` is the request's, None in a batch that another tool made; `key` is JSON."""

    index: int | None
    key: bytes
    document: dict[str, Any]

    def render_line(self) -> bytes:
        line = {"key": orjson.Fragment(self.key), **self.document}
        return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


class BatchResults:
    """The results of one ended batch. `table` is None where another tool made it."""

    def __init__(
        self,
        client: OpenAIClient,
        caller: Caller,
        batch: Mapping[str, Any],
        table: RequestTable | None,
        splitter: ResultSplitter,
    ) -> None:
        self._client = client
        self._caller = caller
        self._batch = batch
        self._table = table
        self._splitter = splitter
        self._seen = bytearray(len(table) if table else 0)
        self._lost: list[str] = []

    async def results(self) -> AsyncGenerator[Sequence[Result], None]:
        """Slices of results in the provider's order; the unanswered requests come last.

        Raises NOT_FOUND, before anything else, where OpenAI no longer has any file of results.
        """
        files = output_files(self._batch)
        for name in files:
            async with aclosing(self._file(name)) as slices:
                async for results in slices:
                    yield results
        if files and self._lost == files:
            raise not_found("OpenAI no longer has the results of this batch")
        yield [self._missing(index) for index, seen in enumerate(self._seen) if not seen]

    async def lines(self) -> AsyncGenerator[bytes, None]:
        """The results as JSON lines `{"key", "response" | "error"}`."""
        async with aclosing(self.results()) as slices:
            async for results in slices:
                if text := b"".join(result.render_line() for result in results):
                    yield text

    async def _file(self, name: str) -> AsyncGenerator[Sequence[Result], None]:
        """Slices of one file; files expire, and other tools delete them."""
        try:
            reply = await self._client.open(self._caller, f"files/{name}/content")
        except FerryError as error:
            if error.status != "NOT_FOUND":
                raise
            self._lost.append(name)
            return
        async with reply, aclosing(self._splitter.split(reply.chunks())) as slices:
            async for numbered in slices:
                read = [self._read(text) for _, text in numbered]
                yield [result for result in read if result is not None]
                await asyncio.sleep(0)

    def _read(self, text: bytes) -> Result | None:
        """One line; None for what names no request, whose result then is that it has none."""
        try:
            line = orjson.loads(text)
            custom_id = str(line["custom_id"])
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return None
        document = from_openai_line(line, str(self._batch.get("endpoint")))
        if self._table is None:
            return Result(None, orjson.dumps(custom_id), document)
        index = self._table.index_of(custom_id)
        if index is None or self._seen[index]:
            return None
        self._seen[index] = 1
        return Result(index, self._key(index), document)

    def _missing(self, index: int) -> Result:
        status = str(self._batch.get("status"))
        missing = lost_result() if self._lost else missing_result(status)
        return Result(index, self._key(index), missing)

    def _key(self, index: int) -> bytes:
        """An inline request has no key: in a file its number stands for it."""
        if self._table is None or self._table.kind is RowKind.METADATA:
            return orjson.dumps(str(index + 1))
        return self._table.rows[index]


def output_files(batch: Mapping[str, Any]) -> list[str]:
    """The native ids of the files that hold the results; either may be absent."""
    return [str(batch[n]) for n in ("output_file_id", "error_file_id") if batch.get(n)]


def render_inline(result: Result, table: RequestTable) -> bytes:
    """One item of `inlinedResponses`, with its request's metadata."""
    document = dict(result.document)
    if result.index is not None and table.rows[result.index] != b"null":
        document["metadata"] = orjson.Fragment(table.rows[result.index])
    return render_held(document)
