"""Which texts are sent together, and that all calls succeed or none."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.embeddings.embedding_calls import Packing, all_or_none, grouped
from providers.errors import FerryError, invalid_argument


def body(text: str, setting: int = 0) -> dict[str, Any]:
    return {"model": "m", "input": text, "setting": setting}


def test_bodies_with_the_same_settings_are_joined() -> None:
    bodies = [body("a"), body("b", 1), body("c"), body("d", 1), body("e")]
    groups = grouped(bodies, Packing("input", 2))
    assert [(each.body, each.places) for each in groups] == [
        ({"model": "m", "input": ["a", "c"], "setting": 0}, [0, 2]),
        ({"model": "m", "input": ["b", "d"], "setting": 1}, [1, 3]),
        ({"model": "m", "input": ["e"], "setting": 0}, [4]),
    ]


def test_lists_of_one_text_are_joined() -> None:
    bodies = [{"texts": ["a"], "type": "t"}, {"texts": ["b"], "type": "t"}]
    (group,) = grouped(bodies, Packing("texts", 96))
    assert group.body == {"texts": ["a", "b"], "type": "t"}


def test_a_call_of_one_text_stays_as_it_is() -> None:
    groups = grouped([body("a"), body("b")], Packing("input", 1))
    assert [each.body for each in groups] == [body("a"), body("b")]


@given(
    st.lists(st.tuples(st.text(min_size=1, max_size=9), st.integers(0, 2)), min_size=1),
    st.integers(2, 5),
    st.integers(1, 30),
)
def test_every_text_is_in_one_call_within_the_limits(
    wanted: list[tuple[str, int]], texts: int, size: int
) -> None:
    groups = grouped([body(*each) for each in wanted], Packing("input", texts, size))
    placed = {
        place: (text, group.body["setting"])
        for group in groups
        for place, text in zip(group.places, group.body["input"], strict=True)
    }
    assert [placed[place] for place in range(len(wanted))] == wanted
    assert sum(len(group.places) for group in groups) == len(wanted)
    for group in groups:
        sent = group.body["input"]
        assert len(sent) <= texts
        assert len(sent) == 1 or sum(len(text.encode()) for text in sent) <= size


async def test_results_are_in_the_order_of_the_calls_and_few_run_at_once() -> None:
    running = most = 0

    async def call(number: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        for _ in range(number % 3):
            await asyncio.sleep(0)
        running -= 1
        return number

    calls: list[Callable[[], Awaitable[int]]] = [partial(call, number) for number in range(30)]
    assert await all_or_none(calls) == list(range(30))
    assert most == 8


async def test_an_error_cancels_the_others_and_begins_no_further_one() -> None:
    begun: list[int] = []
    cancelled: list[int] = []

    async def call(number: int) -> None:
        begun.append(number)
        if number == 7:
            raise invalid_argument("no")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(number)
            raise

    with pytest.raises(FerryError, match="no"):
        await all_or_none([partial(call, number) for number in range(20)])
    assert begun == list(range(8))
    assert sorted(cancelled) == list(range(7))
