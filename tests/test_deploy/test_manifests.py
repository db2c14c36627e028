"""The plain manifests are what the charts render, without helm's own labels."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.test_deploy.helm import CHART, MANIFESTS, helm_dependency, render, validate

OF_HELM = ("helm.sh/chart", "app.kubernetes.io/managed-by")


def test_the_deployment_is_what_the_chart_renders() -> None:
    rendered = render(CHART, {}, CHART / "ci" / "manifest-values.yaml", release="genai-ferry")

    assert _manifests("deployment.yaml") == [_without_labels(each) for each in rendered]


def test_the_sidecar_is_what_the_example_app_renders(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    app = helm_dependency(tmp_path_factory.mktemp("charts"))
    rendered = render(app, release="example-app")

    assert _manifests("sidecar.yaml") == [_without_labels(each) for each in rendered]


@pytest.mark.parametrize("path", sorted(MANIFESTS.glob("*.yaml")), ids=lambda path: path.name)
def test_they_are_valid(path: Path) -> None:
    validate(_manifests(path.name))


def _manifests(name: str) -> list[Any]:
    return list(yaml.safe_load_all((MANIFESTS / name).read_text()))


def _without_labels(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_labels(v) for k, v in value.items() if k not in OF_HELM}
    if isinstance(value, list):
        return [_without_labels(item) for item in value]
    return value
