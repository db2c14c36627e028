"""Requests of embeddings, and the text of a request to /v1/responses."""

from typing import Any

from ..shape import Either, Number, Record, Sequence, Text

EMBEDDING_INPUT = Either(
    (
        Text(low=1),
        Sequence(Text(low=1), low=1, high=2048),
        Sequence(Number(low=0, whole=True), low=1),
        Sequence(Sequence(Number(low=0, whole=True), low=1), low=1, high=2048),
    )
)
EMBEDDING = Record(
    {
        "model": Text(low=1),
        "input": EMBEDDING_INPUT,
        "dimensions": Number(low=1, whole=True),
        "encoding_format": Text(choices=["float", "base64"]),
        "user": Text(),
    },
    required=("model", "input"),
)


def response_text(body: dict[str, Any]) -> str:
    """The last user text of a Responses request's `input`."""
    given = body["input"]
    if isinstance(given, str):
        return given
    for item in reversed(given):
        if item.get("role") == "user":
            content = item.get("content", "")
            if isinstance(content, str):
                return content
            return "".join(part.get("text", "") for part in content)
    return ""
