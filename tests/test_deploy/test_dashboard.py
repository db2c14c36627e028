"""The dashboard shows every series that the program exports, and no other."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.test_deploy.promtool import promtool
from tests.test_deploy.queries import exported, problems, series_in
from tests.test_deploy.test_alert_rules import RECORDED
from tests.test_documentation import ROOT

DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "dashboard.json").read_text())
PANELS: list[Mapping[str, Any]] = [each for each in DASHBOARD["panels"] if each["type"] != "row"]
VARIABLES: list[Mapping[str, Any]] = DASHBOARD["templating"]["list"]


def queries(panel: Mapping[str, Any]) -> list[str]:
    return [target["expr"] for target in panel["targets"]]


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_names_series_and_labels_that_exist(panel: Mapping[str, Any]) -> None:
    assert queries(panel)
    for query in queries(panel):
        assert problems(query, RECORDED) == []


def test_prometheus_can_read_every_query(tmp_path: Path) -> None:
    every = [query for panel in PANELS for query in queries(panel)]
    rules = [
        {"record": f"query:{number}", "expr": re.sub(r"\$__(rate_interval|range)", "5m", query)}
        for number, query in enumerate(every)
    ]
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))

    assert f"SUCCESS: {len(every)} rules found" in promtool("check", "rules", str(file))


def test_the_lists_to_choose_from_name_series_that_exist() -> None:
    for variable in VARIABLES:
        if variable["type"] == "query":
            assert problems(variable["definition"], {}) == []


def test_every_series_is_shown() -> None:
    shown = {name for panel in PANELS for query in queries(panel) for name, _ in series_in(query)}
    counted_in_buckets = {name for name in exported() if name.endswith(("_sum", "_count"))}

    assert shown - RECORDED.keys() == exported().keys() - counted_in_buckets


def test_every_panel_can_be_narrowed_by_what_is_chosen() -> None:
    names = {f"${variable['name']}" for variable in VARIABLES} - {"$datasource"}
    every = {**exported(), **RECORDED}
    of_provider = {name for name, labels in every.items() if "provider" in labels}

    for panel in PANELS:
        assert panel["datasource"]["uid"] == "${datasource}"
        for query in queries(panel):
            used = {name for name in names if name in query}
            by_provider = any(name in of_provider for name, _ in series_in(query))
            assert used == (names if by_provider else names - {"$provider"}), panel["title"]


def test_panels_of_batches_say_what_they_count() -> None:
    once = ("ferry_batches_", "ferry_batch_requests_", "ferry_tokens_")
    found = [panel for panel in PANELS if any(name in " ".join(queries(panel)) for name in once)]

    assert len(found) == 5
    assert all("Counts what passed through the proxy" in panel["description"] for panel in found)


def test_the_alerts_and_the_stuck_batches_are_shown() -> None:
    of_title = {panel["title"]: " ".join(queries(panel)) for panel in PANELS}

    assert 'ALERTS{alertname=~"Ferry.*", alertstate="firing"' in of_title["Alerts that fire"]
    assert "ferry:batches_due:increase7d" in of_title["Batches that may be stuck"]


def test_panels_have_ids_of_their_own_and_do_not_overlap() -> None:
    every = DASHBOARD["panels"]
    cells = [
        (x, y)
        for panel in every
        for at in [panel["gridPos"]]
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]

    assert len({panel["id"] for panel in every}) == len(every)
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24
