"""The alert rules are valid, tested, explained, and about series that the program exports."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from tests.test_deploy.promtool import promtool
from tests.test_deploy.queries import grouped_by, problems
from tests.test_documentation import ROOT

FOLDER = ROOT / "deploy" / "prometheus"
RUNBOOK = "deploy/docs/runbook.md"
SECTION = re.compile(r"^### (\w+)\n\n(.*?)(?=^#|\Z)", re.MULTILINE | re.DOTALL)
IN_TEMPLATE = re.compile(r"\$labels\.(\w+)")

RULES: list[Mapping[str, Any]] = [
    rule
    for group in yaml.safe_load((FOLDER / "rules.yaml").read_text())["groups"]
    for rule in group["rules"]
]
ALERTS = {rule["alert"]: rule for rule in RULES if "alert" in rule}
RECORDED = {rule["record"]: grouped_by(rule["expr"]) for rule in RULES if "record" in rule}


def test_the_rules_are_valid() -> None:
    assert f"SUCCESS: {len(RULES)} rules found" in promtool(
        "check", "rules", str(FOLDER / "rules.yaml")
    )


def test_the_configuration_of_compose_is_valid() -> None:
    assert "1 rule files found" in promtool("check", "config", str(FOLDER / "prometheus.yml"))


def test_the_alerts_do_what_their_tests_say() -> None:
    promtool("test", "rules", str(FOLDER / "rules.test.yaml"))


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_fires_in_one_test_and_in_another_it_does_not(alert: str) -> None:
    tests = yaml.safe_load((FOLDER / "rules.test.yaml").read_text())["tests"]
    fires = [
        any(check["exp_alerts"] for check in checks)
        for test in tests
        if (checks := [each for each in test["alert_rule_test"] if each["alertname"] == alert])
    ]

    assert set(fires) == {False, True}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.get("alert") or rule["record"])
def test_a_rule_names_series_and_labels_that_exist(rule: Mapping[str, Any]) -> None:
    assert problems(rule["expr"], RECORDED) == []


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("rate(ferry_request_total[5m])", "no series ferry_request_total"),
        ("ferry_request_duration_seconds", "no series ferry_request_duration_seconds"),
        ("ferry:unknown:rate5m > 0", "no series ferry:unknown:rate5m"),
        ('ferry_requests_total{status="500"}', "ferry_requests_total has no status"),
        ("sum by (provider, model) (ferry_requests_total)", "no series has model"),
    ],
)
def test_a_query_that_names_what_does_not_exist_is_found(query: str, problem: str) -> None:
    assert problems(query, RECORDED) == [problem]


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_has_a_severity_a_summary_and_a_runbook(alert: str) -> None:
    rule = ALERTS[alert]

    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["annotations"]["runbook"] == f"{RUNBOOK}#{alert.lower()}"
    in_summary = set(IN_TEMPLATE.findall(rule["annotations"]["summary"]))
    assert in_summary <= grouped_by(rule["expr"]) | _labels_of_recorded(rule["expr"]) | {"instance"}


def _labels_of_recorded(query: str) -> set[str]:
    return {label for name, labels in RECORDED.items() if name in query for label in labels}


def test_the_runbook_explains_every_alert_and_no_other() -> None:
    sections = dict(SECTION.findall((ROOT / RUNBOOK).read_text()))

    assert list(sections) == list(ALERTS)
    for text in sections.values():
        assert re.findall(r"^\*\*(.+?)\.\*\*", text, re.MULTILINE) == [
            "Meaning",
            "First look",
            "What to do",
        ]
