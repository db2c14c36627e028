"""What all answers of the fake models have in common."""

import hashlib
from typing import Any

from .envelope import error_body

REASONING_TOKENS = 5
REFUSAL = "I'm sorry, I cannot help with that."


class LineError(Exception):
    """One request is answered with an error: a status and an error body."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(body["error"]["message"])
        self.status, self.body = status, body


def check_asked_to_fail(text: str) -> None:
    if "please fail" in text:
        raise LineError(400, error_body("The request asked to fail.", code="invalid_value"))


def native_id(prefix: str, text: str) -> str:
    return prefix + hashlib.sha256(text.encode()).hexdigest()[:24]
