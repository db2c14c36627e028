"""The chart packs rules and a dashboard from its folder `files`."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from tests.test_deploy.helm import CHART, one, refusal, render, validate

RULES = """\
groups:
  - name: example
    rules:
      - alert: Down
        expr: up == 0
        annotations:
          summary: "{{ $labels.pod }} is down"
"""
DASHBOARD = '{\n  "title": "{{ not a template }}"\n}\n'


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    """A copy of the chart with two files of these tests."""
    copy = tmp_path / CHART.name
    shutil.copytree(CHART, copy)
    (copy / "files").mkdir(exist_ok=True)
    (copy / "files" / "rules.yaml").write_text(RULES)
    (copy / "files" / "dashboard.json").write_text(DASHBOARD)
    return copy


def test_the_rules_are_packed_unchanged(chart: Path) -> None:
    manifests = render(chart, {"prometheusRule": {"enabled": True, "labels": {"release": "p"}}})
    rule = one(manifests, "PrometheusRule")

    validate(manifests)
    assert rule["spec"] == yaml.safe_load(RULES)
    assert rule["metadata"]["labels"]["release"] == "p"


def test_the_dashboard_is_packed_unchanged(chart: Path) -> None:
    manifests = render(chart, {"grafanaDashboard": {"enabled": True}})
    packed = one(manifests, "ConfigMap")

    validate(manifests)
    assert json.loads(packed["data"]["genai-ferry.json"]) == json.loads(DASHBOARD)
    assert packed["metadata"]["labels"]["grafana_dashboard"] == "1"


@pytest.mark.parametrize("value", ["prometheusRule", "grafanaDashboard"])
def test_a_chart_without_the_file_says_so(value: str, chart: Path) -> None:
    shutil.rmtree(chart / "files")

    assert f"{value}.enabled: this version of the chart" in refusal(
        {value: {"enabled": True}}, chart
    )
