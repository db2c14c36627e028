"""Google's errors, passed on in Google's words."""

from typing import Any, Final

import orjson

from providers.errors import FerryError
from providers.status import Status, explain_status
from providers.upstream import Reply, UpstreamError

_ENVELOPE_BYTES: Final = 64 << 10
# If several statuses share an HTTP status, the first is the most general one.
_STATUS_OF_HTTP: Final = {status.http: status for status in reversed(Status)}

# Temporary refusals: too slow, too much, or an offset that has changed (gemini.md 3.2).
_PASSING: Final = frozenset({408, 409, 412, 416, 429})

# After these Google may nevertheless have all or a part of a chunk (gemini.md section 3.2).
_UNCLEAR: Final = frozenset({400, 408, 409, 412, 416})


class GoogleRefusal(FerryError):
    """`code` is Google's HTTP status; `status` and `message` are those of its envelope."""

    def __init__(
        self,
        provider: str,
        code: int,
        status: Status,
        message: str,
        *,
        reason: str | None = None,
        retry_after: str | None = None,
        upload_status: str | None = None,
    ) -> None:
        super().__init__(
            status,
            message,
            provider=provider,
            reason=reason,
            upstream_status=code,
            retry_after=retry_after,
            upload_status=upload_status,
        )
        # Google pairs the statuses with HTTP in its own way.
        self._code: Final = code

    @property
    def code(self) -> int:
        return self._code

    @property
    def permanent(self) -> bool:
        return self.code < 500 and self.code not in _PASSING

    @property
    def unclear(self) -> bool:
        """Whether Google may have all or a part of the refused chunk."""
        return self.code >= 500 or self.code in _UNCLEAR


async def check(provider: str, reply: Reply) -> None:
    """Raises the error in `reply`, unless its status is 200."""
    if reply.status == 200:
        return
    if reply.status < 400:
        said = explain_status(reply.status)
        raise UpstreamError(
            Status.UNAVAILABLE, f"Google answered neither success nor an error: {said}"
        )
    error = _parse_error(await _read_leniently(reply))
    raise GoogleRefusal(
        provider,
        reply.status,
        _status(error.get("status"), reply.status),
        _text(error.get("message")) or f"Google answered {reply.status} without a reason",
        reason=_reason(error.get("details")),
        retry_after=reply.headers.get("Retry-After"),
        upload_status=_ended(reply),
    )


def _status(name: object, http: int) -> Status:
    """The status that Google names, or the one its HTTP status stands for."""
    if isinstance(name, str) and name in Status.__members__:
        return Status[name]
    return _STATUS_OF_HTTP.get(http, Status.UNKNOWN)


def _ended(reply: Reply) -> str | None:
    # `active` is never passed on with an error: it makes SDKs skip the chunk.
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
    # Some of Google's servers wrap the envelope in a list.
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
