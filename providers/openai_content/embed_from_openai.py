"""OpenAI's list of embeddings -> Gemini's EmbedContentResponse."""

import sys
from array import array
from base64 import b64decode
from typing import Any

from providers.json_api.answer_shape import (
    as_list,
    as_number,
    as_objects,
    count_or_none,
    object_or_nothing,
    unreadable,
)


def from_openai_embedding(body: dict[str, Any]) -> dict[str, Any]:
    """`{"embedding": {"values": [...]}, "tokenCount": "3"}`.

    A line in OpenAI's own format may have several inputs. Its result is then
    `{"embeddings": [{"values": [...]}, ...], "tokenCount": "3"}`, in the order of the inputs.
    Raises UnreadableAnswer for a body that is not a list of embeddings.
    """
    entries = as_objects(body.get("data"), "data")
    if not entries:
        raise unreadable("data is empty")
    entries.sort(key=lambda entry: count_or_none(entry.get("index")) or 0)
    embeddings = [{"values": _values(entry.get("embedding"))} for entry in entries]
    tokens = count_or_none(object_or_nothing(body.get("usage")).get("prompt_tokens"))
    counted = {} if tokens is None else {"tokenCount": str(tokens)}
    if len(embeddings) == 1:
        return {"embedding": embeddings[0]} | counted
    return {"embeddings": embeddings} | counted


def _values(embedding: object) -> list[int | float]:
    if isinstance(embedding, str):
        return _decode(embedding)
    return [as_number(value, "a value") for value in as_list(embedding, "an embedding")]


def _decode(text: str) -> list[int | float]:
    """Decode little-endian float32s, which a line in OpenAI's own format can request."""
    values = array("f")
    try:
        values.frombytes(b64decode(text, validate=True))
    except ValueError:
        raise unreadable("an embedding is not base64") from None
    if sys.byteorder == "big":
        values.byteswap()
    return [as_number(value, "a value") for value in values]
