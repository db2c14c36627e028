"""The bytes of a chunk, which can be read once and skipped (`providers/gemini/transfer.py`)."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.body import Body, TruncatedBody
from providers.errors import FerryError
from providers.gemini.transfer import BytesGone, ClientBytes
from tests.test_providers.test_gemini.scripted_upstream import in_pieces

SENT = bytes(range(64))


async def read(body: Body) -> bytes:
    return b"".join([piece async for piece in body.chunks])


@given(size=st.integers(1, 70), skip=st.integers(0, 64))
async def test_the_rest_remains_after_a_skip(size: int, skip: int) -> None:
    client_bytes = ClientBytes(100, in_pieces(SENT, size))
    await client_bytes.skip_to(100 + skip)
    rest = client_bytes.rest()
    assert rest.length == len(SENT) - skip
    assert await read(rest) == SENT[skip:]
    assert client_bytes.exhausted


async def test_a_skip_past_the_end_stops_there() -> None:
    client_bytes = ClientBytes(0, in_pieces(SENT))
    await client_bytes.skip_to(1000)
    assert client_bytes.exhausted
    assert await read(client_bytes.rest()) == b""


async def test_bytes_that_were_read_are_gone() -> None:
    client_bytes = ClientBytes(100, in_pieces(SENT, 10))
    assert await anext(aiter(client_bytes.rest().chunks)) == SENT[:10]
    with pytest.raises(BytesGone):
        await client_bytes.skip_to(109)
    await client_bytes.skip_to(115)
    assert await read(client_bytes.rest()) == SENT[15:]


async def empty_ones() -> AsyncIterator[bytes]:
    yield b""
    yield b"ab"
    yield b""
    yield b"c"


async def test_an_empty_piece_is_not_the_end() -> None:
    assert await read(ClientBytes(0, Body(empty_ones(), 3)).rest()) == b"abc"


async def test_an_early_end_is_reported() -> None:
    client_bytes = ClientBytes(0, Body(empty_ones(), 4))
    with pytest.raises(TruncatedBody):
        await read(client_bytes.rest())
    assert not client_bytes.exhausted


async def test_a_chunk_must_declare_its_length() -> None:
    with pytest.raises(FerryError, match="Content-Length"):
        ClientBytes(0, Body(empty_ones(), None))
