from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from providers.bedrock.pages import filled_page

# The pages of a list as AWS cuts it, each with what is shown of it.
LISTS = st.lists(st.lists(st.booleans(), max_size=4), min_size=1, max_size=6)


class Listed:
    """A list of numbers, of which some are hidden; it cuts pages where it likes, as AWS may."""

    def __init__(self, shown: Sequence[Sequence[bool]]) -> None:
        self.all = [(n, show) for n, show in enumerate(flag for page in shown for flag in page)]
        self.calls = 0

    @property
    def shown(self) -> list[int]:
        return [number for number, show in self.all if show]

    async def fetch(self, limit: int, token: str | None) -> tuple[list[int], str | None]:
        assert limit > 0
        self.calls += 1
        start = int(token or 0)
        end = min(start + limit, len(self.all))
        page = [number for number, show in self.all[start:end] if show]
        return page, str(end) if end < len(self.all) else None


@given(LISTS, st.integers(1, 5))
async def test_every_item_is_shown_once_and_no_later_page_is_empty(
    shown: list[list[bool]], page_size: int
) -> None:
    listed = Listed(shown)
    items, token = await filled_page(listed.fetch, page_size, None)
    seen = list(items)
    while token is not None:
        items, token = await filled_page(listed.fetch, page_size, token)
        assert 0 < len(items) <= page_size
        seen += items
    assert seen == listed.shown


async def test_a_full_page_asks_no_more_than_it_must() -> None:
    listed = Listed([[True] * 4])
    assert await filled_page(listed.fetch, 4, None) == ([0, 1, 2, 3], None)
    assert listed.calls == 1
