"""Pages of OpenAI's lists, without hidden objects and still full."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from providers.credential import Caller
from providers.json_api.client import Answer, JsonApi
from providers.json_api.page_tokens import decode_page_token, encode_page_token

Filter = Callable[[Sequence[Answer]], Awaitable[list[Answer]]]

# What the list of batches takes (openai.md section 4).
_LARGEST_LIMIT: Final = 100


async def filled_page(
    client: JsonApi,
    caller: Caller,
    path: str,
    page_size: int,
    page_token: str | None,
    shown: Filter,
    **query: str,
) -> tuple[list[Answer], str | None]:
    """`page_size` objects that `shown` keeps, and the token of the next page.

    A page token is the native id after which the next page begins (openai.md section 2). There is
    one only if more objects can be shown, because an empty page breaks the Python SDK's pager.
    Each request asks for a full page: asking for the missing objects alone could end in one request
    per object.
    """
    if page_token:
        query = {**query, "after": decode_page_token(page_token)}
    limit = min(page_size + 1, _LARGEST_LIMIT)
    listed: list[Answer] = []
    while True:
        page, more = await client.list(caller, path, limit=limit, **query)
        listed += await shown(page)
        if len(listed) > page_size:
            return listed[:page_size], encode_page_token(listed[page_size - 1].id)
        if not more:
            return listed, None
        query = {**query, "after": page[-1].id}
