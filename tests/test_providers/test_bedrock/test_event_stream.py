import struct
import zlib
from collections.abc import AsyncIterator

import pytest

from providers.bedrock.content.converse_stream import Event
from providers.bedrock.event_stream import typed_events
from providers.limits import STREAM_EVENT
from providers.status import Status
from providers.upstream import UpstreamError


def frame(payload: bytes, **named: str) -> bytes:
    """https://smithy.io/2.0/aws/amazon-eventstream.html"""
    headers = b""
    for name, value in named.items():
        key = b":" + name.replace("_", "-").encode()
        headers += bytes([len(key)]) + key + b"\x07" + struct.pack(">H", len(value))
        headers += value.encode()
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    body = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
    return body + struct.pack(">I", zlib.crc32(body))


def event(kind: str, payload: bytes) -> bytes:
    return frame(payload, message_type="event", event_type=kind)


async def events_of(*pieces: bytes) -> list[Event]:
    async def chunks() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    return [each async for each in typed_events(chunks())]


TWO = event("a", b'{"x":1}') + event("b", b"{}")


@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_events(size: int) -> None:
    pieces = [TWO[start : start + size] for start in range(0, len(TWO), size)]
    assert await events_of(*pieces) == [("a", {"x": 1}), ("b", {})]


@pytest.mark.parametrize("cut", [1, 5, len(event("a", b'{"x":1}')) + 3, len(TWO) - 1])
async def test_a_stream_that_breaks_off_is_an_error(cut: int) -> None:
    with pytest.raises(UpstreamError, match="broke off"):
        await events_of(TWO[:cut])


async def test_a_damaged_stream_is_an_error() -> None:
    damaged = bytearray(TWO)
    damaged[20] ^= 1
    with pytest.raises(UpstreamError, match="damaged"):
        await events_of(bytes(damaged))


async def test_json_in_place_of_events_is_an_error() -> None:
    with pytest.raises(UpstreamError, match="damaged"):
        await events_of(b'{"message": "not an event stream"}')


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("throttlingException", Status.RESOURCE_EXHAUSTED),
        ("validationException", Status.INVALID_ARGUMENT),
        ("modelStreamErrorException", Status.UNAVAILABLE),
        ("internalServerException", Status.UNAVAILABLE),
    ],
)
async def test_an_exception(kind: str, status: Status) -> None:
    raised = frame(b'{"message": "why"}', message_type="exception", exception_type=kind)
    with pytest.raises(UpstreamError) as failed:
        await events_of(TWO + raised)
    assert (failed.value.status, failed.value.message) == (status, "why")


async def test_an_error_without_a_payload() -> None:
    raised = frame(b"", message_type="error", error_code="Oh", error_message="why")
    with pytest.raises(UpstreamError) as failed:
        await events_of(raised)
    assert (failed.value.status, failed.value.message) == (Status.UNAVAILABLE, "why")


async def test_an_event_that_is_too_long_is_refused() -> None:
    long = event("a", b"1" * (STREAM_EVENT + 1))
    with pytest.raises(UpstreamError, match="more than"):
        await events_of(*(long[at : at + (1 << 16)] for at in range(0, len(long), 1 << 16)))
