"""An answer's vectors are taken out of its text, however that arrives."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.embeddings.written_vectors import AnswerMemory, VectorReader
from providers.limits import EMBEDDINGS, UPSTREAM_ANSWER, VECTOR
from providers.memory import MemoryBudget
from providers.status import Status
from providers.upstream import UpstreamError

MIB = 1 << 20


async def in_chunks(chunks: Sequence[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def read(*chunks: bytes, budget: int = 1 << 30) -> tuple[dict[str, Any], VectorReader]:
    with MemoryBudget(budget).reserve() as reservation:
        reader = VectorReader("p", AnswerMemory(reservation, 0))
        return await reader.read(in_chunks(chunks)), reader


async def refusal(*chunks: bytes) -> UpstreamError:
    with pytest.raises(UpstreamError) as failed:
        await read(*chunks)
    assert failed.value.status is Status.UNAVAILABLE
    return failed.value


async def test_a_vector_is_passed_as_it_was_written() -> None:
    text = b"[ 1.50, -2E-3,0.1000000000000000055511151231257827 ,7]"
    document, reader = await read(b'{"embedding":' + text + b', "n": 1}')
    assert document == {"embedding": [0], "n": 1}
    vector = reader.vector(document["embedding"])
    assert (vector.text, vector.length) == (text, 4)


numbers = st.lists(
    st.floats(allow_nan=False, allow_infinity=False) | st.integers(-9, 9), min_size=1
)
texts = st.text(st.sampled_from('[]{},:"\\ 1a'), max_size=20)


@given(st.lists(st.tuples(texts, numbers), max_size=6), st.lists(st.integers(1, 9), min_size=1))
def test_every_way_of_cutting_an_answer(
    entries: list[tuple[str, list[float]]], sizes: list[int]
) -> None:
    data = [{"text": text, "embedding": vector} for text, vector in entries]
    written = orjson.dumps({"data": data, "tail": "]"})
    chunks: list[bytes] = []
    at = 0
    while at < len(written):
        size = sizes[len(chunks) % len(sizes)]
        chunks.append(written[at : at + size])
        at += size
    document, reader = asyncio.run(read(*chunks))
    found = [orjson.loads(reader.vector(each["embedding"]).text) for each in document["data"]]
    assert found == [vector for _, vector in entries]


@pytest.mark.parametrize(
    "value", [b"[]", b"[null]", b"[true]", b'["1"]', b"[[1]]", b'"AAAA"', b"null", b"1", b"[{}]"]
)
async def test_no_list_of_numbers(value: bytes) -> None:
    document, reader = await read(b'{"embedding":' + value + b"}")
    with pytest.raises(UpstreamError, match="no list of numbers"):
        reader.vector(document["embedding"])


@pytest.mark.parametrize("text", [b"", b"[]", b"[1]", b"{", b'{"a":[1e999]}', b'{"a":[1,]}'])
async def test_no_json_object(text: bytes) -> None:
    assert "did not answer with a JSON object" in (await refusal(text)).message


async def test_an_embedding_without_an_end() -> None:
    chunks = [b'{"embedding":[', *[b"0.5," * (MIB // 4)] * (VECTOR // MIB + 1)]
    assert "in one embedding" in (await refusal(*chunks)).message


async def test_an_answer_that_is_mostly_other_text() -> None:
    chunks = [b'{"a":"]' + b"x" * MIB + b"]"] * (UPSTREAM_ANSWER // MIB + 1)
    assert "too much besides" in (await refusal(*chunks)).message


async def test_an_answer_that_is_too_long() -> None:
    chunk = b"[" + b"0.125," * (MIB // 6) + b"1],"
    chunks = [b'{"data":[', *[chunk] * (EMBEDDINGS // MIB + 1)]
    assert "more than" in (await refusal(*chunks)).message


async def test_memory_is_taken_as_the_answer_arrives() -> None:
    memory = MemoryBudget(1000)
    with memory.reserve() as reservation:
        room = AnswerMemory(reservation, 600)
        assert memory.used == 600
        room.take(500)
        room.take(300)
        assert memory.used == 800
        room.take(100)
        assert memory.used == 900
    assert memory.used == 0
