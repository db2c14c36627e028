"""The native bodies of embedding models, and their answers (bedrock.md section 4).

Unverified, and only here: the length of V1's vectors, and the longest text.
"""

import hashlib
import math
from typing import Any

from ..sample import vector
from ..shape import Flag, Number, Record, Sequence, ShapeError, Text
from .models import Model
from .sentences import check_not_asked_to_fail

TITAN_V1 = "amazon.titan-embed-text-v1"
TITAN_V1_SIZE, TITAN_V2_SIZE, COHERE_SIZE = 1536, 1024, 1024
SIZES = (256, 512, 1024)
LONGEST_TEXT = 50_000

INPUT_TEXT = Text(low=1, high=LONGEST_TEXT)
TITAN_BODIES = {
    TITAN_V1: Record({"inputText": INPUT_TEXT}, ("inputText",)),
    "amazon.titan-embed-text-v2": Record(
        {
            "inputText": INPUT_TEXT,
            "dimensions": Number(whole=True),
            "normalize": Flag(),
            "embeddingTypes": Sequence(Text(choices=["float"]), low=1, high=1),
        },
        ("inputText",),
    ),
}
COHERE_BODY = Record(
    {
        "texts": Sequence(Text(low=1, high=2048), low=1, high=96),
        "input_type": Text(
            choices=["search_document", "search_query", "classification", "clustering"]
        ),
        "truncate": Text(choices=["NONE", "START", "END"]),
        "embedding_types": Sequence(Text(choices=["float"]), low=1, high=1),
    },
    ("texts", "input_type"),
)
COHERE_V4 = "cohere.embed-v4"
COHERE_V4_SIZES = (256, 512, 1024, 1536)
COHERE_V4_BODY = Record(
    {
        **COHERE_BODY.fields,
        "texts": Sequence(Text(low=1, high=LONGEST_TEXT), low=1, high=96),
        "output_dimension": Number(whole=True),
    },
    COHERE_BODY.required,
)


def embed_titan(body: Any, model: Model) -> dict[str, Any]:
    """Raises ShapeError, ModelError."""
    asked = TITAN_BODIES[model.family].parse(body)
    text = asked["inputText"]
    check_not_asked_to_fail(text)
    size = asked.get("dimensions", TITAN_V1_SIZE if model.family == TITAN_V1 else TITAN_V2_SIZE)
    if "dimensions" in asked and size not in SIZES:
        raise ShapeError("value", "dimensions", f"dimensions: {size} is not one of {SIZES}")
    values = vector(text, size)
    if model.family != TITAN_V1 and asked.get("normalize", True):
        values = normalized(values)
    answer = {"embedding": values, "inputTextTokenCount": len(text.split())}
    if model.family == TITAN_V1:
        return answer
    return {**answer, "embeddingsByType": {"float": values}}


def embed_cohere(body: Any, model: Model) -> dict[str, Any]:
    """Raises ShapeError, ModelError."""
    v4 = model.id.startswith(COHERE_V4)
    asked = (COHERE_V4_BODY if v4 else COHERE_BODY).parse(body)
    size = asked.get("output_dimension", COHERE_V4_SIZES[-1]) if v4 else COHERE_SIZE
    if v4 and size not in COHERE_V4_SIZES:
        message = f"output_dimension: {size} is not one of {COHERE_V4_SIZES}"
        raise ShapeError("value", "output_dimension", message)
    texts = asked["texts"]
    check_not_asked_to_fail("".join(texts))
    values: Any = [vector(text, size) for text in texts]
    by_type = "embedding_types" in asked
    return {
        "id": hashlib.sha256("".join(texts).encode()).hexdigest()[:32],
        "response_type": "embeddings_by_type" if by_type else "embeddings_floats",
        "embeddings": {"float": values} if by_type else values,
        "texts": texts,
    }


def normalized(values: list[float]) -> list[float]:
    length = math.sqrt(math.fsum(value * value for value in values))
    return [round(value / length, 6) for value in values]
