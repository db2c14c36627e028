"""What is measured of a request, and what the edge is told about it.

The edge implements `RequestObserver`. The chain knows neither metrics nor traces.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Final, Protocol, Self


class UploadEvent(StrEnum):
    STARTED = "started"
    RESUMED = "resumed"
    FINISHED = "finished"
    CANCELLED = "cancelled"


class Origin(StrEnum):
    """Who refused a request."""

    PROXY = "proxy"
    PROVIDER = "provider"
    STATE = "state"


@dataclass(frozen=True, slots=True)
class Refused:
    """`status` is the name of one of Google's statuses."""

    status: str
    origin: Origin


class Waiting:
    """The time in which at least one wait is open. Enter it around each wait; waits may overlap."""

    def __init__(self) -> None:
        self._open = 0
        self._since = 0.0
        self.seconds = 0.0

    def __enter__(self) -> Self:
        if not self._open:
            self._since = time.monotonic()
        self._open += 1
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._open -= 1
        if not self._open:
            self.seconds += time.monotonic() - self._since


@dataclass(slots=True)
class Observation:
    """One request. `provider` and `operation` are empty until they are known.

    `resolved`: whether `RequestObserver.resolved` was called.
    `waiting` is entered around waits for the client and for the upstream: the rest of the time is
    the proxy's own. `upstream_request_id` is that of the last upstream call. `cut` is the type of
    the error that ended the body of a response early.
    """

    provider: str = ""
    operation: str = ""
    model: str = ""
    resolved: bool = False
    code: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    upstream_request_id: str | None = None
    upload: UploadEvent | None = None
    relayed: bool = False
    refused: Refused | None = None
    cut: str | None = None
    first_byte: float | None = None
    seconds: float = 0.0
    waiting: Waiting = field(default_factory=Waiting)
    began: float = field(default_factory=time.monotonic)

    @property
    def own_seconds(self) -> float:
        return max(0.0, self.seconds - self.waiting.seconds)

    def responds(self) -> None:
        """The first byte of the response is sent now."""
        self.first_byte = time.monotonic() - self.began

    def ends(self, code: int) -> None:
        self.code = code
        self.seconds = time.monotonic() - self.began
        self.first_byte = self.seconds if self.first_byte is None else self.first_byte


class RequestObserver(Protocol):
    """No method raises or waits."""

    def begun(self, seen: Observation, method: str, headers: Mapping[str, str]) -> None: ...

    def resolved(self, seen: Observation) -> None:
        """Its provider and its operation are known; not called for a request without them."""

    def ended(self, seen: Observation) -> None:
        """Its response was sent, or its client disconnected. Called once."""


class Unobserved:
    """Implements `RequestObserver` where nothing is observed."""

    def begun(self, seen: Observation, method: str, headers: Mapping[str, str]) -> None:
        pass

    def resolved(self, seen: Observation) -> None:
        pass

    def ended(self, seen: Observation) -> None:
        pass


UNOBSERVED: Final[RequestObserver] = Unobserved()
