"""The chart packs the alert rules and the dashboard, which are elsewhere in `deploy`."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from tests.test_deploy.helm import CHART, one, refusal, render, validate
from tests.test_documentation import ROOT

RULES = ROOT / "deploy" / "prometheus" / "rules.yaml"
DASHBOARD = ROOT / "deploy" / "grafana" / "dashboard.json"


def test_the_rules_are_packed_unchanged() -> None:
    manifests = render(CHART, {"prometheusRule": {"enabled": True, "labels": {"release": "p"}}})
    rule = one(manifests, "PrometheusRule")

    validate(manifests)
    assert rule["spec"] == yaml.safe_load(RULES.read_text())
    assert rule["metadata"]["labels"]["release"] == "p"


def test_every_alert_can_link_the_runbook_of_a_team() -> None:
    url = "https://wiki.example/ferry"
    values = {"prometheusRule": {"enabled": True, "runbookUrl": url}}
    alerts = [
        rule
        for group in one(render(CHART, values), "PrometheusRule")["spec"]["groups"]
        for rule in group["rules"]
        if "alert" in rule
    ]

    assert alerts
    for alert in alerts:
        assert alert["annotations"]["runbook_url"] == f"{url}#{alert['alert'].lower()}"
        assert "runbook" not in alert["annotations"]


def test_the_dashboard_is_packed_unchanged() -> None:
    manifests = render(CHART, {"grafanaDashboard": {"enabled": True}})
    packed = one(manifests, "ConfigMap")

    validate(manifests)
    assert packed["data"]["genai-ferry.json"] == DASHBOARD.read_text()
    assert json.loads(packed["data"]["genai-ferry.json"])["uid"] == "genai-ferry"
    assert packed["metadata"]["labels"]["grafana_dashboard"] == "1"


@pytest.mark.parametrize("value", ["prometheusRule", "grafanaDashboard"])
def test_a_chart_without_the_file_says_so(value: str, tmp_path: Path) -> None:
    copy = tmp_path / CHART.name
    shutil.copytree(CHART, copy)
    shutil.rmtree(copy / "files")

    assert f"{value}.enabled: this version of the chart" in refusal(
        {value: {"enabled": True}}, copy
    )
