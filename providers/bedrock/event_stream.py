"""Bedrock's binary event stream, parsed by botocore."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from typing import Any, cast

from providers.bedrock.content.converse_stream import Event, stream_error
from providers.json_api.json_text import parse_object
from providers.limits import STREAM_EVENT
from providers.upstream import invalid_answer


async def typed_events(chunks: AsyncIterator[bytes]) -> AsyncGenerator[Event, None]:
    """Raises UpstreamError, also for a broken-off one."""
    from botocore.eventstream import EventStreamBuffer, ParserError  # noqa: PLC0415 - it is large

    buffer = EventStreamBuffer()
    added = taken = 0
    async for chunk in chunks:
        buffer.add_data(chunk)
        added += len(chunk)
        try:
            for message in cast("Iterator[Any]", buffer):
                taken += message.prelude.total_length
                _check_length(message.prelude.total_length)
                yield _event(message.headers, message.payload)
        except ParserError:
            raise invalid_answer("the event stream is damaged") from None
        _check_length(added - taken)
    if added != taken:
        raise invalid_answer("the event stream broke off")


def _check_length(length: int) -> None:
    if length > STREAM_EVENT:
        raise invalid_answer(f"an event of the stream has more than {STREAM_EVENT} bytes")


def _event(headers: dict[str, Any], payload: bytes) -> Event:
    kind = headers.get(":message-type")
    if kind == "error":
        code = str(headers.get(":error-code", "error"))
        raise stream_error(code, str(headers.get(":error-message", "")))
    members = parse_object(payload)
    if kind == "exception":
        message = (members or {}).get("message")
        named = str(headers.get(":exception-type", "exception"))
        raise stream_error(named, message if isinstance(message, str) else "")
    if members is None:
        raise invalid_answer("an event of the stream is not a JSON object")
    return str(headers.get(":event-type", "")), members
