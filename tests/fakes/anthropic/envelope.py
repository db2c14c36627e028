"""Anthropic's error envelope (anthropic.md section 5) and its timestamps."""

import re
from datetime import UTC, datetime
from typing import Any

from ..refusal import Refusal
from ..shape import ShapeError

TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
}
INDEX = re.compile(r"\[(\d+)\]")


def error_body(status: int, message: str, error_code: str | None = None) -> dict[str, Any]:
    """The `error` member; the sender adds the envelope and the request's id."""
    error: dict[str, Any] = {"type": TYPES.get(status, TYPES[400]), "message": message}
    if error_code is not None:
        error["details"] = {"error_code": error_code}
    return error


def enveloped(error: dict[str, Any], request_id: str) -> dict[str, Any]:
    return {"type": "error", "error": error, "request_id": request_id}


def refuse(status: int, message: str, *, error_code: str | None = None) -> Refusal:
    """A refusal whose payload is the bare `error`."""
    return Refusal(status, error_body(status, message, error_code))


def shape_text(error: ShapeError) -> str:
    """`messages[0].content` reads `messages.0.content` here, and comes first."""
    path = INDEX.sub(r".\1", error.path)
    return f"{path}: {error.message}" if path else error.message


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC, with microseconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def now() -> datetime:
    return datetime.now(UTC)
