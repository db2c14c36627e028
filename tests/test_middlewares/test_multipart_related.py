"""The multipart protocol, whole and byte by byte."""

import asyncio
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from aiohttp import StreamReader, web
from aiohttp.test_utils import make_mocked_request

from middlewares.inbound_body import ClientDisconnected
from middlewares.multipart_related import parse_multipart
from middlewares.observation import Observation
from middlewares.request_keys import GATEWAY, MEMORY, OBSERVATION
from providers.deadlines import DEFAULT_LIMITS
from providers.errors import FerryError
from providers.memory import MemoryBudget

WHOLE = (
    b"--b\r\nContent-Type: application/json\r\n\r\n"
    b'{"file":{"display_name":"d"}}\r\n'
    b"--b\r\nContent-Type: text/plain\r\n\r\nline\r\n--b not the end\r\n\r\n--b--\r\n"
)
CONTENT = b"line\r\n--b not the end\r\n"


def arriving(*pieces: bytes, failure: Exception | None = None, subtype: str = "related") -> Any:
    reader = StreamReader(Mock(_reading_paused=False), 2**16, loop=asyncio.get_running_loop())
    for piece in pieces:
        reader.feed_data(piece)
    if failure:
        reader.set_exception(failure)
    else:
        reader.feed_eof()
    headers = {"Content-Type": f"multipart/{subtype}; boundary=b", "Content-Length": "1000"}
    app = {GATEWAY: SimpleNamespace(time_limits=DEFAULT_LIMITS, memory=MemoryBudget())}
    request = make_mocked_request(
        "POST", "/genai/upload/v1/files", headers, payload=reader, app=app
    )
    request[OBSERVATION], request[MEMORY] = Observation(), ExitStack()
    return request


async def parsed(request: Any) -> tuple[str, str, bytes]:
    document, mime_type, body = await parse_multipart(request)
    content = b"".join([chunk async for chunk in body.chunks])
    assert body.length is None
    return document["file"]["display_name"], mime_type, content


async def test_whole() -> None:
    simple = WHOLE.replace(CONTENT, b"data")
    assert await parsed(arriving(simple)) == ("d", "text/plain", b"data")


async def test_text_before_the_first_boundary_is_short() -> None:
    simple = WHOLE.replace(CONTENT, b"data")
    assert await parsed(arriving(b"preamble\r\n", simple)) == ("d", "text/plain", b"data")
    request = arriving(b"\n" * 2**15, simple)
    with pytest.raises(FerryError, match="more than 300 lines outside its two parts"):
        await parsed(request)
    # The rest is discarded in large pieces.
    assert len(await request.content.read()) == 2**15 - 300 + len(simple)


async def test_a_form_with_a_bad_charset() -> None:
    field = b'--b\r\nContent-Disposition: form-data; name="_charset_"\r\n\r\n'
    request = arriving(field, b"x" * 40, b"\r\n--b--\r\n", subtype="form-data")
    with pytest.raises(FerryError, match="Invalid default charset"):
        await parsed(request)


@pytest.mark.parametrize("part", [b"application/json", b"text/plain"])
async def test_an_encoded_part(part: bytes) -> None:
    def with_encoding(encoding: bytes) -> Any:
        header = b"\r\nContent-Transfer-Encoding: " + encoding
        return arriving(WHOLE.replace(CONTENT, b"data").replace(part, part + header))

    assert await parsed(with_encoding(b"Binary")) == ("d", "text/plain", b"data")
    with pytest.raises(FerryError, match="must be one of 7bit, 8bit, binary"):
        await parsed(with_encoding(b"base64"))


async def test_byte_by_byte() -> None:
    simple = WHOLE.replace(CONTENT, b"data\r\n-\r\n--\r\nb")
    pieces = [simple[n : n + 1] for n in range(len(simple))]
    assert await parsed(arriving(*pieces)) == ("d", "text/plain", b"data\r\n-\r\n--\r\nb")


async def test_cut_anywhere_it_never_ends_cleanly() -> None:
    simple = WHOLE.replace(CONTENT, b"data")
    end = simple.index(b"--b--") + len(b"--b--")
    for length in range(end):
        with pytest.raises(FerryError):
            await parsed(arriving(simple[:length]))


@pytest.mark.parametrize("length", [0, 20, 60, 110, 130])
async def test_a_disconnected_client_is_not_a_bug(length: int) -> None:
    request = arriving(WHOLE[:length], failure=web.RequestPayloadError("gone"))
    with pytest.raises(ClientDisconnected):
        await parsed(request)
