"""Requests of embeddings."""

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
