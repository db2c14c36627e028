"""What a fake says no with."""

from collections.abc import Mapping
from typing import Any


class Refusal(Exception):
    """A request is refused; each fake builds the payload in its own provider's envelope."""

    def __init__(
        self, status: int, payload: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(f"{status}: {payload}")
        self.status = status
        self.payload = payload
        self.headers = dict(headers or {})
