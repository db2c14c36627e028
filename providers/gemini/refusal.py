"""Google's refusals, passed on in Google's own words."""

from typing import Any, Final

import orjson

from providers.errors import HTTP_OF_STATUS, FerryError
from providers.status import explain_status
from providers.upstream import Reply, UpstreamError

_ENVELOPE_BYTES: Final = 64 << 10
# Where several statuses share a code the first is the most general.
_STATUS_OF_HTTP: Final = {code: status for status, code in reversed(list(HTTP_OF_STATUS.items()))}

# Refusals of the moment: too slow, too much, or an offset that has moved on (gemini.md 3.2).
_PASSING: Final = frozenset({408, 409, 412, 416, 429})

# After these Google may have some or all of a chunk all the same (gemini.md section 3.2).
_UNCLEAR: Final = frozenset({400, 408, 409, 412, 416})


class GoogleRefusal(FerryError):
    """`code` is Google's HTTP status; `status` and `message` are those of its envelope."""

    def __init__(
        self,
        provider: str,
        code: int,
        status: str,
        message: str,
        *,
        reason: str | None = None,
        retry_after: str | None = None,
        upload_status: str | None = None,
    ) -> None:
        super().__init__(
            "UNAVAILABLE",
            message,
            provider=provider,
            reason=reason,
            upstream_status=code,
            retry_after=retry_after,
            upload_status=upload_status,
        )
        # Google has more statuses than we do, and pairs them with HTTP in its own way.
        self.code = code
        self.status = status

    @property
    def permanent(self) -> bool:
        return self.code < 500 and self.code not in _PASSING

    @property
    def unclear(self) -> bool:
        """Whether a refused chunk can be at Google nevertheless, in part or whole."""
        return self.code >= 500 or self.code in _UNCLEAR


async def check(provider: str, reply: Reply) -> None:
    """Raise what `reply` says unless it is a 200."""
    if reply.status == 200:
        return
    if reply.status < 400:
        said = explain_status(reply.status)
        raise UpstreamError("UNAVAILABLE", f"neither a success nor a refusal of Google's: {said}")
    error = _parse_error(await _read_leniently(reply))
    raise GoogleRefusal(
        provider,
        reply.status,
        _text(error.get("status")) or _STATUS_OF_HTTP.get(reply.status, "UNKNOWN"),
        _text(error.get("message")) or f"Google answered {reply.status} without saying why",
        reason=_reason(error.get("details")),
        retry_after=reply.headers.get("Retry-After"),
        upload_status=_ended(reply),
    )


def _ended(reply: Reply) -> str | None:
    # `active` with any status but 200 makes SDKs skip the chunk: it is never passed on.
    status = reply.headers.get("X-Goog-Upload-Status")
    return status if status == "cancelled" else None


async def _read_leniently(reply: Reply) -> bytes:
    try:
        return await reply.read(_ENVELOPE_BYTES)
    except UpstreamError:
        return b""


def _parse_error(body: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    # Some of Google's servers wrap the envelope in a list of one.
    if isinstance(document, list) and document:
        document = document[0]
    error = document.get("error") if isinstance(document, dict) else None
    return error if isinstance(error, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _reason(details: object) -> str | None:
    if not isinstance(details, list):
        return None
    reasons = (_text(detail.get("reason")) for detail in details if isinstance(detail, dict))
    return next((reason for reason in reasons if reason), None)
