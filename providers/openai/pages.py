"""Pages of OpenAI's lists."""

from typing import Final

from providers.credential import Caller
from providers.json_api.client import JsonApi
from providers.json_api.page_tokens import Pages, decode_page_token

# What the list of batches takes (openai.md section 4).
_LARGEST_LIMIT: Final = 100


async def pages_after(
    client: JsonApi,
    caller: Caller,
    path: str,
    page_size: int,
    page_token: str | None,
    **query: str,
) -> Pages:
    """The pages behind a token, for a page of `page_size` objects.

    A position is the native id after which the list goes on (openai.md section 2). Each request
    asks for a full page: asking for the missing objects alone could end in one request per object.
    """
    if page_token:
        query = {**query, "after": decode_page_token(page_token)}
    limit = min(page_size + 1, _LARGEST_LIMIT)
    while True:
        page, more = await client.list(caller, path, limit=limit, **query)
        yield [(native, native.id) for native in page]
        if not more:
            return
        query = {**query, "after": page[-1].id}
