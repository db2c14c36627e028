"""How a client's connection ends if a body fails."""

import asyncio
import ssl
from pathlib import Path

import pytest

from proxy.client_connection import reset
from tests.test_proxy.certificates import certificate


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


async def test_the_client_sees_no_regular_end_of_tls(tmp_path: Path) -> None:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"abc")
        reset(writer.transport)

    cert = certificate(tmp_path)
    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_side.load_cert_chain(cert)
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=server_side)
    async with server:
        reader, writer = await asyncio.open_connection(
            *server.sockets[0].getsockname(), ssl=ssl.create_default_context(cafile=cert)
        )
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()


async def test_a_closed_connection_is_left_unchanged() -> None:
    assert await end_of_connection(closed_before=True) == b"abc"
