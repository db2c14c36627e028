"""How a client's connection ends if a body fails."""

import asyncio

import pytest

from proxy.client_connection import reset


async def end_of_connection(*, closed_before: bool) -> bytes:
    """What a client reads from a connection that is reset after three bytes."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"abc")
        if closed_before:
            writer.close()
        reset(writer.transport)

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        try:
            return await reader.read()
        finally:
            writer.close()


async def test_the_client_sees_no_regular_end() -> None:
    with pytest.raises(ConnectionResetError):
        await end_of_connection(closed_before=False)


async def test_a_closed_connection_is_left_unchanged() -> None:
    assert await end_of_connection(closed_before=True) == b"abc"
