"""The client for Mistral's API (mistral.md section 1)."""

import re
from typing import Final

from yarl import URL

from providers.credential import Caller
from providers.json_api.client import JsonApi
from providers.retries import USUAL_RETRIES, Retries
from providers.upstream import Upstream

UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""The form of every id."""
_CALL_ID_HEADERS: Final = ("mistral-correlation-id",)


def mistral_client(
    name: str, base_url: URL, upstream: Upstream, retries: Retries = USUAL_RETRIES
) -> JsonApi:
    # An account without credit is refused with 402, which needs no code (section 3).
    return JsonApi(name, base_url, upstream, _headers, frozenset(), _CALL_ID_HEADERS, retries)


def _headers(caller: Caller) -> dict[str, str]:
    return {"Authorization": f"Bearer {caller.credential.secret}"}
