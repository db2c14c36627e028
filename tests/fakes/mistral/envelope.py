"""Mistral's error bodies (mistral.md section 5)."""

import re
from typing import Any

from ..refusal import Refusal
from ..shape import ShapeError

UNAUTHORIZED = {"detail": "Unauthorized"}
TYPES = {
    "missing": "missing",
    "unknown": "extra_forbidden",
    "type": "type_error",
    "value": "value_error",
}
MESSAGES = {"missing": "Field required", "unknown": "Extra inputs are not permitted"}
STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


def error_body(
    message: Any,
    *,
    kind: str = "invalid_request_error",
    param: str | None = None,
    code: str | None = None,
) -> dict[str, Any]:
    return {"object": "error", "message": message, "type": kind, "param": param, "code": code}


def refuse(
    status: int, message: str, *, param: str | None = None, code: str | None = None
) -> Refusal:
    return Refusal(status, error_body(message, param=param, code=code))


def validation_body(error: ShapeError, place: str) -> dict[str, Any]:
    """`place` is `body`, `query` or `path`."""
    steps = [int(index) if index else name for index, name in STEP.findall(error.path)]
    problem = {
        "type": TYPES[error.problem],
        "loc": [place, *steps],
        "msg": MESSAGES.get(error.problem, error.message),
        "input": None,
    }
    return {"detail": [problem]}
