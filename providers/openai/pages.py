"""Pages of OpenAI's lists, filled up where something on them is not to be shown."""

from collections.abc import Awaitable, Callable, Sequence

from providers.credential import Caller
from providers.openai.client import Answer, OpenAIClient
from providers.page_tokens import decode_page_token, encode_page_token

Shown = Callable[[Sequence[Answer]], Awaitable[list[Answer]]]


async def filled_page(
    client: OpenAIClient,
    caller: Caller,
    path: str,
    page_size: int,
    page_token: str | None,
    shown: Shown,
    **query: str,
) -> tuple[list[Answer], str | None]:
    """`page_size` objects that `shown` lets through, and the token of the next page.

    A page token is the native id of the last object looked at (openai.md section 2).
    """
    if page_token:
        query = {**query, "after": decode_page_token(page_token)}
    listed: list[Answer] = []
    while True:
        page, more = await client.list(caller, path, limit=page_size - len(listed), **query)
        listed += await shown(page)
        if not more:
            return listed, None
        query = {**query, "after": page[-1].id}
        if len(listed) >= page_size:
            return listed, encode_page_token(query["after"])
