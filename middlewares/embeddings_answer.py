"""Writes embeddings in Gemini's shape, piece by piece: together they may have 100 MB."""

from collections.abc import AsyncIterator, Iterator
from typing import Final

from providers.body import Body
from providers.resources import Embedded, EmbedForm

# Smaller pieces are sent together.
_CHUNK_BYTES: Final = 64 << 10


def embeddings_body(embedded: Embedded, form: EmbedForm) -> Body:
    length = sum(map(len, _pieces(embedded, form)))
    return Body(_chunks(_pieces(embedded, form)), length)


def _pieces(embedded: Embedded, form: EmbedForm) -> Iterator[bytes]:
    start, end = {
        EmbedForm.ONE: (b'{"embedding":', b""),
        EmbedForm.MANY: (b'{"embeddings":[', b"]"),
    }[form]
    yield start
    for index, vector in enumerate(embedded.vectors):
        yield b',{"values":' if index else b'{"values":'
        yield vector
        yield b"}"
    yield end
    if embedded.tokens is not None:
        yield b',"usageMetadata":{"promptTokenCount":%d}' % embedded.tokens
    yield b"}"


async def _chunks(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    parts: list[bytes] = []
    size = 0
    for piece in pieces:
        parts.append(piece)
        size += len(piece)
        if size >= _CHUNK_BYTES:
            yield b"".join(parts)
            parts, size = [], 0
    yield b"".join(parts)
