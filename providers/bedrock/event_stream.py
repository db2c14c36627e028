"""Bedrock's binary event stream, parsed by botocore."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from typing import Any, cast

from providers.bedrock.content.converse_stream import Event, stream_error
from providers.json_api.json_text import parse_object
from providers.json_api.stream_events import check_event_length, event_object
from providers.long_work import off_loop_if_long
from providers.upstream import invalid_answer


async def typed_events(chunks: AsyncIterator[bytes]) -> AsyncGenerator[Event, None]:
    """Raises UpstreamError, also for a stream that breaks off."""
    from botocore.eventstream import EventStreamBuffer, ParserError  # noqa: PLC0415 - it is large

    buffer = EventStreamBuffer()
    added = taken = 0
    async for chunk in chunks:
        buffer.add_data(chunk)
        added += len(chunk)
        try:
            for message in cast("Iterator[Any]", buffer):
                taken += message.prelude.total_length
                check_event_length(message.prelude.total_length)
                payload = message.payload
                yield await off_loop_if_long(payload, _event, message.headers, payload)
        except ParserError:
            raise invalid_answer("the event stream is damaged") from None
        check_event_length(added - taken)
    if added != taken:
        raise invalid_answer("the event stream broke off")


def _event(headers: dict[str, Any], payload: bytes) -> Event:
    kind = headers.get(":message-type")
    if kind == "error":
        code = str(headers.get(":error-code", "error"))
        raise stream_error(code, str(headers.get(":error-message", "")))
    if kind == "exception":
        message = (parse_object(payload) or {}).get("message")
        named = str(headers.get(":exception-type", "exception"))
        raise stream_error(named, message if isinstance(message, str) else "")
    return str(headers.get(":event-type", "")), event_object(payload)
