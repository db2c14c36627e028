"""The calls of one client's request: which texts are sent together, and all calls or none."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

# Of one client's request. Titan takes one text in each.
_CALLS_AT_ONCE: Final = 8
# Tokens that a tokenizer may add to a text.
_MARKS: Final = 2

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Packing:
    """What one call of a provider takes.

    `member` of a body has its texts: a list of them, or one text if a call takes only one. `size`
    bounds the bytes of UTF-8 of all texts of a call; a single text may be longer. It stands for a
    limit of tokens: a text has at most as many tokens as bytes.
    """

    member: str
    texts: int
    size: int | None = None

    def has_space(self, group: "TextGroup", size: int) -> bool:
        if len(group.texts) == self.texts:
            return False
        return self.size is None or group.size + size <= self.size


@dataclass(slots=True)
class TextGroup:
    """The body of one call. `places` are those of its texts in the client's list."""

    body: dict[str, Any] = field(repr=False)
    places: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list, repr=False)
    size: int = 0


def grouped(bodies: Sequence[dict[str, Any]], packing: Packing) -> list[TextGroup]:
    """Joins bodies, each with one text, that differ in nothing else, as far as `packing` allows."""
    groups: list[TextGroup] = []
    growing: dict[Hashable, TextGroup] = {}
    for place, body in enumerate(bodies):
        settings = tuple(sorted(each for each in body.items() if each[0] != packing.member))
        text = _text_of(body[packing.member])
        size = len(text.encode()) + _MARKS
        group = growing.get(settings)
        if group is None or not packing.has_space(group, size):
            group = growing[settings] = TextGroup(body)
            groups.append(group)
        group.places.append(place)
        group.texts.append(text)
        group.size += size
    if packing.texts > 1:
        for group in groups:
            group.body[packing.member] = group.texts
    return groups


def _text_of(value: Any) -> str:
    """Of a translation of one request."""
    (text,) = value if isinstance(value, list) else [value]
    return str(text)


async def all_or_none(calls: Sequence[Callable[[], Awaitable[T]]]) -> list[T]:
    """The results of all calls, which run a few at a time.

    If one fails, the others are cancelled, those that wait do not begin, and its error is raised.
    """
    waiting = enumerate(calls)
    results: dict[int, T] = {}

    async def make_calls() -> None:
        for place, call in waiting:
            results[place] = await call()

    try:
        async with asyncio.TaskGroup() as running:
            for _ in calls[:_CALLS_AT_ONCE]:
                running.create_task(make_calls())
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return [results[place] for place in range(len(calls))]
