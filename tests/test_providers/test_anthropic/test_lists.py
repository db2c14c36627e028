from typing import Any

import pytest

from providers.anthropic.lists import listed_page
from providers.errors import FerryError
from providers.status import Status
from tests.test_providers.answering import answer
from tests.test_providers.test_anthropic.answering import CALLER, client
from tests.test_providers.test_gemini.scripted_upstream import ScriptedUpstream


@pytest.mark.parametrize(
    ("page", "following"),
    [
        ({"next_page": "page_1"}, "page=page_1"),
        ({"next_page": None}, None),
        ({"next_page": ""}, None),
        ({"has_more": True, "last_id": "a", "first_id": "b"}, "after_id=a"),
        ({"has_more": False, "last_id": "a"}, None),
        ({"has_more": True, "last_id": None}, None),
        ({"next_page": 7, "has_more": "yes", "last_id": 7}, None),
    ],
)
async def test_both_shapes_have_a_cursor(page: dict[str, Any], following: str | None) -> None:
    upstream = ScriptedUpstream(answer({"data": [{"id": "a"}]} | page))
    listed, cursor = await listed_page(client(upstream), CALLER, "v1/files", 5, None)
    assert ([item.id for item in listed], cursor) == (["a"], following)
    assert dict(upstream.sent[0].request.url.query) == {"limit": "5"}


@pytest.mark.parametrize("cursor", ["page=a=b", "after_id=a"])
async def test_a_cursor_is_sent_back_unchanged(cursor: str) -> None:
    upstream = ScriptedUpstream(answer({"data": []}))
    assert await listed_page(client(upstream), CALLER, "v1/files", 5, cursor) == ([], None)
    name, _, value = cursor.partition("=")
    assert dict(upstream.sent[0].request.url.query) == {"limit": "5", name: value}


@pytest.mark.parametrize("cursor", ["before_id=a", "a", "limit=9"])
async def test_a_cursor_that_is_not_ours(cursor: str) -> None:
    with pytest.raises(FerryError) as caught:
        await listed_page(client(ScriptedUpstream()), CALLER, "v1/files", 5, cursor)
    assert (caught.value.status, caught.value.path) == (Status.INVALID_ARGUMENT, "pageToken")


@pytest.mark.parametrize(
    "page", [{"next_page": "page_1"}, {"has_more": True, "last_id": "page_1"}], ids=str
)
async def test_a_page_that_leads_to_itself_is_refused(page: dict[str, Any]) -> None:
    upstream = ScriptedUpstream(*[answer({"data": [{"id": "a"}]} | page)] * 2)
    _, cursor = await listed_page(client(upstream), CALLER, "v1/files", 5, None)
    with pytest.raises(FerryError, match="same page"):
        await listed_page(client(upstream), CALLER, "v1/files", 5, cursor)
