"""Titan's and Cohere's embeddings -> Gemini's EmbedContentResponse."""

from typing import Any

from providers.json_api.answer_shape import as_list, as_number, as_object, count_or_none, unreadable


def from_titan_embedding(body: dict[str, Any]) -> dict[str, Any]:
    """`{"embedding": {"values": [...]}, "tokenCount": "3"}`.

    Raises INTERNAL for a body without an embedding.
    """
    tokens = count_or_none(body.get("inputTextTokenCount"))
    counted = {} if tokens is None else {"tokenCount": str(tokens)}
    return {"embedding": _embedding(body.get("embedding"))} | counted


def from_cohere_embeddings(body: dict[str, Any]) -> dict[str, Any]:
    """`{"embedding": {"values": [...]}}`; Cohere counts no tokens here.

    A line in Bedrock's own format may embed several texts. Its result is then
    `{"embeddings": [{"values": [...]}, ...]}`, in the same order. If several number types were
    requested, the floats are read. Raises INTERNAL for a body without them.
    """
    found = body.get("embeddings")
    if isinstance(found, dict):
        found = as_object(found, "embeddings").get("float")
    embeddings = [_embedding(each) for each in as_list(found, "embeddings")]
    if not embeddings:
        raise unreadable("embeddings is empty")
    if len(embeddings) == 1:
        return {"embedding": embeddings[0]}
    return {"embeddings": embeddings}


def _embedding(values: object) -> dict[str, Any]:
    return {"values": [as_number(value, "a value") for value in as_list(values, "an embedding")]}
