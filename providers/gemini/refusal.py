"""Google's errors, passed on in Google's words."""

from typing import Any, Final

import orjson

from providers.errors import CredentialRefused, FerryError
from providers.json_api.answer_shape import object_or_nothing, text_or_none
from providers.json_api.client import read_refusal
from providers.retry_after import retry_after_of, seconds_of_duration
from providers.status import Status, explain_status
from providers.upstream import Reply, invalid_answer

_INVALID_KEY: Final = "API_KEY_INVALID"
_UPLOAD_STATUS: Final = "X-Goog-Upload-Status"
# If several statuses share an HTTP status, the first is the most general one.
_STATUS_OF_HTTP: Final = {status.http: status for status in reversed(Status)}

# Temporary refusals: too slow, too much, or an offset that has changed (gemini.md 3.2).
_PASSING: Final = frozenset({408, 409, 412, 416, 429})

# After these Google may nevertheless have all or a part of a chunk (gemini.md section 3.2).
_UNCLEAR: Final = frozenset({400, 408, 409, 412, 416})


class GoogleRefusal(FerryError):
    """`code` is Google's HTTP status; `status` and `message` are those of its envelope."""

    @property
    def code(self) -> int:
        # Google pairs the statuses with HTTP in its own way.
        return self.upstream_status or super().code

    @property
    def permanent(self) -> bool:
        return self.code < 500 and self.code not in _PASSING

    @property
    def unclear(self) -> bool:
        """Whether Google may have all or a part of the refused chunk."""
        return self.code >= 500 or self.code in _UNCLEAR


class GoogleKeyRefused(GoogleRefusal, CredentialRefused):
    """Google knows that the key is invalid (gemini.md section 8)."""


async def check(provider: str, reply: Reply) -> None:
    """Raises the error in `reply`, unless its status is 200."""
    if reply.status == 200:
        return
    if reply.status < 400:
        said = explain_status(reply.status)
        raise invalid_answer(f"Google answered neither success nor an error: {said}")
    error = _parse_error(await read_refusal(reply))
    reason = _reason(error.get("details"))
    invalid_key = reply.status == 401 or reason == _INVALID_KEY
    refusal = GoogleKeyRefused if invalid_key else GoogleRefusal
    raise refusal(
        _status(error.get("status"), reply.status),
        text_or_none(error.get("message")) or f"Google answered {reply.status} without a reason",
        provider=provider,
        upstream_status=reply.status,
        reason=reason,
        retry_after=retry_after_of(reply.headers) or _retry_delay(error.get("details")),
        # `active` is never passed on with an error: it makes SDKs skip the chunk.
        upload_status="cancelled" if reply.headers.get(_UPLOAD_STATUS) == "cancelled" else None,
    )


def _status(name: object, http: int) -> Status:
    """The status that Google names, or the one its HTTP status stands for."""
    if isinstance(name, str) and name in Status.__members__:
        return Status[name]
    return _STATUS_OF_HTTP.get(http, Status.UNKNOWN)


def _parse_error(body: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    # Some of Google's servers wrap the envelope in a list.
    if isinstance(document, list) and document:
        document = document[0]
    return object_or_nothing(object_or_nothing(document).get("error"))


def _reason(details: object) -> str | None:
    listed = details if isinstance(details, list) else []
    reasons = (text_or_none(object_or_nothing(detail).get("reason")) for detail in listed)
    return next(filter(None, reasons), None)


def _retry_delay(details: object) -> str | None:
    """The delay of a `google.rpc.RetryInfo`, in whole seconds."""
    listed = details if isinstance(details, list) else []
    delays = (text_or_none(object_or_nothing(detail).get("retryDelay")) for detail in listed)
    return seconds_of_duration(next(filter(None, delays), ""))
