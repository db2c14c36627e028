"""Numbered pages are full and complete, whatever the server says about their end."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from providers.errors import FerryError
from providers.json_api.client import Answer, JsonApi
from providers.json_api.page_tokens import filled_page
from providers.mistral.client import mistral_client
from providers.mistral.pages import numbered_pages
from providers.status import Status
from providers.upstream import OutboundRequest, Upstream
from tests.test_providers.answering import CALLER, answer
from tests.test_providers.test_gemini.scripted_upstream import ScriptedReply, ScriptedUpstream

BASE = URL("https://api.mistral.test/v1")


def client(upstream: Upstream) -> JsonApi:
    return mistral_client("mistral", BASE, upstream)


class Listing:
    """A list that never gives more than `at_most` on a page."""

    def __init__(self, ids: Sequence[str], at_most: int, *, has_total: bool) -> None:
        self.ids = ids
        self.at_most = at_most
        self.has_total = has_total
        self.requests = 0

    async def send(self, request: OutboundRequest) -> ScriptedReply:
        self.requests += 1
        query = request.url.query
        size = min(int(query["page_size"]), self.at_most)
        start = int(query["page"]) * size
        document: dict[str, Any] = {"data": [{"id": n} for n in self.ids[start : start + size]]}
        if self.has_total:
            document["total"] = len(self.ids)
        return ScriptedReply(answer(document))


async def even(listed: Sequence[Answer]) -> list[Answer]:
    return [item for item in listed if int(item["id"]) % 2 == 0]


async def page_of(
    ours: JsonApi, page_size: int, token: str | None
) -> tuple[list[Answer], str | None]:
    return await filled_page(numbered_pages(ours, CALLER, "files", token), page_size, even)


@given(
    st.lists(st.integers(0, 99), unique=True, max_size=12),
    st.integers(1, 5),
    st.integers(1, 5),
    st.booleans(),
)
async def test_pages_are_full_and_complete(
    numbers: list[int], page_size: int, at_most: int, has_total: bool
) -> None:
    ours = client(Listing([str(n) for n in numbers], at_most, has_total=has_total))
    seen: list[int] = []
    token: str | None = None
    while True:
        page, token = await page_of(ours, page_size, token)
        seen += [int(item["id"]) for item in page]
        if token is None:
            break
        assert len(page) == page_size
    assert seen == [number for number in numbers if number % 2 == 0]


async def test_a_list_of_one_page_is_one_request() -> None:
    listing = Listing(["2", "4", "6"], 100, has_total=True)
    assert (await page_of(client(listing), 100, None))[1] is None
    assert listing.requests == 1


async def test_a_server_without_pages_is_not_asked_without_end() -> None:
    class Pageless:
        requests = 0

        async def send(self, _: OutboundRequest) -> ScriptedReply:
            self.requests += 1
            assert self.requests < 5
            return ScriptedReply(answer({"data": [{"id": "2"}, {"id": "4"}]}))

    page, token = await page_of(client(Pageless()), 5, None)
    assert ([item["id"] for item in page], token) == (["2", "4"], None)


@pytest.mark.parametrize("document", [{"data": {"a": 1}}, {"data": ["a"]}, {"data": [{}]}])
async def test_an_unreadable_page(document: dict[str, Any]) -> None:
    with pytest.raises(FerryError) as caught:
        await page_of(client(ScriptedUpstream(answer(document))), 2, None)
    assert caught.value.status == Status.UNAVAILABLE


@pytest.mark.parametrize("document", [{}, {"data": []}, {"data": None, "total": 7}])
async def test_an_empty_page_ends_a_list(document: dict[str, Any]) -> None:
    assert await page_of(client(ScriptedUpstream(answer(document))), 2, None) == ([], None)
