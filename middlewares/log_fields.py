"""Further fields of a request's log line: what was created, or why the request was refused.

They contain names, paths and messages of the proxy, never keys, prompts or answers: the proxy's
messages quote no values of a request, and a name that looks like a key is masked.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from aiohttp import web

from middlewares.outcomes import BatchCreated, EmbeddingsMade, Outcome, Streamed
from middlewares.request_keys import (
    CALLER,
    CLIENT,
    GATEWAY,
    INPUT_FILE,
    OBSERVATION,
    OUTCOME,
    REFUSAL,
    ROUTE,
)
from providers.errors import FerryError
from providers.gemini_content.warnings import explain
from providers.resources import Counted, Generated
from providers.upstream import UpstreamError

_MESSAGE_SHOWN: Final = 500
_NAME_SHOWN: Final = 200
# Enough to tell tenants apart in a log.
_TENANT_CHARACTERS: Final = 12
_WORD: Final = re.compile(r"[^\s'\"`,;()]+")
_SEGMENT: Final = re.compile(r"[^\s'\"`,;()/]+")
# The form of upstreams' error codes and request ids; other text may quote the request.
_CODE: Final = re.compile(r"[A-Za-z0-9_.:/=+-]{1,120}")
_MASK: Final = "***"


def log_fields(request: web.Request, response: web.StreamResponse | None) -> dict[str, Any]:
    """The fields for a request and its response; empty if there is nothing to add."""
    seen, caller, client = request[OBSERVATION], request.get(CALLER), request.get(CLIENT)
    fields = {
        "client": client.name if client else None,
        "tenant": (caller.tenant or caller.identity)[:_TENANT_CHARACTERS] if caller else None,
        "upstream_request_id": _masked_code(request, seen.upstream_request_id),
        "upload": seen.upload,
        "cut": seen.cut,
        **_special_fields(request, response),
    }
    return {name: value for name, value in fields.items() if value}


def shows_a_key(request: web.Request, text: str) -> bool:
    return _masked(request, text, len(text)) != text


def _special_fields(request: web.Request, response: web.StreamResponse | None) -> dict[str, Any]:
    refusal = request.get(REFUSAL)
    outcome = None if response is None else response.get(OUTCOME)
    if refusal is not None:
        return _refusal(request, refusal)
    if isinstance(outcome, BatchCreated):
        batch = outcome.batch
        return {"batch": f"batches/{batch.id}", "warnings": explain(batch.warnings)}
    warnings = _warnings(outcome)
    if warnings:
        return {"warnings": explain(warnings)}
    if outcome is not None and response is not None and response.status >= 400:
        # The upstream's response is relayed to the client unchanged, and is not read here.
        return {"resource": _resource(request), "upstream_status": response.status}
    return {}


def _warnings(outcome: Outcome) -> str:
    """Those of an answer to a single request."""
    match outcome:
        case Generated(warnings=warnings) | Counted(warnings=warnings):
            return warnings
        case Streamed(answer=made) | EmbeddingsMade(embedded=made):
            return made.warnings
        case _:
            return ""


def _refusal(request: web.Request, error: FerryError) -> dict[str, Any]:
    # An upstream's message may quote the request or name a key, so its status, type and request id
    # are logged instead. The message of an UpstreamError is ours, unless it has the upstream's own
    # reason.
    ours = error.provider is None or (isinstance(error, UpstreamError) and error.reason is None)
    return {
        "refused": error.status.name,
        "why": _masked(request, error.message, _MESSAGE_SHOWN) if ours else None,
        "path": _masked(request, error.path or "", _NAME_SHOWN),
        "resource": _resource(request),
        "input_file": _masked(request, request.get(INPUT_FILE, ""), _NAME_SHOWN),
        "upstream_status": error.upstream_status,
        "upstream_error": _masked_code(request, error.reason),
        **(
            {"upstream_request_id": _masked_code(request, error.request_id)}
            if error.request_id
            else {}
        ),
    }


def _resource(request: web.Request) -> str:
    route = request.get(ROUTE)
    return _masked(request, route.resource, _NAME_SHOWN) if route else ""


def _masked_code(request: web.Request, text: str | None) -> str | None:
    return _code(_masked(request, text, _NAME_SHOWN)) if text else None


def _code(text: str | None) -> str | None:
    return text if text and _CODE.fullmatch(text) else None


def _masked(request: web.Request, text: str, limit: int) -> str:
    """`text` without the request's own key, and without anything that looks like a provider's key.

    It is cut to `limit` characters afterwards, since a part of a key cannot be recognised.
    """
    forms = request.app[GATEWAY].key_forms
    for secret in _secrets(request):
        text = text.replace(secret, _MASK)
    text = _WORD.sub(lambda word: _without_key(word[0], forms), text)
    return _SEGMENT.sub(lambda segment: _without_key(segment[0], forms), text)[:limit]


def _without_key(word: str, forms: Sequence[re.Pattern[str]]) -> str:
    """A key may stand at the end of a path, and may itself contain slashes."""
    start = 0
    while not any(form.fullmatch(word, start) for form in forms):
        start = word.find("/", start) + 1
        if not start:
            return word
    return word[:start] + _MASK


def _secrets(request: web.Request) -> list[str]:
    """The keys as the client sent them and as the provider gets them, of any form."""
    bearer = request.headers.get("Authorization", "").rpartition(" ")[2]
    keys = [request.headers.get("x-goog-api-key"), request.query.get("key"), bearer]
    caller = request.get(CALLER)
    if caller is not None:  # it may have the proxy's own key
        keys += [caller.credential.api_key, caller.credential.bearer]
    return [key for key in keys if key]
