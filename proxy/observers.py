"""What the edge does with what the chain and the providers tell: it counts, and it traces."""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, partial
from typing import Final

from middlewares.observation import Observation
from providers.observation import InputOutcome, LineOutcome, ResultCounts, TokenKind
from providers.resources import Batch, BatchKind
from proxy.batch_figures import BatchFigures
from proxy.metrics import NONE, Metrics
from proxy.tracing import NOT_TRACED, RequestSpan, Tracer

BACKGROUND: Final = "background"
"""The operation of a call that no request waits for."""

_ERROR: Final = 500
# Operations that create a batch, with the kind that they create.
_CREATIONS: Final[Mapping[str, BatchKind]] = {
    "generate_batch": BatchKind.GENERATE,
    "embed_batch": BatchKind.EMBED,
}
_UPLOAD: Final = "upload"
# https://opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai/
_GEN_AI_OPERATIONS: Final[Mapping[str, str]] = {
    "generate_batch": "generate_content",
    "embed_batch": "embeddings",
}
_GEN_AI_PROVIDERS: Final[Mapping[str, str]] = {
    "gemini": "gcp.gemini",
    "bedrock": "aws.bedrock",
    "mistral": "mistral_ai",
}
_GEN_AI_TOKENS: Final[Mapping[TokenKind, str]] = {
    TokenKind.INPUT: "gen_ai.usage.input_tokens",
    TokenKind.OUTPUT: "gen_ai.usage.output_tokens",
    TokenKind.CACHED: "gen_ai.usage.cache_read.input_tokens",
    TokenKind.REASONING: "gen_ai.usage.reasoning.output_tokens",
}


@dataclass(frozen=True, slots=True)
class CurrentRequest:
    """The request that the running task answers."""

    seen: Observation
    span: RequestSpan


CURRENT: Final[ContextVar[CurrentRequest | None]] = ContextVar("current_request", default=None)


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What the observers write to. `kinds` are the kinds of the providers, by their names."""

    metrics: Metrics
    tracer: Tracer = NOT_TRACED


class _CallSeries:
    """The series of one provider and operation, which every request writes to."""

    def __init__(self, metrics: Metrics, provider: str, operation: str) -> None:
        call = (provider, operation)
        self.of_code: Final = cache(partial(metrics.requests.labels, *call))
        self.duration: Final = metrics.duration.labels(*call)
        self.own_duration: Final = metrics.own_duration.labels(*call)
        self.first_byte: Final = metrics.first_byte.labels(*call)
        self.bytes_in: Final = metrics.bytes_in.labels(*call)
        self.bytes_out: Final = metrics.bytes_out.labels(*call)


class RequestObserver:
    """Implements `middlewares.observation.RequestObserver`."""

    def __init__(self, telemetry: Telemetry, kinds: Mapping[str, str]) -> None:
        self._metrics = telemetry.metrics
        self._tracer = telemetry.tracer
        self._kinds = kinds
        # To look up one takes longer than to write to it. Their labels are closed sets.
        self._series = cache(partial(_CallSeries, telemetry.metrics))
        self._in_flight = cache(telemetry.metrics.in_flight.labels)

    def begun(self, seen: Observation, method: str, headers: Mapping[str, str]) -> None:
        span = self._tracer.request(headers)
        span.set({"http.request.method": method})
        CURRENT.set(CurrentRequest(seen, span))

    def resolved(self, seen: Observation) -> None:
        self._in_flight(seen.provider, seen.operation).inc()
        if seen.operation == _UPLOAD:
            self._metrics.uploads_in_flight.labels(seen.provider).inc()

    def ended(self, seen: Observation) -> None:
        metrics, call = self._metrics, (seen.provider or NONE, seen.operation or NONE)
        if seen.resolved:
            self._in_flight(*call).dec()
            if seen.operation == _UPLOAD:
                metrics.uploads_in_flight.labels(seen.provider).dec()
        series = self._series(*call)
        series.of_code(str(seen.code)).inc()
        series.duration.observe(seen.seconds)
        series.own_duration.observe(seen.own_seconds)
        if seen.first_byte is not None:
            series.first_byte.observe(seen.first_byte)
        series.bytes_in.inc(seen.bytes_in)
        series.bytes_out.inc(seen.bytes_out)
        if seen.cut:
            metrics.cut.labels(*call).inc()
        if seen.refused:
            metrics.refusals.labels(*call, seen.refused.status, seen.refused.origin).inc()
        if seen.upload:
            metrics.uploads.labels(seen.provider, seen.upload).inc()
        if seen.relayed and seen.operation in _CREATIONS and seen.code == 200:
            kind = _CREATIONS[seen.operation]
            metrics.batches_created.labels(seen.provider, kind).inc()
        self._end_span(seen)

    def _end_span(self, seen: Observation) -> None:
        current = CURRENT.get()
        if current is None or current.seen is not seen:
            return
        kind = self._kinds.get(seen.provider, "")
        operation = _GEN_AI_OPERATIONS.get(seen.operation, seen.operation)
        attributes: dict[str, str | int] = {
            "http.response.status_code": seen.code,
            "gen_ai.provider.name": _GEN_AI_PROVIDERS.get(kind, kind),
            "gen_ai.operation.name": operation,
            "gen_ai.request.model": seen.model,
            "ferry.provider": seen.provider,
        }
        current.span.set({name: value for name, value in attributes.items() if value})
        if seen.code >= _ERROR or seen.cut:
            current.span.fail(seen.cut or str(seen.code))
        current.span.end(f"{operation} {seen.model}".strip() or "request")


class ProviderObserver:
    """Implements `providers.observation.Observer` for one provider."""

    def __init__(self, telemetry: Telemetry, figures: BatchFigures, provider: str) -> None:
        self._metrics = telemetry.metrics
        self._figures = figures
        self._provider = provider

    def input_checked(self, outcome: InputOutcome, lines: int) -> None:
        self._metrics.input_lines.labels(self._provider, outcome).inc(lines)

    def batch_created(self, kind: BatchKind) -> None:
        self._metrics.batches_created.labels(self._provider, kind).inc()

    def batch_ended(self, batch: Batch) -> None:
        self._figures.ended(self._provider, batch)

    def results_translated(self, batch: Batch, counts: ResultCounts) -> None:
        for outcome in LineOutcome:
            lines = self._metrics.result_lines.labels(self._provider, outcome)
            lines.inc(counts.lines[outcome])
        self._figures.translated(self._provider, batch, counts)
        _trace_usage(counts)

    def call_retried(self) -> None:
        self._metrics.retries.labels(self._provider).inc()


def _trace_usage(counts: ResultCounts) -> None:
    """The span of the request that reads the results has their tokens."""
    current = CURRENT.get()
    if current is None:
        return
    usage = dict.fromkeys(_GEN_AI_TOKENS.values(), 0)
    for (_, kind), tokens in counts.tokens.items():
        usage[_GEN_AI_TOKENS[kind]] += tokens
    # Here, unlike in Gemini's counts, those of the output include those of the reasoning.
    usage[_GEN_AI_TOKENS[TokenKind.OUTPUT]] += usage[_GEN_AI_TOKENS[TokenKind.REASONING]]
    current.span.set({name: tokens for name, tokens in usage.items() if tokens})
