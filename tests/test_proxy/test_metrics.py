"""Which series exist, and which labels they can have."""

import re

import pytest
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

from proxy.metrics import MODELS, NONE, OTHER_MODEL, Metrics
from tests.test_documentation import ROOT

DOCUMENT = ROOT / "deploy" / "docs" / "metrics.md"
ROW = re.compile(r"^\| `(ferry_[a-z_]+)` \| (\w+) \| ([^|]*)\|", re.MULTILINE)
TYPES: dict[str, type[MetricWrapperBase]] = {
    "counter": Counter,
    "gauge": Gauge,
    "histogram": Histogram,
}


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("1.2.3")


def exported(metrics: Metrics) -> dict[str, tuple[type[MetricWrapperBase], set[str]]]:
    """Type and labels of each metric, by its name in queries."""
    found = {}
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            (family,) = metric.describe()
            name = f"{family.name}_total" if isinstance(metric, Counter) else family.name
            found[name] = (type(metric), set(metric._labelnames))
    return found


def test_the_document_lists_every_series_with_its_type_and_labels(metrics: Metrics) -> None:
    rows = ROW.findall(DOCUMENT.read_text())
    documented = {
        name: (TYPES[kind], set(re.findall("`([a-z]+)`", labels))) for name, kind, labels in rows
    }
    assert len(documented) == len(rows)
    assert documented == exported(metrics)


def test_every_metric_is_in_the_registry_that_is_shown(metrics: Metrics) -> None:
    shown = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in metrics.registry.collect()
    }
    assert shown == set(exported(metrics))
    assert all(name.startswith("ferry_") for name in shown)


@pytest.mark.parametrize(
    ("named", "label"),
    [
        ("gpt-4o-mini", "gpt-4o-mini"),
        ("meta-llama/Llama-3.1-8B", "meta-llama/Llama-3.1-8B"),
        (
            "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0",
            "amazon.nova-lite-v1:0",
        ),
        ("", NONE),
        ("a model\nwith lines", OTHER_MODEL),
        ("m" * 129, OTHER_MODEL),
    ],
)
def test_a_model_is_a_label_only_if_it_looks_like_an_id(
    metrics: Metrics, named: str, label: str
) -> None:
    assert metrics.model_label(named) == label


def test_only_the_first_models_are_kept_apart(metrics: Metrics) -> None:
    first = [metrics.model_label(f"model-{number}") for number in range(MODELS)]
    assert len(set(first)) == MODELS
    assert metrics.model_label("another") == OTHER_MODEL
    assert metrics.model_label("model-0") == "model-0"
    assert metrics.model_label("") == NONE
