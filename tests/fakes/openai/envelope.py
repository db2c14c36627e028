"""OpenAI's error envelope (openai.md section 6)."""

from typing import Any

from ..refusal import Refusal
from ..shape import ShapeError

CODES = {
    "missing": "missing_required_parameter",
    "unknown": "unknown_parameter",
    "type": "invalid_type",
    "value": "invalid_value",
}


def error_body(
    message: str,
    *,
    kind: str = "invalid_request_error",
    param: str | None = None,
    code: str | None = None,
) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def refuse(
    status: int,
    message: str,
    *,
    kind: str = "invalid_request_error",
    param: str | None = None,
    code: str | None = None,
) -> Refusal:
    return Refusal(status, error_body(message, kind=kind, param=param, code=code))


def shape_body(error: ShapeError) -> dict[str, Any]:
    return error_body(error.message, param=error.path or None, code=CODES[error.problem])
