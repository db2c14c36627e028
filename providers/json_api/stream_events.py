"""The events of a model's stream, which every provider writes as JSON objects."""

from typing import Any

from providers.json_api.json_text import parse_object
from providers.limits import STREAM_EVENT
from providers.upstream import invalid_answer


def event_object(data: bytes) -> dict[str, Any]:
    """Raises UpstreamError for an event that is no JSON object."""
    event = parse_object(data)
    if event is None:
        raise invalid_answer("an event of the stream is not a JSON object")
    return event


def check_event_length(length: int) -> None:
    """Raises UpstreamError for an event of more than STREAM_EVENT bytes."""
    if length > STREAM_EVENT:
        raise invalid_answer(f"an event of the stream has more than {STREAM_EVENT} bytes")
