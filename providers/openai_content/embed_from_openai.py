"""OpenAI's list of embeddings -> Gemini's EmbedContentResponse."""

import sys
from array import array
from base64 import b64decode
from typing import Any

from providers.gemini_content.embeddings import embedding_answer, embedding_values
from providers.json_api.answer_shape import (
    as_objects,
    count_or_none,
    object_or_nothing,
    unreadable,
)
from providers.openai_content.failures import refuse_error


def from_openai_embedding(body: dict[str, Any]) -> dict[str, Any]:
    """An answer of `embedding_answer`. Raises UnreadableAnswer for anything but embeddings.

    Raises UpstreamError if the provider says that it failed.
    """
    refuse_error(body, "data")
    entries = as_objects(body.get("data"), "data")
    if not entries:
        raise unreadable("data is empty")
    tokens = count_or_none(object_or_nothing(body.get("usage")).get("prompt_tokens"))
    return embedding_answer(
        [_values(entry.get("embedding")) for entry in _in_order(entries)], tokens
    )


def _in_order(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """By their index. Some servers leave it out of all entries; Google leaves out 0."""
    if all(entry.get("index") is None for entry in entries):
        return entries
    places = {count_or_none(entry.get("index", 0)): entry for entry in entries}
    if places.keys() != set(range(len(entries))):
        raise unreadable("the indexes of data are not one for each entry")
    return [places[index] for index in range(len(entries))]


def _values(embedding: object) -> list[int | float]:
    """As text it is little-endian float32s, which a line in OpenAI's own format can request."""
    if not isinstance(embedding, str):
        return embedding_values(embedding)
    values = array("f")
    try:
        values.frombytes(b64decode(embedding, validate=True))
    except ValueError:
        raise unreadable("an embedding is not base64") from None
    if sys.byteorder == "big":
        values.byteswap()
    return embedding_values(values.tolist())
