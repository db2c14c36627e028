"""Results of a batch as a test scripts them, and their request tables."""

from collections import deque
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import orjson

from providers.batches.batch_results import (
    BatchResults,
)
from providers.batches.json_lines import ResultLine
from providers.batches.request_table import RequestTable, RowKind
from providers.errors import FerryError
from providers.memory import MemoryBudget, Reservation
from providers.resources import Failure
from providers.status import Status

KEYS = ["a", "b", "c"]
MISSING = {"error": {"code": 13, "message": "missing"}}


class ScriptedLines:
    """Scripted results; `open` while they are being read."""

    def __init__(
        self,
        *slices: Sequence[ResultLine],
        error: FerryError | None = None,
        id_member: str = "custom_id",
    ) -> None:
        self.id_member = id_member
        self._slices = slices
        self._error = error
        self.open = False
        self.ended = False
        self.missed: list[int] = []

    async def slices(self) -> AsyncGenerator[deque[ResultLine], None]:
        self.open = True
        try:
            for lines in self._slices:
                yield deque(lines)
            if self._error is not None:
                raise self._error
            self.ended = True
        finally:
            self.open = False

    def plain(self, _: dict[str, Any], /) -> dict[str, Any] | None:
        return None

    def translate(self, line: dict[str, Any], /) -> dict[str, Any]:
        return {"response": {"said": line.get("said")}}

    def missing(self, line: int, /) -> Failure:
        assert self.ended
        self.missed.append(line)
        return Failure(Status.INTERNAL, "missing")


def table(kind: RowKind = RowKind.KEY) -> RequestTable:
    return RequestTable(kind, [orjson.dumps(key) for key in KEYS])


def metadata() -> RequestTable:
    return RequestTable(RowKind.METADATA, [b"null", b'{"a":"b"}', b"null"])


def line(custom_id: str, said: str = "m") -> bytes:
    return orjson.dumps({"custom_id": custom_id, "said": said})


def results_of(
    lines: ScriptedLines, rows: RequestTable | None, memory: MemoryBudget | None = None
) -> BatchResults:
    return BatchResults(lines, rows, Reservation(memory or MemoryBudget()))


async def read(lines: ScriptedLines, rows: RequestTable | None) -> list[dict[str, Any]]:
    text = b"".join([chunk async for chunk in results_of(lines, rows).lines()])
    assert not lines.open
    return [orjson.loads(each) for each in text.splitlines()]
