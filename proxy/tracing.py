"""Traces: the interface of the edge's observers, and what they use where nothing is traced.

`proxy.opentelemetry_tracing` implements it; it needs the extra `otel`.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Final, Protocol, Self

Attributes = Mapping[str, str | int]


class Span(Protocol):
    def set(self, attributes: Attributes) -> None: ...

    def fail(self, kind: str) -> None:
        """Mark the span as failed; `kind` is the type of the error, never its message."""


class RequestSpan(Span, Protocol):
    def end(self, name: str) -> None: ...


class Tracer(Protocol):
    def request(self, headers: Mapping[str, str]) -> RequestSpan:
        """The span of a request in this task, below the client's if `headers` name one."""

    def call(self, name: str, attributes: Attributes) -> AbstractContextManager[Span]:
        """The span of a call to an upstream or to the state store."""

    def propagated(self) -> Mapping[str, str]:
        """The headers that name the current span to an upstream."""

    def close(self) -> None:
        """Send what was not sent yet. Blocks."""


class _NoSpan:
    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def set(self, attributes: Attributes) -> None:
        pass

    def fail(self, kind: str) -> None:
        pass

    def end(self, name: str) -> None:
        pass


class _NoTracer:
    def request(self, headers: Mapping[str, str]) -> RequestSpan:  # noqa: ARG002
        return _NO_SPAN

    def call(self, name: str, attributes: Attributes) -> AbstractContextManager[Span]:  # noqa: ARG002
        return _NO_SPAN

    def propagated(self) -> Mapping[str, str]:
        return {}

    def close(self) -> None:
        pass


_NO_SPAN: Final = _NoSpan()
NOT_TRACED: Final[Tracer] = _NoTracer()
