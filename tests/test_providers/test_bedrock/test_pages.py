from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.bedrock.pages import (
    Listed,
    PageStart,
    filled_page,
    page_start_of,
    seen_after,
)
from providers.errors import FerryError
from providers.json_api.page_tokens import encode_page_token

# The pages of a list from AWS, each with its visible items.
LISTS = st.lists(st.lists(st.booleans(), max_size=4), min_size=1, max_size=6)


class Aws:
    """A list of numbers, some of them hidden, in pages like AWS's."""

    def __init__(self, pages: Sequence[Sequence[bool]]) -> None:
        numbers = iter(range(100))
        self.pages = [[(next(numbers), show) for show in page] for page in pages]
        self.calls = self.looked_up = 0

    @property
    def shown(self) -> list[int]:
        return [number for page in self.pages for number, show in page if show]

    async def fetch(self, token: str | None) -> tuple[list[Listed[int]], str | None]:
        self.calls += 1
        index = int(token or 0)
        page = [Listed(str(number), number) for number, _ in self.pages[index]]
        return page, str(index + 1) if index + 1 < len(self.pages) else None

    async def visible(self, listed: Sequence[Listed[int]]) -> Sequence[Listed[int]]:
        self.looked_up += len(listed)
        return [each for each in listed if each.item in self.shown]


async def page_of(
    aws: Aws, size: int, page_token: str | None = None
) -> tuple[list[int], str | None]:
    return await filled_page(aws.fetch, size, page_token, seen_after, aws.visible)


@given(LISTS, st.integers(1, 5))
async def test_every_item_is_shown_once_and_no_later_page_is_empty(
    pages: list[list[bool]], size: int
) -> None:
    aws = Aws(pages)
    seen, following = await page_of(aws, size)
    while following is not None:
        items, following = await page_of(aws, size, following)
        assert 0 < len(items) <= size
        seen += items
    assert seen == aws.shown


async def test_hidden_objects_cause_no_extra_call() -> None:
    aws = Aws([[False] * 50, [False] * 49 + [True]])
    assert await page_of(aws, 1) == ([99], None)
    assert aws.calls == 2


async def test_only_as_many_items_as_a_page_needs_are_looked_up() -> None:
    aws = Aws([[True] * 60])
    await page_of(aws, 5)
    assert aws.looked_up == 6


async def test_a_list_that_grew_at_its_start_continues_at_the_same_place() -> None:
    aws = Aws([[True] * 4])
    first, following = await page_of(aws, 2)
    assert following is not None
    aws.pages[0][:0] = [(90, True), (91, True)]
    assert (first, await page_of(aws, 9, following)) == ([0, 1], ([2, 3], None))


@pytest.mark.parametrize("start", [PageStart(), PageStart("abc"), PageStart("a1", "to/ken+=.")])
def test_the_start_of_a_page_is_read_back(start: PageStart) -> None:
    assert page_start_of(encode_page_token(str(start))) == start


@pytest.mark.parametrize("text", ["abc", "A.", "ä.", "a b.", "a.b c"])
def test_an_invalid_page_token_is_refused(text: str) -> None:
    with pytest.raises(FerryError, match="page token"):
        page_start_of(encode_page_token(text))


def test_without_a_token_a_list_starts() -> None:
    assert page_start_of(None) == PageStart()
