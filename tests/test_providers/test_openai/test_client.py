from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.errors import FerryError
from providers.json_api.client import Answer, JsonApi
from providers.json_api.page_tokens import Filter, decode_page_token, filled_page
from providers.openai.client import pages_after
from providers.status import Status
from providers.upstream import OutboundRequest
from tests.test_providers.answering import answer
from tests.test_providers.test_gemini.scripted_upstream import ScriptedReply, ScriptedUpstream
from tests.test_providers.test_openai_content.answering import BASE, CALLER, client


class Listing:
    """A list at OpenAI with at most `at_most` on a page."""

    def __init__(self, ids: Sequence[str], at_most: int) -> None:
        self.ids = ids
        self.at_most = at_most
        self.requests = 0

    def document(self, page: list[dict[str, str]], *, more: bool) -> dict[str, Any]:
        return {"data": page, "has_more": more}

    async def send(self, request: OutboundRequest) -> ScriptedReply:
        self.requests += 1
        query = request.url.query
        start = self.ids.index(query["after"]) + 1 if "after" in query else 0
        assert int(query["limit"]) > 0
        end = start + min(int(query["limit"]), self.at_most)
        page = [{"id": name} for name in self.ids[start:end]]
        return ScriptedReply(answer(self.document(page, more=end < len(self.ids))))


class SilentListing(Listing):
    """A list at a compatible server that does not say whether there are more."""

    def document(self, page: list[dict[str, str]], *, more: bool) -> dict[str, Any]:
        return {"data": page}


async def even(listed: Sequence[Answer]) -> list[Answer]:
    return [item for item in listed if int(item["id"]) % 2 == 0]


async def page_of(
    ours: JsonApi, page_size: int, token: str | None, shown: Filter, **query: str
) -> tuple[list[Answer], str | None]:
    pages = pages_after(ours, CALLER, "files", page_size, token, **query)
    return await filled_page(pages, page_size, shown)


@given(st.lists(st.integers(0, 99), unique=True, max_size=12), st.integers(1, 5), st.integers(1, 5))
async def test_pages_are_full_and_complete(
    numbers: list[int], page_size: int, at_most: int
) -> None:
    ours = client(Listing([str(n) for n in numbers], at_most))
    seen: list[int] = []
    token: str | None = None
    while True:
        page, token = await page_of(ours, page_size, token, even)
        seen += [int(item["id"]) for item in page]
        if token is None:
            break
        assert len(page) == page_size
    assert seen == [number for number in numbers if number % 2 == 0]


async def test_a_full_page_that_does_not_say_whether_it_is_the_last() -> None:
    ours = client(SilentListing(["1", "3", "2", "4", "6"], 9))
    page, token = await page_of(ours, 2, None, even)
    assert [item["id"] for item in page] == ["2", "4"]
    page, token = await page_of(ours, 2, token, even)
    assert ([item["id"] for item in page], token) == (["6"], None)


@pytest.mark.parametrize("ids", ["2146", "2416", "21436"])
async def test_a_token_is_the_last_object_of_the_page_before(ids: str) -> None:
    ours = client(Listing(ids, 3))
    page, token = await page_of(ours, 2, None, even, order="desc")
    assert [item["id"] for item in page] == ["2", "4"]
    assert decode_page_token(token or "") == "4"


@pytest.mark.parametrize("ids", ["24", "241", "2413579"])
async def test_no_token_leads_to_an_empty_page(ids: str) -> None:
    """The Python SDK's pager raises IndexError on one."""
    ours = client(Listing(ids, 3))
    page, token = await page_of(ours, 2, None, even)
    assert ([item["id"] for item in page], token) == (["2", "4"], None)


async def test_a_page_that_lacks_one_object_is_not_filled_object_by_object() -> None:
    """With many batches, most files belong to them and are not shown."""
    listing = Listing([str(n) for n in (*range(0, 18, 2), *range(1, 200, 2), 200)], at_most=100)
    ours = client(listing)
    page, token = await page_of(ours, 10, None, even)
    assert (len(page), page[-1]["id"], token) == (10, "200", None)
    assert listing.requests == 10


@pytest.mark.parametrize(
    "document", [{"data": {"a": 1}}, {"data": ["a"]}, {"data": [{}], "has_more": True}]
)
async def test_an_invalid_page(document: dict[str, Any]) -> None:
    async def shown(listed: Sequence[Answer]) -> list[Answer]:
        return list(listed)

    ours = client(ScriptedUpstream(answer(document)))
    with pytest.raises(FerryError) as caught:
        await page_of(ours, 2, None, shown)
    assert caught.value.status == Status.UNAVAILABLE


@pytest.mark.parametrize("document", [{}, {"data": []}, {"data": None, "has_more": True}])
async def test_an_empty_page_ends_a_list(document: dict[str, Any]) -> None:
    ours = client(ScriptedUpstream(answer(document)))
    assert await page_of(ours, 2, None, even) == ([], None)


@pytest.mark.parametrize("more", [{"has_more": True}, {}])
async def test_a_server_without_pages_is_not_called_endlessly(more: dict[str, Any]) -> None:
    class Pageless:
        asked = 0

        async def send(self, _: OutboundRequest) -> ScriptedReply:
            self.asked += 1
            assert self.asked < 5
            return ScriptedReply(answer({"data": [{"id": "1"}, {"id": "3"}, {"id": "5"}], **more}))

    ours = client(Pageless())
    assert await page_of(ours, 2, None, even) == ([], None)


async def test_only_listed_headers_are_sent() -> None:
    upstream = ScriptedUpstream(answer({"id": "a"}))
    assert await client(upstream).get(CALLER, "files", limit=2, after="x") == {"id": "a"}
    request = upstream.sent[0].request
    assert (request.method, str(request.url)) == ("GET", f"{BASE}/files?limit=2&after=x")
    assert request.headers == {
        "openai-project": "proj",
        "Authorization": "Bearer sk-secret",
        "Accept": "*/*",
        "Accept-Encoding": "identity",
    }
    assert "secret" not in repr(request)
    assert upstream.done


async def test_a_refusal_has_the_configured_name() -> None:
    headers = {"x-request-id": "req_1", "retry-after": "7"}
    document = {"error": {"message": "Incorrect: sk-secret.", "code": None, "type": "t"}}
    upstream = ScriptedUpstream(answer(document, 401, headers))
    with pytest.raises(FerryError) as caught:
        await client(upstream).get(CALLER, "files/a")
    error = caught.value
    assert (error.status, error.message) == (Status.UNAUTHENTICATED, "openai: Incorrect: ***.")
    assert (error.provider, error.reason, error.request_id) == ("openai", "t", "req_1")
    assert (error.upstream_status, error.retry_after) == (401, "7")
