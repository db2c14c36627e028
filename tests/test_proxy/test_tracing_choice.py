"""Only the standard variables of OpenTelemetry turn traces on."""

import sys

import pytest

from proxy.tracing import NOT_TRACED
from proxy.tracing_choice import tracer, wanted

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
OF_TRACES = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
EXPORTER = "OTEL_TRACES_EXPORTER"
DISABLED = "OTEL_SDK_DISABLED"


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (ENDPOINT, OF_TRACES, EXPORTER, DISABLED):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, False),
        ({ENDPOINT: "http://c"}, True),
        ({OF_TRACES: "http://c/v1/traces"}, True),
        ({ENDPOINT: ""}, False),
        ({EXPORTER: "otlp"}, True),
        ({EXPORTER: "none", ENDPOINT: "http://c"}, False),
        ({EXPORTER: "console", ENDPOINT: "http://c"}, False),
        ({DISABLED: "TRUE", ENDPOINT: "http://c"}, False),
        ({DISABLED: "false", ENDPOINT: "http://c"}, True),
        ({"OTEL_SERVICE_NAME": "ferry"}, False),
    ],
)
def test_the_variables_decide(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], expected: bool
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert wanted() is expected


def test_without_the_extra_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(ENDPOINT, "http://c")
    monkeypatch.delitem(sys.modules, "proxy.opentelemetry_tracing", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    assert tracer() is NOT_TRACED
    assert "genai-ferry[otel]" in caplog.text


@pytest.mark.parametrize(
    ("variable", "named"),
    [
        ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "one of the OTEL_ variables"),
    ],
)
def test_a_wrong_value_turns_traces_off(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, variable: str, named: str
) -> None:
    monkeypatch.setenv(ENDPOINT, "http://c")
    monkeypatch.setenv(variable, "-1")
    assert tracer() is NOT_TRACED
    [line] = caplog.messages
    assert line == f"requests are not traced: the value of {named} is not valid"
