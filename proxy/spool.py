"""Finds the length of a body, for a store that must know it before the first byte."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from tempfile import TemporaryFile

from providers.body import Body
from proxy.threads import in_slices, in_thread, slices_of


@asynccontextmanager
async def of_known_length(body: Body) -> AsyncIterator[Body]:
    """`body` itself if it declares its length, otherwise a copy in an unnamed temporary file."""
    if body.length is not None:
        yield body
        return
    with TemporaryFile() as file:
        async for piece in in_slices(body.chunks):
            await in_thread(file.write, piece)
        length = file.tell()
        file.seek(0)
        yield Body(slices_of(file), length)
