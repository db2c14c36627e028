"""How a fake refuses a request."""

from collections.abc import Mapping
from typing import Any


class Refusal(Exception):
    """The request is refused; each fake writes the payload in its provider's envelope."""

    def __init__(
        self, status: int, payload: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(f"{status}: {payload}")
        self.status = status
        self.payload = payload
        self.headers = dict(headers or {})
