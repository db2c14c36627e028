"""Streams cut in any way, for properties that must hold however bytes arrive."""

import sys
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise

from hypothesis import strategies as st


def cut(data: bytes, cuts: Sequence[int]) -> list[bytes]:
    """`data` in pieces, cut at each of `cuts` that lies in it; some may be empty."""
    places = [0, *sorted(place % (len(data) + 1) for place in cuts), len(data)]
    return [data[a:b] for a, b in pairwise(places)]


async def stream(pieces: Sequence[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def collect(chunks: AsyncIterator[bytes]) -> bytes:
    return b"".join([chunk async for chunk in chunks])


class Watched:
    """A stream of three chunks of 1000 bytes. `kept` has those that were still in use when the
    next chunk was asked for."""

    SIZE = 3000

    def __init__(self) -> None:
        self.kept: list[int] = []
        self.read = 0

    async def chunks(self) -> AsyncIterator[bytes]:
        for number in range(3):
            chunk = bytes(1000)
            alone = sys.getrefcount(chunk)
            yield chunk
            self.read += len(chunk)
            if sys.getrefcount(chunk) > alone:
                self.kept.append(number)


CUTS = st.lists(st.integers(0, 10_000), max_size=8)
