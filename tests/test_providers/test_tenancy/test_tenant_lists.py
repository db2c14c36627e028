"""A tenant's own items, page by page, from a list that others change at the same time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.errors import FerryError
from providers.resources import Page
from providers.status import Status
from providers.tenancy.ownership import Ownership, ResourceKind, owned_batch
from providers.tenancy.tenant_lists import TenantList, tenant_page
from tests.contract.counted_state import CountedState
from tests.memory_state import MemoryState


@dataclass(frozen=True, slots=True)
class Item:
    id: str


class SharedList:
    """A provider's list; a token is the id after which a page begins, as OpenAI's are."""

    def __init__(self, ids: Sequence[str], largest: int = 100) -> None:
        self.ids = list(ids)
        self.largest = largest
        self.asked: list[int] = []

    async def page(self, size: int, token: str | None) -> Page[Item]:
        self.asked.append(size)
        begin = self.ids.index(token) + 1 if token else 0
        found = self.ids[begin : begin + min(size, self.largest)]
        more = begin + len(found) < len(self.ids)
        return Page([Item(name) for name in found], found[-1] if more else None)


async def walked(shared: SharedList, own: set[str], size: int) -> list[list[str]]:
    """All pages."""
    pages: list[list[str]] = []
    token = None
    while True:
        page, _ = await tenant_page(shared.page, lambda item: item.id, own, size, token)
        pages.append([item.id for item in page.items])
        if page.next_page_token is None:
            return pages
        token = page.next_page_token


@given(
    owners=st.lists(st.booleans(), max_size=120),
    size=st.integers(1, 12),
    largest=st.integers(1, 100),
)
async def test_every_own_item_is_shown_once_in_order(
    owners: list[bool], size: int, largest: int
) -> None:
    ids = [f"n{number}" for number in range(len(owners))]
    own = [name for name, is_own in zip(ids, owners, strict=True) if is_own]
    # The provider can return at least `size` items at once.
    shared = SharedList(ids, max(largest, size))
    pages = await walked(shared, set(own), size)
    assert [name for page in pages for name in page] == own
    assert all(len(page) == size for page in pages[:-1])
    assert pages[-1] or not own


async def test_a_tenant_without_resources_causes_no_call() -> None:
    shared = SharedList(["a", "b"])
    assert await walked(shared, set(), 10) == [[]]
    assert shared.asked == []


async def test_no_page_is_read_once_everything_is_found() -> None:
    shared = SharedList([f"n{number}" for number in range(1000)])
    assert await walked(shared, {"n3"}, 10) == [["n3"]]
    assert len(shared.asked) == 1


@pytest.mark.parametrize("change", ["new first", "first gone"])
async def test_a_list_that_changes_loses_nothing(change: str) -> None:
    shared = SharedList(["x", "a", "y", "b", "z", "c"])

    async def page(size: int, token: str | None) -> Page[Item]:
        found = await shared.page(size, token)
        if len(shared.asked) == 1:
            shared.ids = ["w", *shared.ids] if change == "new first" else shared.ids[1:]
        return found

    first, _ = await tenant_page(page, lambda item: item.id, {"a", "b", "c"}, 2, None)
    assert [item.id for item in first.items] == ["a", "b"]
    assert first.next_page_token == "b"


@pytest.mark.parametrize("new", [0, 3, 30])
async def test_the_item_that_a_page_ends_with_is_gone(new: int) -> None:
    shared = SharedList(["x", "a", "y", "b", "z", "c", "d"])

    async def page(size: int, token: str | None) -> Page[Item]:
        found = await shared.page(size, token)
        if len(shared.asked) == 1:
            shared.ids.remove("b")
            shared.ids[:0] = [f"new{number}" for number in range(new)]
        return found

    first, _ = await tenant_page(page, lambda item: item.id, {"a", "b", "c", "d"}, 2, None)
    assert [item.id for item in first.items] == ["a", "c"]
    assert first.next_page_token == "c"


async def test_many_new_items_before_the_end_of_a_page() -> None:
    shared = SharedList(["a", "b", "c"])

    async def page(size: int, token: str | None) -> Page[Item]:
        found = await shared.page(size, token)
        if len(shared.asked) == 1:
            shared.ids[:0] = [f"new{number}" for number in range(50)]
        return found

    first, _ = await tenant_page(page, lambda item: item.id, {"a", "b", "c"}, 2, None)
    assert [item.id for item in first.items] == ["a", "b"]
    assert first.next_page_token == "b"


async def test_a_list_that_always_changes_is_refused() -> None:
    turn = 0

    async def page(size: int, _: str | None) -> Page[Item]:
        nonlocal turn
        turn += 1
        items = ["a", "b", "c"] if size > 50 else [f"new{turn}-{n}" for n in range(size)]
        return Page([Item(name) for name in items], "more")

    with pytest.raises(FerryError) as caught:
        await tenant_page(page, lambda item: item.id, {"a", "b", "c"}, 2, None)
    assert caught.value.status == Status.UNAVAILABLE


# --- what the provider no longer has ---------------------------------------------------------


class Kept:
    """The records of Ann, who made `made`, and a list for all tenants that shows `shown`.

    The list leaves out `hidden`, although they exist.
    """

    def __init__(self, made: list[str], shown: list[str], hidden: Sequence[str] = ()) -> None:
        self.made, self.shared = made, SharedList(shown)
        self.there = {owned_batch(name).key for name in (*shown, *hidden)}
        self.state = MemoryState()
        self.counted = CountedState(self.state)
        self.ownership = Ownership("openai", self.counted)
        self.looked_up = 0

    async def listed(self, size: int, token: str | None = None) -> Page[Item]:
        own = TenantList(
            self.ownership,
            "ann",
            ResourceKind.BATCHES,
            self.shared.page,
            lambda item: owned_batch(item.id).key,
            self.exists,
        )
        return await own.page(size, token)

    async def exists(self, key: str) -> bool:
        self.looked_up += 1
        return key in self.there

    async def walked(self, token: str | None) -> list[str]:
        """The rest of the list, two items on a page."""
        found: list[str] = []
        while token is not None:
            page = await self.listed(2, token)
            found += [item.id for item in page.items]
            token = page.next_page_token
        return found

    def restart(self) -> None:
        """Another process."""
        self.ownership = Ownership("openai", self.counted)

    async def owned(self) -> list[str]:
        resources = [owned_batch(name) for name in self.made]
        return [
            n
            for n, t in zip(self.made, resources, strict=True)
            if await self.ownership.owns("ann", t)
        ]


async def kept(
    made: list[str],
    shown: list[str],
    age: timedelta = timedelta(days=3),
    hidden: Sequence[str] = (),
) -> Kept:
    found = Kept(made, shown, hidden)
    for name in made:
        await found.ownership.claim("ann", owned_batch(name))
    found.state.age(age)
    return found


async def test_a_resource_missing_from_a_list_stays_owned_if_it_exists() -> None:
    """Some servers cut their lists short without saying so."""
    ours = await kept(["a", "left-out", "gone"], ["a"], hidden=["left-out"])
    assert [item.id for item in (await ours.listed(10)).items] == ["a"]
    assert await ours.owned() == ["a", "left-out"]


async def test_a_resource_missing_from_the_whole_list_is_looked_up_once() -> None:
    ours = await kept(["a", "gone", "b"], ["x", "a", "y", "b", *(f"n{n}" for n in range(300))])
    await ours.ownership.claim("bob", owned_batch("x"))
    assert [item.id for item in (await ours.listed(10)).items] == ["a", "b"]
    assert await ours.owned() == ["a", "b"]
    assert await ours.ownership.owns("bob", owned_batch("x"))
    ours.shared.asked.clear()
    await ours.listed(10)
    assert len(ours.shared.asked) == 1


async def test_when_everything_is_gone_no_page_is_read() -> None:
    ours = await kept(["gone"], ["x"])
    assert (await ours.listed(10)).items == []
    ours.shared.asked.clear()
    assert (await ours.listed(10)).items == []
    assert ours.shared.asked == []


async def test_a_new_resource_may_not_be_listed_yet() -> None:
    ours = await kept(["new"], ["x"], timedelta(hours=48))
    await ours.listed(10)
    assert await ours.owned() == ["new"]


async def test_part_of_a_list_releases_nothing() -> None:
    ours = await kept(["a", "b", "c"], ["a", "x", "b", "c"])
    first = await ours.listed(1)
    assert await ours.owned() == ["a", "b", "c"]
    assert [item.id for item in (await ours.listed(1, first.next_page_token)).items] == ["b"]
    assert [item.id for item in (await ours.listed(3, first.next_page_token)).items] == ["b", "c"]
    assert await ours.owned() == ["a", "b", "c"]


async def test_a_list_looks_up_a_few_of_what_it_does_not_show() -> None:
    made = [f"n{number}" for number in range(300)]
    ours = await kept(made, ["n0"], hidden=made[:50])
    await ours.listed(10)
    assert ours.looked_up == 20
    for _ in range(300):
        await ours.listed(10)
    assert set(await ours.owned()) == set(made[:50])


# --- pages after the first -------------------------------------------------------------------


async def test_the_keys_of_a_tenant_are_read_once_for_all_pages() -> None:
    made = [f"n{number}" for number in range(40)]
    ours = await kept(made, made)
    first = await ours.listed(2)
    assert await ours.walked(first.next_page_token) == made[2:]
    assert ours.counted.names == len(made)


async def test_another_process_reads_the_keys_once_for_the_pages_it_serves() -> None:
    made = [f"n{number}" for number in range(40)]
    ours = await kept(made, made)
    first = await ours.listed(2)
    ours.restart()
    assert await ours.walked(first.next_page_token) == made[2:]
    assert ours.counted.names == 2 * len(made)


async def test_what_another_process_recorded_before_the_first_page_is_in_the_pages_after_it() -> (
    None
):
    """Also if this process has read the keys before, for another paging."""
    made = [f"n{number}" for number in range(10)]
    ours = await kept(made[:5], made)
    older = (await ours.listed(2)).next_page_token
    other = Ownership("openai", ours.state)
    for name in made[5:]:
        await other.claim("ann", owned_batch(name))
    this_process, ours.ownership = ours.ownership, other
    first = await ours.listed(2)
    ours.ownership = this_process
    assert await ours.walked(older) == made[2:5]
    assert await ours.walked(first.next_page_token) == made[2:]


async def test_a_token_of_an_earlier_version_leads_on() -> None:
    made = [f"n{number}" for number in range(6)]
    ours = await kept(made, made)
    assert await ours.walked("n1") == made[2:]
    assert ours.counted.names == len(made)


async def test_a_list_that_breaks_off_releases_nothing() -> None:
    ours = await kept(["a"], ["x"] * 150)
    whole = ours.shared.page

    async def broken(size: int, token: str | None) -> Page[Item]:
        if token is not None:
            raise FerryError(Status.UNAVAILABLE, "away")
        return await whole(size, token)

    ours.shared.page = broken  # type: ignore[method-assign]
    with pytest.raises(FerryError):
        await ours.listed(10)
    assert await ours.owned() == ["a"]
