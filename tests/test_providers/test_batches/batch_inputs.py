"""The input of a batch, from a stored file or inline."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest

from providers.batches.batch_input import BatchInput, FileInput, InlineInput
from providers.batches.checked_input import (
    CheckedInput,
    Extent,
    Framing,
    InputLimits,
    check,
    translated,
)
from providers.batches.json_lines import LineSplitter
from providers.errors import FerryError
from providers.memory import MemoryBudget
from providers.resources import InlineRequest
from providers.spool import NoSpool, Spool
from providers.status import Status
from tests.test_providers.requests_in_lines import Numbered, formats
from tests.test_providers.streams import collect, stream

LIMITS = InputLimits("The provider", requests=100, size=100_000)
LINES = Framing(between=b"\n", tail=b"\n")
ARRAY = Framing(head=b'{"requests":[', between=b",", tail=b"]}")


def asking(text: str) -> dict[str, Any]:
    return {"contents": [{"parts": [{"text": text}]}]}


def lines_of(*documents: object) -> bytes:
    return b"\n".join(orjson.dumps(document) for document in documents)


def keyed(count: int) -> bytes:
    return lines_of(*({"key": f"k{n}", "request": asking("hi")} for n in range(count)))


class StoredFile:
    """A file that can be opened again and again; `readers` is how many have it open."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = pieces
        self.readers = 0
        self.openings = 0

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[AsyncIterator[bytes]]:
        self.readers += 1
        self.openings += 1
        try:
            yield stream(self._pieces)
        finally:
            self.readers -= 1


class SmallSpool:
    """Implements `providers.spool.Spool`, with space for `size` bytes."""

    def __init__(self, size: int) -> None:
        self._left = size
        self.pieces: list[bytes] = []

    async def write(self, piece: bytes, /) -> bool:
        if len(piece) > self._left:
            return False
        self._left -= len(piece)
        self.pieces.append(piece)
        return True

    async def read(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece

    async def clear(self) -> None:
        self._left += sum(map(len, self.pieces))
        self.pieces.clear()


def in_file(file: StoredFile) -> FileInput:
    return FileInput(file.opened, LineSplitter(1000, MemoryBudget()), formats())


def inline(count: int) -> InlineInput:
    requests = [
        InlineRequest(lines_of(asking("hi")), b'{"a":"b"}' if n else b"null", f"requests[{n}]")
        for n in range(count)
    ]
    return InlineInput(requests, MemoryBudget())


async def checked(
    source: BatchInput,
    limits: InputLimits = LIMITS,
    framing: Framing = LINES,
    spool: Spool | None = None,
) -> CheckedInput:
    with MemoryBudget().reserve() as reservation:
        return await check(source, Numbered(), limits, framing, reservation, spool or NoSpool())


async def refusal(source: BatchInput, limits: InputLimits = LIMITS) -> FerryError:
    memory = MemoryBudget(1 << 20)
    with memory.reserve() as reservation, pytest.raises(FerryError) as caught:
        await check(source, Numbered(), limits, LINES, reservation, NoSpool())
    memory.take(1 << 20)
    assert caught.value.status == Status.INVALID_ARGUMENT
    return caught.value


async def sent(source: BatchInput, framing: Framing, extent: Extent) -> bytes:
    body = translated(source, Numbered(), framing, extent)
    data = await collect(aiter(body.chunks))
    assert len(data) == body.length == extent.length
    return data
