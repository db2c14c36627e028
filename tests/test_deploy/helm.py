"""Renders the charts with a real helm, and validates the manifests against Kubernetes' schemas."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import kubernetes_validate
import yaml

from tests.test_deploy.tools import require_tool
from tests.test_documentation import ROOT

CHART: Final = ROOT / "deploy" / "helm" / "genai-ferry"
EXAMPLE_APP: Final = ROOT / "deploy" / "helm" / "example-app"
MANIFESTS: Final = ROOT / "deploy" / "kubernetes"

# The oldest version that the chart supports, and the newest one whose schemas are known.
VERSIONS: Final = ("1.29.0", kubernetes_validate.latest_version())

Manifest = Mapping[str, Any]

# Kinds of custom resources, which have no schema here, and the fields that each must have.
CUSTOM: Final[Mapping[str, tuple[str, Sequence[str]]]] = {
    "ServiceMonitor": ("monitoring.coreos.com/v1", ("selector", "endpoints")),
    "PrometheusRule": ("monitoring.coreos.com/v1", ("groups",)),
    "HTTPRoute": ("gateway.networking.k8s.io/v1", ("parentRefs", "hostnames", "rules")),
}


def require_helm() -> str:
    return require_tool("helm", "go")


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [require_helm(), *arguments], capture_output=True, text=True, timeout=60, check=False
    )


def helm_dependency(folder: Path) -> Path:
    """A copy of the example app's chart with its dependency, which helm puts into the chart."""
    for chart in (CHART, EXAMPLE_APP):
        shutil.copytree(chart, folder / chart.name)
    done = helm("dependency", "update", str(folder / EXAMPLE_APP.name))
    assert done.returncode == 0, done.stderr
    return folder / EXAMPLE_APP.name


def render(
    chart: Path = CHART,
    values: Mapping[str, Any] | None = None,
    *files: Path,
    release: str = "release",
) -> list[Manifest]:
    """What the chart renders with `values` on top of the `files`. Comments are lost."""
    done = _template(chart, values or {}, files, release)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def refusal(values: Mapping[str, Any], chart: Path = CHART) -> str:
    """The message with which the chart refuses `values`."""
    done = _template(chart, values, (), "release")
    assert done.returncode != 0, "the values were accepted"
    return done.stderr


def _template(
    chart: Path, values: Mapping[str, Any], files: Sequence[Path], release: str
) -> subprocess.CompletedProcess[str]:
    options = [option for file in files for option in ("--values", str(file))]
    return subprocess.run(
        [
            require_helm(),
            "template",
            release,
            str(chart),
            # helm from `go install` takes itself for one of an older Kubernetes.
            f"--kube-version={VERSIONS[-1]}",
            "--namespace=ferry",
            *options,
            "--values=-",
        ],
        input=yaml.safe_dump(dict(values)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def one(manifests: Sequence[Manifest], kind: str) -> Manifest:
    (found,) = (each for each in manifests if each["kind"] == kind)
    return found


def validate(manifests: Sequence[Manifest]) -> None:
    """Raises what is wrong with the first invalid one."""
    for manifest in manifests:
        if manifest["kind"] in CUSTOM:
            _validate_custom(manifest)
            continue
        for version in VERSIONS:
            kubernetes_validate.validate(dict(manifest), version, strict=True)


def _validate_custom(manifest: Manifest) -> None:
    api_version, required = CUSTOM[manifest["kind"]]
    assert manifest["apiVersion"] == api_version
    assert manifest["metadata"]["name"]
    for field in required:
        assert manifest["spec"][field], f"{manifest['kind']} has no {field}"


def container_of(pod: Manifest) -> Manifest:
    """genai-ferry's container in a pod's specification."""
    containers: list[Manifest] = [*pod["containers"], *pod.get("initContainers", ())]
    (found,) = (each for each in containers if each["name"] == "genai-ferry")
    return found


def variables(container: Manifest) -> Iterator[tuple[str, str]]:
    """The variables whose values are in the manifest."""
    for variable in container["env"]:
        if "value" in variable:
            yield variable["name"], variable["value"]
