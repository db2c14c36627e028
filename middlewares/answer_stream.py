"""A model's answer in chunks, as SDKs read it.

No comments, no names of events and no end mark: SDKs fail on them, or lose data. A bare blank line
is what all of them skip, and the only form of an error that all of them raise is an event whose
first member is `error`.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Final, Protocol, TypeAlias

from middlewares import outcomes
from middlewares.arrivals import arrivals
from providers.body import Body, start_body
from providers.deadlines import CallLimits
from providers.errors import FerryError
from providers.json_api.json_text import render_json

Envelope: TypeAlias = Callable[[FerryError], dict[str, object]]
"""The object that an error is in a response's body."""

# Load balancers close a connection that is silent for longer.
PAUSE_SECONDS: Final = 15.0


class Writer(Protocol):
    """How chunks become bytes."""

    pause: bytes

    def element(self, document: bytes, /) -> bytes: ...

    def end(self) -> bytes: ...


class Events:
    pause = b"\n\n"

    def element(self, document: bytes) -> bytes:
        return b"data: " + document + b"\n\n"

    def end(self) -> bytes:
        return b""


class List:
    pause = b"\n"

    def __init__(self) -> None:
        self._before = b"["

    def element(self, document: bytes) -> bytes:
        before, self._before = self._before, b","
        return before + document

    def end(self) -> bytes:
        return b"[]" if self._before == b"[" else b"]"


async def start_stream(
    streamed: outcomes.Streamed,
    envelope: Envelope,
    limits: CallLimits,
    pause: float = PAUSE_SECONDS,
) -> Body:
    """Returns when there is a chunk, or after `pause` seconds. Raises an error before that.

    The stream ends with an error when the time in `limits` is over.
    """
    writer: Writer = Events() if streamed.form is outcomes.StreamForm.EVENTS else List()
    try:
        arriving = arrivals(streamed.answer.chunks, pause, limits)
        return await start_body(_written(arriving, writer, envelope))
    except BaseException:
        await streamed.answer.close()
        raise


async def _written(
    arriving: AsyncGenerator[list[bytes], None], writer: Writer, envelope: Envelope
) -> AsyncGenerator[bytes, None]:
    begun = False
    try:
        async with aclosing(arriving):
            async for chunks in arriving:
                yield b"".join(map(writer.element, chunks)) if chunks else writer.pause
                begun = True
    except FerryError as error:
        if not begun:
            raise
        yield writer.element(render_json(envelope(error)))
    yield writer.end()
