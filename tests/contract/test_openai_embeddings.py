"""Embeddings of OpenAI and Mistral against their fakes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, TypeAlias

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from providers.resources import EmbedForm, EmbedRequest
from providers.status import Status
from tests.contract.embedding import batch, embedded, embedding, vectors
from tests.contract.mistral_with_fake import MistralWithFake, mistral_with_fake
from tests.contract.openai_with_fake import OpenAIWithFake, openai_with_fake
from tests.contract.provider_with_fake import ProviderWithFake, refused

# The number of values of the fakes' embeddings.
LENGTH = 8


@dataclass(frozen=True)
class Subject:
    """`most_texts` and `most_tokens` are those of one call to the provider."""

    work: ProviderWithFake
    model: str
    most_texts: int
    most_tokens: int


@pytest.fixture(params=["openai", "mistral"])
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    if request.param == "openai":
        async with openai_with_fake() as openai:
            yield Subject(openai, "text-embedding-3-small", 2048, 300_000)
    else:
        async with mistral_with_fake() as mistral:
            yield Subject(mistral, "codestral-embed", 512, 16_384)


def asked(subject: Subject, *texts: str, **settings: Any) -> EmbedRequest:
    return batch(subject.model, [embedding(text, **settings) for text in texts])


async def calls(subject: Subject) -> int:
    return len(await subject.work.calls("POST", "embeddings"))


async def test_one_text(subject: Subject) -> None:
    request = EmbedRequest(subject.model, EmbedForm.ONE, orjson.dumps(embedding("two words")))
    assert await embedded(subject.work, request) == (vectors(["two words"], LENGTH), 2, "")


async def test_several_texts_are_one_call(subject: Subject) -> None:
    texts = ["a", "b c", "a"]
    assert await embedded(subject.work, asked(subject, *texts)) == (vectors(texts, LENGTH), 4, "")
    assert await calls(subject) == 1


async def test_more_texts_than_a_call_takes(subject: Subject) -> None:
    texts = [f"t{number}" for number in range(subject.most_texts)]
    found, tokens, _ = await embedded(subject.work, asked(subject, *texts))
    assert (found, tokens) == (vectors(texts, LENGTH), len(texts))
    assert await calls(subject) == 1
    if subject.most_texts < 2048:
        texts += ["one more"]
        found, _, _ = await embedded(subject.work, asked(subject, *texts))
        assert found == vectors(texts, LENGTH)
        assert await calls(subject) == 3


async def test_more_tokens_than_a_call_takes(subject: Subject) -> None:
    words = min(8000, subject.most_tokens // 2)
    texts = [f"{number} " * words for number in range(1 + subject.most_tokens // words)]
    found, tokens, _ = await embedded(subject.work, asked(subject, *texts))
    assert (found, tokens) == (vectors(texts, LENGTH), words * len(texts))
    assert await calls(subject) > 1


async def test_different_lengths_are_different_calls_in_the_clients_order(
    subject: Subject,
) -> None:
    requests = [
        embedding("a", outputDimensionality=3),
        embedding("b"),
        embedding("c", outputDimensionality=4),
        embedding("d", embedContentConfig={"outputDimensionality": 3}),
    ]
    found, _, _ = await embedded(subject.work, batch(subject.model, requests))
    wanted = [("a", 3), ("b", LENGTH), ("c", 4), ("d", 3)]
    assert found == [vectors([text], length)[0] for text, length in wanted]
    assert await calls(subject) == 3


TITLED = embedding("b", title="t")
# A tenant could name the file of another one.
FILE = {"fileData": {"fileUri": "files/fabc", "mimeType": "text/plain"}}


@pytest.mark.parametrize(
    ("requests", "path"),
    [
        ([], "requests"),
        ([embedding("a"), TITLED], "requests[1].title"),
        ([embedding("a", taskType="CLUSTERING")], "requests[0].taskType"),
        ([embedding("a"), embedding("b", model="models/other")], "requests[1].model"),
        ([embedding("a", outputDimensionality=0)], "requests[0].outputDimensionality"),
        ([embedding("")], "requests[0].content.parts"),
        ([{"content": {"parts": [{"text": "a"}, {"text": "b"}]}}], "requests[0].content.parts"),
        ([embedding("a"), {}], "requests[1].content"),
        ([{"content": {"parts": [FILE]}}], "requests[0].content.parts"),
        ([embedding("a", seed=1)], "requests[0].seed"),
        (["a"], "requests[0]"),
        ([embedding("a")] * 2049, "requests"),
    ],
)
async def test_what_cannot_be_carried_is_refused_before_anything_is_sent(
    subject: Subject, requests: list[object], path: str
) -> None:
    error = await refused(embedded(subject.work, batch(subject.model, requests)))
    assert (error.status, error.path) == (Status.INVALID_ARGUMENT, path)
    assert await calls(subject) == 0
    assert subject.work.no_memory_reserved


async def test_a_single_request_is_named_without_a_list(subject: Subject) -> None:
    document = orjson.dumps(embedding("a", title="t"))
    error = await refused(
        embedded(subject.work, EmbedRequest(subject.model, EmbedForm.ONE, document))
    )
    assert error.path == "title"


@pytest.mark.parametrize(("named", "path"), [("same", None), ("other", "model"), (1, "model")])
async def test_the_model_beside_the_requests(
    subject: Subject, named: object, path: str | None
) -> None:
    model = f"models/{subject.model}" if named == "same" else named
    document = orjson.dumps({"model": model, "requests": {"content": {"parts": {"text": "a"}}}})
    request = EmbedRequest(subject.model, EmbedForm.MANY, document)
    if path is None:
        assert (await embedded(subject.work, request))[0] == vectors(["a"], LENGTH)
    else:
        assert (await refused(embedded(subject.work, request))).path == path


async def test_an_unknown_member_beside_the_requests(subject: Subject) -> None:
    document = orjson.dumps({"requests": [embedding("a")], "request": 1})
    error = await refused(
        embedded(subject.work, EmbedRequest(subject.model, EmbedForm.MANY, document))
    )
    assert (error.path, "did you mean 'requests'" in error.message) == ("request", True)


async def test_too_many_numbers_name_what_is_allowed(subject: Subject) -> None:
    request = asked(subject, *["a"] * 2048, outputDimensionality=10_000)
    error = await refused(embedded(subject.work, request))
    assert error.status is Status.INVALID_ARGUMENT
    assert "20480000 numbers together; one call may ask for 8388608" in error.message
    assert await calls(subject) == 0


async def test_a_refusal_of_the_provider(subject: Subject) -> None:
    error = await refused(embedded(subject.work, asked(subject, "a", "please fail")))
    assert (error.status, error.upstream_status) == (Status.INVALID_ARGUMENT, 400)
    assert subject.work.no_memory_reserved


ENTRY = {"object": "embedding", "index": 0, "embedding": [0.5]}


@pytest.mark.parametrize(
    "data",
    [
        [ENTRY],
        [ENTRY, ENTRY],
        [ENTRY, ENTRY | {"index": 2}],
        [ENTRY, ENTRY | {"index": None}],
        [ENTRY, ENTRY | {"index": 1}, ENTRY | {"index": 2}],
        [ENTRY, ENTRY | {"index": 1, "embedding": []}],
        [ENTRY, ENTRY | {"index": 1, "embedding": [None]}],
        [ENTRY, ENTRY | {"index": 1, "embedding": "AAAAPw=="}],
        [],
        None,
    ],
)
async def test_an_answer_that_is_not_one_vector_for_each_text(subject: Subject, data: Any) -> None:
    await subject.work.post("/_fake/settings", {"answer": {"data": data}})
    error = await refused(embedded(subject.work, asked(subject, "a", "b")))
    assert error.status is Status.UNAVAILABLE
    assert subject.work.no_memory_reserved


async def test_the_index_decides_the_order(subject: Subject) -> None:
    data = [
        {"index": 1, "embedding": [2, 1e-7]},
        {"index": 0, "embedding": [1, -0.25]},
    ]
    await subject.work.post("/_fake/settings", {"answer": {"data": data}})
    found, _, _ = await embedded(subject.work, asked(subject, "a", "b"))
    assert found == [[1, -0.25], [2, 1e-7]]


async def test_an_answer_without_indexes_is_in_order(subject: Subject) -> None:
    data = [{"embedding": [1]}, {"embedding": [2]}]
    await subject.work.post("/_fake/settings", {"answer": {"data": data}})
    assert (await embedded(subject.work, asked(subject, "a", "b")))[0] == [[1], [2]]


async def test_an_embedding_of_another_length_than_was_asked(subject: Subject) -> None:
    await subject.work.post("/_fake/settings", {"answer": {"data": [ENTRY]}})
    error = await refused(embedded(subject.work, asked(subject, "a", outputDimensionality=4)))
    assert "an embedding of 1 numbers, not 4" in error.message


async def test_without_a_count_there_are_no_tokens(subject: Subject) -> None:
    await subject.work.post("/_fake/settings", {"answer": {"usage": None}})
    assert (await embedded(subject.work, asked(subject, "a")))[1] is None


async def test_when_one_call_fails_the_others_are_cancelled(subject: Subject) -> None:
    await subject.work.strike("POST", "embeddings", "delay", name="held")
    await subject.work.strike("POST", "embeddings", "status", nth=2, status=429)
    requests = [embedding("a", outputDimensionality=3), embedding("b", outputDimensionality=4)]
    error = await refused(embedded(subject.work, batch(subject.model, requests)))
    assert error.status is Status.RESOURCE_EXHAUSTED
    await subject.work.get(
        "/_fake/events",
        {"wait": "requests", "path": "embeddings", "count": "1", "outcome": "client_gone"},
    )
    assert subject.work.no_memory_reserved


async def test_a_client_that_leaves_ends_the_calls(subject: Subject) -> None:
    await subject.work.strike("POST", "embeddings", "delay", name="held")
    asking = asyncio.create_task(embedded(subject.work, asked(subject, "a")))
    await subject.work.happened("held")
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await subject.work.get(
        "/_fake/events",
        {"wait": "requests", "path": "embeddings", "count": "1", "outcome": "client_gone"},
    )
    assert subject.work.no_memory_reserved


Opened: TypeAlias = Callable[[], AbstractAsyncContextManager[OpenAIWithFake | MistralWithFake]]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(st.text(min_size=1, max_size=20), st.sampled_from([None, 2, 3])),
        min_size=1,
        max_size=30,
    )
)
@pytest.mark.parametrize(
    ("opened", "model"),
    [(openai_with_fake, "text-embedding-3-small"), (mistral_with_fake, "codestral-embed")],
)
def test_every_text_gets_its_own_vector(
    opened: Opened, model: str, wanted: list[tuple[str, int | None]]
) -> None:
    texts = [f"{number}: {text}" for number, (text, _) in enumerate(wanted)]
    requests = [
        embedding(text, **({} if length is None else {"outputDimensionality": length}))
        for text, (_, length) in zip(texts, wanted, strict=True)
    ]

    async def found() -> list[list[float]]:
        async with opened() as work:
            return (await embedded(work, batch(model, requests)))[0]

    expected = [
        vectors([text], length or LENGTH)[0]
        for text, (_, length) in zip(texts, wanted, strict=True)
    ]
    assert asyncio.run(found()) == expected


async def test_openais_oldest_model_has_one_length() -> None:
    async with openai_with_fake() as openai:
        request = batch("text-embedding-ada-002", [embedding("a", outputDimensionality=3)])
        error = await refused(embedded(openai, request))
    assert error.path == "requests[0].outputDimensionality"
    assert error.upstream_status is None
