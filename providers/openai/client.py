"""The client for OpenAI's API. Of the caller's headers only those in an allow-list are sent."""

from typing import Final

from yarl import URL

from providers.credential import Caller
from providers.json_api.client import JsonApi
from providers.upstream import Upstream

SCOPING_HEADERS: Final = frozenset({"openai-organization", "openai-project"})
# Refusals of an account that is empty or has reached its limit, some with the status 429.
_NO_CREDIT: Final = frozenset(
    {"billing_hard_limit_reached", "billing_not_active", "insufficient_quota"}
)


def openai_client(name: str, base_url: URL, upstream: Upstream) -> JsonApi:
    return JsonApi(name, base_url, upstream, _headers, _NO_CREDIT)


def _headers(caller: Caller) -> dict[str, str]:
    passed = {k: v for k, v in caller.headers.items() if k in SCOPING_HEADERS}
    return {**passed, "Authorization": f"Bearer {caller.credential.secret}"}
