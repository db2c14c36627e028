"""Titan's and Cohere's embeddings -> Gemini's EmbedContentResponse."""

from typing import Any

from providers.gemini_content.embeddings import embedding_answer, embedding_values
from providers.json_api.answer_shape import as_list, count_or_none, unreadable


def from_titan_embedding(body: dict[str, Any]) -> dict[str, Any]:
    """Raises INTERNAL for a body without an embedding."""
    tokens = count_or_none(body.get("inputTextTokenCount"))
    return embedding_answer([embedding_values(body.get("embedding"))], tokens)


def from_cohere_embeddings(body: dict[str, Any]) -> dict[str, Any]:
    """Cohere counts no tokens here. If several number types were requested, the floats are read.

    Raises INTERNAL for a body without them.
    """
    found = body.get("embeddings")
    vectors = as_list(found.get("float") if isinstance(found, dict) else found, "embeddings")
    if not vectors:
        raise unreadable("embeddings is empty")
    return embedding_answer([embedding_values(vector) for vector in vectors])
