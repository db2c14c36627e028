"""Google's error envelope (gemini.md section 8) and its timestamps."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ..refusal import Refusal

HTTP_STATUS = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "INTERNAL": 500,
}


def refuse(
    status: str,
    message: str,
    *,
    http: int | None = None,
    reason: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Refusal:
    code = HTTP_STATUS[status] if http is None else http
    error: dict[str, Any] = {"code": code, "message": message, "status": status}
    if reason is not None:
        kind = "type.googleapis.com/google.rpc.ErrorInfo"
        error["details"] = [{"@type": kind, "reason": reason, "domain": "googleapis.com"}]
    return Refusal(code, {"error": error}, headers)


def invalid(message: str) -> Refusal:
    return refuse("INVALID_ARGUMENT", message)


def timestamp(later: timedelta = timedelta()) -> str:
    return (datetime.now(UTC) + later).isoformat().replace("+00:00", "Z")
