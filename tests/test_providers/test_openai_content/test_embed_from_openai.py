import base64
import struct
from typing import Any

import pytest

from providers.errors import FerryError
from providers.openai_content.embed_from_openai import from_openai_embedding
from providers.status import Status
from providers.upstream import UpstreamError


def _entry(index: int, embedding: Any) -> dict[str, Any]:
    return {"object": "embedding", "index": index, "embedding": embedding}


def test_one_embedding() -> None:
    body = {
        "object": "list",
        "data": [_entry(0, [0.5, -1])],
        "model": "m",
        "usage": {"prompt_tokens": 3, "total_tokens": 3},
    }
    assert from_openai_embedding(body) == {
        "embedding": {"values": [0.5, -1]},
        "tokenCount": "3",
    }


def test_an_uncounted_embedding_in_base64() -> None:
    text = base64.b64encode(struct.pack("<2f", 0.5, -1.0)).decode()
    assert from_openai_embedding({"data": [_entry(0, text)]}) == {
        "embedding": {"values": [0.5, -1.0]}
    }


def test_several_embeddings_of_a_native_line() -> None:
    assert from_openai_embedding({"data": [_entry(1, [2]), _entry(0, [1])]}) == {
        "embeddings": [{"values": [1]}, {"values": [2]}]
    }


def test_an_index_that_is_left_out_beside_others_is_0() -> None:
    """Google's server with this API leaves out zeros."""
    assert from_openai_embedding({"data": [_entry(1, [2]), {"embedding": [1]}]}) == {
        "embeddings": [{"values": [1]}, {"values": [2]}]
    }


def test_an_error_in_place_of_embeddings() -> None:
    with pytest.raises(UpstreamError, match="no embeddings here"):
        from_openai_embedding({"error": "no embeddings here"})


def test_without_indexes_the_order_counts() -> None:
    assert from_openai_embedding({"data": [{"embedding": [2]}, {"embedding": [1]}]}) == {
        "embeddings": [{"values": [2]}, {"values": [1]}]
    }


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        [1],
        [{}],
        [_entry(0, [None])],
        [_entry(0, [1]), _entry(0, [1])],
        [_entry(0, [1]), _entry(2, [1])],
        [_entry(0, [1]), {"embedding": [1]}],
        [_entry(0, ["1"])],
        [_entry(0, "AAA")],
        [_entry(0, "AAA=")],
        [_entry(0, "é")],
        [_entry(0, [10**400])],
        [_entry(0, [1.0, float("nan")])],
        [_entry(0, base64.b64encode(struct.pack("<2f", 1, float("inf"))).decode())],
    ],
)
def test_invalid_embeddings(data: Any) -> None:
    with pytest.raises(FerryError) as failed:
        from_openai_embedding({"data": data})
    assert failed.value.status == Status.INTERNAL
