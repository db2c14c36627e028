"""Whether requests are traced: only if the standard variables of OpenTelemetry say so.

https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
"""

import logging
import os
import re
from typing import Final

from proxy.tracing import NOT_TRACED, Tracer

_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_VARIABLE: Final = re.compile(r"OTEL_[A-Z_]+")

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

        return OpenTelemetryTracer.to_collector()
    except ImportError:
        _log.warning("OTEL_ variables ask for traces: install genai-ferry[otel], or unset them")
    except ValueError as error:
        # Its message may quote the value.
        names = ", ".join(_VARIABLE.findall(str(error))) or "one of the OTEL_ variables"
        _log.warning("requests are not traced: the value of %s is not valid", names)
    return NOT_TRACED
