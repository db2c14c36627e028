"""Embeddings of a client's texts, from any provider that has them."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Protocol

from providers.credential import Caller
from providers.embeddings.embedding_calls import Packing, all_or_none, grouped
from providers.embeddings.written_vectors import AnswerMemory, VectorReader, WrittenVector
from providers.errors import invalid_argument
from providers.gemini_content.embeddings import embed_requests, embed_settings
from providers.gemini_content.normalise import normalise_embed
from providers.gemini_content.warnings import Warnings
from providers.json_api.answer_shape import UnreadableAnswer, unusable
from providers.json_api.json_text import parse_clients_object, render_compact
from providers.json_api.read_in_memory import read_in_memory
from providers.json_api.redaction import secret_removed
from providers.limits import EMBEDDINGS
from providers.memory import MemoryBudget
from providers.resources import Embedded, EmbedRequest
from providers.upstream import Reply, invalid_answer

# A number with the digits of a double, and a comma. Most have fewer.
_NUMBER_BYTES: Final = 24
# The longest embedding of the models that are known; a longer one takes memory as it arrives.
_USUAL_LENGTH: Final = 3072


class EmbeddingApi(Protocol):
    """One provider's calls and translations. `name` is its configured name."""

    @property
    def name(self) -> str: ...

    def packing(self, model: str) -> Packing:
        """What one call takes. Raises INVALID_ARGUMENT for a model without embeddings."""

    def to_provider(
        self, request: dict[str, Any], model: str, path: str, warnings: Warnings
    ) -> dict[str, Any]:
        """The body for the normalised request at `path`. Raises INVALID_ARGUMENT."""

    async def begin(self, caller: Caller, model: str, body: bytes) -> Reply:
        """The answer to one call, not yet read."""

    def from_provider(self, answer: dict[str, Any], headers: Mapping[str, str]) -> dict[str, Any]:
        """An answer of `embedding_answer`, in the order of the texts. Raises UnreadableAnswer."""


@dataclass(frozen=True, slots=True)
class _Call:
    """`lengths` are those that its texts' embeddings must have; None for any."""

    body: bytes = field(repr=False)
    places: Sequence[int]
    lengths: Sequence[int | None]


@dataclass(frozen=True, slots=True)
class _Plan:
    calls: Sequence[_Call]
    expected_bytes: int
    warnings: str


@dataclass(frozen=True, slots=True)
class _Answer:
    vectors: Sequence[WrittenVector]
    tokens: int | None


class TextEmbeddings:
    """Implements `providers.provider.Embeddings`."""

    def __init__(self, api: EmbeddingApi, memory: MemoryBudget) -> None:
        self._api = api
        self._memory = memory

    async def embed(self, caller: Caller, request: EmbedRequest) -> Embedded:
        plan = await read_in_memory(self._memory, request.document, partial(self._plan, request))
        with ExitStack() as held:
            reservation = held.enter_context(self._memory.reserve())
            memory = AnswerMemory(reservation, plan.expected_bytes)
            ask = partial(self._ask, caller, request.model, memory)
            answers = await all_or_none([partial(ask, call) for call in plan.calls])
            kept = held.pop_all()

        async def release() -> None:
            kept.close()

        tokens = [answer.tokens for answer in answers]
        counted = [count for count in tokens if count is not None]
        return Embedded(
            _in_order(plan.calls, answers),
            sum(counted) if len(counted) == len(tokens) else None,
            plan.warnings,
            release,
        )

    def _plan(self, request: EmbedRequest) -> _Plan:
        warnings = Warnings()
        packing = self._api.packing(request.model)
        bodies: list[dict[str, Any]] = []
        lengths: list[int | None] = []
        document, name = parse_clients_object(request.document), self._api.name
        for item, path in embed_requests(document, request.form, request.model, name):
            normal = normalise_embed(item, path)
            bodies.append(self._api.to_provider(normal, request.model, path, warnings))
            asked = embed_settings(normal, path, self._api.name).get("outputDimensionality")
            lengths.append(asked.value if asked else None)
        calls = [
            _Call(render_compact(group.body), group.places, [lengths[at] for at in group.places])
            for group in grouped(bodies, packing)
        ]
        return _Plan(calls, _expected_bytes(lengths), warnings.render())

    async def _ask(self, caller: Caller, model: str, memory: AnswerMemory, call: _Call) -> _Answer:
        name = self._api.name
        reader = VectorReader(name, memory)
        async with await self._api.begin(caller, model, call.body) as reply:
            document = await reader.read(reply.chunks())
        try:
            with secret_removed(caller):
                answer = self._api.from_provider(document, reply.headers)
        except UnreadableAnswer as error:
            raise unusable(error, name) from None
        found = [answer["embedding"]] if "embedding" in answer else answer["embeddings"]
        vectors = [reader.vector(each["values"]) for each in found]
        _check(name, vectors, call)
        tokens = answer.get("tokenCount")
        return _Answer(vectors, None if tokens is None else int(tokens))


def _expected_bytes(lengths: Sequence[int | None]) -> int:
    numbers = sum(length or _USUAL_LENGTH for length in lengths)
    allowed = EMBEDDINGS // _NUMBER_BYTES
    if numbers > allowed:
        raise invalid_argument(
            f"asks for embeddings with {numbers} numbers together; one call may ask for {allowed}: "
            "send fewer requests in each"
        )
    return numbers * _NUMBER_BYTES


def _check(name: str, vectors: Sequence[WrittenVector], call: _Call) -> None:
    """SDKs do not notice a missing embedding."""
    if len(vectors) != len(call.places):
        raise invalid_answer(
            f"{name} answered {len(call.places)} texts with {len(vectors)} embeddings"
        )
    for vector, asked in zip(vectors, call.lengths, strict=True):
        if asked not in (None, vector.length):
            raise invalid_answer(
                f"{name} answered with an embedding of {vector.length} numbers, not {asked}"
            )


def _in_order(calls: Sequence[_Call], answers: Sequence[_Answer]) -> Sequence[bytes]:
    placed = {
        place: vector.text
        for call, answer in zip(calls, answers, strict=True)
        for place, vector in zip(call.places, answer.vectors, strict=True)
    }
    return [placed[place] for place in range(len(placed))]
