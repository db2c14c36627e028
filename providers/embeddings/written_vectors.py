"""Vectors as a provider wrote them: their text is taken out of its answer, and sent on.

An answer with 2,000 vectors has 100 MB, and would take three times as much as parsed numbers. So
each list of numbers is taken out of the text as it arrives. What is left is a small JSON text, in
which the place of the list in `taken` stands for the list: `{"embedding":[7]}`. That is parsed as
any other answer.
"""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from providers.json_api.json_text import parse_answer
from providers.limits import EMBEDDINGS, UPSTREAM_ANSWER, VECTOR
from providers.memory import Reservation
from providers.upstream import invalid_answer

# It may be a part of a string too. There, a number in brackets may change, which nothing reads.
_FLAT_LIST: Final = re.compile(rb'\[[^\[\]{}"]*\]')


@dataclass(frozen=True, slots=True)
class WrittenVector:
    """A JSON list of `length` finite numbers, as text."""

    text: bytes = field(repr=False)
    length: int


class AnswerMemory:
    """Memory for all answers to one client's request. `expected` bytes of it are reserved."""

    def __init__(self, reservation: Reservation, expected: int) -> None:
        reservation.grow(expected)
        self._reservation = reservation
        self._free = expected
        self._left: int = EMBEDDINGS

    def take(self, size: int) -> None:
        """Raises RESOURCE_EXHAUSTED and FAILED_PRECONDITION, and UpstreamError beyond the limit."""
        self._left -= size
        if self._left < 0:
            raise invalid_answer(f"the answer has more than {EMBEDDINGS} bytes of embeddings")
        self._free -= size
        if self._free < 0:
            self._reservation.grow(-self._free)
            self._free = 0


class VectorReader:
    """Reads one answer. `name` is the provider's."""

    def __init__(self, name: str, memory: AnswerMemory) -> None:
        self._name = name
        self._memory = memory
        self._left: list[bytes] = []
        self._left_size = 0
        self._open: list[bytes] = []
        self._open_size = 0
        self._taken: list[WrittenVector] = []

    async def read(self, chunks: AsyncIterator[bytes]) -> dict[str, Any]:
        """The answer without its vectors. Raises UpstreamError."""
        async for chunk in chunks:
            self._memory.take(len(chunk))
            closed, bracket, rest = chunk.rpartition(b"]")
            if bracket:
                self._keep(_FLAT_LIST.sub(self._take, b"".join([*self._open, closed, bracket])))
                self._open, self._open_size = [], 0
            self._open.append(rest)
            self._open_size += len(rest)
            if self._open_size > VECTOR:
                raise invalid_answer(f"{self._name}: more than {VECTOR} bytes in one embedding")
        document = await parse_answer(b"".join([*self._left, *self._open]))
        if document is None:
            raise invalid_answer(f"{self._name} did not answer with a JSON object")
        return document

    def vector(self, values: object) -> WrittenVector:
        """The one that the list `values` in the answer stands for. Raises UpstreamError."""
        match values:
            case [int(place)] if 0 <= place < len(self._taken):
                return self._taken[place]
        raise invalid_answer(f"{self._name} answered with an embedding that is no list of numbers")

    def _keep(self, text: bytes) -> None:
        self._left.append(text)
        self._left_size += len(text)
        if self._left_size > UPSTREAM_ANSWER:
            raise invalid_answer(f"{self._name} answered with too much besides embeddings")

    def _take(self, found: re.Match[bytes]) -> bytes:
        text = found[0]
        try:
            values = orjson.loads(text)
        except orjson.JSONDecodeError:
            return text
        if not values or not {int, float}.issuperset(map(type, values)):
            return text
        self._taken.append(WrittenVector(text, len(values)))
        return b"[%d]" % (len(self._taken) - 1)
