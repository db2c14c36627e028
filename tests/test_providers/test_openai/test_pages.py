from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.errors import FerryError
from providers.openai.client import Answer, OpenAIClient
from providers.openai.pages import filled_page
from providers.page_tokens import decode_page_token
from providers.upstream import OutboundRequest
from tests.test_providers.test_gemini.scripted_upstream import ScriptedReply, ScriptedUpstream
from tests.test_providers.test_openai.answering import BASE, CALLER, answer


class Listing:
    """A list at OpenAI that never gives more than `at_most` on a page."""

    def __init__(self, ids: Sequence[str], at_most: int) -> None:
        self.ids = ids
        self.at_most = at_most

    async def send(self, request: OutboundRequest) -> ScriptedReply:
        query = request.url.query
        start = self.ids.index(query["after"]) + 1 if "after" in query else 0
        assert int(query["limit"]) > 0
        end = start + min(int(query["limit"]), self.at_most)
        page = [{"id": name} for name in self.ids[start:end]]
        return ScriptedReply(answer({"data": page, "has_more": end < len(self.ids)}))


async def even(listed: Sequence[Answer]) -> list[Answer]:
    return [item for item in listed if int(item["id"]) % 2 == 0]


@given(st.lists(st.integers(0, 99), unique=True, max_size=12), st.integers(1, 5), st.integers(1, 5))
async def test_pages_are_full_and_complete(
    numbers: list[int], page_size: int, at_most: int
) -> None:
    client = OpenAIClient("openai", BASE, Listing([str(n) for n in numbers], at_most))
    seen: list[int] = []
    token: str | None = None
    while True:
        page, token = await filled_page(client, CALLER, "files", page_size, token, even)
        seen += [int(item["id"]) for item in page]
        if token is None:
            break
        assert len(page) == page_size
    assert seen == [number for number in numbers if number % 2 == 0]


async def test_a_token_is_the_last_object_looked_at() -> None:
    client = OpenAIClient("openai", BASE, Listing(["2", "1", "4", "6"], 3))
    page, token = await filled_page(client, CALLER, "files", 2, None, even, order="desc")
    assert [item["id"] for item in page] == ["2", "4"]
    assert decode_page_token(token or "") == "4"


@pytest.mark.parametrize(
    "document", [{"data": {"a": 1}}, {"data": ["a"]}, {"data": [{}], "has_more": True}]
)
async def test_a_page_that_makes_no_sense(document: dict[str, Any]) -> None:
    async def shown(listed: Sequence[Answer]) -> list[Answer]:
        return list(listed)

    client = OpenAIClient("openai", BASE, ScriptedUpstream(answer(document)))
    with pytest.raises(FerryError) as caught:
        await filled_page(client, CALLER, "files", 2, None, shown)
    assert caught.value.status == "UNAVAILABLE"


@pytest.mark.parametrize("document", [{}, {"data": []}, {"data": None, "has_more": True}])
async def test_an_empty_page_ends_a_list(document: dict[str, Any]) -> None:
    client = OpenAIClient("openai", BASE, ScriptedUpstream(answer(document)))
    assert await filled_page(client, CALLER, "files", 2, None, even) == ([], None)
