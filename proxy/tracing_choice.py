"""Whether requests are traced: only if the standard variables of OpenTelemetry say so.

https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
"""

import logging
import os
from typing import Final

from proxy.tracing import NOT_TRACED, Tracer

_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

_log: Final = logging.getLogger(__name__)


def wanted() -> bool:
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporters = os.environ.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    if exporters:
        return exporters == "otlp"
    return any(os.environ.get(name) for name in _ENDPOINTS)


def tracer() -> Tracer:
    if not wanted():
        return NOT_TRACED
    try:
        # Imported only here: the extra may not be installed.
        from proxy.opentelemetry_tracing import OpenTelemetryTracer  # noqa: PLC0415
    except ImportError:
        _log.warning("OTEL_ variables ask for traces: install genai-ferry[otel], or unset them")
        return NOT_TRACED
    return OpenTelemetryTracer.to_collector()
