"""The client for Anthropic's API (anthropic.md section 1).

Of the caller's headers only those in an allow-list are sent.
"""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from yarl import URL

from providers.claude_content.error_types import NO_CREDIT
from providers.credential import Caller
from providers.json_api.client import Answer, JsonApi
from providers.json_api.page_tokens import leading_on, no_token
from providers.retries import USUAL_RETRIES, Retries
from providers.upstream import Upstream

BATCHES: Final = "v1/messages/batches"
SCOPING_HEADERS: Final = frozenset({"anthropic-workspace-id"})
BETA_HEADER: Final = "anthropic-beta"
_VERSION_HEADER: Final = "anthropic-version"
PASSED_HEADERS: Final = SCOPING_HEADERS | {BETA_HEADER}

_API_KEY: Final = "sk-ant-api"
_OAUTH_TOKEN: Final = "sk-ant-oat"  # noqa: S105 - what such tokens begin with
# anthropic.md sections 1 and 3. Unverified: a request that names a file needs the second under
# 2023-06-01, and the second is harmless in other requests.
_OAUTH_BETA: Final = "oauth-2025-04-20"
_FILES_BETA: Final = "files-api-2025-04-14"
# The form of Anthropic's cursors is its own choice; they are used only in the query.
CURSOR: Final = re.compile(r"[!-~]{1,4096}")
_PAGE: Final = "page"
_AFTER: Final = "after_id"


def anthropic_client(
    name: str,
    base_url: URL,
    upstream: Upstream,
    api_version: str,
    retries: Retries = USUAL_RETRIES,
) -> JsonApi:
    headers = partial(_headers, api_version)
    return JsonApi(name, base_url, upstream, headers, NO_CREDIT, retries=retries)


def _headers(api_version: str, caller: Caller) -> Mapping[str, str]:
    secret = caller.credential.secret
    headers = {k: v for k, v in caller.headers.items() if k in PASSED_HEADERS}
    betas = [_FILES_BETA, headers.get(BETA_HEADER, "")]
    betas.append(_OAUTH_BETA if secret.startswith(_OAUTH_TOKEN) else "")
    headers |= {_VERSION_HEADER: api_version, BETA_HEADER: ",".join(filter(None, betas))}
    if secret.startswith(_API_KEY):
        return headers | {"x-api-key": secret}
    return headers | {"Authorization": f"Bearer {secret}"}


async def listed_page(
    client: JsonApi, caller: Caller, path: str, page_size: int, cursor: str | None
) -> tuple[Sequence[Answer], str | None]:
    """One page, newest first, and the cursor of the next.

    Anthropic's lists have two shapes, and both are read (anthropic.md section 3).
    """
    query = _query(cursor) if cursor else {}
    listed, page = await client.page(caller, path, limit=page_size, **query)
    return listed, leading_on(client.name, cursor, _next(page))


def _next(page: Answer) -> str | None:
    following = page.get("next_page")
    if isinstance(following, str) and following:
        return f"{_PAGE}={following}"
    if page.get("has_more") and isinstance(page.get("last_id"), str):
        return f"{_AFTER}={page['last_id']}"
    return None


def _query(cursor: str) -> dict[str, str]:
    name, _, value = cursor.partition("=")
    if name not in (_PAGE, _AFTER):
        raise no_token()
    return {name: value}
