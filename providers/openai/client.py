"""The client for OpenAI's API. Of the caller's headers only those in an allow-list are sent."""

from typing import Final

from yarl import URL

from providers.credential import Caller
from providers.json_api.client import JsonApi
from providers.json_api.page_tokens import Pages, decode_page_token
from providers.openai_content.error_codes import NO_CREDIT
from providers.retries import USUAL_RETRIES, Retries
from providers.upstream import Upstream

SCOPING_HEADERS: Final = frozenset({"openai-organization", "openai-project"})
# What the list of batches takes (openai.md section 4).
_PAGE_SIZE: Final = 100


def openai_client(
    name: str, base_url: URL, upstream: Upstream, retries: Retries = USUAL_RETRIES
) -> JsonApi:
    return JsonApi(name, base_url, upstream, _headers, NO_CREDIT, retries=retries)


def _headers(caller: Caller) -> dict[str, str]:
    passed = {k: v for k, v in caller.headers.items() if k in SCOPING_HEADERS}
    return {**passed, "Authorization": f"Bearer {caller.credential.secret}"}


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
    limit = min(page_size + 1, _PAGE_SIZE)
    while True:
        page, more = await client.list(caller, path, limit=limit, **query)
        yield [(native, native.id) for native in page]
        if not more:
            return
        query = {**query, "after": page[-1].id}
