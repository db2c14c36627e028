"""A batch's results in the provider's own form: its files one after another, unchanged."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final, Protocol

from providers.body import Body, start_body
from providers.errors import not_found
from providers.resources import Download

_NO_FILES: Final = (
    "The provider wrote no results for this batch. The results in Gemini's form say why."
)


class ResultFiles(Protocol):
    def files(self) -> AsyncGenerator[Body, None]:
        """The files with the results; each is readable until the next is requested.

        Raises NOT_FOUND before the first if one of them is known to be missing.
        """


async def deliver_native(results: ResultFiles) -> Download:
    """The results as a download, which has no known length."""
    chunks = _chunks(results.files())
    return Download(await start_body(chunks), "application/jsonl", chunks.aclose)


async def _chunks(files: AsyncGenerator[Body, None]) -> AsyncGenerator[bytes, None]:
    """The bytes of all files, with a line break between two if the first ends without one."""
    count, last = 0, b"\n"
    async with aclosing(files):
        async for file in files:
            count += 1
            if not last.endswith(b"\n"):
                yield b"\n"
            async for chunk in file.chunks:
                last = chunk or last
                yield chunk
    if not count:
        raise not_found(_NO_FILES)
