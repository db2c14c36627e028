"""What helm prints after an install."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.test_deploy.helm import CHART, render

# helm prints the notes only with a cluster at hand, so a copy of the chart renders them.
RENDERED = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: notes
data:
  notes: |
    {{- include (print .Template.BasePath "/NOTES.txt") . | nindent 4 }}
"""
REPLICAS = CHART / "ci" / "replicas-values.yaml"


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    copy = tmp_path / CHART.name
    shutil.copytree(CHART, copy)
    (copy / "templates" / "notes.yaml").write_text(RENDERED)
    return copy


def notes(chart: Path, values: dict[str, Any], *files: Path) -> str:
    manifests = render(chart, values, *files)
    (found,) = (each for each in manifests if each["metadata"]["name"] == "notes")
    return str(found["data"]["notes"])


def test_they_name_the_address_in_the_cluster_and_the_risks(chart: Path) -> None:
    printed = notes(chart, {})

    assert "base_url is http://release-genai-ferry.ferry:8080/genai\n" in printed
    assert "RISK: the state ends with the pod" in printed
    assert "RISK: uploads that are open when a pod restarts fail" in printed


def test_they_name_the_address_with_tls(chart: Path) -> None:
    config = {"tls_cert": "/tls/tls.crt", "tls_key": "/tls/tls.key"}

    assert "base_url is https://release-" in notes(chart, {"config": config})


def test_they_say_that_prometheus_is_locked_out(chart: Path) -> None:
    monitored = {"serviceMonitor": {"enabled": True}}
    prometheus: list[Any] = [{"podSelector": {}}]

    assert "RISK: Prometheus" in notes(chart, {**monitored, "networkPolicy": {"enabled": True}})
    assert "RISK: Prometheus" not in notes(
        chart, {**monitored, "networkPolicy": {"enabled": True, "metricsFrom": prometheus}}
    )


def test_they_say_that_clients_behind_an_ingress_count_as_one(chart: Path) -> None:
    config = {"public_url": "https://host.example"}
    values = {"ingress": {"enabled": True}}
    trusting = {**config, "trusted_proxies": "10.1.2.0/24"}

    assert "RISK: all clients together" in notes(chart, {**values, "config": config})
    assert "RISK: all clients together" not in notes(chart, {**values, "config": trusting})


def test_they_name_the_public_address_and_no_risk_where_there_is_none(chart: Path) -> None:
    printed = notes(chart, {}, REPLICAS)

    assert "base_url is https://host.example/team/genai\n" in printed
    assert "RISK" not in printed
