"""A provider's stream, translated event by event as it arrives."""

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from functools import partial
from typing import Final, Protocol, TypeVar

from providers.credential import Caller
from providers.gemini_content.streamed_answer import Chunk
from providers.json_api.answer_shape import UnreadableAnswer, unusable
from providers.json_api.json_text import render_json
from providers.json_api.redaction import redacted, without_secret
from providers.long_work import off_loop_if_long
from providers.prompts.server_sent_events import event_data
from providers.resources import AnswerStream
from providers.upstream import Reply, UpstreamError, invalid_answer

# Some servers give streams another type, or none, as users report (openai.md section 10).
_PAGE: Final = "text/html"

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)


class StreamReader(Protocol[T_contra]):
    """Translates the events of one stream. Raises UpstreamError and UnreadableAnswer."""

    @property
    def ended(self) -> bool:
        """Whether the provider has said that nothing more follows."""

    def read(self, event: T_contra, /) -> Iterator[Chunk]:
        """The chunks for one event."""

    def end(self) -> Iterator[Chunk]:
        """The last chunk. Raises UpstreamError if the answer was not complete."""


async def event_stream(
    name: str, caller: Caller, reply: Reply, reader: StreamReader[bytes], warnings: str
) -> AnswerStream:
    """The answer to a request for server-sent events. Raises UpstreamError for a web page."""
    if reply.headers.get("Content-Type", "").lower().startswith(_PAGE):
        await reply.aclose()
        raise invalid_answer(f"{name} did not answer with a stream")
    redact = partial(without_secret, caller=caller)
    chunks = translated(event_data(reply.chunks()), reader, redact, bytes)
    return AnswerStream(chunks, warnings, reply.aclose)


async def translated(
    events: AsyncGenerator[T, None],
    reader: StreamReader[T],
    redact: Callable[[str], str],
    text_of: Callable[[T], bytes],
) -> AsyncGenerator[bytes, None]:
    """`redact` removes a key from what the provider says in an error inside its stream.

    `text_of` gives the text of an event that is still to be parsed; a long one is read in a thread.
    """
    try:
        async with aclosing(events):
            async for event in events:
                text = text_of(event)
                for document in await off_loop_if_long(text, _rendered, reader, event):
                    yield document
                if reader.ended:
                    break
            for chunk in reader.end():
                yield render_json(chunk)
    except UnreadableAnswer as error:
        raise redacted(unusable(error), redact) from None
    except UpstreamError as error:
        raise redacted(error, redact) from None


def _rendered(reader: StreamReader[T], event: T) -> list[bytes]:
    return [render_json(chunk) for chunk in reader.read(event)]
